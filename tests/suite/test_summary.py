"""--kms-summary: what the terminal tells of a run."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest

RunSuite = Callable[..., pytest.RunResult]


def told(result: pytest.RunResult) -> list[str]:
    """Return the section of the summary, without its heading."""
    lines = result.outlines
    begin = next(place for place, line in enumerate(lines) if line.strip("- ") == "pytest-kms: summary")
    after = lines[begin + 1 :]
    end = next(place for place, line in enumerate(after) if re.match(r"[=═]|\d+ (passed|failed)|no tests ran", line))
    return after[:end]


ORDERS = """
    import pytest
    from pytest_kms import fake_kms

    ALLOWED = {"Effect": "Allow", "Action": "kms:Encrypt", "Resource": "*"}
    ENCRYPT_ALONE = {"Version": "2012-10-17", "Statement": [ALLOWED]}

    @pytest.fixture(autouse=True)
    def frozen(kms):
        kms.clock.freeze()  # a second is long enough for all, on any machine

    @pytest.mark.parametrize("number", range(3))
    def test_seals(kms, number):
        kms.create_key("orders")
        blob = kms.client.encrypt(KeyId="alias/orders", Plaintext=b"x")["CiphertextBlob"]
        kms.client.decrypt(CiphertextBlob=blob)

    def test_signs(kms):
        kms.create_key("contracts", spec="RSA_4096", usage="SIGN_VERIFY")
        kms.client.sign(KeyId="alias/contracts", Message=b"x", SigningAlgorithm="RSASSA_PSS_SHA_256")

    @pytest.mark.parametrize("number", range(2))
    def test_is_denied(kms, number):
        kms.create_key("orders")
        app = kms.client_for(kms.principal("role/app", policy=ENCRYPT_ALONE))
        for _ in range(2):
            with pytest.raises(app.exceptions.ClientError):
                app.generate_data_key(KeyId="alias/orders", KeySpec="AES_256")

    def test_is_throttled(kms):
        key = kms.create_key()
        kms.create_key()
        kms.throttle("Encrypt", times=2)
        kms.client.encrypt(KeyId=key.id, Plaintext=b"x")

    def test_reencrypts(kms):
        kms.create_key("orders"), kms.create_key("archive")
        blob = kms.encrypt("alias/orders", b"x")
        kms.client.re_encrypt(CiphertextBlob=blob, DestinationKeyId="alias/archive")

    def test_nothing(kms):
        kms.create_key("unused")
"""
OF_ORDERS = """\
13 calls of KMS by 8 of 9 tests, 4 errors
keys:
  alias/orders            CUSTOMER SYMMETRIC_DEFAULT  11 calls  GenerateDataKey 4, Decrypt 3, Encrypt 3, ReEncrypt 1
  1 key without an alias  CUSTOMER SYMMETRIC_DEFAULT  1 call    Encrypt 1
  alias/archive           CUSTOMER SYMMETRIC_DEFAULT  1 call    ReEncrypt 1
  alias/contracts         CUSTOMER RSA_4096           1 call    Sign 1
operations:
  Encrypt          4 calls
  GenerateDataKey  4 calls  AccessDeniedException 4
  Decrypt          3 calls
  ReEncrypt        1 call
  Sign             1 call
denied:
  GenerateDataKey alias/orders by arn:aws:sts::123456789012:assumed-role/app/pytest-kms  4
throttled attempts:
  Encrypt a key without an alias  2
peaks against AWS's default quotas:
  Cryptographic operations (RSA) request rate        1 of 1,000 a second (0.1%)      Sign 1
  Cryptographic operations (symmetric) request rate  2 of 100,000 a second (0.002%)  *
