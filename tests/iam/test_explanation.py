"""Why a request was allowed or denied, as the report of a failing test tells it."""

from __future__ import annotations

import pytest
from hypothesis import given
from iam.cast import (
    ALICE,
    ALICE_ARN,
    APP,
    APP_ARN,
    APP_SESSION_ARN,
    BOB_ARN,
    DEFAULT_POLICY,
    KEY,
    ROOT,
    ROOT_ARN,
    STRANGER,
    STRANGER_ARN,
    STRANGER_ROOT_ARN,
    allow,
    by,
    deny,
    identity_policy,
    key_policy,
    request,
)
from iam.strategies import DRAWN, GRANTED, REQUESTS, Drawn, policies_of

from pytest_kms.iam.combine import Policies, combine
from pytest_kms.iam.document import PERMISSIONS_BOUNDARY, SESSION_POLICY
from pytest_kms.iam.evaluate import Request
from pytest_kms.iam.explanation import explain
from pytest_kms.iam.principals import Caller, Named

VIA_S3 = {"StringEquals": {"kms:ViaService": "s3.us-east-1.amazonaws.com"}}
APP_POLICY = identity_policy(allow(Sid="Use"), name="app")
BOUNDARY = identity_policy(allow(action="kms:Decrypt"), kind=PERMISSIONS_BOUNDARY)
SESSIONS = (
    identity_policy(allow(action="kms:Decrypt"), kind=SESSION_POLICY, name="inline"),
    identity_policy(allow(condition=VIA_S3), kind=SESSION_POLICY, name="managed"),
)

ALLOWED: dict[str, tuple[Caller, Policies, Named | None, str]] = {
    "by the key policy": (
        ALICE,
        Policies(key_policy(allow(by(BOB_ARN)), allow(by(ALICE_ARN)), allow("*", Sid="All of us"))),
        None,
        "allowed by statement 2, statement 3 (All of us) of the key policy",
    ),
    "by an identity policy": (
        ALICE,
        Policies(DEFAULT_POLICY, (APP_POLICY,)),
        None,
        "allowed by statement 1 (Enable IAM User Permissions) of the key policy,"
        " and statement 1 (Use) of identity policy 'app'",
    ),
    "by the key policy, without need of an identity policy": (
        ALICE,
        Policies(key_policy(allow(by(ALICE_ARN))), (APP_POLICY,)),
        None,
        "allowed by statement 1 of the key policy",
    ),
    "by a grant": (ALICE, Policies(key_policy(allow(by(BOB_ARN)))), Named.DIRECTLY, "allowed by a grant"),
    "by being root": (ROOT, Policies(), None, "allowed to the root user of the account"),
}


@pytest.mark.parametrize(("caller", "policies", "grant", "expected"), ALLOWED.values(), ids=ALLOWED)
def test_it_tells_who_allowed(caller: Caller, policies: Policies, grant: Named | None, expected: str) -> None:
    """A test that expected a refusal shows these statements."""
    assert expected == explain(combine(request(caller), policies, grant=grant))


