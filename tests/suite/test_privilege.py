"""--kms-least-privilege: the policies that the calls of a whole suite need."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from pytest_kms import lifespan, watching

RunSuite = Callable[..., pytest.RunResult]

CRASH = """
    import os

    def test_crashes(kms):
        kms.client.list_keys()
        os._exit(1)

    def test_works(kms):
        kms.client.list_aliases()
"""

_OF_SUITE = """
    import pytest
    from pytest_kms import fake_kms

    @pytest.mark.parametrize("number", range(4))
    def test_encrypts(kms, number):
        kms.create_key("orders")
        kms.client.encrypt(KeyId="alias/orders", Plaintext=b"x")

    def test_decrypts(kms):
        kms.create_key("orders")
        kms.client.decrypt(CiphertextBlob=kms.encrypt("alias/orders", b"x"))

    def test_resets(kms):
        made = kms.client.create_key()
        kms.client.create_alias(AliasName="alias/new", TargetKeyId=made["KeyMetadata"]["KeyId"])
        kms.reset()

    def test_without_the_fixture():
        with fake_kms() as kms:
            kms.client.list_keys()
"""
_ARN = "arn:aws:kms:us-east-1:123456789012"
_TESTER = "arn:aws:iam::123456789012:user/tester"
_WRITTEN = {
    "identity_policies": {
        _TESTER: {
            "Version": "2012-10-17",
            "Statement": [
                {"Effect": "Allow", "Action": ["kms:CreateAlias"], "Resource": [f"{_ARN}:alias/new", f"{_ARN}:key/*"]},
                {"Effect": "Allow", "Action": ["kms:CreateKey", "kms:ListKeys"], "Resource": ["*"]},
                {
                    "Effect": "Allow",
                    "Action": ["kms:Decrypt", "kms:Encrypt"],
                    "Resource": [f"{_ARN}:key/*"],
                    "Condition": {"ForAnyValue:StringEquals": {"kms:ResourceAliases": ["alias/orders"]}},
                },
            ],
        }
    },
    "key_policies": {
        "alias/orders": [
            {
                "Effect": "Allow",
                "Principal": {"AWS": _TESTER},
                "Action": ["kms:Decrypt", "kms:Encrypt"],
                "Resource": "*",
            }
        ],
        f"{_ARN}:key/*": [
            {"Effect": "Allow", "Principal": {"AWS": _TESTER}, "Action": ["kms:CreateAlias"], "Resource": "*"}
        ],
    },
}


@pytest.mark.parametrize("workers", [0, 2])
def test_the_least_privilege_of_a_suite_is_written(
    run_suite: RunSuite, pytester: pytest.Pytester, workers: int
) -> None:
    """Of all fakes, of all workers, under names that last, in an order that does not change."""
    result = run_suite(_OF_SUITE, "--kms-least-privilege=made/policies.json", workers=workers)

    assert 7 == result.parseoutcomes()["passed"]
    assert [line.strip("- ") for line in result.outlines if "least privilege" in line] == [
        "pytest-kms: least privilege in made/policies.json"
    ]
    text = (pytester.path / "made/policies.json").read_text()
    assert f"{json.dumps(_WRITTEN, indent=2)}\n" == text


def test_the_least_privilege_of_a_suite_lets_it_through(run_suite: RunSuite, pytester: pytest.Pytester) -> None:
    """What was written is a policy that fits keys of other ids."""
    file = pytester.path / "policies.json"
    run_suite(_OF_SUITE, f"--kms-least-privilege={file}")
    written = json.loads(file.read_text())["identity_policies"][_TESTER]

    with lifespan.fake_kms(region="us-east-1") as kms:
        kms.create_key("orders")
        client = kms.client_for(kms.principal("role/app", policy=written))
        client.decrypt(CiphertextBlob=client.encrypt(KeyId="alias/orders", Plaintext=b"x")["CiphertextBlob"])
        kms.create_key("archive")
        with pytest.raises(client.exceptions.ClientError, match="AccessDenied"):
            client.encrypt(KeyId="alias/archive", Plaintext=b"x")


@pytest.mark.parametrize("option", [None, "--kms-least-privilege=policies.json", "--kms-summary"])
def test_a_run_leaves_nobody_watching(run_suite: RunSuite, option: str | None) -> None:
    """Without an option there is nobody to begin with."""
    result = run_suite(_OF_SUITE, *filter(None, [option]))

    assert {"passed": 7} == result.parseoutcomes()
    assert [] == watching.watchers


@pytest.mark.parametrize("option", ["--kms-least-privilege", "--kms-cloudtrail"])
def test_a_file_that_lacks_what_a_crash_has_taken_is_told(run_suite: RunSuite, option: str) -> None:
    """Policies that let less through than the suite needs are not to be trusted unseen."""
    result = run_suite(CRASH, f"{option}=made.json", workers=1)
    place = next(place for place, line in enumerate(result.outlines) if "made.json" in line)

    assert "1 worker crashed: what they called is missing here." == result.outlines[place + 1]
