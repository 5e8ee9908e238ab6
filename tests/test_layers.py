"""The imports of the package run one way: from the test inward."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Iterator
from pathlib import Path

import pytest

import pytest_kms

PACKAGE = Path(inspect.getfile(pytest_kms)).parent

# A module imports only what stands in a later line, or, within a folder, of its own folder.
LAYERS = [
    {"plugin"},
    {"options"},
    {"suite"},
    {"lifespan", "overheard"},
    {"fake"},
    {"disturbed"},
    {"audited"},
    {"call_order", "diagnosis", "expected_calls", "leaks", "replay", "verdicts"},
    {"arguments", "assertions", "comparison", "aws_service", "clients", "key_store_arguments"},
    {"stub"},
    {"surroundings", "backoff", "engine"},
    {"operations", "checks"},
    {"condition_keys", "wire", "targets"},
    {"operation"},
    {"paging"},
    {"state"},
    {"crypto", "encryption_context", "iam", "readings"},
    {"service"},
    {"arns", "clock"},
    {"errors", "watching"},
]
DEPTHS = {name: depth for depth, names in enumerate(LAYERS) for name in names}

MODULES = sorted(path for path in PACKAGE.rglob("*.py") if path != PACKAGE / "__init__.py")


def imports_of(path: Path) -> Iterator[str]:
    """Give the modules that a file imports when it runs, in functions too."""
    tree = ast.parse(path.read_text())
    for_types = {
        id(inner)
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"
        for inner in ast.walk(node)
    }
    for node in ast.walk(tree):
        if id(node) in for_types:
            continue
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module == "pytest_kms":
            yield from (f"pytest_kms.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield f"{node.module}"


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.relative_to(PACKAGE).as_posix())
def test_a_module_imports_only_what_stands_below_it(path: Path) -> None:
    """Upward and sideways imports are none, outside of the chapters of one folder."""
    layer = path.relative_to(PACKAGE).with_suffix("").parts[0]
    ours = [module for module in imports_of(path) if module.startswith("pytest_kms.")]
    imported = {module.split(".")[1] for module in ours} - {layer}

    assert set() == {name for name in imported if DEPTHS[name] <= DEPTHS[layer]}


def test_every_module_has_a_layer() -> None:
    """A new module is given its place in the list."""
    assert set(DEPTHS) == {path.relative_to(PACKAGE).with_suffix("").parts[0] for path in MODULES}


def test_every_layer_is_on_the_map() -> None:
    """The docstring of the package names them all."""
    assert set() == {name for name in DEPTHS if f" {name}" not in (pytest_kms.__doc__ or "")}


@pytest.mark.parametrize("module", ["pytest", "_pytest"])
def test_only_the_plugin_imports_pytest(module: str) -> None:
    """Everything else works in any test runner."""
    importers = {path.name for path in MODULES if module in {name.split(".")[0] for name in imports_of(path)}}

    assert ({"plugin.py"} if module == "pytest" else set()) == importers
