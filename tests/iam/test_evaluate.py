"""What one document says to a request, and which statements all but say it."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from iam.cast import (
    ALICE,
    ALICE_ARN,
    APP,
    APP_ARN,
    APP_SESSION_ARN,
    BOB_ARN,
    DEFAULT_POLICY,
    KEY,
    LOGS,
    LOGS_NAME,
    ROOT,
    ROOT_ARN,
    Facts,
    allow,
    by,
    deny,
    identity_policy,
    key_policy,
    request,
)
from iam.strategies import REQUESTS, statements

from pytest_kms.iam.context import Value
from pytest_kms.iam.errors import UnknownConditionKey
from pytest_kms.iam.evaluate import ALLOWED, EXPLICIT_DENY, IMPLICIT_DENY, Request, Verdict, decide
from pytest_kms.iam.principals import ANONYMOUS, Named

VIA_S3 = {"StringEquals": {"kms:ViaService": "s3.us-east-1.amazonaws.com"}}
UNKNOWN = {"StringEquals": {"kms:Unknown": "x"}}

DECISIONS: dict[str, tuple[list[dict[str, Any]], str, list[int]]] = {
    "an allow": ([allow("*")], ALLOWED, [1]),
    "a deny": ([deny("*")], EXPLICIT_DENY, [1]),
    "nothing about the caller": ([allow(by(BOB_ARN)), deny(by(BOB_ARN))], IMPLICIT_DENY, []),
    "nothing about the action": ([allow("*", "kms:Decrypt"), deny("*", "kms:Decrypt")], IMPLICIT_DENY, []),
    "nothing about the resource": ([allow("*", Resource="arn:aws:s3:::b")], IMPLICIT_DENY, []),
    "a deny before an allow": ([deny("*"), allow("*")], EXPLICIT_DENY, [1]),
    "a deny after an allow": ([allow("*"), deny("*")], EXPLICIT_DENY, [2]),
    "two allows": ([allow("*"), allow(by(BOB_ARN)), allow(by(ALICE_ARN))], ALLOWED, [1, 3]),
    "two denies": ([deny("*"), allow("*"), deny(by(ALICE_ARN))], EXPLICIT_DENY, [1, 3]),
    "a condition that does not hold": ([allow("*", condition=VIA_S3)], IMPLICIT_DENY, []),
    "a deny whose condition does not hold": ([allow("*"), deny("*", condition=VIA_S3)], ALLOWED, [1]),
    "a deny of direct calls": (
        [allow("*"), deny("*", condition={"StringNotEquals": {"kms:ViaService": "s3.us-east-1.amazonaws.com"}})],
        EXPLICIT_DENY,
        [2],
    ),
}


@pytest.mark.parametrize(("written", "decision", "numbers"), DECISIONS.values(), ids=DECISIONS)
def test_a_document_decides(written: list[dict[str, Any]], decision: str, numbers: list[int]) -> None:
    """An explicit deny wins over all allows; the statements that decide are told."""
    verdict = decide(key_policy(*written), request())

    assert decision == verdict.decision
    assert numbers == [statement.number for statement in verdict.statements]


@pytest.mark.parametrize(
    ("principals", "expected"),
    [
        ([ROOT_ARN], Named.ACCOUNT),
        ([APP_ARN], Named.ROLE),
        ([APP_SESSION_ARN], Named.DIRECTLY),
        ([ROOT_ARN, APP_SESSION_ARN, APP_ARN], Named.DIRECTLY),
        ([APP_ARN, ROOT_ARN], Named.ROLE),
    ],
)
def test_the_strongest_statement_counts(principals: list[str], expected: Named) -> None:
    """Whichever stands first."""
    verdict = decide(key_policy(*(allow(by(arn)) for arn in principals)), request(APP))

    assert expected is verdict.named


@pytest.mark.parametrize("written", [deny("*"), allow(by(BOB_ARN))])
def test_who_is_not_allowed_is_not_named(written: dict[str, Any]) -> None:
    """That is a matter of statements that allow."""
    assert decide(key_policy(written), request()).named is None


def test_a_service_is_allowed_as_a_service() -> None:
    """An account's statement is not about it."""
    policy = key_policy(allow({"Service": LOGS_NAME}), allow(by(ROOT_ARN), "kms:Decrypt"))

    assert ALLOWED == decide(policy, request(LOGS)).decision
    assert IMPLICIT_DENY == decide(policy, request(LOGS, "kms:Decrypt")).decision


