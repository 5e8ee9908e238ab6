"""What users may say in the ini file, on the command line and with the marker."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pytest_kms.errors import UsageError

if TYPE_CHECKING:
    import pytest

MARKER = """\
kms(*, region=, account=, quotas=, seed=, real_backoff=, eventual_consistency=, \
unsupported=, unused_faults=, unasserted_calls=, max_calls=, leaks=): answer this test's KMS calls \
with a fake. \
region: where keys are made by default; account: of the default principal, 12 digits; quotas: False to enforce no \
request quotas, or a mapping of some to calls per second; seed: makes ids, key material and random bytes repeat; \
real_backoff: let botocore's retries sleep; \
eventual_consistency: seconds until what calls change becomes visible; \
unsupported: "ignore" lets a test pass whose code has swallowed a refusal of what this version lacks; \
unused_faults: "ignore" lets a test pass that ordered failures which never came; \
unasserted_calls: "error" fails a test with calls that no assertion looked at; \
max_calls: a mapping of operations to how often the test may call each; \
leaks: "error" fails a test of which a plaintext or data key gets into output, logs, files or other requests."""

_ARGUMENTS = {
    "region",
    "account",
    "quotas",
    "seed",
    "real_backoff",
    "eventual_consistency",
    "unsupported",
    "unused_faults",
    "unasserted_calls",
    "max_calls",
    "leaks",
}
OF_TESTS = {"unsupported", "unused_faults", "unasserted_calls", "max_calls", "leaks"}
"""Those of them that are of a test, however long its fake lives."""
LEAKS = ("error", "ignore")
SCOPES = ("function", "class", "module", "package", "session")
"""pytest's, the narrowest first."""
_SWITCHES = ("kms_quotas", "kms_real_backoff", "kms_guard", "kms_junit")
_FILES = ("kms_least_privilege", "kms_cloudtrail", "kms_report")
"""The options that ask for a file about a whole run."""


def declare(parser: pytest.Parser) -> None:
    """Declare the options; those that the marker has too carry the same names."""
    parser.addini("kms_region", "pytest-kms: the Region where keys are made by default", default="")
    parser.addini("kms_account", "pytest-kms: the account of the default principal, 12 digits", default="")
    parser.addini("kms_quotas", "pytest-kms: enforce AWS's request quotas (default: true)", "bool", default=True)
    parser.addini("kms_seed", "pytest-kms: makes ids, key material and random bytes repeat", default="")
    parser.addini(
        "kms_real_backoff", "pytest-kms: let botocore's retries sleep (default: false)", "bool", default=False
    )
    parser.addini(
        "kms_eventual_consistency",
        "pytest-kms: seconds of the fake's time until what calls change becomes visible (default: 0)",
        default="0",
    )
    parser.addini(
        "kms_unsupported",
        "pytest-kms: fail a test whose code swallows a refusal of what is not supported: error or ignore"
        " (default: error)",
        default="error",
    )
    parser.addini(
        "kms_unused_faults",
        "pytest-kms: fail a test that ordered failures which never came: error or ignore (default: error)",
        default="error",
    )
    parser.addini(
        "kms_unasserted_calls",
        "pytest-kms: fail a test with calls that no assertion looked at: error or ignore (default: ignore)",
        default="ignore",
    )
    parser.addini(
        "kms_max_calls",
        "pytest-kms: how often a test may call operations, one a line: Decrypt = 1",
        "linelist",
        default=[],
    )
    parser.addini(
        "kms_leaks",
        f"pytest-kms: what a plaintext or data key in output, logs, files or other requests is: {', '.join(LEAKS)}"
        " (default: ignore)",
        default="ignore",
    )
    parser.addini(
        "kms_guard",
        "pytest-kms: fail a test that calls KMS without the fixture (default: false)",
        "bool",
        default=False,
    )
    parser.addini(
        "kms_scope",
        f"pytest-kms: how long a fake lives: {', '.join(SCOPES)} (default: function)",
        default="function",
    )
    parser.addini(
        "kms_junit",
        "pytest-kms: give the tests in a JUnit file properties about their KMS calls (default: false)",
        "bool",
        default=False,
    )
    group = parser.getgroup("kms", "pytest-kms")
    group.addoption(
        "--kms-least-privilege",
        metavar="FILE",
        help="write the least-privilege policies that the KMS calls of the whole run need to FILE, as JSON",
    )
    group.addoption(
        "--kms-cloudtrail",
        metavar="FILE",
        help="write the CloudTrail records of the KMS calls of the whole run to FILE, as JSON; with .gz, compressed",
    )
    group.addoption(
        "--kms-summary",
        action="store_true",
        help="tell at the end which keys and operations of KMS the whole run used, and what that costs at AWS",
    )
    group.addoption(
        "--kms-report",
        metavar="FILE",
        help="write a page about the KMS calls of the whole run to FILE, as HTML",
    )


