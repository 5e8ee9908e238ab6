"""pytest's side: its hooks, the fixtures, and what the report of a failing test adds."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Generator, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from types import TracebackType
from typing import TYPE_CHECKING, Any, Literal

import pytest

from pytest_kms import options, stub, surroundings, watching

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pytest_kms.diagnosis import Marks
    from pytest_kms.errors import Refusal
    from pytest_kms.fake import FakeKMS
    from pytest_kms.overheard import Overheard
    from pytest_kms.state.world import World
    from pytest_kms.suite.collector import Collector
    from pytest_kms.verdicts import Strictness, Verdict

_begun: pytest.StashKey[bool] = pytest.StashKey()
_active: pytest.StashKey[list[FakeKMS]] = pytest.StashKey()
_outer: pytest.StashKey[int] = pytest.StashKey()
"""How many fakes were active already when the run began: a run may run others within, as pytester does."""
_ended: pytest.StashKey[list[World]] = pytest.StashKey()
"""What fakes remembered that ended or were reset during the test."""
_since: pytest.StashKey[dict[str, Marks]] = pytest.StashKey()
"""How far the trails of fakes of a wider scope were when a test, and when its teardown, began."""
_heard: pytest.StashKey[Overheard] = pytest.StashKey()
_leaked: pytest.StashKey[bool] = pytest.StashKey()
"""Whether a secret of the present test got out of it."""
_strictness: pytest.StashKey[list[tuple[FakeKMS, Strictness]]] = pytest.StashKey()
"""The fakes of a test, and what fails it when no marker says otherwise."""
_strays: list[Refusal | str] = []


def pytest_addoption(parser: pytest.Parser) -> None:
    """Declare the options."""
    options.declare(parser)


@pytest.hookimpl(tryfirst=True)
def pytest_load_initial_conftests(early_config: pytest.Config) -> None:
    """Be there when botocore is imported, by a conftest at the earliest.

    A Region in the ini file is lent from here on, to clients that are made while modules are imported.
    """
    _begin(early_config)


def _begin(config: pytest.Config) -> None:
    """Begin early, whichever hook comes first."""
    if _begun in config.stash:
        return
    config.stash[_begun] = True
    stub.install()
    region = config.getini("kms_region")
    if region:
        stack = ExitStack()
        stack.enter_context(surroundings.lent_region(region))
        config.add_cleanup(stack.close)


def pytest_configure(config: pytest.Config) -> None:
    """Register the marker, and take the options that hold for the whole run."""
    _begin(config)
    config.addinivalue_line("markers", options.MARKER)
    with _usage_errors():
        options.check_ini(config)
    if config.getini("kms_guard"):
        # A run may run others within, as pytester does.
        before, stub.guard = stub.guard, _strays.append
        config.add_cleanup(lambda: setattr(stub, "guard", before))
    collectors = _collectors(config)
    if collectors:
        config.pluginmanager.register(_Suite(config, collectors), "pytest_kms_suite")
    config.stash[_outer] = len(stub.worlds())
    ended = config.stash[_ended] = []
    config.stash[_since] = {}
    config.stash[_leaked] = False
    watching.witnesses.append(ended.append)
    config.add_cleanup(lambda: watching.witnesses.remove(ended.append))


def _collectors(config: pytest.Config) -> list[Collector]:
    """Make what gathers what a run leaves behind, if an option asks for something."""
    with _usage_errors():
        asked = options.of_the_run(config)
    if not asked:
        return []
    from pytest_kms.suite.collector import collectors_for

    return collectors_for(asked.get, config.invocation_params.dir)


@contextmanager
def _usage_errors() -> Iterator[None]:
    """End the run at once, with the sentence alone, where the ini file or the command line says what cannot be."""
    from pytest_kms.errors import UsageError

    try:
        yield
    except UsageError as error:
        raise pytest.UsageError(str(error)) from None


class _Suite:
    """The hooks of a run that leaves something behind; they only tell the collectors what happens."""

    def __init__(self, config: pytest.Config, collectors: list[Collector]) -> None:
        self._collectors = collectors
        self._outcomes: set[str] = set()
        self._running = False
        self._unwritten: list[str] = []
        for collector in collectors:
            watching.watchers.append(collector.see)
            config.add_cleanup(partial(watching.watchers.remove, collector.see))

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_setup(self, item: pytest.Item) -> None:
        """Tell that a test begins; one that runs again does so too."""
        self._outcomes.clear()
        self._running = True
        for collector in self._collectors:
            collector.begin(item.nodeid, stub.worlds())

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_makereport(self, item: pytest.Item, call: pytest.CallInfo[None]) -> None:
        """Give a test the properties that its last report takes along, once."""
        if call.when == "teardown":
            worlds = stub.worlds()
            for collector in self._collectors:
                given = collector.properties(worlds)
                if given:
                    names = {name for name, _ in given}
                    item.user_properties[:] = [pair for pair in item.user_properties if pair[0] not in names]
                    item.user_properties += given

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Tell that a test has ended, and how; a controller of pytest-xdist sees no tests, only their reports."""
        if report.outcome != "passed":
            self._outcomes.add(_outcome(report))
        if report.when == "teardown" and self._running:
            self._running = False
            outcome = next((name for name in _WORST_FIRST if name in self._outcomes), "passed")
            for collector in self._collectors:
                collector.end(report.nodeid, outcome, stub.worlds())

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        """Take what a worker of pytest-xdist has collected; one that crashed has nothing to give."""
        given = getattr(node, "workeroutput", None)
        for collector in self._collectors:
            if given is None:
                collector.miss()
            else:
                collector.take(json.loads(given.get(collector.name, "[]")))

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Write what there is to write; a worker leaves that to its controller."""
        given = getattr(session.config, "workeroutput", None)
        for collector in self._collectors:
            if given is None:
                self._finish(collector, session)
            else:
                given[collector.name] = json.dumps(collector.give())

    def _finish(self, collector: Collector, session: pytest.Session) -> None:
        """Let it write; what cannot be written any more hides no failure of a test."""
        try:
            collector.finish()
        except OSError as error:
            self._unwritten.append(f"pytest-kms: {error}")
            session.exitstatus = session.exitstatus or pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Show what the collectors have to tell."""
        for line in self._unwritten:
            terminalreporter.write_line(line, red=True)
        for collector in self._collectors:
            for number, line in enumerate(collector.told()):
                if number:
                    terminalreporter.write_line(line)
                else:
                    terminalreporter.write_sep("-", line)


