"""Who calls, and how statements name callers."""

from __future__ import annotations

from typing import Any

import pytest
from iam.cast import (
    ACCOUNT,
    ALICE,
    ALICE_ARN,
    APP,
    APP_ARN,
    APP_SESSION_ARN,
    BOB_ARN,
    FEDERATED,
    FEDERATED_ARN,
    LOGS,
    LOGS_NAME,
    OTHER_ACCOUNT,
    ROOT,
    ROOT_ARN,
    STRANGER,
    STRANGER_ROOT_ARN,
)

from pytest_kms import UsageError
from pytest_kms.iam import principals
from pytest_kms.iam.errors import Malformed
from pytest_kms.iam.principals import ANONYMOUS, Caller, Named, Principals

NAMED: dict[str, tuple[Any, Caller, Named | None]] = {
    "a user by his ARN": (ALICE_ARN, ALICE, Named.DIRECTLY),
    "another user": (BOB_ARN, ALICE, None),
    "a user by his account's root": (ROOT_ARN, ALICE, Named.ACCOUNT),
    "a user by his account": (ACCOUNT, ALICE, Named.ACCOUNT),
    "a user by another account": (OTHER_ACCOUNT, ALICE, None),
    "a user by both": ([ACCOUNT, ALICE_ARN], ALICE, Named.DIRECTLY),
    "a user by everybody": ("*", ALICE, Named.DIRECTLY),
    "the root user by the root": (ROOT_ARN, ROOT, Named.DIRECTLY),
    "the root user by the account": (ACCOUNT, ROOT, Named.DIRECTLY),
    "the root user by a user": (ALICE_ARN, ROOT, None),
    "a session by its ARN": (APP_SESSION_ARN, APP, Named.DIRECTLY),
    "a session by its role": (APP_ARN, APP, Named.ROLE),
    "a session by its account": (ROOT_ARN, APP, Named.ACCOUNT),
    "a session by role and account": ([ROOT_ARN, APP_ARN], APP, Named.ROLE),
    "a session by another session of its role": (f"arn:aws:sts::{ACCOUNT}:assumed-role/App/i-2", APP, None),
    "a session by a user": (ALICE_ARN, APP, None),
    "a federated user by his ARN": (FEDERATED_ARN, FEDERATED, Named.DIRECTLY),
    "a federated user by his account": (ACCOUNT, FEDERATED, Named.ACCOUNT),
    "a stranger by his account": (STRANGER_ROOT_ARN, STRANGER, Named.ACCOUNT),
    "a service by everybody": ("*", LOGS, Named.DIRECTLY),
    "a service by an account": (ACCOUNT, LOGS, None),
    "nobody by everybody": ("*", ANONYMOUS, Named.DIRECTLY),
    "nobody by an account": (ACCOUNT, ANONYMOUS, None),
}
EXCEPTED: dict[str, tuple[Any, Caller, bool, bool]] = {
    # what NotPrincipal lists, the caller, whether a Deny and whether an Allow spare him
    "a user and his account": ([ALICE_ARN, ROOT_ARN], ALICE, True, True),
    "a user alone": (ALICE_ARN, ALICE, False, True),
    "his account alone": (ROOT_ARN, ALICE, False, True),
    "another user": ([BOB_ARN, OTHER_ACCOUNT], ALICE, False, False),
    "a session, its role and its account": ([APP_SESSION_ARN, APP_ARN, ACCOUNT], APP, True, True),
    "a role and its account": ([APP_ARN, ACCOUNT], APP, False, True),
    "the account of its root user": (ACCOUNT, ROOT, True, True),
    "everybody": ("*", ALICE, True, True),
    "everybody, and nobody calls": ("*", ANONYMOUS, True, True),
    "an account, and nobody calls": (ACCOUNT, ANONYMOUS, False, False),
    "an account, and a service calls": (ACCOUNT, LOGS, False, False),
}
INVALID: dict[str, tuple[Any, str]] = {
    "a text": (ALICE_ARN, f"Principal is {ALICE_ARN!r}, which is neither '*' nor an object"),
    "a list": (["*"], "Principal is ['*'], which is neither '*' nor an object"),
    "another kind": (
        {"Group": "x"},
        "Principal has 'Group'; there are AWS, Service, Federated, CanonicalUser",
    ),
}
INVALID_NAMES: dict[str, tuple[str, Any]] = {
    "a number": ("AWS", 111122223333),
    "eleven digits": ("AWS", "11112222333"),
    "a group": ("AWS", f"arn:aws:iam::{ACCOUNT}:group/admins"),
    "a user with a wildcard": ("AWS", f"arn:aws:iam::{ACCOUNT}:user/*"),
    "a path with a wildcard": ("AWS", f"arn:aws:iam::{ACCOUNT}:role/a?b/App"),
    "an account with a wildcard": ("AWS", "arn:aws:iam::*:root"),
    "a session with a wildcard": ("AWS", f"arn:aws:sts::{ACCOUNT}:assumed-role/App/*"),
    "a session with a path": ("AWS", f"arn:aws:sts::{ACCOUNT}:assumed-role/path/App/i-1"),
    "a session of no name": ("AWS", f"arn:aws:sts::{ACCOUNT}:assumed-role/App"),
    "a user of no name": ("AWS", f"arn:aws:iam::{ACCOUNT}:user/"),
    "a user of STS": ("AWS", f"arn:aws:sts::{ACCOUNT}:user/Alice"),
    "a deleted user": ("AWS", "AIDAEXAMPLEID"),
    "a service as a principal of AWS": ("AWS", LOGS_NAME),
    "one of two": ("AWS", [ALICE_ARN, "x"]),
    "a list in a list": ("AWS", [["*"]]),
    "a service with a wildcard": ("Service", "*.amazonaws.com"),
    "a service without a domain": ("Service", "logs"),
    "a federation with a wildcard": ("Federated", "*"),
    "a short canonical user": ("CanonicalUser", "79a59df900b949e5"),
}
VALID: dict[str, tuple[str, str]] = {
    "a user with a path": ("AWS", f"arn:aws:iam::{ACCOUNT}:user/a/b!~/Alice"),
    "a role of a service": ("AWS", f"arn:aws:iam::{ACCOUNT}:role/aws-service-role/mrk.kms.amazonaws.com/R"),
    "a user with all letters": ("AWS", f"arn:aws:iam::{ACCOUNT}:user/A_z0+=,.@-"),
    "in China": ("AWS", f"arn:aws-cn:iam::{ACCOUNT}:root"),
    "in GovCloud": ("AWS", f"arn:aws-us-gov:iam::{ACCOUNT}:role/App"),
    "a service in China": ("Service", "ec2.amazonaws.com.cn"),
    "an identity provider": ("Federated", "cognito-identity.amazonaws.com"),
    "an identity provider of SAML": ("Federated", f"arn:aws:iam::{ACCOUNT}:saml-provider/Okta"),
    "an identity provider of OIDC": ("Federated", f"arn:aws:iam::{ACCOUNT}:oidc-provider/x.io/a:b"),
    "a canonical user": ("CanonicalUser", "79a59df900b949e5" * 4),
}


