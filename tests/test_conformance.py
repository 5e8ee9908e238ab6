"""Every operation has all that the house asks of one; `pytest tests/test_conformance.py -k Name` says what lacks."""

from __future__ import annotations

import inspect
import re
from pathlib import Path

import pytest
from botocore import xform_name
from botocore.loaders import Loader

import pytest_kms
from pytest_kms import operations, service
from pytest_kms.operation import OPERATIONS, TAKEN_BY_ALL, Operation
from pytest_kms.state.quotas import default

TESTS = Path(__file__).parent
PACKAGE = Path(inspect.getfile(pytest_kms)).parent
README = (TESTS.parent / "README.md").read_text()
PAGINATORS = Loader().load_service_model("kms", "paginators-1")["pagination"]
ROWS = dict(re.findall(r"^\| (\w+) \| (yes|not yet) \|$", README, re.MULTILINE))

NOT_YET = {"Decapsulate", "Encapsulate"}
"""Operations of KMS that came when this version was made; a botocore from 1.44 on knows them."""
NEW_MEMBERS = {
    "CreateGrant": {"GranteeServicePrincipal", "RetiringServicePrincipal"},
    "ListGrants": {"GranteeServicePrincipal"},
    "ListRetirableGrants": {"RetiringServicePrincipal"},
}
"""Members that the lowest botocore which is supported does not know; its clients cannot send them."""

each_operation = pytest.mark.parametrize("operation", OPERATIONS.values(), ids=OPERATIONS)


def chapter_of(operation: Operation) -> Path:
    """Return the file that an operation is written in."""
    return Path(inspect.getfile(operation.function))


@pytest.mark.parametrize("name", service.operation_names())
def test_no_operation_of_kms_is_refused(name: str) -> None:
    """Whatever botocore's model has, this version has, but for what is told to be missing."""
    assert (name in NOT_YET) != (name in OPERATIONS)


def test_there_are_as_many_as_aws_had() -> None:
    """Each is of the model of any botocore that is supported."""
    assert 54 == len(OPERATIONS)


@each_operation
def test_its_name_is_aws_s(operation: Operation) -> None:
    """botocore's model has an operation of this name."""
    assert operation.name in service.operation_names()


@each_operation
def test_its_function_is_named_as_boto3_s_method(operation: Operation) -> None:
    """One grep for boto3's name finds the function."""
    assert xform_name(operation.name) == operation.function.__name__


@each_operation
def test_its_meaning_is_told_in_a_docstring(operation: Operation) -> None:
    """The first line is one sentence."""
    first_line = (operation.function.__doc__ or "").partition("\n")[0]

    assert first_line.endswith(".")


@each_operation
def test_it_stands_in_a_chapter(operation: Operation) -> None:
    """The function is in a module of `operations` that the package imports by name."""
    chapter = chapter_of(operation)

    assert PACKAGE / "operations" == chapter.parent
    assert chapter.stem in operations.__all__


@each_operation
def test_it_takes_members_of_the_model_only(operation: Operation) -> None:
    """What it says it takes is in botocore's model of its input, or in that of a newer one."""
    unknown = operation.takes - set(service.input_shape(operation.name).members)

    assert unknown <= NEW_MEMBERS.get(operation.name, set())


@each_operation
def test_it_takes_every_member_of_the_model(operation: Operation) -> None:
    """Nothing that botocore lets a caller say is refused."""
    assert set() == set(service.input_shape(operation.name).members) - operation.takes - TAKEN_BY_ALL


@each_operation
def test_every_member_that_it_takes_is_read_somewhere(operation: Operation) -> None:
    """No member is taken and then ignored: its chapter names it, or a rule's, a target, a check, or the engine."""
    places = {chapter_of(operation), *(PACKAGE / name for name in ("targets.py", "engine.py", "checks/attestation.py"))}
    places |= {Path(inspect.getfile(rule)) for rule in operation.rules}
    source = "".join(path.read_text() for path in places)
    if operation.pages is not None:
        paginator = service.paginator(operation.name)
        source += f'"{paginator["input_token"]}" "{paginator["limit_key"]}"'

    assert [] == [member for member in sorted(operation.takes) if f'"{member}"' not in source]


@each_operation
def test_every_key_that_it_takes_is_a_target(operation: Operation) -> None:
    """A member that names a key is looked up by a target, not by the body."""
    members = service.input_shape(operation.name).members
    named = {name for name in operation.takes & set(members) if members[name].name == "KeyIdType"}

    assert named == named & {getattr(target, "member", "") for target in operation.targets}


@each_operation
def test_every_algorithm_is_one_of_a_target(operation: Operation) -> None:
    """A member that names an algorithm is looked at in the light of its key, not by the body."""
    named = {name for name in service.input_shape(operation.name).members if name.endswith("Algorithm")}

    # What wraps key material is no algorithm of the key.
    assert named - {"WrappingAlgorithm"} == {target.algorithm for target in operation.targets} - {""}


@each_operation
def test_an_enclave_is_answered_where_aws_answers_one(operation: Operation) -> None:
    """It takes a Recipient if the model has one, and hands its secret over to it."""
    has = "Recipient" in service.input_shape(operation.name).members

    assert has == ("Recipient" in operation.takes)
    assert has == ("call.hand_over(" in inspect.getsource(operation.function))


@each_operation
def test_it_pages_if_botocore_pages_it(operation: Operation) -> None:
    """Paging follows botocore's paginators."""
    pages = operation.name in PAGINATORS

    assert pages == (operation.pages is not None)


@each_operation
def test_it_has_a_request_quota(operation: Operation) -> None:
    """Its quota is in AWS's table, or it shares one."""
    assert operation.cryptographic or default(operation.quota, "us-east-1") is not None


@each_operation
def test_it_has_tests_in_the_mirror_file(operation: Operation) -> None:
    """The mirror of its chapter calls it through boto3."""
    mirror = TESTS / "operations" / f"test_{chapter_of(operation).stem}.py"

    assert re.search(rf"\b{xform_name(operation.name)}\b", mirror.read_text())


@pytest.mark.parametrize("name", service.operation_names())
def test_the_readme_says_whether_it_is_supported(name: str) -> None:
    """The table of operations has a row for each operation of KMS, and tells the truth."""
    assert ("yes" if name in OPERATIONS else "not yet") == ROWS.get(name)
