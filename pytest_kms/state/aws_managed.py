"""The AWS managed keys: `alias/aws/SERVICE`, one for each service that ever had one."""

from __future__ import annotations

from pytest_kms.arns import RESERVED_ALIAS_PREFIX

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
