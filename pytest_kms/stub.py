"""The one place where requests are intercepted: botocore's `before-send` hook.

The fake answers before any other handler, so that its answer is the one that counts. Requests of clients in adaptive
mode it answers in two steps: first with a response that is still empty; last, when the rate limiter has waited, it
handles the request.

`install` enters the hook among botocore's built-in handlers, as soon as botocore is imported, so that clients
reach the fake wherever and whenever they are made. It is inert until a fake is active.
"""

from __future__ import annotations

import inspect
import sys
import time
import traceback
from contextvars import ContextVar
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Any, Protocol

from pytest_kms import backoff
from pytest_kms.errors import OutsideFixture

if TYPE_CHECKING:
    from collections.abc import Callable, Generator
    from types import ModuleType

    from botocore.awsrequest import AWSPreparedRequest, AWSResponse
    from typing_extensions import Self

    from pytest_kms.operation import Request
    from pytest_kms.state.world import World


class Active(Protocol):
    """A fake that answers requests."""

    world: World
    real_backoff: bool


_active: list[Active] = []
_MARK = "_entered_by_pytest_kms"
_PENDING = "_pending_at_pytest_kms"

# The configuration of the client that signs in this thread or task: the requests of older botocores lack it.
_config: ContextVar[Any] = ContextVar("pytest_kms_config", default=None)
_moto_undo: list[Callable[[], object]] = []

guard: Callable[[OutsideFixture], None] | None = None
"""Who is told of KMS calls made while no fake is active; with None they pass through."""


overhear: Callable[[str, AWSPreparedRequest], object] | None = None
"""Who is told of the requests to other services than KMS."""


def install() -> None:
    """Enter the hook among botocore's handlers: now, and whenever botocore is imported."""
    if not any(isinstance(finder, _WhenHandlersAreImported) for finder in sys.meta_path):
        sys.meta_path.insert(0, _WhenHandlersAreImported())
    handlers = sys.modules.get("botocore.handlers")
    if handlers is not None and not hasattr(handlers, _MARK):
        _enter(handlers)
        _reach_what_exists()


def activate(fake: Active) -> None:
    """Let a fake answer from now on, in place of one that is active already."""
    install()
    _active.append(fake)


def deactivate(fake: Active) -> None:
    """Let it answer no more."""
    _active.remove(fake)
    if not _active:
        while _moto_undo:
            _moto_undo.pop()()
        backoff.restore()


def worlds() -> list[World]:
    """Return what the active fakes remember: the one that answers last."""
    return [fake.world for fake in _active]


def on_before_send(request: AWSPreparedRequest, event_name: str, **_: Any) -> AWSResponse | None:
    """Answer a KMS request, if a fake is active. botocore calls this for every one just before it is sent."""
    if not _active:
        return None
    fake = _active[-1]
    if "moto.core.config" in sys.modules:
        _let_moto_pass_kms(sys.modules["moto.core.config"])
    response = _response_class()(request.url)
    context = getattr(request, "context", None)  # which older botocores do not tell
    retries = context["client_config"].retries if context else None
    if retries and retries.get("mode") in _WITHOUT_RATES:
        _answer(fake, response, event_name, request, context)
    else:
        # A rate limiter may wait first.
        backoff.follow(fake.world, _invocation(request, context), real=fake.real_backoff)
        setattr(request, _PENDING, (fake, response))
    return response


def on_sending(request: AWSPreparedRequest, event_name: str, **_: Any) -> None:
    """Answer a request that was taken over. botocore calls this for every request of every service, last of all."""
    pending = getattr(request, _PENDING, None)
    if pending is not None:
        fake, response = pending
        _answer(fake, response, event_name, request, getattr(request, "context", None))
    elif overhear is not None and not event_name.startswith("before-send.kms."):
        overhear(event_name, request)


_WITHOUT_RATES = frozenset({"legacy", "standard"})


def on_creating_client(**_: Any) -> None:
    """Let a client that is made while a fake is active live in the fake's time."""
    fake = _active[-1] if _active else None
    backoff.make_client(None if fake is None or fake.real_backoff else fake.world)


