"""What the report of a failing test tells of its KMS calls, and why they ended as they did."""

from __future__ import annotations

import pytest

PREFIX = "import pytest, pytest_kms\nfrom botocore.exceptions import ClientError\n"
KEY = "1234abcd-12ab-34cd-56ef-1234567890ab"
ARN = f"arn:aws:kms:us-east-1:123456789012:key/{KEY}"
AT = "2031-01-01 00:00:00 UTC"


def story(pytester: pytest.Pytester, source: str) -> list[str]:
    """Return the lines of the sections `kms` that the reports of a module's tests have."""
    pytester.makepyfile(f"{PREFIX}{source}")
    result = pytester.runpytest_inprocess("-p", "no:cacheprovider", "--tb=line", "-rN")
    lines, within = [], False
    for line in result.outlines:
        if line.strip("- ") == "kms":
            within = True
        elif within and (line[:1].isdigit() or line.startswith(("     ", "Nothing", "..."))):
            lines.append(line)
        else:
            within = False
    return lines


# Why: the body of a test, with a fake `kms`, its client `c` and the key alias/orders; the last lines.
DIAGNOSES = {
    "disabled by a call": (
        "c.disable_key(KeyId=key.id); c.encrypt(KeyId=key.id, Plaintext=b'7')",
        [
            "2. Encrypt alias/orders -> DisabledException   <-- with this error the test ended",
            f"     {ARN} is disabled.",
            f"     why: alias/orders is Disabled since call 1, DisableKey, at {AT}",
        ],
    ),
    "disabled by the test": (
        "key.state = 'Disabled'; c.encrypt(KeyId=key.id, Plaintext=b'7')",
        [
            "1. Encrypt alias/orders -> DisabledException   <-- with this error the test ended",
            f"     {ARN} is disabled.",
            "     why: alias/orders was arranged by the test to be Disabled: no call has made it so",
        ],
    ),
    "waits for its deletion": (
        "c.schedule_key_deletion(KeyId=key.id); c.encrypt(KeyId=key.id, Plaintext=b'7')",
        [
            "2. Encrypt alias/orders -> KMSInvalidStateException   <-- with this error the test ended",
            f"     {ARN} is pending deletion.",
            f"     why: alias/orders is PendingDeletion since call 1, ScheduleKeyDeletion, at {AT}",
        ],
    ),
    "a state that no call makes": (
        "key.state = 'Updating'; c.update_primary_region(KeyId=key.id, PrimaryRegion='eu-west-1')",
        None,
    ),
    "deleted": (
        "c.schedule_key_deletion(KeyId=key.id); kms.clock.advance(days=31); c.encrypt(KeyId=key.id, Plaintext=b'7')",
        [
            f"     Key '{ARN}' does not exist",
            "     why: the key had its deletion date on 2031-01-31 00:00:00 UTC",
        ],
    ),
    "another context": (
        "blob = kms.encrypt(key, b'7', {'tenant': 'a'});"
        " c.decrypt(CiphertextBlob=blob, EncryptionContext={'tenant': 'b'})",
        [
            "1. Decrypt alias/orders {tenant: b} -> InvalidCiphertextException   <-- with this error the test ended",
            "     why: the encryption context differs: tenant 'a' -> 'b'",
        ],
    ),
    "cut": (
        "c.decrypt(CiphertextBlob=kms.encrypt(key, b'7')[:-3])",
        [
            "1. Decrypt -> InvalidCiphertextException   <-- with this error the test ended",
            "     why: the ciphertext is cut by 3 bytes",
        ],
    ),
    "another region": (
        "kms.client_for(region='eu-west-1').encrypt(KeyId=key.id, Plaintext=b'7')",
        [
            f"     Key '{ARN.replace('us-east-1', 'eu-west-1')}' does not exist",
            "     why: the key is in us-east-1, the call went to eu-west-1",
        ],
    ),
    "nearly the alias": (
        "c.encrypt(KeyId='alias/order', Plaintext=b'7')",
        [
            "1. Encrypt alias/order -> NotFoundException   <-- with this error the test ended",
            "     Alias arn:aws:kms:us-east-1:123456789012:alias/order is not found.",
            "     why: us-east-1 has alias/orders",
        ],
    ),
    "too long": (
        "c.encrypt(KeyId=key.id, Plaintext=b'7' * 5000)",
        [
            "     why: KMS encrypts at most 4,096 bytes, these are 5,000: encrypt them under a data key of"
            " GenerateDataKey, as the AWS Encryption SDK does",
        ],
    ),
    "too long for another reason": (
        "c.create_alias(AliasName='alias/' + 'x' * 300, TargetKeyId=key.id)",
        None,
    ),
    "another algorithm": (
        "mac = kms.create_key('mac', spec='HMAC_256');"
        " c.generate_mac(KeyId=mac.id, Message=b'7', MacAlgorithm='HMAC_SHA_512')",
        [
            "1. GenerateMac alias/mac -> InvalidKeyUsageException   <-- with this error the test ended",
            "     Algorithm HMAC_SHA_512 is incompatible with key spec HMAC_256.",
            "     why: alias/mac has HMAC_SHA_256",
        ],
    ),
    "another message type": (
        "rsa = kms.create_key('rsa', spec='RSA_2048', usage='SIGN_VERIFY');"
        " m = dict(KeyId=rsa.id, Message=b'7' * 32, SigningAlgorithm='RSASSA_PSS_SHA_256');"
        " s = c.sign(**m, MessageType='DIGEST')['Signature']; c.verify(**m, Signature=s)",
        [
            "     why: the signature is none of this message (RAW) by alias/rsa with RSASSA_PSS_SHA_256;"
            f" it is from call 1, Sign, at {AT}: with MessageType DIGEST",
        ],
    ),
    "another message": (
        "rsa = kms.create_key('rsa', spec='RSA_2048', usage='SIGN_VERIFY');"
        " m = dict(KeyId=rsa.id, SigningAlgorithm='RSASSA_PSS_SHA_256');"
        " s = c.sign(**m, Message=b'7')['Signature']; c.verify(**m, Message=b'8', Signature=s)",
        [
            "     why: the signature is none of this message (RAW) by alias/rsa with RSASSA_PSS_SHA_256;"
            f" it is from call 1, Sign, at {AT}: of another message",
        ],
    ),
    "another signer": (
        "rsa = kms.create_key('rsa', spec='RSA_2048', usage='SIGN_VERIFY');"
        " other = kms.create_key('other', spec='RSA_2048', usage='SIGN_VERIFY');"
        " m = dict(Message=b'7', SigningAlgorithm='RSASSA_PSS_SHA_256');"
        " s = c.sign(**m, KeyId=rsa.id)['Signature']; c.verify(**m, KeyId=other.id, Signature=s)",
        [
            "     why: the signature is none of this message (RAW) by alias/other with RSASSA_PSS_SHA_256;"
            f" it is from call 1, Sign, at {AT}: by alias/rsa",
        ],
    ),
    "a signature of nobody": (
        "rsa = kms.create_key('rsa', spec='RSA_2048', usage='SIGN_VERIFY');"
        " c.verify(KeyId=rsa.id, Message=b'7', SigningAlgorithm='RSASSA_PSS_SHA_256', Signature=b'7')",
        ["     why: the signature is none of this message (RAW) by alias/rsa with RSASSA_PSS_SHA_256"],
    ),
    "another mac": (
        "mac = kms.create_key('mac', spec='HMAC_256'); m = dict(KeyId=mac.id, MacAlgorithm='HMAC_SHA_256');"
        " made = c.generate_mac(**m, Message=b'7')['Mac']; c.verify_mac(**m, Message=b'8', Mac=made)",
        [
            "     why: the MAC is not that of this message by alias/mac with HMAC_SHA_256;"
            f" it is from call 1, GenerateMac, at {AT}",
        ],
    ),
}