def principals_of(value: Any, element: str = "Principal") -> Principals:
    """Read a Principal element."""
    return principals.parse(element, value)


@pytest.mark.parametrize(("names", "caller", "expected"), NAMED.values(), ids=NAMED)
@pytest.mark.parametrize("deny", [True, False])
def test_an_element_names_a_caller(names: Any, caller: Caller, expected: Named | None, deny: bool) -> None:  # noqa: FBT001
    """The strongest of his names counts, in a Deny as in an Allow."""
    assert expected is principals_of({"AWS": names}).named(caller, deny=deny)


def test_everybody_may_be_written_in_short() -> None:
    """A star is everybody of AWS."""
    assert principals_of({"AWS": "*"}) == principals_of("*")


def test_a_service_is_named_by_its_own_kind() -> None:
    """The name must be the same to the letter."""
    assert Named.DIRECTLY is principals_of({"Service": LOGS_NAME}).named(LOGS, deny=False)
    assert principals_of({"Service": "logs.amazonaws.com"}).named(LOGS, deny=False) is None


def test_federated_principals_name_no_service() -> None:
    """Though an identity provider may be called like one."""
    name = "cognito-identity.amazonaws.com"

    assert principals_of({"Federated": name}).named(principals.service(name), deny=False) is None


@pytest.mark.parametrize(("names", "caller", "by_deny", "by_allow"), EXCEPTED.values(), ids=EXCEPTED)
def test_not_principal_names_all_others(names: Any, caller: Caller, by_deny: bool, by_allow: bool) -> None:  # noqa: FBT001
    """A Deny spares whom it lists by all of his names, an Allow leaves out whom it lists by any."""
    element = principals_of({"AWS": names}, "NotPrincipal")

    assert (None if by_deny else Named.DIRECTLY) is element.named(caller, deny=True)
    assert (None if by_allow else Named.DIRECTLY) is element.named(caller, deny=False)


