"""What calls cost at AWS, estimated."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from pytest_kms.suite import prices

RecordOf = Callable[..., dict[str, Any]]


def of_10_000(data: dict[str, Any]) -> list[float]:
    """Give what ten thousand of each call cost."""
    return [round(call["cost"] * 10_000, 6) for call in data["calls"]]


def test_requests_cost_by_operation_and_key(record_of: RecordOf) -> None:
    """Those with asymmetric keys cost more, but for RSA_2048; those with data key pairs most."""
    data = record_of(
        """
        def test_it(kms):
            key, client = kms.create_key(), kms.client
            client.list_keys()
            client.encrypt(KeyId=key.id, Plaintext=b"x")
            client.generate_random(NumberOfBytes=8)
            for spec, algorithm in (
                ("RSA_2048", "RSASSA_PSS_SHA_256"),
                ("RSA_4096", "RSASSA_PSS_SHA_256"),
                ("ECC_NIST_P256", "ECDSA_SHA_256"),
            ):
                signing = kms.create_key(spec=spec, usage="SIGN_VERIFY")
                client.sign(KeyId=signing.id, Message=b"x", SigningAlgorithm=algorithm)
                client.get_public_key(KeyId=signing.id)
                client.describe_key(KeyId=signing.id)
            hmac = kms.create_key(spec="HMAC_256")
            client.generate_mac(KeyId=hmac.id, Message=b"x", MacAlgorithm="HMAC_SHA_256")
            for spec in ("ECC_NIST_P256", "RSA_2048"):
                client.generate_data_key_pair_without_plaintext(KeyId=key.id, KeyPairSpec=spec)
        """
    )

    assert [0.03] * 3 + [0.03, 0.03, 0.03] + [0.15, 0.15, 0.03] * 2 + [0.03, 0.1, 12.0] == of_10_000(data)


def test_what_did_not_arrive_or_was_throttled_costs_nothing(record_of: RecordOf) -> None:
    """Each other request does: those that fail, dry runs, and each attempt of a call."""
    data = record_of(
        """
        import pytest

        def test_it(kms):
            key, client = kms.create_key(), kms.client
            kms.throttle("Encrypt", times=2)
            client.encrypt(KeyId=key.id, Plaintext=b"x")
            kms.fail("Encrypt", "EndpointConnectionError")
            client.encrypt(KeyId=key.id, Plaintext=b"x")
            kms.fail("Encrypt", "KMSInternalException")
            client.encrypt(KeyId=key.id, Plaintext=b"x")
            with pytest.raises(client.exceptions.DryRunOperationException):
                client.encrypt(KeyId=key.id, Plaintext=b"x", DryRun=True)
            with pytest.raises(client.exceptions.NotFoundException):
                client.encrypt(KeyId="alias/nowhere", Plaintext=b"x")
        """
    )

    assert [0.03, 0.03, 0.06, 0.03, 0.03] == of_10_000(data)
    assert [False, False, False, True, False] == [call["dry_run"] for call in data["calls"]]


@pytest.mark.parametrize(
    ("amount", "text"),
    [(0, "$0.00"), (0.000003, "$0.000003"), (0.0123, "$0.0123"), (0.5, "$0.5000"), (1, "$1.00"), (1234.5, "$1,234.50")],
)
def test_amounts_are_told_with_as_many_digits_as_tell_something(amount: float, text: str) -> None:
    """A call costs a few millionths of a dollar."""
    assert text == prices.dollars(amount)