def test_nobody_in_particular_is_everybody() -> None:
    """Only a star names a caller without a name."""
    assert ALLOWED == decide(key_policy(allow("*")), request(ANONYMOUS)).decision
    assert IMPLICIT_DENY == decide(DEFAULT_POLICY, request(ANONYMOUS)).decision


@pytest.mark.parametrize("resource", ["*", KEY])
def test_an_identity_policy_is_about_resources(resource: str) -> None:
    """Where there is none, only a star covers it."""
    policy = identity_policy(allow(Resource="arn:aws:kms:*:*:key/*"))

    assert (ALLOWED if resource == KEY else IMPLICIT_DENY) == decide(policy, request(resource=resource)).decision


def test_variables_are_those_of_the_request() -> None:
    """The same document says different things to different callers."""
    policy = identity_policy(
        allow(condition={"StringEquals": {"kms:EncryptionContext:team": "${aws:PrincipalTag/team}"}})
    )

    def decision(tags: dict[str, Value]) -> str:
        context = Facts({"kms:encryptioncontext:team": "red", **tags})
        return decide(policy, Request(ALICE, "kms:Encrypt", KEY, context)).decision

    assert ALLOWED == decision({"aws:principaltag/team": "red"})
    assert IMPLICIT_DENY == decision({"aws:principaltag/team": "blue"})
    assert IMPLICIT_DENY == decision({})


@pytest.mark.parametrize(
    "written",
    [
        [allow("*", condition=UNKNOWN)],
        [deny("*", condition=UNKNOWN)],
        [allow("*"), allow("*", condition=UNKNOWN)],
        [deny("*"), allow("*", condition=UNKNOWN)],
        [allow("*", condition={**VIA_S3, "StringLike": UNKNOWN["StringEquals"]})],
    ],
)
def test_an_unknown_key_is_refused(written: list[dict[str, Any]]) -> None:
    """Whatever the other statements and conditions say, in either order."""
    for ordered in (written, written[::-1]):
        with pytest.raises(UnknownConditionKey):
            decide(key_policy(*ordered), request())


@pytest.mark.parametrize(
    "written",
    [allow(by(BOB_ARN), condition=UNKNOWN), allow("*", "kms:Decrypt", UNKNOWN), deny("*", "kms:Decrypt", UNKNOWN)],
)
def test_an_unknown_key_of_another_matter_is_not_asked_for(written: dict[str, Any]) -> None:
    """A statement about another caller or action says nothing here."""
    assert IMPLICIT_DENY == decide(key_policy(written), request()).decision


NEAR_MISSES: dict[str, tuple[dict[str, Any], str, str]] = {
    "a condition": (
        allow("*", condition=VIA_S3),
        "Condition",
        "kms:ViaService: wanted StringEquals s3.us-east-1.amazonaws.com, the request has none",
    ),
    "two conditions": (
        allow("*", condition={"StringEquals": {"kms:A": "1", "kms:B": "2"}}),
        "Condition",
        "kms:A: wanted StringEquals 1, the request has none; kms:B: wanted StringEquals 2, the request has none",
    ),
    "one of two conditions": (
        allow("*", condition={"StringEquals": {"kms:A": "1"}, "Null": {"kms:B": "true"}}),
        "Condition",
        "kms:A: wanted StringEquals 1, the request has none",
    ),
    "an unknown condition": (
        {**allow(by(ALICE_ARN), condition=UNKNOWN), "Action": "kms:Encrypt"},
        "Condition",
        "kms:Unknown: the condition key kms:Unknown is not known",
    ),
    "the principal": (allow(by(BOB_ARN)), "Principal", f"Principal {BOB_ARN} does not name {ALICE_ARN}"),
    "the action": (
        allow("*", ["kms:Decrypt", "kms:Re*"]),
        "Action",
        "Action kms:Decrypt, kms:Re* does not cover kms:Encrypt",
    ),
    "the exception of an action": (
        {"Effect": "Allow", "Principal": "*", "NotAction": "kms:*", "Resource": "*"},
        "Action",
        "NotAction kms:* does not cover kms:Encrypt",
    ),
    "the resource": (
        allow("*", Resource="arn:aws:s3:::b"),
        "Resource",
        f"Resource arn:aws:s3:::b does not cover {KEY}",
    ),
    "a resource of unknown place": (
        allow("*", Resource="arn:aws:kms:${aws:Unknown}*"),
        "Resource",
        "Resource arn:aws:kms:${aws:Unknown}*: the condition key aws:Unknown is not known",
    ),
    "no resource": (
        {"Effect": "Allow", "Principal": "*", "Action": "kms:Encrypt"},
        "Resource",
        "it has no Resource, so it has no effect",
    ),
}