def check_ini(config: pytest.Config) -> None:
    """See that the ini file says what can be.

    Raises:
        UsageError: it does not.

    """
    for name, words in {"kms_scope": SCOPES, "kms_leaks": LEAKS}.items():
        if config.getini(name) not in words:
            raise UsageError(f"{name} is one of {', '.join(words)}")
    for name in _SWITCHES:
        _expect_switch(config, name)


def _expect_switch(config: pytest.Config, name: str) -> None:
    try:
        config.getini(name)
    except Exception as error:  # noqa: BLE001  # of pytest, which knows no other module here
        raise UsageError(f"{name} is true or false: {error}") from None


def of_the_run(config: pytest.Config) -> dict[str, Any]:
    """Return what is asked of a whole run, option by option; nothing where nothing is.

    Raises:
        UsageError: a file is asked for that cannot be written.

    """
    asked: dict[str, Any] = {name: config.getoption(name) for name in (*_FILES, "kms_summary")}
    asked["kms_junit"] = config.getini("kms_junit") and config.getoption("xmlpath", None)
    files = {f"--{name.replace('_', '-')}": asked[name] for name in _FILES if asked[name] is not None}
    if files:
        from pytest_kms.suite.collector import mistake_in

        mistake = mistake_in(files, config.invocation_params.dir)
        if mistake:
            raise UsageError(mistake)
    return asked if any(asked.values()) else {}


def defaults(config: pytest.Config) -> dict[str, Any]:
    """Return what the ini file says that a fake is to be like."""
    ini = {name: config.getini(f"kms_{name}") for name in _ARGUMENTS - {"leaks"}}
    # Of these an empty text says nothing.
    return {name: value for name, value in ini.items() if value or name not in ("region", "account", "seed")}


def settings(node: Any) -> dict[str, Any]:
    """Return what a fake for a node is to be like: by the ini file, then by markers.

    Raises:
        UsageError: a marker has an argument that there is not.

    """
    marked = _marked(node)
    marked.pop("leaks", None)
    return defaults(node.config) | marked


def strictness(node: Any) -> dict[str, Any]:
    """Return what the markers of a test say of what fails it, leaks left out."""
    return {name: value for name, value in _marked(node).items() if name in OF_TESTS - {"leaks"}}


def leaks(node: Any) -> bool:
    """Say whether a test is to fail where secrets get out of it.

    Raises:
        UsageError: what is said of it means nothing.

    """
    said = _marked(node).get("leaks", node.config.getini("kms_leaks"))
    if said not in LEAKS:
        raise UsageError(f"leaks is one of {', '.join(map(repr, LEAKS))}, not {said!r}")
    return bool(said == "error")


def _marked(node: Any) -> dict[str, Any]:
    """Return the arguments of all markers of a node, those of the closest where several say something."""
    said: dict[str, Any] = {}
    for marker in reversed(list(node.iter_markers("kms"))):
        unknown = sorted(set(marker.kwargs) - _ARGUMENTS)
        if marker.args or unknown:
            what = f"no {' or '.join(map(repr, unknown))}" if unknown else "keyword arguments only"
            raise UsageError(f"the marker takes {what}; it is {MARKER.partition(':')[0]}")
        said |= marker.kwargs
    return said