_WORST_FIRST = ("rerun", "error", "failed", "xfailed", "skipped")


def _outcome(report: pytest.TestReport) -> str:
    """Say how a phase of a test ended, in pytest's words."""
    if report.outcome == "failed":
        return "failed" if report.when == "call" else "error"
    if report.outcome == "skipped" and hasattr(report, "wasxfail"):
        return "xfailed"
    return report.outcome


def pytest_itemcollected(item: pytest.Item) -> None:
    """Let the marker alone bring the fixture."""
    if item.get_closest_marker("kms") is not None and not _has_a_fake_of_its_own(item):
        names = getattr(item, "fixturenames", None)
        if names is not None and "pytest_kms" not in names:
            # A list of its own: the items of a parametrized function share one.
            item.fixturenames = ["pytest_kms", *names]  # type: ignore[attr-defined]


def _has_a_fake_of_its_own(item: pytest.Item) -> bool:
    """Say whether a test has a fixture of `kms_fixture`, and its markers say only what fails the test."""
    markers = list(item.iter_markers("kms"))
    said = {name for marker in markers for name in marker.kwargs}
    if not said or said - options.OF_TESTS or any(marker.args for marker in markers):
        return False
    fixtures = getattr(getattr(item, "_fixtureinfo", None), "name2fixturedefs", {})
    return any(getattr(found[-1].func, _MADE, False) for found in fixtures.values())


_MADE = "made_by_kms_fixture"


def pytest_collection_finish() -> None:
    """Forget stray calls of imports: they have failed the collection of their modules."""
    _strays.clear()


def _scope(fixture_name: str, config: pytest.Config) -> Any:  # noqa: ARG001
    return config.getini("kms_scope")


@pytest.fixture(name="pytest_kms", scope=_scope)
def _fixture_pytest_kms(request: pytest.FixtureRequest) -> Iterator[FakeKMS]:
    """Answer every KMS call of this process with a fake AWS KMS, new for each test; `kms` for short."""
    with _mistakes_told():
        settings = options.settings(request.node)
    yield from _life(request, settings)