@pytest.mark.parametrize(("written", "missing", "why"), NEAR_MISSES.values(), ids=NEAR_MISSES)
def test_a_near_miss_lacks_one_thing(written: dict[str, Any], missing: str, why: str) -> None:
    """It is told which, and what was compared."""
    policy = key_policy(allow(by(BOB_ARN), "kms:Decrypt"), written)
    (miss,) = Verdict(IMPLICIT_DENY, policy, request()).near_misses()

    assert (2, missing, why) == (miss.statement.number, miss.missing, miss.why)


def test_near_misses_come_nearest_first() -> None:
    """A condition is nearest, another action farthest."""
    policy = key_policy(
        allow("*", "kms:Decrypt"),
        allow("*", Resource="arn:aws:s3:::b"),
        allow(by(BOB_ARN)),
        allow("*", condition=VIA_S3),
        deny(by(BOB_ARN)),
    )

    assert [("Condition", 4), ("Principal", 3), ("Principal", 5), ("Resource", 2), ("Action", 1)] == [
        (miss.missing, miss.statement.number) for miss in decide(policy, request()).near_misses()
    ]


def test_what_speaks_is_no_near_miss() -> None:
    """It lacks nothing."""
    assert [] == decide(DEFAULT_POLICY, request(ROOT)).near_misses()


DOCUMENTS = st.lists(statements(resource_based=True), min_size=1, max_size=4)
ALLOWS = statements(effect="Allow", resource_based=True)
DENIES = statements(effect="Deny", resource_based=True)
PLACES = st.integers(min_value=0, max_value=4)


def with_another(written: list[dict[str, Any]], place: int, another: dict[str, Any]) -> list[dict[str, Any]]:
    """Put a statement among others."""
    return [*written[:place], another, *written[place:]]


@given(DOCUMENTS, PLACES, ALLOWS, REQUESTS)
def test_another_allow_takes_nothing_away(
    written: list[dict[str, Any]], place: int, another: dict[str, Any], asked: Request
) -> None:
    """What was allowed stays so, by no weaker a name; what was denied explicitly stays so too."""
    before = decide(key_policy(*written), asked)
    after = decide(key_policy(*with_another(written, place, another)), asked)

    assert before.decision in (after.decision, IMPLICIT_DENY)
    assert (before.named or 0) <= (after.named or 0)


@given(DOCUMENTS, PLACES, DENIES, REQUESTS)
def test_another_deny_adds_nothing(
    written: list[dict[str, Any]], place: int, another: dict[str, Any], asked: Request
) -> None:
    """What was not allowed stays so."""
    before = decide(key_policy(*written), asked)
    after = decide(key_policy(*with_another(written, place, another)), asked)

    assert after.decision in (before.decision, EXPLICIT_DENY)


@given(DOCUMENTS, REQUESTS, st.randoms(use_true_random=False))
def test_the_order_of_statements_does_not_matter(written: list[dict[str, Any]], asked: Request, random: Any) -> None:
    """All of them are asked."""
    shuffled = random.sample(written, len(written))
    one, other = decide(key_policy(*written), asked), decide(key_policy(*shuffled), asked)

    assert (one.decision, one.named) == (other.decision, other.named)


@given(DOCUMENTS, REQUESTS)
def test_near_misses_are_those_that_say_nothing(written: list[dict[str, Any]], asked: Request) -> None:
    """A statement either decides, or is a near miss, or is far off."""
    verdict = decide(key_policy(*written), asked)

    assert set() == {each.number for each in verdict.statements} & {
        miss.statement.number for miss in verdict.near_misses()
    }
