"""What AWS services ask of KMS for what they store: under which name, with which encryption context, by which calls.

From the services' own guides, and the KMS Developer Guide ("AWS services that use KMS").
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from pytest_kms import arns
from pytest_kms.errors import UsageError

_NAME = re.compile(r"[a-z0-9-]+(\.[a-z0-9-]+)*")
_DOMAINS = (".amazonaws.com", ".amazonaws.com.cn")

# The services that call KMS by another name than their alias has, and those that are a part of each Region.
_VIA = {"ebs": "ec2"}
_REGIONAL = frozenset({"logs", "workmail"})


def via(service: str, region: str) -> str:
    """Return the value of kms:ViaService when a service calls KMS for somebody; the same in all partitions."""
    return service if service.endswith(_DOMAINS) else f"{_VIA.get(service, service)}.{region}.amazonaws.com"


def principal(service: str, region: str) -> str:
    """Return the name of the principal that a service is when it calls KMS on its own account."""
    if service.endswith(_DOMAINS):
        return service
    return f"{service}.{region}.amazonaws.com" if service in _REGIONAL else f"{service}.amazonaws.com"


def expect_name(service: str) -> None:
    """Refuse what cannot be the name of an AWS service. There are too many to know them all."""
    if not _NAME.fullmatch(service):
        raise UsageError(f"{service!r} is no AWS service; they are called as in their endpoints: 's3', 'ec2', 'logs'")


# How a service encrypts what it stores.
CONTENT = "CONTENT"
"""KMS encrypts the content itself (Encrypt)."""
DATA_KEY = "DATA_KEY"
"""The service encrypts the content with a data key (GenerateDataKey, AES_256)."""
VOLUME = "VOLUME"
"""EBS encrypts a volume with a data key of 64 bytes, which it has in plaintext only while the volume is attached."""


@dataclass(frozen=True, slots=True)
class AtRest:
    """How a service encrypts what it stores.

    `resource` is what the ARNs of its resources look like, behind the partition; `context` the encryption context.
    A pair without a value is one that the resource does not tell. `reads_back` says that it decrypts a new data key
    before it uses it.
    """

    resource: str
    context: Mapping[str, str | None]
    way: str = DATA_KEY
    reads_back: bool = False


AT_REST: Mapping[str, AtRest] = {
    "cloudtrail": AtRest(
        "cloudtrail:{region}:{account}:trail/{name}", {"aws:cloudtrail:arn": "{arn}", "aws:s3:arn": None}
    ),
    "dynamodb": AtRest(
        "dynamodb:{region}:{account}:table/{name}",
        {"aws:dynamodb:tableName": "{name}", "aws:dynamodb:subscriberId": "{account}"},
    ),
    "ebs": AtRest("ec2:{region}:{account}:volume/{name}", {"aws:ebs:id": "{name}"}, VOLUME),
    "ec2": AtRest("ec2:{region}:{account}:volume/{name}", {"aws:ebs:id": "{name}"}, VOLUME),
    "kinesis": AtRest("kinesis:{region}:{account}:stream/{name}", {"aws:kinesis:arn": "{arn}"}),
    "lambda": AtRest("lambda:{region}:{account}:function:{name}", {"aws:lambda:FunctionArn": "{arn}"}, CONTENT),
    # That it makes data keys is a guess from the permissions that it needs.
    "logs": AtRest("logs:{region}:{account}:log-group:{name}", {"aws:logs:arn": "{arn}"}),
    # Its data keys are those of the volumes.
    "rds": AtRest("rds:{region}:{account}:db:{name}", {"aws:rds:db-id": "{name}"}, VOLUME),
    # Which calls it makes is a guess.
    "redshift": AtRest(
        "redshift:{region}:{account}:cluster:{name}",
        {"aws:redshift:arn": "{arn}", "aws:redshift:createtime": "{minute}"},
    ),
    "s3": AtRest("s3:::{name}", {"aws:s3:arn": "{arn}"}),
    "secretsmanager": AtRest(
        "secretsmanager:{region}:{account}:secret:{name}", {"SecretARN": "{arn}", "SecretVersionId": "{uuid}"}
    ),
    "ses": AtRest(
        "ses:{region}:{account}:receipt-rule/{name}",
        {
            "aws:ses:source-account": "{account}",
            "aws:ses:rule-name": "{name}",
            "aws:ses:message-id": "{uuid}",
        },
    ),
    "sns": AtRest("sns:{region}:{account}:{name}", {"aws:sns:topicArn": "{arn}"}, reads_back=True),
    "sqs": AtRest("sqs:{region}:{account}:{name}", {"aws:sqs:arn": "{arn}"}, reads_back=True),
    "ssm": AtRest("ssm:{region}:{account}:parameter/{name}", {"PARAMETER_ARN": "{arn}"}, CONTENT),
    "workmail": AtRest("workmail:{region}:{account}:organization/{name}", {"aws:workmail:arn": "{arn}"}, CONTENT),
    "workspaces": AtRest(
        "workspaces:{region}:{account}:workspace/{name}",
        {"aws:workspaces:sid-directoryid": "{name}", "aws:ebs:id": None},
        VOLUME,
    ),
}
"""How services encrypt at rest, by the names that `kms.service` takes."""


class Named(NamedTuple):
    """A resource of a service: its ARN, its account, and what it is called."""

    arn: str
    account: str
    name: str


def named(facts: AtRest, resource: str, region: str, account: str) -> Named:
    """Read what a test calls a resource: an ARN, or what stands at the end of one."""
    if resource.startswith("arn:"):
        parts = resource.split(":", 5)
        if len(parts) < 6:
            raise UsageError(f"{resource!r} is no ARN: it has too few parts")
        return Named(resource, parts[4] or account, re.split("[:/]", resource)[-1])
    # The path of a parameter begins with the slash that its ARN has anyway.
    name = resource.removeprefix("/") if "/{name}" in facts.resource else resource
    ending = facts.resource.format(region=region, account=account, name=name)
    return Named(f"arn:{arns.partition_of(region)}:{ending}", account, name)
