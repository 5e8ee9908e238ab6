"""What all policies together say: who must consent, and which words AWS has for each refusal."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from iam.cast import (
    ACCOUNT,
    ALICE,
    ALICE_ARN,
    APP,
    APP_ARN,
    APP_SESSION_ARN,
    DEFAULT_POLICY,
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
    STRANGER_ROOT,
    STRANGER_ROOT_ARN,
    allow,
    by,
    deny,
    identity_policy,
    key_policy,
    request,
)
from iam.strategies import DRAWN, GRANTED, KINDS, REQUESTS, Drawn, policies_of, statements

from pytest_kms.iam.combine import BOUNDARY, IDENTITY, RESOURCE, SESSION, Decision, Policies, combine
from pytest_kms.iam.document import PERMISSIONS_BOUNDARY, SESSION_POLICY
from pytest_kms.iam.errors import UnknownConditionKey
from pytest_kms.iam.evaluate import Request
from pytest_kms.iam.principals import ANONYMOUS, Caller, Named

YES = identity_policy(allow())
SILENT = identity_policy(allow(action="kms:Decrypt"))
NO = identity_policy(deny())
BOUNDARY_YES = identity_policy(allow(), kind=PERMISSIONS_BOUNDARY)
BOUNDARY_SILENT = identity_policy(allow(action="kms:Decrypt"), kind=PERMISSIONS_BOUNDARY)
BOUNDARY_NO = identity_policy(deny(), kind=PERMISSIONS_BOUNDARY)
SESSION_YES = identity_policy(allow(), kind=SESSION_POLICY)
SESSION_SILENT = identity_policy(allow(action="kms:Decrypt"), kind=SESSION_POLICY)
SESSION_NO = identity_policy(deny(), kind=SESSION_POLICY)

TO_ACCOUNT = key_policy(allow(by(ROOT_ARN)))
TO_ROLE = key_policy(allow(by(APP_ARN)))
TO_SESSION = key_policy(allow(by(APP_SESSION_ARN)))
TO_ALICE = key_policy(allow(by(ALICE_ARN)))
TO_FEDERATED = key_policy(allow(by(FEDERATED_ARN)))
TO_EVERYBODY = key_policy(allow("*", condition={"StringEquals": {"kms:CallerAccount": ACCOUNT}}))
TO_NOBODY = key_policy(allow(by(f"arn:aws:iam::{ACCOUNT}:user/Carol")))

SAME_ACCOUNT: dict[str, tuple[Caller, Policies, str]] = {
    # by the account: identity policies decide, within boundary and session policies
    "the account, and an identity policy": (ALICE, Policies(TO_ACCOUNT, (YES,)), ""),
    "the account, and one of two identity policies": (ALICE, Policies(TO_ACCOUNT, (SILENT, YES)), ""),
    "the account, and no identity policy": (ALICE, Policies(TO_ACCOUNT), IDENTITY),
    "the account, and a silent identity policy": (ALICE, Policies(TO_ACCOUNT, (SILENT,)), IDENTITY),
    "the account, within a boundary": (ALICE, Policies(TO_ACCOUNT, (YES,), BOUNDARY_YES), ""),
    "the account, beyond a boundary": (ALICE, Policies(TO_ACCOUNT, (YES,), BOUNDARY_SILENT), BOUNDARY),
    "a boundary allows nothing by itself": (ALICE, Policies(TO_ACCOUNT, (), BOUNDARY_YES), IDENTITY),
    "the account, within session policies": (APP, Policies(TO_ACCOUNT, (YES,), session=(SESSION_YES,)), ""),
    "the account, beyond session policies": (APP, Policies(TO_ACCOUNT, (YES,), session=(SESSION_SILENT,)), SESSION),
    "one of two session policies allows": (APP, Policies(TO_ACCOUNT, (YES,), None, (SESSION_SILENT, SESSION_YES)), ""),
    "a session policy allows nothing by itself": (APP, Policies(TO_ACCOUNT, (), None, (SESSION_YES,)), IDENTITY),
    "the boundary is named before the session": (
        APP,
        Policies(TO_ACCOUNT, (YES,), BOUNDARY_SILENT, (SESSION_SILENT,)),
        BOUNDARY,
    ),
    "a federated user by the account": (FEDERATED, Policies(TO_ACCOUNT, (YES,), None, (SESSION_YES,)), ""),
    "a federated user beyond his session": (FEDERATED, Policies(TO_ACCOUNT, (YES,), None, (SESSION_SILENT,)), SESSION),
    # by the role: no identity policy is needed, but boundary and session policies limit
    "the role": (APP, Policies(TO_ROLE), ""),
    "the role, and a silent identity policy": (APP, Policies(TO_ROLE, (SILENT,)), ""),
    "the role, beyond a boundary": (APP, Policies(TO_ROLE, (), BOUNDARY_SILENT), BOUNDARY),
    "the role, beyond session policies": (APP, Policies(TO_ROLE, (), None, (SESSION_SILENT,)), SESSION),
    "the role, within both": (APP, Policies(TO_ROLE, (), BOUNDARY_YES, (SESSION_YES,)), ""),
    # directly: nothing limits but an explicit deny
    "the user": (ALICE, Policies(TO_ALICE), ""),
    "the user, beyond a boundary": (ALICE, Policies(TO_ALICE, (SILENT,), BOUNDARY_SILENT), ""),
    "the session": (APP, Policies(TO_SESSION), ""),
    "the session, beyond all": (APP, Policies(TO_SESSION, (SILENT,), BOUNDARY_SILENT, (SESSION_SILENT,)), ""),
    "the federated user": (FEDERATED, Policies(TO_FEDERATED, (), None, (SESSION_SILENT,)), ""),
    "everybody": (APP, Policies(TO_EVERYBODY, (), BOUNDARY_SILENT, (SESSION_SILENT,)), ""),
    # the key policy names somebody else
    "nobody": (ALICE, Policies(TO_NOBODY), RESOURCE),
    "nobody, though an identity policy allows": (ALICE, Policies(TO_NOBODY, (YES,)), RESOURCE),
    # explicit denies
    "denied by the key policy": (ALICE, Policies(key_policy(allow("*"), deny(by(ROOT_ARN))), (YES,)), RESOURCE),
    "denied by an identity policy": (ALICE, Policies(TO_ALICE, (YES, NO)), IDENTITY),
    "denied by a boundary": (APP, Policies(TO_SESSION, (YES,), BOUNDARY_NO), BOUNDARY),
    "denied by a session policy": (APP, Policies(TO_SESSION, (YES,), None, (SESSION_YES, SESSION_NO)), SESSION),
    "denied by all": (APP, Policies(key_policy(deny("*")), (NO,), BOUNDARY_NO, (SESSION_NO,)), RESOURCE),
    "a deny counts where nothing is allowed": (ALICE, Policies(TO_NOBODY, (NO,)), IDENTITY),
    # the root user has no identity policies
    "the root user by the account": (ROOT, Policies(TO_ACCOUNT), ""),
    "the root user by nobody": (ROOT, Policies(TO_NOBODY), RESOURCE),
    "the root user denied": (ROOT, Policies(key_policy(allow("*"), deny(by(ROOT_ARN)))), RESOURCE),
    # services and nobody in particular have none either
    "a service": (LOGS, Policies(key_policy(allow({"Service": LOGS_NAME}))), ""),
    "a service by everybody": (LOGS, Policies(key_policy(allow("*"))), ""),
    "a service by an account": (LOGS, Policies(TO_ACCOUNT), RESOURCE),
    "nobody by everybody": (ANONYMOUS, Policies(key_policy(allow("*"))), ""),
    "nobody by an account": (ANONYMOUS, Policies(TO_ACCOUNT), RESOURCE),
}


def asked(caller: Caller, resource: str = KEY) -> Request:
    """Ask for kms:Encrypt."""
    return request(caller, resource=resource, kms_calleraccount=caller.account)


@pytest.mark.parametrize(("caller", "policies", "denied_by"), SAME_ACCOUNT.values(), ids=SAME_ACCOUNT)
def test_policies_within_an_account(caller: Caller, policies: Policies, denied_by: str) -> None:
    """How the key policy names the caller tells who must consent besides."""
    decision = combine(asked(caller), policies)

    assert (denied_by, not denied_by) == (decision.denied_by, decision.allowed)
    assert not decision.cross_account


STRANGERS: dict[str, tuple[Caller, Policies, str]] = {
    "both sides": (STRANGER, Policies(key_policy(allow(by(STRANGER_ROOT_ARN))), (YES,)), ""),
    "the key policy alone": (STRANGER, Policies(key_policy(allow(by(STRANGER_ROOT_ARN)))), IDENTITY),
    "the session alone": (STRANGER, Policies(key_policy(allow(by(STRANGER_ARN)))), IDENTITY),
    "everybody alone": (STRANGER, Policies(key_policy(allow("*"))), IDENTITY),
    "the session, and an identity policy": (STRANGER, Policies(key_policy(allow(by(STRANGER_ARN))), (YES,)), ""),
    "the identity policy alone": (STRANGER, Policies(DEFAULT_POLICY, (YES,)), RESOURCE),
    "neither": (STRANGER, Policies(DEFAULT_POLICY), RESOURCE),
    "beyond a boundary": (
        STRANGER,
        Policies(key_policy(allow(by(STRANGER_ARN))), (YES,), BOUNDARY_SILENT),
        BOUNDARY,
    ),
    "beyond session policies": (
        STRANGER,
        Policies(key_policy(allow(by(STRANGER_ARN))), (YES,), None, (SESSION_SILENT,)),
        SESSION,
    ),
    "denied by the key policy": (STRANGER, Policies(key_policy(allow("*"), deny(by(OTHER_ACCOUNT))), (YES,)), RESOURCE),
    "denied by an identity policy": (STRANGER, Policies(key_policy(allow("*")), (YES, NO)), IDENTITY),
    "the root user of another account": (STRANGER_ROOT, Policies(key_policy(allow(by(OTHER_ACCOUNT)))), ""),
    "the root user of another account, unnamed": (STRANGER_ROOT, Policies(DEFAULT_POLICY), RESOURCE),
}


@pytest.mark.parametrize(("caller", "policies", "denied_by"), STRANGERS.values(), ids=STRANGERS)
def test_policies_across_accounts(caller: Caller, policies: Policies, denied_by: str) -> None:
    """Both sides must allow, however the key policy names the caller."""
    decision = combine(asked(caller), policies)

    assert (denied_by, not denied_by) == (decision.denied_by, decision.allowed)
    assert decision.cross_account


WITHOUT_KEYS: dict[str, tuple[Caller, Policies, str]] = {
    "an identity policy": (ALICE, Policies(identity=(YES,)), ""),
    "no identity policy": (ALICE, Policies(), IDENTITY),
    "an identity policy that denies": (ALICE, Policies(identity=(YES, NO)), IDENTITY),
    "beyond a boundary": (ALICE, Policies(None, (YES,), BOUNDARY_SILENT), BOUNDARY),
    "beyond session policies": (APP, Policies(None, (YES,), None, (SESSION_SILENT,)), SESSION),
    "the root user": (ROOT, Policies(), ""),
    "a service": (LOGS, Policies(), IDENTITY),
    "nobody": (ANONYMOUS, Policies(), IDENTITY),
}


@pytest.mark.parametrize(("caller", "policies", "denied_by"), WITHOUT_KEYS.values(), ids=WITHOUT_KEYS)
@pytest.mark.parametrize("resource", ["*", f"arn:aws:kms:us-east-1:{ACCOUNT}:alias/x"])
def test_policies_without_a_key(caller: Caller, policies: Policies, denied_by: str, resource: str) -> None:
    """Identity policies decide alone."""
    decision = combine(asked(caller, resource), policies)

    assert (denied_by, not denied_by) == (decision.denied_by, decision.allowed)


GRANTS: dict[str, tuple[Caller, Policies, Named, str]] = {
    "to a session": (APP, Policies(TO_NOBODY, (), BOUNDARY_SILENT, (SESSION_SILENT,)), Named.DIRECTLY, ""),
    "to a role": (APP, Policies(TO_NOBODY), Named.ROLE, ""),
    "to a role, beyond session policies": (APP, Policies(TO_NOBODY, (), None, (SESSION_SILENT,)), Named.ROLE, SESSION),
    "to a role, beyond a boundary": (APP, Policies(TO_NOBODY, (), BOUNDARY_SILENT), Named.ROLE, BOUNDARY),
    "to the account": (APP, Policies(TO_NOBODY, (YES,)), Named.ACCOUNT, ""),
    "to the account, without an identity policy": (APP, Policies(TO_NOBODY), Named.ACCOUNT, IDENTITY),
    "stronger than the key policy": (APP, Policies(TO_ACCOUNT), Named.DIRECTLY, ""),
    "weaker than the key policy": (APP, Policies(TO_SESSION), Named.ACCOUNT, ""),
    "against a deny": (APP, Policies(TO_NOBODY, (NO,)), Named.DIRECTLY, IDENTITY),
    "against a deny of the key policy": (APP, Policies(key_policy(deny("*"))), Named.DIRECTLY, RESOURCE),
    "to a service": (LOGS, Policies(DEFAULT_POLICY), Named.DIRECTLY, ""),
    "to a stranger": (STRANGER, Policies(DEFAULT_POLICY), Named.DIRECTLY, IDENTITY),
    "to a stranger with an identity policy": (STRANGER, Policies(DEFAULT_POLICY, (YES,)), Named.DIRECTLY, ""),
    "to a stranger whom the key policy trusts": (
        STRANGER,
        Policies(key_policy(allow(by(STRANGER_ROOT_ARN))), (), BOUNDARY_SILENT),
        Named.DIRECTLY,
        "",
    ),
    "to the role of a stranger whom the key policy trusts": (
        STRANGER,
        Policies(key_policy(allow(by(STRANGER_ROOT_ARN)))),
        Named.ROLE,
        IDENTITY,
    ),
}


@pytest.mark.parametrize(("caller", "policies", "grant", "denied_by"), GRANTS.values(), ids=GRANTS)
def test_a_grant_allows_as_a_key_policy_does(caller: Caller, policies: Policies, grant: Named, denied_by: str) -> None:
    """It never denies, and no explicit deny is overruled by it."""
    assert denied_by == combine(asked(caller), policies, grant=grant).denied_by


ARTICLES = {RESOURCE: "a", IDENTITY: "an", BOUNDARY: "a", SESSION: "a"}
HIDDEN = (
    "because the resource does not exist in this Region, no resource-based policies allow access, or a resource-based"
    " policy explicitly denies access"
)


def denied_by(kind: str, *, explicit: bool, caller: Caller = APP) -> Decision:
    """Have a request denied by a kind of policy."""
    silent = {
        RESOURCE: Policies(TO_NOBODY),
        IDENTITY: Policies(key_policy(allow("*"), allow(by(ROOT_ARN))) if caller is STRANGER else TO_ACCOUNT),
        BOUNDARY: Policies(TO_ROLE, (YES,), BOUNDARY_SILENT),
        SESSION: Policies(TO_ROLE, (YES,), None, (SESSION_SILENT,)),
    }
    loud = {
        RESOURCE: Policies(key_policy(deny("*"))),
        IDENTITY: Policies(TO_ROLE, (NO,)),
        BOUNDARY: Policies(TO_ROLE, (), BOUNDARY_NO),
        SESSION: Policies(TO_ROLE, (), None, (SESSION_NO,)),
    }
    policies = (loud if explicit else silent)[kind]
    if caller is STRANGER and not explicit and kind != RESOURCE:
        policies = policies._replace(key=key_policy(allow("*")))
    decision = combine(asked(caller), policies)
    assert (kind, explicit) == (decision.denied_by, decision.explicit)
    return decision


@pytest.mark.parametrize("kind", [RESOURCE, IDENTITY, BOUNDARY, SESSION])
def test_aws_has_words_for_each_refusal(kind: str) -> None:
    """One for a missing Allow, one for a Deny."""
    assert f"because no {kind} allows the kms:Encrypt action" == denied_by(kind, explicit=False).reason()
    assert f"with an explicit deny in {ARTICLES[kind]} {kind}" == denied_by(kind, explicit=True).reason()


@pytest.mark.parametrize("explicit", [True, False])
@pytest.mark.parametrize("kind", [RESOURCE, IDENTITY, BOUNDARY, SESSION])
def test_aws_does_not_tell_strangers_whether_there_is_a_key(kind: str, explicit: bool) -> None:  # noqa: FBT001
    """What their own side says they are told."""
    decision = denied_by(kind, explicit=explicit, caller=STRANGER)

    assert (kind == RESOURCE) == (decision.reason() == HIDDEN)
    assert f" is not authorized to perform: kms:Encrypt on this resource {decision.reason()}" in decision.message()


@pytest.mark.parametrize("explicit", [True, False])
def test_a_resource_that_the_request_does_not_name_is_hidden(explicit: bool) -> None:  # noqa: FBT001
    """Neither is said whether there is one."""
    decision = denied_by(RESOURCE, explicit=explicit)

    assert HIDDEN == decision.reason(hidden=True)
    assert decision.message(unnamed="the resource associated with this ciphertext") == (
        f"User: {APP_SESSION_ARN} is not authorized to perform: kms:Encrypt on the resource associated with this"
        f" ciphertext {HIDDEN}"
    )


def test_the_words_for_an_unnamed_resource_prevail_over_those_for_strangers() -> None:
    """A stranger's ciphertext is called a ciphertext."""
    message = denied_by(IDENTITY, explicit=False, caller=STRANGER).message(unnamed="the resource of this ciphertext")

    assert message == (
        f"User: {STRANGER_ARN} is not authorized to perform: kms:Encrypt on the resource of this ciphertext because no"
        " identity-based policy allows the kms:Encrypt action"
    )