def _life(request: pytest.FixtureRequest, settings: Mapping[str, Any]) -> Iterator[FakeKMS]:
    """Be the body of a fixture: from the activation of its fake to its end."""
    from pytest_kms.fake import FakeKMS
    from pytest_kms.lifespan import active

    with ExitStack() as stack:
        with _mistakes_told():
            kms = stack.enter_context(active(partial(FakeKMS, origin=request.node.nodeid, **settings)))
        fakes = request.config.stash.setdefault(_active, [])
        fakes.append(kms)
        stack.callback(fakes.remove, kms)
        yield kms
        _strays.extend(kms.swallowed_refusals())


@contextmanager
def _mistakes_told() -> Iterator[None]:
    """Fail with the sentence alone where what a test or the ini file says cannot be."""
    from pytest_kms.errors import UsageError

    try:
        yield
    except UsageError as error:
        raise pytest.fail.Exception(str(error), pytrace=False) from None


@pytest.fixture(name="kms", scope=_scope)
def _fixture_kms(pytest_kms: FakeKMS) -> FakeKMS:
    """Answer every KMS call of this process with a fake AWS KMS, new for each test.

    Make keys with kms.create_key(alias="alias/orders"), run your code with its own boto3 clients, then say
    kms.assert_used("alias/orders", "GenerateDataKey", times=1). See also kms.throttle, kms.fail, kms.trail, kms.clock.
    """
    return pytest_kms


def kms_fixture(
    scope: Literal["function", "class", "module", "package", "session"] = "function",
    *,
    name: str | None = None,
    autouse: bool = False,
    region: str | None = None,
    account: str | None = None,
    quotas: bool | Mapping[str, float] | None = None,
    seed: int | str | None = None,
    real_backoff: bool | None = None,
    eventual_consistency: float | str | None = None,
    unsupported: Verdict | None = None,
    unused_faults: Verdict | None = None,
    unasserted_calls: Verdict | None = None,
    max_calls: Mapping[str, int] | None = None,
) -> Any:
    """Make a fixture like `kms`, of a scope and with settings of its own.

    ::

        depot_kms = pytest_kms.kms_fixture("module", region="eu-west-1")   # in a conftest or a test module

        def test_something(depot_kms): ...

    Its fake is one for all tests of its scope; `depot_kms.reset()` empties it. Where more than one fake is active,
    the one that began last answers: that of `kms`, say, in a test that asks for both.

    Args:
        scope: pytest's name of it.
        name: what tests ask for; by default the name that the fixture is assigned to.
        autouse: whether every test within reach has it unasked.
        region: where keys are made by default. This and all that follow: by default as the ini file says.
        account: the account of the default principal, 12 digits.
        quotas: False to enforce no request quotas, or some quotas and their values in calls per second.
        seed: makes key ids, key material, symmetric ciphertexts and random bytes repeat.
        real_backoff: let botocore's retries sleep.
        eventual_consistency: seconds of the fake's time until what calls change becomes visible.
        unsupported: "ignore" lets a test pass that swallowed the refusal of what this version does not support.
        unused_faults: "ignore" lets a test pass that ordered faults and did not use them.
        unasserted_calls: "error" fails a test with calls that no assertion has looked at.
        max_calls: how many calls of some operations each test may make.

    Returns:
        The fixture, for pytest to find. The marker `kms` does not set it up.

    """
    given = {
        "region": region,
        "account": account,
        "quotas": quotas,
        "seed": seed,
        "real_backoff": real_backoff,
        "eventual_consistency": eventual_consistency,
        "unsupported": unsupported,
        "unused_faults": unused_faults,
        "unasserted_calls": unasserted_calls,
        "max_calls": max_calls,
    }
    chosen = {name: value for name, value in given.items() if value is not None}

    def fixture(*instance: object, request: pytest.FixtureRequest) -> Iterator[FakeKMS]:
        if instance:
            pytest.fail(
                f"pytest-kms: {request.fixturename} is in {type(instance[0]).__name__}, and fixtures of kms_fixture()"
                " are not for classes. Assign it in the module or in a conftest; kms_fixture('class') is one for each"
                " class.",
                pytrace=False,
            )
        yield from _life(request, options.defaults(request.config) | chosen)

    setattr(fixture, _MADE, True)
    fixture.__doc__ = f"Answer every KMS call of this process with a fake AWS KMS, new for each {scope}."
    return pytest.fixture(scope=scope, name=name, autouse=autouse)(fixture)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_setup(item: pytest.Item) -> Generator[None, object, object]:
    """Refuse a marker that comes too late for a fake of a wider scope."""
    __tracebackhide__ = _is_of_the_test
    item.config.stash[_ended].clear()
    item.config.stash[_since].clear()
    item.config.stash[_leaked] = False
    _mark(item, "setup")
    scope = item.config.getini("kms_scope")
    for node, marker in item.iter_markers_with_node("kms"):
        if (marker.args or set(marker.kwargs) - options.OF_TESTS) and _rank(node) < options.SCOPES.index(scope):
            pytest.fail(
                f"pytest-kms: the marker on {node.name} comes too late: by kms_scope a fake lives for a {scope}."
                " Put it on what lives as long, or use fake_kms() within the test.",
                pytrace=False,
            )
    with _mistakes_told():
        leaks = options.leaks(item)
    if leaks:
        from pytest_kms.overheard import Overheard

        item.stash[_heard] = Overheard()
    try:
        result = yield
        _expect_one_kms(item)
        _be_as_strict_as_marked(item)
    except BaseException:
        _take_complaints(item)  # the test has a reason of its own to fail, and the next one nothing to do with it
        raise
    return result


