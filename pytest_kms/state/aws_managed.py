"""The AWS managed keys: `alias/aws/SERVICE`, one for each service that ever had one."""

from __future__ import annotations

from typing import Any

from pytest_kms.arns import RESERVED_ALIAS_PREFIX, of_principal
from pytest_kms.state import aws_services
from pytest_kms.state.policy_text import render

# What each key says it protects. The sentences of DescribeKey were seen on real keys; where none was seen
# for a service, its name stands for the object and the sentence is a guess by the same pattern.
_PROTECTS = {
    "acm": "ACM private keys",
    "backup": "Backup data",
    "codecommit": "codecommit data",
    "connect": "connect data",
    "dms": "dms data",
    "dynamodb": "DynamoDB data",
    "ebs": "EBS volumes",
    "ecr": "ecr data",
    "elasticfilesystem": "EFS filesystems",
    "es": "es data",
    "fsx": "fsx data",
    "glue": "Glue data",
    "imagebuilder": "imagebuilder data",
    "kafka": "kafka data",
    "kinesis": "kinesis data",
    "kinesisvideo": "kinesisvideo data",
    "lambda": "Lambda functions",
    "mq": "mq data",
    "rds": "RDS database volumes",
    "redshift": "redshift data",
    "s3": "S3 objects",
    "secretsmanager": "Secrets Manager data",
    "sns": "sns data",
    "sqs": "SQS messages",
    "ssm": "SSM parameters",
    "workmail": "workmail data",
    "xray": "xray data",
}

SERVICES = frozenset(_PROTECTS)
ALIASES = tuple(sorted(f"{RESERVED_ALIAS_PREFIX}{service}" for service in _PROTECTS))


def description(service: str) -> str:
    """Return what DescribeKey says of a service's key."""
    return f"Default key that protects my {_PROTECTS[service]} when no other key is defined"


# What the policies call the services where it is not the first word above, in both places of the sentence; seen.
_NAMES = {
    "dynamodb": ("Amazon DynamoDB", "Amazon DynamoDB"),
    "secretsmanager": ("AWS Secrets Manager", "AWS Secrets Manager"),
    "sqs": ("Simple Queue Service (SQS)", "SQS"),
}
# What the ids of the policies end with: seen for these, and 1 for SQS, DynamoDB and EFS.
_GENERATIONS = {"ebs": 2, "rds": 2, "s3": 2, "secretsmanager": 2}

_GENERATE = "kms:GenerateDataKey*"
_USE = ("kms:Encrypt", "kms:Decrypt", "kms:ReEncrypt*", _GENERATE, "kms:CreateGrant", "kms:DescribeKey")
_USES = {
    "s3": (*_USE[:4], "kms:DescribeKey"),
    "rds": (*_USE[:5], "kms:ListGrants", "kms:DescribeKey"),
    "secretsmanager": (*_USE[:3], *_USE[4:]),
}
_LOOK = ("kms:Describe*", "kms:Get*", "kms:List*")
_LOOK_AND_REVOKE = (*_LOOK, "kms:RevokeGrant")


def key_policy(service: str, region: str, account: str) -> str:
    """Write the key policy of a service's key: all of the account may use it, through the service alone.

    The policies for SQS, EBS, S3, Secrets Manager and DynamoDB were seen, of RDS and EFS some parts; those of other
    services are taken to be alike.
    """
    through = {"kms:CallerAccount": account, "kms:ViaService": aws_services.via(service, region)}
    statements = [
        _use(service, list(_USES.get(service, _USE)), {"StringEquals": through}),
        *_more_uses(service, account),
        {
            "Sid": "Allow direct access to key metadata to the account",
            "Effect": "Allow",
            "Principal": {"AWS": of_principal(region, account, "root")},
            "Action": list(_LOOK if service == "s3" else _LOOK_AND_REVOKE),
            "Resource": "*",
        },
        *_looks_of_service(service),
    ]
    policy_id = f"auto-{service}-{_GENERATIONS.get(service, 1)}"
    return render({"Version": "2012-10-17", "Id": policy_id, "Statement": statements})


def _use(service: str, actions: str | list[str], condition: dict[str, Any]) -> dict[str, Any]:
    first_word = _PROTECTS[service].partition(" ")[0]
    name, short_name = _NAMES.get(service, (first_word, first_word))
    return {
        "Sid": f"Allow access through {name} for all principals in the account that are authorized to use {short_name}",
        "Effect": "Allow",
        "Principal": {"AWS": "*"},
        "Action": actions,
        "Resource": "*",
        "Condition": condition,
    }


def _more_uses(service: str, account: str) -> list[dict[str, Any]]:
    """Let Secrets Manager make data keys from every Region."""
    if service != "secretsmanager":
        return []
    condition = {
        "StringEquals": {"kms:CallerAccount": account},
        "StringLike": {"kms:ViaService": "secretsmanager.*.amazonaws.com"},
    }
    return [_use(service, _GENERATE, condition)]


def _looks_of_service(service: str) -> list[dict[str, Any]]:
    """Let DynamoDB itself look at the key."""
    if service != "dynamodb":
        return []
    principal = aws_services.principal(service, "")
    return [
        {
            "Sid": f"Allow DynamoDB Service with service principal name {principal} to describe the key directly",
            "Effect": "Allow",
            "Principal": {"Service": principal},
            "Action": list(_LOOK),
            "Resource": "*",
        }
    ]