@pytest.mark.parametrize(("body", "expected"), DIAGNOSES.values(), ids=DIAGNOSES)
def test_the_report_says_why(body: str, expected: list[str] | None, pytester: pytest.Pytester) -> None:
    """AWS's answers stay terse; what it does not say stands below it."""
    told = story(
        pytester,
        f"""
from datetime import datetime, timezone

@pytest.mark.kms(region="us-east-1")
def test_it(kms):
    kms.clock.freeze()
    kms.clock.at(datetime(2031, 1, 1, tzinfo=timezone.utc))
    key, c = kms.create_key("orders", key_id="{KEY}"), kms.client
    {body}
""",
    )

    if expected is None:
        assert [] == [line for line in told if "why" in line]
    else:
        assert expected == told[-len(expected) :]


def test_the_error_that_a_test_ended_with_is_marked_whatever_came_of_it(pytester: pytest.Pytester) -> None:
    """Swallowed errors are told too, and calls of other threads."""
    told = story(
        pytester,
        """
from concurrent.futures import ThreadPoolExecutor

def test_it(kms):
    kms.create_key("orders")
    try:
        kms.client.encrypt(KeyId="alias/elsewhere", Plaintext=b"7")
    except Exception:
        pass
    with ThreadPoolExecutor() as pool:
        try:
            pool.submit(kms.client.decrypt, CiphertextBlob=b"nonsense").result()
        except ClientError as error:
            raise RuntimeError("the job failed") from error
""",
    )

    assert [
        "1. Encrypt alias/elsewhere -> NotFoundException",
        "2. Decrypt -> InvalidCiphertextException   <-- with this error the test ended",
        "     why: the 8 bytes are no ciphertext of KMS",
    ] == [line for line in told if "arn:aws" not in line]


