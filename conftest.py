"""What the whole suite shares: every answer of the fake is checked against botocore's shape of it."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import settings

from pytest_kms import engine, service
from pytest_kms.operation import OPERATIONS

# A timing belongs in the benchmark, never in a test.
settings.register_profile("pytest-kms", deadline=None)
settings.load_profile("pytest-kms")


@pytest.fixture(autouse=True)
def answers_fit_their_shapes(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Fail where an answer has a member that botocore's model does not know, lacks a type, or holds null."""
    handle = engine.handle
    misfits: list[str] = []

    def checked(world: Any, request: Any) -> Any:
        reply = handle(world, request)
        if reply.status == 200 and not reply.mishap:
            shape = service.operation_model(request.operation).output_shape
            misfits.extend(_misfits(json.loads(reply.body), shape, request.operation))
        return reply

    monkeypatch.setattr(engine, "handle", checked)
    yield
    assert misfits == []


@pytest.fixture
def pytester(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> pytest.Pytester:
    """Keep the developer's options, and plugins of few tests, out of the runs within tests; `-p NAME` lets one in."""
    few = ("asyncio", "inline_snapshot", "randomly", "rerunfailures", "socket", "syrupy")
    monkeypatch.setenv("PYTEST_ADDOPTS", " ".join(f"-p no:{name}" for name in few))
    return pytester


@pytest.fixture
def without_generate_mac(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take an operation away, for tests of what a version does that lacks one."""
    monkeypatch.delitem(OPERATIONS, "GenerateMac")


@pytest.fixture
def no_aws_settings(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Take away what the developer has configured."""
    home = str(tmp_path_factory.mktemp("home"))
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", home)
    monkeypatch.setenv("USERPROFILE", home)


_TYPES: dict[str, Any] = {
    "structure": dict,
    "list": list,
    "map": dict,
    "string": str,
    "blob": str,
    "boolean": bool,
    "integer": int,
    "timestamp": (int, float),
}


def _misfits(value: Any, shape: Any, place: str) -> Iterator[str]:
    if shape is None:
        if value != {}:
            yield f"{place} answers {value!r}, the model says nothing"
    elif not isinstance(value, _TYPES[shape.type_name]):
        yield f"{place} is {value!r}, the model says {shape.type_name}"
    elif shape.type_name == "structure":
        yield from _misfits_of_members(value, shape, place)
    elif shape.type_name == "list":
        for number, item in enumerate(value):
            yield from _misfits(item, shape.member, f"{place}[{number}]")
    elif shape.type_name == "string" and shape.enum and value not in shape.enum:
        yield f"{place} is {value!r}, the model knows {shape.enum}"


def _misfits_of_members(value: Any, shape: Any, place: str) -> Iterator[str]:
    for name, item in value.items():
        if name in shape.members:
            # AWS tells every spec in the deprecated member too; its enum was not taught the new ones.
            known = "KeySpec" if name == "CustomerMasterKeySpec" else name
            yield from _misfits(item, shape.members[known], f"{place}.{name}")
        else:
            yield f"{place}.{name} is unknown to the model"
    for name in set(shape.required_members) - set(value):
        yield f"{place}.{name} is missing"