def test_the_sentence_is_that_of_aws() -> None:
    """Word for word as it was recorded."""
    assert combine(asked(ALICE), Policies(DEFAULT_POLICY)).message() == (
        f"User: arn:aws:iam::111122223333:user/Alice is not authorized to perform: kms:Encrypt on resource: {KEY}"
        " because no identity-based policy allows the kms:Encrypt action"
    )


def test_an_unknown_key_in_any_policy_is_refused() -> None:
    """Also where the key policy has allowed it already."""
    boundary = identity_policy(allow(condition={"Bool": {"aws:Unknown": "true"}}), kind=PERMISSIONS_BOUNDARY)

    with pytest.raises(UnknownConditionKey):
        combine(asked(ALICE), Policies(TO_ALICE, (), boundary))


@st.composite
def additions(draw: st.DrawFn, effect: str) -> tuple[Drawn, Drawn]:
    """Draw policies, and the same with one more statement in a document that is there already."""
    drawn = draw(DRAWN)
    kind = draw(st.sampled_from([kind for kind in KINDS if drawn[kind] or kind == IDENTITY]))
    more = draw(statements(effect=effect, resource_based=kind == RESOURCE))
    return drawn, {**drawn, kind: [*drawn[kind], more]}


@given(additions("Allow"), REQUESTS, GRANTED)
def test_another_allow_takes_no_permission_away(
    drawn: tuple[Drawn, Drawn], asked: Request, grant: Named | None
) -> None:
    """In whichever of the documents it stands."""
    before, after = (combine(asked, policies_of(each), grant=grant) for each in drawn)

    assert after.allowed or not before.allowed
    assert after.explicit == before.explicit