def _expect_one_kms(item: pytest.Item) -> None:
    """Refuse a marker whose fake would answer in place of the `kms` that the test holds."""
    fixtures = getattr(item, "funcargs", {})
    held, brought = fixtures.get("kms"), fixtures.get("pytest_kms")
    if held is not brought is not None and any(held is kms for kms in item.config.stash.get(_active, [])):
        pytest.fail(
            f"pytest-kms: {item.name} has two fakes that go by the name kms: of a fixture that kms_fixture() made, and"
            " of the marker kms or the fixture pytest_kms. Give the arguments of the marker to kms_fixture(), or give"
            " the fixture that it made another name.",
            pytrace=False,
        )


def _be_as_strict_as_marked(item: pytest.Item) -> None:
    """Judge a test by its markers, where its fakes were set up without them."""
    with _mistakes_told():
        said = options.strictness(item)
        stricter = [(kms, kms.strictness.but(said)) for kms in item.config.stash.get(_active, []) if said]
    item.stash[_strictness] = [(kms, kms.strictness) for kms, _ in stricter]
    for kms, strictness in stricter:
        kms.strictness = strictness


def _rank(node: pytest.Item | pytest.Collector | object) -> int:
    kinds = (pytest.Item, pytest.Class, pytest.Module, pytest.Package)
    return next((rank for rank, kind in enumerate(kinds) if isinstance(node, kind)), len(kinds))


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, object, object]:
    """Fail a test in its own phase: for what its application has swallowed, and by the other verdicts.

    It comes first of all, so that what the others have captured is there.
    """
    __tracebackhide__ = _is_of_the_test
    return (yield from _judged(item, _take_verdicts))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown(item: pytest.Item) -> Generator[None, object, object]:
    """Fail a teardown that has swallowed a refusal."""
    if _heard in item.stash:
        item.stash[_heard].close()
        del item.stash[_heard]
    _mark(item, "teardown")
    __tracebackhide__ = _is_of_the_test
    try:
        return (yield from _judged(item, _take_complaints))
    finally:
        if _strictness in item.stash:
            for kms, strictness in item.stash[_strictness]:
                kms.strictness = strictness
            del item.stash[_strictness]


def _is_of_the_test(excinfo: pytest.ExceptionInfo[BaseException]) -> bool:
    """Say whether it is no verdict, so that a traceback need not show who gives those."""
    return excinfo.type is not pytest.fail.Exception


def _judged(item: pytest.Item, take: Callable[[pytest.Item], list[str]]) -> Generator[None, object, object]:
    __tracebackhide__ = _is_of_the_test
    try:
        result = yield
    except BaseException as error:
        _take_complaints(item)
        for leak in _found_leaks(item, error):
            item.add_report_section("call", "kms leaks", leak)
        raise
    told = [*take(item), *_found_leaks(item, None)]
    if told:
        pytest.fail("\n".join(told), pytrace=False)
    return result