def on_before_sign(request: Any, request_signer: Any, operation_name: str, **_: Any) -> None:
    """Lend credentials to a client that has none. Without a fake the guard speaks, before they are missed."""
    __tracebackhide__ = True
    if not _active:
        if guard is not None:
            _refuse_stray(guard, operation_name)
        return
    if not _requests_have_context():
        _config.set(request.context.get("client_config"))
    if request_signer._credentials is None:  # noqa: SLF001
        from pytest_kms.surroundings import LentCredentials

        request.context.setdefault("signing", {}).setdefault("request_credentials", LentCredentials())


@cache
def _requests_have_context() -> bool:
    from botocore.awsrequest import AWSPreparedRequest

    return "context" in inspect.signature(AWSPreparedRequest).parameters


HANDLERS = (
    ("creating-client-class.kms", on_creating_client),
    ("before-send.kms", on_before_send),
    ("before-sign.kms", on_before_sign),
    ("after-call.kms", backoff.leave),
    ("after-call-error.kms", backoff.leave),
)
LAST = ("before-send", on_sending)
"""The handler that comes after all others of its event."""


def _refuse_stray(report: Callable[[OutsideFixture], None], operation: str) -> None:
    __tracebackhide__ = True
    stray = OutsideFixture(
        f"KMS was called while no fake was active: {operation}, from {_where()}."
        " Ask for the fixture: add `kms` to the test's arguments, or @pytest.mark.usefixtures('kms')."
        " To let such calls through, remove kms_guard from the configuration."
    )
    report(stray)
    raise stray


def _answer(fake: Active, response: Any, event_name: str, request: AWSPreparedRequest, context: Any) -> None:
    __tracebackhide__ = True
    engine = _engine()
    world = fake.world
    try:
        with world.lock:
            made = _read(engine.make_request, event_name.rpartition(".")[2], request, context, world)
            reply = engine.handle(world, made)
    except BaseException:
        backoff.leave()
        raise
    if reply.status != _OK or reply.mishap:
        # It may be tried again.
        backoff.follow(world, _invocation(request, context), real=fake.real_backoff)
        if reply.mishap in _CAUSES:
            raise _exception(reply.mishap, request)
    response.fill(
        reply.status,
        _Headers(
            {
                "x-amzn-requestid": reply.request_id,
                "date": _http_date(int(time.time())),
                "content-type": "application/x-amz-json-1.1",
                "content-length": str(len(reply.body)),
            }
        ),
        reply.body,
    )


_OK = 200

_CAUSES = {
    "ConnectionClosedError": "Connection reset by peer",
    "ConnectTimeoutError": "Connection to the endpoint timed out",
    "EndpointConnectionError": "Name or service not known",
    "ReadTimeoutError": "Read timed out",
    "SSLError": "[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: unable to get local issuer certificate",
}


def _exception(name: str, request: AWSPreparedRequest) -> Exception:
    """Make the exception that botocore's HTTP session would raise."""
    from botocore import exceptions

    kind: Callable[..., Exception] = getattr(exceptions, name)
    facts = {"request": request} if name == "ConnectionClosedError" else {}
    return kind(endpoint_url=request.url, error=OSError(_CAUSES[name]), **facts)


@cache
def _engine() -> Any:
    """Import the engine when the first request comes: a suite without one never pays for it."""
    from pytest_kms import engine

    return engine


def _read(
    make: Callable[[tuple[Any, ...]], Request], operation: str, request: Any, context: Any, world: World
) -> Request:
    scope = _header(request, "Authorization").partition("Credential=")[2]
    access_key = scope.partition("/")[0] or None
    body = request.body or b"{}"
    if context:
        retries = context["retries"]
        invocation = retries["invocation-id"]
        attempt, region, config = retries["attempt"], context["client_region"], context["client_config"]
    else:
        # Older botocores tell it in the headers alone, and the Region of an unsigned request not at all.
        config = _config.get()
        region = scope.split("/", 3)[2] if access_key else world.region
        invocation = _invocation(request, context)
        attempt = int(_header(request, "amz-sdk-request").partition("attempt=")[2].partition(";")[0] or 1)
    delay = backoff.delay(world, invocation)
    return make((operation, body, region, access_key, invocation, attempt, delay, request, config))


def _invocation(request: Any, context: Any) -> str:
    """Return what the attempts of one call have in common."""
    if context:
        invocation: str = context["retries"]["invocation-id"]
        return invocation
    return _header(request, "amz-sdk-invocation-id")