@pytest.mark.parametrize(("kind", "name"), VALID.values(), ids=VALID)
def test_a_principal_is_valid(kind: str, name: str) -> None:
    """Alone or in a list."""
    assert principals_of({kind: name}) == principals_of({kind: [name]})


@pytest.mark.parametrize(("kind", "name"), INVALID_NAMES.values(), ids=INVALID_NAMES)
def test_a_principal_is_invalid(kind: str, name: Any) -> None:
    """AWS says so without saying which."""
    with pytest.raises(Malformed) as excinfo:
        principals_of({kind: name})

    wrong = name[-1] if isinstance(name, list) else name
    assert "Policy contains a statement with one or more invalid principals." == excinfo.value.message
    assert f"Principal has {wrong!r}, which is no principal of kind {kind}" == excinfo.value.why


@pytest.mark.parametrize(("value", "why"), INVALID.values(), ids=INVALID)
def test_an_element_of_another_form_is_invalid(value: Any, why: str) -> None:
    """It is a star, or an object of the four kinds."""
    with pytest.raises(Malformed) as excinfo:
        principals_of(value)

    assert "Policy contains a statement with one or more invalid principals." == excinfo.value.message
    assert why == excinfo.value.why


@pytest.mark.parametrize("value", [{}, {"AWS": []}, {"AWS": [], "Service": []}])
def test_an_empty_element_is_no_principal(value: Any) -> None:
    """AWS has a sentence of its own for it."""
    with pytest.raises(Malformed) as excinfo:
        principals_of(value)

    assert "Policy contains a statement with no principal." == excinfo.value.message
    assert "Principal is empty" == excinfo.value.why


def test_the_kinds_are_kept_apart() -> None:
    """Who checks that principals exist finds them as they were written."""
    element = principals_of({"Service": LOGS_NAME, "AWS": [ROOT_ARN, ALICE_ARN], "Federated": "x.io"})

    assert ((ROOT_ARN, ALICE_ARN), (LOGS_NAME,), ("x.io",), ()) == (
        element.aws,
        element.services,
        element.federated,
        element.canonical_users,
    )
    assert f"Principal {ROOT_ARN}, {ALICE_ARN}, {LOGS_NAME}, x.io" == str(element)


TYPES: dict[str, tuple[Caller, str, str]] = {
    "a user": (ALICE, "User", ACCOUNT),
    "the root user": (ROOT, "Account", ACCOUNT),
    "a session": (APP, "AssumedRole", ACCOUNT),
    "a federated user": (FEDERATED, "FederatedUser", ACCOUNT),
    "a stranger": (STRANGER, "AssumedRole", OTHER_ACCOUNT),
    "a service": (LOGS, "Service", ""),
    "nobody": (ANONYMOUS, "Anonymous", ""),
}


@pytest.mark.parametrize(("caller", "kind", "account"), TYPES.values(), ids=TYPES)
def test_callers_are_of_a_type_and_an_account(caller: Caller, kind: str, account: str) -> None:
    """The type is AWS's, as in aws:PrincipalType."""
    assert (kind, account) == (caller.type, caller.account)
    assert (caller is ROOT) == caller.is_root


def test_a_role_with_a_path_is_given_with_its_session() -> None:
    """A session's ARN does not have the path."""
    role = f"arn:aws:iam::{ACCOUNT}:role/service/App"
    caller = principals.caller(APP_SESSION_ARN, role=role)

    assert Named.ROLE is principals_of({"AWS": role}).named(caller, deny=False)
    assert principals_of({"AWS": APP_ARN}).named(caller, deny=False) is None


def test_a_role_is_of_the_partition_of_its_session() -> None:
    """In China too."""
    caller = principals.caller(f"arn:aws-cn:sts::{ACCOUNT}:assumed-role/App/i-1")

    assert (f"arn:aws-cn:iam::{ACCOUNT}:role/App", Named.ROLE) in caller.names


@pytest.mark.parametrize("arn", [APP_ARN, "*", "alice", f"arn:aws:iam::{ACCOUNT}:group/x", LOGS_NAME])
def test_what_cannot_call_is_refused(arn: str) -> None:
    """A role calls by its sessions."""
    with pytest.raises(UsageError) as excinfo:
        principals.caller(arn)

    assert (
        f"pytest-kms: {arn!r} cannot call: that does a user, the root user, a role's session or a federated user"
        == str(excinfo.value)
    )
