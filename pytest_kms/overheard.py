"""What leaves a test while it runs: log records, and requests to other services of AWS."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from pytest_kms import stub

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

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
        self._records = 0
        self._logged: list[Part] = []
        self._requests: list[tuple[str, list[tuple[str, bytes]]]] = []
        self._before = stub.overhear
        stub.overhear = self._hear
        self._stop_hearing_stubbers = _hear_stubbers(self._take)
        logging.getLogger().addHandler(self)

    def emit(self, record: logging.LogRecord) -> None:
        """Keep a record as it is now: what it is about may change."""
        from pytest_kms.leaks import parts_of_records

        self._records += 1
        try:
            self._logged += parts_of_records([record], self._records)
        except Exception:  # noqa: BLE001  # what cannot show itself is no failure of who logs it
            self.handleError(record)

    def close(self) -> None:
        """Hear no more."""
        logging.getLogger().removeHandler(self)
        self._stop_hearing_stubbers()
        stub.overhear = self._before
        super().close()

    def _hear(self, event_name: str, request: Any) -> None:
        _, service, operation = event_name.split(".", 2)
        self._take(service, operation, request.url, request.headers, request.body)

    def _take(self, service: str, operation: str, url: str, headers: Mapping[str, Any], body: Any) -> None:
        parts = [("URL", url.encode()), ("body", _content(body))]
        parts += [(f"header {name}", _text(value)) for name, value in headers.items()]
        self._requests.append((f"{operation} of {service}", parts))

    def parts(self) -> Iterator[Part]:
        """Give all that was heard, to be searched."""
        from pytest_kms.leaks import Part

        yield from self._logged
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


def without_secrets(worlds: Sequence[World], sections: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """Leave out of the sections of a report those that hold a secret of some fakes."""
    from pytest_kms import leaks

    search = leaks.Search(leaks.secrets_of(worlds))
    return [(name, _LEFT_OUT if search.finds(text) else text) for name, text in sections]


_LEFT_OUT = "left out by pytest-kms: a plaintext or data key of KMS is in it"


def _hear_stubbers(take: Callable[..., None]) -> Callable[[], None]:
    """Hear also what botocore's Stubber answers, which is never about to be sent; return what ends that."""
    from botocore import stub as stubs

    stubber: Any = stubs.Stubber
    answer = stubber._get_response_handler  # noqa: SLF001  # nothing public hears it

    def heard(self: Any, model: Any, params: Any, context: Any, **others: Any) -> Any:
        service = model.service_model.service_name
        if service != "kms":
            take(service, model.name, params["url"], params["headers"], params["body"])
        return answer(self, model, params, context, **others)

    stubber._get_response_handler = heard  # noqa: SLF001
    return partial(setattr, stubber, "_get_response_handler", answer)


def _text(value: object) -> bytes:
    return value if isinstance(value, bytes) else str(value).encode()


def _content(body: Any) -> bytes:
    """Read the body of a request, and leave it as it is."""
    from pytest_kms.leaks import goes_back, read_whole

    body = getattr(body, "_raw", body)  # botocore sends streams in chunks
    if isinstance(body, Mapping):
        return urlencode(body, doseq=True).encode()  # a form, which botocore writes late
    if goes_back(body):
        body = read_whole(body)  # from its start: others who answer requests, as moto does, may have read it by now
    if isinstance(body, str):
        return body.encode()
    return bytes(body) if isinstance(body, (bytes, bytearray)) else b""  # none, or a stream that can be read but once
