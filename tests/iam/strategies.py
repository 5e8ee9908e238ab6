"""Random statements and requests, made from few pieces, so that many of them meet."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st
from iam.cast import (
    ACCOUNT,
    ALICE,
    ALICE_ARN,
    APP,
    APP_ARN,
    APP_SESSION_ARN,
    FEDERATED,
    FEDERATED_ARN,
    KEY,
    LOGS,
    LOGS_NAME,
    OTHER_ACCOUNT,
    ROOT,
    ROOT_ARN,
    STRANGER,
    STRANGER_ARN,
    Facts,
    identity_policy,
    key_policy,
)

from pytest_kms.iam.combine import BOUNDARY, IDENTITY, RESOURCE, SESSION, Policies
from pytest_kms.iam.document import PERMISSIONS_BOUNDARY, SESSION_POLICY
from pytest_kms.iam.evaluate import Request
from pytest_kms.iam.principals import ANONYMOUS, Named

_AWS = st.sampled_from(
    ["*", ACCOUNT, ROOT_ARN, ALICE_ARN, APP_ARN, APP_SESSION_ARN, FEDERATED_ARN, OTHER_ACCOUNT, STRANGER_ARN]
)
PRINCIPALS: st.SearchStrategy[Any] = st.one_of(
    st.just("*"),
    st.fixed_dictionaries({"AWS": st.lists(_AWS, min_size=1, max_size=2)}),
    st.just({"Service": LOGS_NAME}),
)
_ACTIONS = st.lists(
    st.sampled_from(["kms:Encrypt", "kms:decrypt", "kms:*", "kms:??crypt", "*"]), min_size=1, max_size=2
)
_RESOURCES = st.sampled_from(["*", KEY, "arn:aws:kms:*:key/*", "arn:aws:kms:*:alias/*"])
_OPERATORS = [
    "StringEquals", "StringNotEquals", "StringLikeIfExists", "ForAllValues:StringLike", "ForAnyValue:StringNotLike",
]  # fmt: skip
_TESTS = st.dictionaries(st.sampled_from(["kms:a", "KMS:B"]), st.sampled_from(["x", "y", "*", "${kms:a}"]), min_size=1)
_CONDITIONS = st.dictionaries(st.sampled_from(_OPERATORS), _TESTS, max_size=2)


@st.composite
def statements(draw: st.DrawFn, *, effect: str | None = None, resource_based: bool = False) -> dict[str, Any]:
    """Draw a statement."""
    statement: dict[str, Any] = {
        "Effect": effect or draw(st.sampled_from(["Allow", "Deny"])),
        draw(st.sampled_from(["Action", "Action", "NotAction"])): draw(_ACTIONS),
        draw(st.sampled_from(["Resource", "Resource", "NotResource"])): draw(_RESOURCES),
        "Condition": draw(_CONDITIONS),
    }
    if resource_based:
        statement[draw(st.sampled_from(["Principal", "Principal", "NotPrincipal"]))] = draw(PRINCIPALS)
    return statement


_VALUES = st.one_of(st.sampled_from(["x", "y", ""]), st.lists(st.sampled_from(["x", "y"]), max_size=2))
REQUESTS = st.builds(
    Request,
    st.sampled_from([ROOT, ALICE, APP, FEDERATED, STRANGER, LOGS, ANONYMOUS]),
    st.sampled_from(["kms:Encrypt", "kms:Decrypt", "kms:DescribeKey"]),
    st.sampled_from([KEY, "*"]),
    st.builds(Facts, st.dictionaries(st.sampled_from(["kms:a", "kms:b"]), _VALUES)),
)


Drawn = dict[str, list[dict[str, Any]]]
KINDS = [RESOURCE, IDENTITY, BOUNDARY, SESSION]
DRAWN = st.fixed_dictionaries(
    {
        RESOURCE: st.lists(statements(resource_based=True), min_size=1, max_size=3),
        **{kind: st.lists(statements(), max_size=2) for kind in (IDENTITY, BOUNDARY, SESSION)},
    }
)
GRANTED = st.sampled_from([None, *Named])


def policies_of(drawn: Drawn) -> Policies:
    """Make documents of the statements; a kind without a statement has no document."""
    return Policies(
        key_policy(*drawn[RESOURCE]),
        tuple(identity_policy(each) for each in drawn[IDENTITY]),
        identity_policy(*drawn[BOUNDARY], kind=PERMISSIONS_BOUNDARY) if drawn[BOUNDARY] else None,
        tuple(identity_policy(each, kind=SESSION_POLICY) for each in drawn[SESSION]),
    )