def _header(request: Any, name: str) -> str:
    try:
        value = request.headers[name]
    except KeyError:
        return ""
    return value.decode() if isinstance(value, bytes) else str(value or "")


class _Headers(dict[str, str]):
    """The headers of an answer: named in lower case, found in any."""

    __slots__ = ()

    def __missing__(self, name: str) -> str:
        if name.islower():
            raise KeyError(name)
        return self[name.lower()]

    def __contains__(self, name: object) -> bool:
        return dict.__contains__(self, str(name).lower())

    def get(self, name: str, default: Any = None) -> Any:
        """Return a header, whatever the case of its name."""
        return dict.get(self, name.lower(), default)


@lru_cache(maxsize=1)
def _http_date(second: int) -> str:
    from email.utils import formatdate

    return formatdate(second, usegmt=True)


class _Body(bytes):
    """A body that a sync client uses as it is, and an async one awaits."""

    __slots__ = ()

    def __await__(self) -> Generator[Any, Any, Self]:
        return self
        yield


@cache
def _response_class() -> Callable[[str], AWSResponse]:
    from botocore.awsrequest import AWSResponse

    class Response(AWSResponse):
        content: Any = None  # an attribute like any other, where botocore has a property

        def __init__(self, url: str) -> None:
            # botocore's own initializer would copy the headers, which costs more than all the rest.
            self.url = url
            self.raw = None

        def fill(self, status: int, headers: Any, body: bytes) -> None:
            self.status_code = status
            self.headers = headers
            self.content = _Body(body)

    return Response


def _let_moto_pass_kms(config: Any) -> None:
    """Keep moto, where it is active too, from answering as well: botocore asks every handler."""
    core = _within_moto(config.default_user_config, "core", dict)
    services = _within_moto(_within_moto(core, "passthrough", dict), "services", list)
    if "kms" not in services:
        services.append("kms")
        _moto_undo.append(lambda: services.remove("kms"))


def _within_moto(settings: dict[str, Any], name: str, make: Callable[[], Any]) -> Any:
    if name not in settings:
        settings[name] = make()
        _moto_undo.append(lambda: settings.pop(name))
    return settings[name]


def is_outside(path: str) -> bool:
    """Say whether a source file is neither of the AWS SDK nor of this package."""
    parts = path.replace("\\", "/").split("/")[:-1]
    return _INSIDE.isdisjoint(parts)


_INSIDE = frozenset({"botocore", "boto3", "aiobotocore", "pytest_kms"})


def _where() -> str:
    """Name the line outside of the AWS SDK that a call came from."""
    frames = traceback.extract_stack()
    caller = next((frame for frame in reversed(frames) if is_outside(frame.filename)), frames[0])
    return f"{caller.filename}:{caller.lineno} in {caller.name}"


class _WhenHandlersAreImported:
    """A finder on `sys.meta_path` that lets botocore.handlers be imported, and enters the hook each time."""

    def __init__(self) -> None:
        self._looking = False

    def find_spec(self, name: str, path: Any, target: Any = None) -> Any:  # noqa: ARG002
        if name != "botocore.handlers" or self._looking:
            return None
        from importlib.util import find_spec

        self._looking = True
        try:
            spec: Any = find_spec(name)
        finally:
            self._looking = False
        execute = spec.loader.exec_module

        def exec_module(module: ModuleType) -> None:
            execute(module)
            _enter(module)

        spec.loader.exec_module = exec_module
        return spec


def _enter(handlers: ModuleType) -> None:
    handlers.BUILTIN_HANDLERS.extend([*HANDLERS, (*LAST, handlers.REGISTER_LAST)])
    setattr(handlers, _MARK, True)


def _reach_what_exists() -> None:
    """Enter the hook in the sessions and clients that were made before it was installed."""
    import gc

    session, client = sys.modules.get("botocore.session"), sys.modules.get("botocore.client")
    for thing in gc.get_objects():
        if session is not None and issubclass(type(thing), session.Session):
            emitter = thing.get_component("event_emitter")
        elif client is not None and issubclass(type(thing), client.BaseClient):
            emitter = thing.meta.events
        else:
            continue
        for event, handler in HANDLERS:
            emitter.register(event, handler, unique_id=f"pytest-kms {event}")
        emitter.register_last(*LAST, unique_id="pytest-kms last")
