"""What botocore needs around it, lent where nothing is configured: credentials and a Region.

Settings that the developer has are left alone. KMS calls need none of them: a client that has no credentials
signs with lent ones while a fake is active.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Generator, Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from typing_extensions import Self

ACCESS_KEY = "AKIAPYTESTKMS0000000"
SECRET_KEY = "pytest-kms"  # noqa: S105  # signs requests that never leave the process

_DEFAULT_REGION = "us-east-1"
# Where botocore finds credentials: variables of the environment, and settings of a profile.
_CREDENTIAL_SOURCES = (
    "AWS_ACCESS_KEY_ID",
    "AWS_PROFILE",
    "AWS_DEFAULT_PROFILE",
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
    "AWS_WEB_IDENTITY_TOKEN_FILE",
)
_CREDENTIAL_SETTINGS = frozenset(
    {
        "aws_access_key_id",
        "credential_process",
        "credential_source",
        "login_session",
        "role_arn",
        "source_profile",
        "sso_account_id",
        "sso_session",
        "sso_start_url",
        "web_identity_token_file",
    }
)


def default_region() -> str:
    """Return the Region that the developer has configured, or us-east-1."""
    return os.environ.get("AWS_DEFAULT_REGION") or _profile().get("region") or _DEFAULT_REGION


@contextmanager
def lent(region: str) -> Iterator[None]:
    """Set in the environment the credentials and the Region that are missing, and take them back afterwards."""
    profile = _profile()
    credentials = _missing_credentials(profile)
    try:
        with _set({**credentials, **_missing_region(profile, region)}):
            yield
    finally:
        if credentials:
            _let_default_session_forget()


@contextmanager
def lent_region(region: str) -> Iterator[None]:
    """Set a Region in the environment where none is configured, and take it back afterwards."""
    with _set(_missing_region(_profile(), region)):
        yield


def _missing_credentials(profile: Mapping[str, Any]) -> dict[str, str]:
    if any(map(os.environ.get, _CREDENTIAL_SOURCES)) or not _CREDENTIAL_SETTINGS.isdisjoint(profile):
        return {}
    return {"AWS_ACCESS_KEY_ID": ACCESS_KEY, "AWS_SECRET_ACCESS_KEY": SECRET_KEY}


def _missing_region(profile: Mapping[str, Any], region: str) -> dict[str, str]:
    if os.environ.get("AWS_DEFAULT_REGION") or "region" in profile:
        return {}
    return {"AWS_DEFAULT_REGION": region}


def _let_default_session_forget() -> None:
    """Keep boto3's default session from signing with lent credentials later on."""
    session = getattr(sys.modules.get("boto3"), "DEFAULT_SESSION", None)
    core = getattr(session, "_session", None)
    credentials = getattr(core, "_credentials", None)
    if credentials is not None and credentials.access_key == ACCESS_KEY:
        core._credentials = None  # type: ignore[union-attr]  # noqa: SLF001  # as it was before botocore looked for them


@contextmanager
def _set(variables: dict[str, str]) -> Iterator[None]:
    before = {name: os.environ.get(name) for name in variables}
    os.environ.update(variables)
    try:
        yield
    finally:
        for name, value in before.items():
            # What the test set meanwhile is the test's.
            if os.environ.get(name) == variables[name]:
                if value is None:
                    del os.environ[name]
                else:
                    os.environ[name] = value


class _Frozen(NamedTuple):
    """Credentials as signers want them; an async signer may await them."""

    access_key: str
    secret_key: str
    token: str | None = None
    account_id: str | None = None

    def __await__(self) -> Generator[Any, Any, Self]:
        return self
        yield


class LentCredentials:
    """What a client without credentials signs with."""

    def get_frozen_credentials(self) -> _Frozen:
        """Return them, in the form that signers ask for."""
        return _Frozen(ACCESS_KEY, SECRET_KEY)


def _profile() -> Mapping[str, Any]:
    """Return the settings of the profile in force, of both of botocore's files."""
    # os.path and os.stat, since pathlib would be most of what entering a fake costs.
    written = []
    for variable, usual in (
        ("AWS_SHARED_CREDENTIALS_FILE", "~/.aws/credentials"),
        ("AWS_CONFIG_FILE", "~/.aws/config"),
    ):
        file = os.path.expanduser(os.environ.get(variable, usual))  # noqa: PTH111
        with suppress(OSError):
            written.append((file, os.stat(file).st_mtime_ns))  # noqa: PTH116
    name = os.environ.get("AWS_DEFAULT_PROFILE") or os.environ.get("AWS_PROFILE")
    return _read_profile(name, tuple(written)) if written else {}


@lru_cache
def _read_profile(name: str | None, written: tuple[tuple[str, int], ...]) -> Mapping[str, Any]:  # noqa: ARG001
    from botocore.exceptions import BotoCoreError
    from botocore.session import Session

    try:
        settings: Mapping[str, Any] = Session().get_scoped_config()
    except BotoCoreError:
        # A profile that does not exist, a file that cannot be read: the application will hear of it.
        return {}
    return settings