def test_a_fixture_that_fails_has_the_section_too(pytester: pytest.Pytester) -> None:
    """It is the setup of the test that ends with it."""
    told = story(
        pytester,
        """
@pytest.fixture
def sealed(kms):
    return kms.client.decrypt(CiphertextBlob=b"nonsense")

@pytest.fixture
def broken(kms):
    raise LookupError

def test_it(sealed): ...
def test_another(broken): ...
""",
    )

    assert [
        "1. Decrypt -> InvalidCiphertextException   <-- with this error the test ended",
        "     why: the 8 bytes are no ciphertext of KMS",
    ] == told


def test_a_fake_of_the_tests_own_is_told_of_as_well(pytester: pytest.Pytester) -> None:
    """Also when it has ended before the test failed; that of a test before is not."""
    told = story(
        pytester,
        """
def test_before():
    with pytest_kms.fake_kms() as kms:
        kms.client.list_keys()

def test_it():
    with pytest_kms.fake_kms() as kms:
        kms.client.list_aliases()
    assert False

def test_without():
    assert False
""",
    )

    assert ["1. ListAliases -> ok"] == told


def test_a_fake_that_outlives_a_test_tells_the_calls_of_the_last_one(pytester: pytest.Pytester) -> None:
    """Those of the tests before are counted."""
    pytester.makeini("[pytest]\nkms_scope = module")
    source = """
def test_first(kms):
    kms.client.list_keys()
    kms.client.list_keys()

def test_second(kms):
    kms.client.list_aliases()
    assert False

def test_third(kms):
    assert False
"""

    assert ["... calls 1 to 2 are those of earlier tests", "3. ListAliases -> ok"] == story(pytester, source)[:2]
    assert ["... calls 1 to 3 are those of earlier tests", "Nothing called KMS."] == story(pytester, source)[2:]


def test_a_long_story_is_cut_at_its_beginning(pytester: pytest.Pytester) -> None:
    """The last fifty calls are shown."""
    told = story(
        pytester,
        """
def test_it(kms):
    for _ in range(53):
        kms.client.list_keys()
    assert False
""",
    )

    assert ["... calls 1 to 3 are in kms.trail", "4. ListKeys -> ok"] == told[:2]
    assert 51 == len(told)
