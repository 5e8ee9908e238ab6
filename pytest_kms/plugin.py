"""pytest's side: options, the marker, the fixtures, and what the report of a failing test adds."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import pytest

from pytest_kms import stub, surroundings

if TYPE_CHECKING:
    from pytest_kms.errors import Refusal
    from pytest_kms.fake import FakeKMS

MARKER = """\
kms(*, region=, account=, quotas=, seed=, real_backoff=): answer this test's KMS calls with a fake. \
region: where keys are made by default; account: of the default principal, 12 digits; quotas: False to enforce no \
request quotas, or a mapping of some to calls per second; seed: makes ids, ciphertexts and random bytes repeat; \
real_backoff: let botocore's retries sleep."""

_SCOPES = ("function", "class", "module", "package", "session")

_active: pytest.StashKey[list[FakeKMS]] = pytest.StashKey()
_strays: list[Refusal] = []


def pytest_addoption(parser: pytest.Parser) -> None:
    """Declare the options; those that the marker has too carry the same names."""
    parser.addini("kms_region", "pytest-kms: the Region where keys are made by default", default="")
    parser.addini("kms_account", "pytest-kms: the account of the default principal, 12 digits", default="")
    parser.addini("kms_quotas", "pytest-kms: enforce AWS's request quotas (default: true)", "bool", default=True)
    parser.addini("kms_seed", "pytest-kms: makes ids, ciphertexts and random bytes repeat", default="")
    parser.addini(
        "kms_real_backoff", "pytest-kms: let botocore's retries sleep (default: false)", "bool", default=False
    )
    parser.addini(
        "kms_guard",
        "pytest-kms: fail a test that calls KMS without the fixture (default: false)",
        "bool",
        default=False,
    )
    parser.addini(
        "kms_scope",
        f"pytest-kms: how long a fake lives: {', '.join(_SCOPES)} (default: function)",
        default="function",
    )


@pytest.hookimpl(tryfirst=True)
def pytest_load_initial_conftests(early_config: pytest.Config) -> None:
    """Be there when botocore is imported, by a conftest at the earliest.

    A Region in the ini file is lent from here on, to clients that are made while modules are imported.
    """
    stub.install()
    region = early_config.getini("kms_region")
    if region:
        stack = ExitStack()
        stack.enter_context(surroundings.lent_region(region))
        early_config.add_cleanup(stack.close)


def pytest_configure(config: pytest.Config) -> None:
    """Register the marker, and take the options that hold for the whole run."""
    config.addinivalue_line("markers", MARKER)
    if config.getini("kms_scope") not in _SCOPES:
        raise pytest.UsageError(f"pytest-kms: kms_scope is one of {', '.join(_SCOPES)}")
    if config.getini("kms_guard"):
        stub.guard = _strays.append


def pytest_unconfigure() -> None:
    """Guard no longer."""
    stub.guard = None


def pytest_itemcollected(item: pytest.Item) -> None:
    """Let the marker alone bring the fixture."""
    if item.get_closest_marker("kms") is not None:
        names = getattr(item, "fixturenames", None)
        if names is not None and "pytest_kms" not in names:
            names.insert(0, "pytest_kms")


def _scope(fixture_name: str, config: pytest.Config) -> Any:  # noqa: ARG001
    return config.getini("kms_scope")


@pytest.fixture(name="pytest_kms", scope=_scope)
def _fixture_pytest_kms(request: pytest.FixtureRequest) -> Iterator[FakeKMS]:
    """Answer every KMS call of this process with a fake AWS KMS, new for each test; `kms` for short."""
    from pytest_kms.lifespan import fake_kms

    try:
        lifespan = fake_kms(origin=request.node.nodeid, **_settings(request))
        entered = lifespan.__enter__()
    except Exception as error:
        if type(error).__name__ != "UsageError":
            raise
        pytest.fail(str(error), pytrace=False)
    fakes = request.config.stash.setdefault(_active, [])
    fakes.append(entered)
    try:
        yield entered
    finally:
        fakes.remove(entered)
        lifespan.__exit__(None, None, None)


@pytest.fixture(name="kms", scope=_scope)
def _fixture_kms(pytest_kms: FakeKMS) -> FakeKMS:
    """Answer every KMS call of this process with a fake AWS KMS, new for each test.

    Make keys with kms.create_key(alias="alias/orders"), run your code with its own boto3 clients, then say
    kms.assert_used("alias/orders", "GenerateDataKey", times=1). See also kms.throttle, kms.trail, kms.clock.
    """
    return pytest_kms


def _settings(request: pytest.FixtureRequest) -> dict[str, Any]:
    """Collect what the fake is to be like: from the ini file, then from markers, the closest last."""
    config = request.config
    settings: dict[str, Any] = {
        "quotas": config.getini("kms_quotas"),
        "real_backoff": config.getini("kms_real_backoff"),
    }
    for name in ("region", "account", "seed"):
        value = config.getini(f"kms_{name}")
        if value:
            settings[name] = value
    known = {"region", "account", "quotas", "seed", "real_backoff"}
    for marker in reversed(list(request.node.iter_markers("kms"))):
        unknown = sorted(set(marker.kwargs) - known)
        if marker.args or unknown:
            what = f"no {' or '.join(map(repr, unknown))}" if unknown else "keyword arguments only"
            pytest.fail(f"pytest-kms: the marker takes {what}; it is {MARKER.partition(':')[0]}", pytrace=False)
        settings.update(marker.kwargs)
    return settings


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, object, object]:
    """Fail a test in its own phase for what its application has swallowed."""
    result = yield
    _give_verdict(item.config.stash.get(_active, []))
    return result


def _give_verdict(fakes: list[FakeKMS]) -> None:
    __tracebackhide__ = True
    if _strays:
        pytest.fail(str(_strays[0]), pytrace=False)
    for kms in fakes:
        if kms.world.refusals:
            pytest.fail(str(kms.world.refusals[0]), pytrace=False)
        unused = kms.unused_faults()
        if unused:
            told = "; ".join(map(str, unused))
            pytest.fail(
                f"pytest-kms: faults were ordered and never used: {told}."
                " What to do: check that the code under test makes these calls, or order fewer;"
                " kms.reset() forgets them.",
                pytrace=False,
            )


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Generator[None, Any, Any]:
    """Add to the report of a failing test what was called, and why it failed."""
    report = yield
    if call.when == "call":
        _strays.clear()
        if report.failed:
            for kms in item.config.stash.get(_active, []):
                report.sections.append(("kms", _story(kms)))
    return report


def _story(kms: FakeKMS) -> str:
    from pytest_kms.assertions import describe

    if not kms.trail:
        return "Nothing called KMS."
    lines = []
    for number, event in enumerate(kms.trail, start=1):
        lines.append(f"{number}. {describe(kms.world, event)}")
        if event.message and event.error != "NotSupported":
            lines.append(f"     {event.message}")
        if event.why:
            lines.append(f"     why: {event.why}")
    return "\n".join(lines)