@given(additions("Deny"), REQUESTS, GRANTED)
def test_another_deny_adds_no_permission(drawn: tuple[Drawn, Drawn], asked: Request, grant: Named | None) -> None:
    """In whichever of the documents it stands."""
    before, after = (combine(asked, policies_of(each), grant=grant) for each in drawn)

    assert before.allowed or not after.allowed


@given(DRAWN, st.sampled_from(KINDS), REQUESTS, GRANTED)
def test_an_explicit_deny_is_never_overruled(drawn: Drawn, kind: str, asked: Request, grant: Named | None) -> None:
    """Whatever all other policies and grants say."""
    everything = deny("*" if kind == RESOURCE else None, "*")
    decision = combine(asked, policies_of({**drawn, kind: [*drawn[kind], everything]}), grant=grant)

    assert (False, True) == (decision.allowed, decision.explicit)
    assert KINDS.index(decision.denied_by) <= KINDS.index(kind)


@given(DRAWN, REQUESTS)
def test_a_stranger_is_never_allowed_more_than_at_home(drawn: Drawn, asked: Request) -> None:
    """Who needs both sides needs at least one."""
    policies = policies_of(drawn)
    decision = combine(asked, policies)

    if decision.cross_account and decision.allowed and not asked.caller.is_root:
        assert combine(asked, policies._replace(key=None)).allowed


@given(DRAWN, REQUESTS)
def test_a_refusal_always_has_words(drawn: Drawn, asked: Request) -> None:
    """A decision names the policy that denies if and only if it does."""
    decision = combine(asked, policies_of(drawn))

    assert decision.allowed or decision.denied_by in KINDS
    assert decision.allowed or decision.message().startswith(f"User: {asked.caller.arn} is not authorized to perform: ")
