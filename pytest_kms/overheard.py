"""What leaves a test while it runs: log records, and requests to other services of AWS."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from pytest_kms import stub

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pytest_kms.leaks import Part
    from pytest_kms.state.world import World

_EXPECTED = "pytest-kms: expected no plaintext or data key of KMS to get out of the test"
_WHAT_NEXT = (
    "What to do: find what writes it there, which is not shown here on purpose."
    ' Where a test may write it, say @pytest.mark.kms(leaks="ignore"), and'
    " kms.assert_no_plaintext_in(...) of what has to be free of it."
)


class Overheard(logging.Handler):
    """Hears what is logged and sent from its making until it is closed. It takes records from where they are anyway."""

    def __init__(self) -> None:
        super().__init__()
        self.records: list[logging.LogRecord] = []
        self._requests: list[tuple[str, list[tuple[str, bytes]]]] = []
        self._before = stub.overhear
        stub.overhear = self._hear
        logging.getLogger().addHandler(self)

    def emit(self, record: logging.LogRecord) -> None:
        """Keep a record."""
        self.records.append(record)

    def close(self) -> None:
        """Hear no more."""
        logging.getLogger().removeHandler(self)
        stub.overhear = self._before
        super().close()

    def _hear(self, event_name: str, request: Any) -> None:
        _, service, operation = event_name.split(".", 2)
        parts = [("URL", request.url.encode()), ("body", _content(request.body))]
        parts += [(f"header {name}", _text(value)) for name, value in request.headers.items()]
        self._requests.append((f"{operation} of {service}", parts))

    def parts(self) -> Iterator[Part]:
        """Give all that was heard, to be searched."""
        from pytest_kms.leaks import Part, parts_of_records

        yield from parts_of_records(self.records)
        for number, (name, parts) in enumerate(self._requests, start=1):
            for what, content in parts:
                yield Part(f"request {number} to other services, {name}, {what}", content)


def complaint(worlds: Sequence[World], heard: Overheard, things: dict[str, object]) -> str | None:
    """Say where secrets of some fakes are: in what was heard, or in other things, by name; None where nowhere."""
    from pytest_kms import leaks

    search = leaks.Search(leaks.secrets_of(worlds))
    if not search.secrets:
        return None
    parts = list(heard.parts())
    for name, thing in things.items():
        parts += leaks.parts_of(thing, name)
    hits = [hit for part in parts for hit in search.hits(part)]
    return leaks.told(_EXPECTED, hits, _WHAT_NEXT) if hits else None


def _text(value: object) -> bytes:
    return value if isinstance(value, bytes) else str(value).encode()


def _content(body: Any) -> bytes:
    """Read the body of a request, and leave it as it is."""
    body = getattr(body, "_raw", body)  # botocore sends streams in chunks
    if isinstance(body, str):
        return body.encode()
    if isinstance(body, (bytes, bytearray)):
        return bytes(body)
    if callable(getattr(body, "seekable", None)) and body.seekable():
        where = body.tell()
        body.seek(0)  # others who answer requests, as moto does, may have read it by now
        content = body.read()
        body.seek(where)
        return content if isinstance(content, bytes) else str(content).encode()
    return b""  # none, or a stream that can be read but once