def _found_leaks(item: pytest.Item, error: BaseException | None) -> list[str]:
    """Say where the secrets of a test are, if that is asked for, and its own phase is over."""
    heard, worlds = item.stash.get(_heard, None), _worlds(item)
    if heard is None or not worlds:
        return []
    from pytest_kms.overheard import complaint

    things: dict[str, object] = {
        f"the captured {name}": text for _, name, text in getattr(item, "_report_sections", ()) if name in _CAPTURED
    }
    if error is not None:
        things["the exception that the test ended with"] = error
    tmp_path = getattr(item, "funcargs", {}).get("tmp_path")
    if tmp_path is not None and tmp_path.exists():
        things["tmp_path"] = tmp_path
    leak = complaint(worlds, heard, things)
    item.config.stash[_leaked] = leak is not None
    return [] if leak is None else [leak]


_CAPTURED = ("stdout", "stderr")


def _take_verdicts(item: pytest.Item) -> list[str]:
    """Return what is to be said of a test, once."""
    verdicts = [verdict for kms in item.config.stash.get(_active, []) for verdict in kms.verdicts()]
    strays = [str(stray) for stray in _strays[:1]]
    _take_complaints(item)
    return strays or verdicts


def _take_complaints(item: pytest.Item) -> list[str]:
    """Return what was refused and swallowed, once; no later test answers for what has been until now."""
    complaints = [str(stray) for stray in _strays]
    _strays.clear()
    for kms in item.config.stash.get(_active, []):
        complaints += kms.swallowed_refusals()
        kms.forget_verdicts()
    return complaints[:1]


def pytest_assertrepr_compare(op: str, left: object, right: object) -> list[str] | None:
    """Tell what differs between events, and between trails."""
    if op != "==" or "pytest_kms.state.trail" not in sys.modules:
        return None
    from pytest_kms import comparison

    return comparison.explain(left, right)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Generator[None, Any, Any]:
    """Add to the report of a failing test what was called, and why it failed."""
    if call.excinfo is not None and call.excinfo.type.__module__ == "pytest_kms.errors":
        error = call.excinfo.value
        call.excinfo = pytest.ExceptionInfo.from_exception(error.with_traceback(_of_the_user(error.__traceback__)))
    report = yield
    if item.config.stash[_leaked]:
        from pytest_kms.overheard import without_secrets

        report.sections = without_secrets(_worlds(item), report.sections)
    if report.failed and call.excinfo is not None:
        report.sections += _diagnosis(item, call.when, call.excinfo.value)
    return report


def _mark(item: pytest.Item, when: str) -> None:
    """Note where the trails are that go back to before a test, or before its teardown."""
    worlds = _active_worlds(item)
    if worlds:
        from pytest_kms.diagnosis import marks_of

        item.config.stash[_since][when] = marks_of(worlds)


def _active_worlds(item: pytest.Item) -> list[World]:
    """List what the fakes remember that are active, of this run alone."""
    return stub.worlds()[item.config.stash[_outer] :]


def _worlds(item: pytest.Item) -> list[World]:
    """List what the fakes of a test remember, of those that have ended too, the latest last."""
    return [*item.config.stash[_ended], *_active_worlds(item)]


def _diagnosis(item: pytest.Item, when: str, error: BaseException) -> list[tuple[str, str]]:
    """Write the sections `kms` of a report: outside of the test itself only where calls have failed."""
    worlds = _worlds(item)
    if not worlds:
        return []
    from pytest_kms import diagnosis

    since = item.config.stash[_since]
    if when != "call" and not diagnosis.anything_failed(worlds, since.get(when, ())):
        return []
    first, *others = diagnosis.stories(worlds, since.get("setup", ()), error)
    first = "\n".join(filter(None, [diagnosis.several(_active_worlds(item)), first]))
    return [("kms", story) for story in (first, *others)]


def _of_the_user(trace: TracebackType | None) -> TracebackType | None:
    """Leave out of a traceback what is in the AWS SDK and in this package."""
    entries = []
    while trace is not None:
        entries.append(trace)
        trace = trace.tb_next
    for entry in reversed(entries):
        if stub.is_outside(entry.tb_frame.f_code.co_filename):
            trace = TracebackType(trace, entry.tb_frame, entry.tb_lasti, entry.tb_lineno)
    return trace
