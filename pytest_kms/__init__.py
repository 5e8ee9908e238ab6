"""pytest-kms: a pytest plugin and test double of AWS KMS.

Public are the names in `__all__`, the fixtures `kms` and `pytest_kms`, the marker `kms`, and the options that
begin with `kms_`. A map of this folder, from the test inward; each imports only what stands below it:

    plugin        pytest's hooks, marker and fixtures
    options       what the ini file, the command line and the marker may say
    suite         what a whole run leaves behind
    lifespan      from when to when a fake is active
    overheard     what leaves a test while it runs
    fake          FakeKMS: what a test holds in its hand
    arguments     what tests give to the fake, checked
    key_store_arguments  what they say of custom key stores
    disturbed     kms.throttle, kms.fail, and all else that goes wrong on purpose
    audited       kms.trail and kms.assert_*
    verdicts      what fails a test at its end
    call_order    calls one after the other
    expected_calls  how many calls a block makes
    diagnosis     why a test failed, as far as KMS knows
    leaks         secrets, searched for in logs and files
    replay        recorded calls, asked of a policy
    assertions    calls counted, and the text of failures
    comparison    what differs between events, and between trails
    clients       KMS clients for tests
    aws_service   AWS services that call KMS
    stub          botocore's before-send hook
    surroundings  credentials and a Region, lent where none is configured
    backoff       retries wait in the fake's time
    engine        the life of one request, on one screen
    wire          JSON 1.1 <-> Python values
    operations    what KMS does, in chapters
    checks        what stands before every operation, one question a file
    paging        listing in pages
    targets       how an operation finds its object
    condition_keys  what a policy may ask about a request
    operation     @operation and the call that it gets
    state         what the fake remembers
    iam           the policy language alone
    crypto        key specs, ciphertexts, algorithms
    encryption_context  contexts in words
    readings      bytes without escapes, lines and spaces
    service       botocore's model of KMS
    arns, clock, errors, watching
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pytest_kms.aws_service import Service
    from pytest_kms.errors import NotSupported, OutsideFixture, UsageError
    from pytest_kms.fake import FakeKMS
    from pytest_kms.lifespan import fake_kms
    from pytest_kms.plugin import kms_fixture
    from pytest_kms.state.enclave import Enclave
    from pytest_kms.state.key import Key
    from pytest_kms.state.key_store import CustomKeyStore
    from pytest_kms.state.principal import Principal
    from pytest_kms.state.trail import Attempt, Event, KeyUse, Trail

    __version__: str
else:
    # Type checkers, which do not see this, find out what is misspelt.
    def __getattr__(name: str) -> Any:
        if name == "__version__":
            from importlib.metadata import version

            return version("pytest-kms")
        if name in _HOMES:
            from importlib import import_module

            return getattr(import_module(_HOMES[name]), name)
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


__all__ = [
    "Attempt",
    "CustomKeyStore",
    "Enclave",
    "Event",
    "FakeKMS",
    "Key",
    "KeyUse",
    "NotSupported",
    "OutsideFixture",
    "Principal",
    "Service",
    "Trail",
    "UsageError",
    "__version__",
    "fake_kms",
    "kms_fixture",
]

# Imported when asked for: a suite that never uses the plugin pays nothing.
_HOMES = {
    "Attempt": "pytest_kms.state.trail",
    "CustomKeyStore": "pytest_kms.state.key_store",
    "Enclave": "pytest_kms.state.enclave",
    "Event": "pytest_kms.state.trail",
    "FakeKMS": "pytest_kms.fake",
    "Key": "pytest_kms.state.key",
    "KeyUse": "pytest_kms.state.trail",
    "NotSupported": "pytest_kms.errors",
    "OutsideFixture": "pytest_kms.errors",
    "Principal": "pytest_kms.state.principal",
    "Service": "pytest_kms.aws_service",
    "Trail": "pytest_kms.state.trail",
    "UsageError": "pytest_kms.errors",
    "fake_kms": "pytest_kms.lifespan",
    "kms_fixture": "pytest_kms.plugin",
}


def __dir__() -> list[str]:
    return sorted(__all__)
