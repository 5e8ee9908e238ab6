"""The contract: what `import pytest_kms` gives, and what it costs."""

from __future__ import annotations

import importlib.metadata
import importlib.resources
import sys

import pytest

import pytest_kms

PUBLIC = [
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


def test_the_public_names_are_these() -> None:
    """A name is public when it stands in `__all__`, and nothing else is."""
    assert PUBLIC == pytest_kms.__all__


@pytest.mark.parametrize("name", PUBLIC)
def test_a_public_name_can_be_imported(name: str) -> None:
    """Each name is there, though none is imported before it is asked for."""
    thing = getattr(pytest_kms, name)

    assert thing == getattr(pytest_kms, name)
    assert name in ("__version__", getattr(thing, "__name__", ""))


@pytest.mark.parametrize("name", [name for name in PUBLIC if name != "__version__"])
def test_a_public_name_explains_itself(name: str) -> None:
    """Each public class and function has a docstring of its own."""
    assert getattr(pytest_kms, name).__doc__


def test_an_unknown_name_is_an_attribute_error() -> None:
    """A name that is not there is refused as in any module."""
    with pytest.raises(AttributeError) as excinfo:
        pytest_kms.no_such_name  # type: ignore[attr-defined]  # noqa: B018  # asking for it is the test

    assert "module 'pytest_kms' has no attribute 'no_such_name'" == str(excinfo.value)


def test_an_unknown_name_cannot_be_imported() -> None:
    """`from pytest_kms import` of a name that is not there is an ImportError."""
    with pytest.raises(ImportError, match="cannot import name 'no_such_name' from 'pytest_kms'"):
        from pytest_kms import no_such_name  # type: ignore[attr-defined]  # noqa: F401


def test_dir_lists_the_public_names() -> None:
    """Completion in an editor or a shell shows what is public."""
    assert sorted(PUBLIC) == dir(pytest_kms)


def test_the_version_is_the_one_installed() -> None:
    """`__version__` is read from the metadata of the distribution."""
    assert importlib.metadata.version("pytest-kms") == pytest_kms.__version__


def test_the_package_says_that_it_is_typed() -> None:
    """Type checkers look for `py.typed`."""
    assert importlib.resources.files("pytest_kms").joinpath("py.typed").is_file()


def test_pytest_finds_the_plugin_under_its_name() -> None:
    """The entry point is called `kms`, so that `-p no:kms` turns it off."""
    found = {
        point.name: point.value
        for point in importlib.metadata.entry_points(group="pytest11")
        if point.dist is not None and point.dist.name == "pytest-kms"
    }

    assert {"kms": "pytest_kms.plugin"} == found


def test_the_distribution_is_a_pytest_plugin_with_three_dependencies() -> None:
    """Its metadata name the framework, and pytest, botocore and cryptography alone."""
    metadata = importlib.metadata.metadata("pytest-kms")
    required = [line for line in importlib.metadata.requires("pytest-kms") or [] if "extra ==" not in line]

    assert "Framework :: Pytest" in metadata.get_all("Classifier", [])
    assert "Typing :: Typed" in metadata.get_all("Classifier", [])
    needed = [line.partition(">")[0] for line in required if "extra ==" not in line]
    assert ["botocore", "cryptography", "pytest"] == sorted(needed)


def test_importing_the_package_imports_nothing_else(pytester: pytest.Pytester) -> None:
    """Neither botocore nor cryptography nor a module of its own comes along, until a name is asked for."""
    script = """\
import sys
import pytest_kms

heavy = ("boto3", "botocore", "cryptography", "pytest", "importlib.metadata")
print([name for name in sys.modules if name in heavy or name.startswith("pytest_kms.")])
pytest_kms.UsageError
print([name for name in sys.modules if name in heavy or name.startswith("pytest_kms.")])
"""
    result = pytester.run(sys.executable, "-c", script)

    assert ["[]", "['pytest_kms.errors']"] == result.outlines