estimated cost of these calls at AWS: $0.000051 (us-east-1 prices of 2026)
the 6 customer managed keys cost $6.00 a month"""


@pytest.mark.parametrize("workers", [0, 2])
def test_a_run_is_summed_up(run_suite: RunSuite, workers: int) -> None:
    """Of all fakes, of all workers, by names that do not change from run to run."""
    result = run_suite(ORDERS, "--kms-summary", workers=workers)

    assert {"passed": 9} == {name: count for name, count in result.parseoutcomes().items() if name == "passed"}
    lines = [re.sub(r"(0.002%\)  ).*", r"\1*", line) for line in told(result)]
    assert OF_ORDERS.splitlines() == lines


def test_a_quiet_run_is_summed_up_too(run_suite: RunSuite) -> None:
    """The option asks for it, whatever else is left out."""
    result = run_suite("def test_it(kms): kms.client.list_keys()", "--kms-summary", "-q")

    assert "1 call of KMS by 1 of 1 test, no errors" == told(result)[0]


@pytest.mark.parametrize("source", ["def test_it(kms): kms.create_key()", "def test_it(): pass"])
def test_a_run_without_calls_says_so(run_suite: RunSuite, source: str) -> None:
    """Neither a fake that nobody calls nor a suite that knows nothing of KMS has more to tell."""
    assert ["Nothing called KMS."] == told(run_suite(source, "--kms-summary"))


def test_long_lists_are_cut(run_suite: RunSuite) -> None:
    """Ten lines of each are shown, those with most calls first."""
    lines = told(
        run_suite(
            """
            def test_it(kms):
                for number in range(12):
                    kms.create_key(f"tenant-{number:02}")
                    for _ in range(number + 1):
                        kms.client.encrypt(KeyId=f"alias/tenant-{number:02}", Plaintext=b"x")
            """,
            "--kms-summary",
        )
    )

    keys = lines[lines.index("keys:") + 1 : lines.index("operations:")]
    assert 11 == len(keys)
    assert "  alias/tenant-11  CUSTOMER SYMMETRIC_DEFAULT  12 calls  Encrypt 12" == keys[0]
    assert "  ... and 2 more" == keys[-1]


def test_many_operations_of_a_key_are_cut(run_suite: RunSuite) -> None:
    """A line tells ten of them."""
    lines = told(
        run_suite(
            """
            import pytest

            def test_it(kms):
                key, client = kms.create_key("orders").id, kms.client
                client.describe_key(KeyId=key)
                client.get_key_policy(KeyId=key)
                client.get_key_rotation_status(KeyId=key)
                client.list_grants(KeyId=key)
                client.list_key_policies(KeyId=key)
                client.list_key_rotations(KeyId=key)
                client.list_resource_tags(KeyId=key)
                client.encrypt(KeyId=key, Plaintext=b"x")
                client.generate_data_key(KeyId=key, KeySpec="AES_256")
                client.disable_key(KeyId=key)
                client.enable_key(KeyId=key)
                client.schedule_key_deletion(KeyId=key)
            """,
            "--kms-summary",
        )
    )

    assert lines[2].endswith(", ListKeyRotations 1, and 2 more")


def test_homes_are_told_where_there_are_several(run_suite: RunSuite) -> None:
    """Region and account stand with keys and peaks as soon as they differ."""
    lines = told(
        run_suite(
            """
            def test_it(kms):
                for region in ("us-east-1", "eu-west-1"):
                    kms.create_key("orders", region=region)
                    kms.client_for(region=region).describe_key(KeyId="alias/orders")
            """,
            "--kms-summary",
        )
    )

    assert [
        "keys:",
        "  alias/orders  CUSTOMER SYMMETRIC_DEFAULT, eu-west-1 123456789012  1 call  DescribeKey 1",
        "  alias/orders  CUSTOMER SYMMETRIC_DEFAULT, us-east-1 123456789012  1 call  DescribeKey 1",
    ] == lines[1:4]
    where = "1 of 2,000 a second (0.05%)"
    assert [
        f"  DescribeKey request rate  {where}, eu-west-1 123456789012  DescribeKey 1",
        f"  DescribeKey request rate  {where}, us-east-1 123456789012  DescribeKey 1",
    ] == [line for line in lines if where in line]


def test_peaks_are_against_the_defaults_of_aws(run_suite: RunSuite) -> None:
    """A limit that a test sets to meet it tells nothing of the code; one on an operation alone is none of AWS's."""
    lines = told(
        run_suite(
            """
            def test_it(kms):
                kms.clock.freeze()
                kms.quotas["Decrypt"] = 2
                kms.quotas["ListKeys"] = 2
                kms.create_key("orders")
                blob = kms.encrypt("alias/orders", b"x")
                for _ in range(2):
                    kms.client.list_keys()
                    kms.client.decrypt(CiphertextBlob=blob)
                for _ in range(5):
                    kms.client.list_key_policies(KeyId=kms.create_key().id)
            """,
            "--kms-summary",
        )
    )

    begin = lines.index("peaks against AWS's default quotas:")
    assert [
        "  ListKeyPolicies request rate                       5 of 100 a second (5%)",
        "  ListKeys request rate                              2 of 500 a second (0.4%)",
    ] == [line[:78].rstrip() for line in lines[begin + 1 : begin + 3]]
    assert "  Cryptographic operations (symmetric) request rate" == lines[begin + 3][:51]
    assert lines[begin + 4].startswith("estimated cost")


def test_a_worker_that_crashes_is_told(run_suite: RunSuite) -> None:
    """What it had collected is gone; what others have is there."""
    result = run_suite(
        """
        import os

        def test_crashes(kms):
            kms.client.list_keys()
            os._exit(1)

        def test_works(kms):
            kms.client.list_keys()
        """,
        "--kms-summary",
        "--dist=load",
        workers=1,
    )

    assert ["1 worker crashed: what they called is missing here.", "1 call of KMS by 1 of 1 test, no errors"] == (
        told(result)[:2]
    )


def test_without_the_option_nothing_is_told(run_suite: RunSuite) -> None:
    """A run is as it was."""
    result = run_suite("def test_it(kms): kms.client.list_keys()")

    assert not [line for line in result.outlines if "pytest-kms" in line and "plugins" not in line]