DENIED: dict[str, tuple[Caller, Policies, Named | None, list[str]]] = {
    "by a deny": (
        ALICE,
        Policies(key_policy(allow("*"), deny("*", Sid="Never"))),
        None,
        ["statement 2 (Never) of the key policy denies it"],
    ),
    "by two denies with conditions": (
        ALICE,
        Policies(
            DEFAULT_POLICY,
            (
                APP_POLICY,
                identity_policy(deny(condition={"StringNotEquals": {"kms:ViaService": "s3.us-east-1.amazonaws.com"}})),
                identity_policy(deny(), name="other"),
            ),
        ),
        None,
        [
            "statement 1 of the identity policy denies it: kms:ViaService: wanted StringNotEquals"
            " s3.us-east-1.amazonaws.com, the request has none",
            "statement 1 of identity policy 'other' denies it",
        ],
    ),
    "by the key policy's silence": (
        ALICE,
        Policies(key_policy(allow(by(BOB_ARN)), allow("*", Sid="S3", condition=VIA_S3), deny("*", "kms:Decrypt"))),
        None,
        [
            f"the key policy does not allow kms:Encrypt to {ALICE_ARN}",
            "nearly: statement 2 (S3) of the key policy: kms:ViaService: wanted StringEquals"
            " s3.us-east-1.amazonaws.com, the request has none",
            f"nearly: statement 1 of the key policy: Principal {BOB_ARN} does not name {ALICE_ARN}",
        ],
    ),
    "by the key policy's silence, though an identity policy allows": (
        ALICE,
        Policies(key_policy(allow(by(ALICE_ARN), "kms:Decrypt")), (APP_POLICY, identity_policy(allow(action="s3:*")))),
        None,
        [
            f"the key policy does not allow kms:Encrypt to {ALICE_ARN}",
            "in vain: statement 1 (Use) of identity policy 'app' allows it, but the key policy does not let identity"
            " policies decide",
            "nearly: statement 1 of the key policy: Action kms:Decrypt does not cover kms:Encrypt",
        ],
    ),
    "to a stranger by the key policy": (
        STRANGER,
        Policies(DEFAULT_POLICY, (APP_POLICY,)),
        None,
        [
            f"the key policy does not allow kms:Encrypt to {STRANGER_ARN}",
            f"nearly: statement 1 (Enable IAM User Permissions) of the key policy: Principal {ROOT_ARN} does not name"
            f" {STRANGER_ARN}",
        ],
    ),
    "to a stranger by his identity policies": (
        STRANGER,
        Policies(key_policy(allow(by(STRANGER_ROOT_ARN))), (identity_policy(allow(condition=VIA_S3)),)),
        None,
        [
            f"no identity policy of {STRANGER_ARN} allows kms:Encrypt, which a resource of another account needs as"
            " well",
            "nearly: statement 1 of the identity policy: kms:ViaService: wanted StringEquals"
            " s3.us-east-1.amazonaws.com, the request has none",
        ],
    ),
    "by no identity policy": (
        ALICE,
        Policies(DEFAULT_POLICY),
        None,
        [
            f"{ALICE_ARN} has no identity policies; statement 1 (Enable IAM User Permissions) of the key policy leaves"
            " it to them"
        ],
    ),
    "by identity policies, for an action without a key": (
        ALICE,
        Policies(None, (identity_policy(allow(Resource=KEY)),)),
        None,
        [
            f"no identity policy of {ALICE_ARN} allows kms:Encrypt",
            f"nearly: statement 1 of the identity policy: Resource {KEY} does not cover *",
        ],
    ),
    "by no identity policy, after a grant": (
        APP,
        Policies(key_policy(allow(by(BOB_ARN)))),
        Named.ACCOUNT,
        [f"{APP_SESSION_ARN} has no identity policies; a grant to the account leaves it to them"],
    ),
    "by a boundary": (
        ALICE,
        Policies(DEFAULT_POLICY, (APP_POLICY,), BOUNDARY),
        None,
        [
            f"the permissions boundary of {ALICE_ARN} does not allow kms:Encrypt",
            "nearly: statement 1 of the permissions boundary: Action kms:Decrypt does not cover kms:Encrypt",
        ],
    ),
    "by session policies": (
        APP,
        Policies(key_policy(allow(by(APP_ARN))), session=SESSIONS),
        None,
        [
            f"session policy 'inline' and session policy 'managed' of {APP_SESSION_ARN} do not allow kms:Encrypt",
            "nearly: statement 1 of session policy 'managed': kms:ViaService: wanted StringEquals"
            " s3.us-east-1.amazonaws.com, the request has none",
            "nearly: statement 1 of session policy 'inline': Action kms:Decrypt does not cover kms:Encrypt",
        ],
    ),
    "with many near misses": (
        ALICE,
        Policies(key_policy(*[allow("*", "kms:Decrypt")] * 5)),
        None,
        [
            f"the key policy does not allow kms:Encrypt to {ALICE_ARN}",
            "nearly: statement 1 of the key policy: Action kms:Decrypt does not cover kms:Encrypt",
            "nearly: statement 2 of the key policy: Action kms:Decrypt does not cover kms:Encrypt",
            "nearly: statement 3 of the key policy: Action kms:Decrypt does not cover kms:Encrypt",
            "nearly: 2 more",
        ],
    ),
}


@pytest.mark.parametrize(("caller", "policies", "grant", "expected"), DENIED.values(), ids=DENIED)
def test_it_tells_who_denied(caller: Caller, policies: Policies, grant: Named | None, expected: list[str]) -> None:
    """What is missing, and which statements come near, nearest first."""
    resource = KEY if policies.key else "*"
    decision = combine(request(caller, resource=resource), policies, grant=grant)

    assert expected == explain(decision).splitlines()


@given(DRAWN, REQUESTS, GRANTED)
def test_every_decision_has_an_explanation(drawn: Drawn, asked: Request, grant: Named | None) -> None:
    """It says which way it went."""
    decision = combine(asked, policies_of(drawn), grant=grant)

    assert decision.allowed == explain(decision).startswith("allowed ")
