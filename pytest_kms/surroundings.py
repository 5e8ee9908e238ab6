"""What botocore needs around it, lent where nothing is configured: credentials and a Region.

Settings that the developer has are left alone. KMS calls need none of them: a client that has no credentials
signs with lent ones while a fake is active.
"""

from __future__ import annotations

import os
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from typing_extensions import Self

ACCESS_KEY = "AKIAPYTESTKMS0000000"
SECRET_KEY = "pytest-kms"  # noqa: S105  # signs requests that never leave the process

_DEFAULT_REGION = "us-east-1"
_CREDENTIAL_SOURCES = (
    "AWS_ACCESS_KEY_ID",
    "AWS_PROFILE",
    "AWS_DEFAULT_PROFILE",
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
    "AWS_WEB_IDENTITY_TOKEN_FILE",
)


def default_region() -> str:
    """Return the Region that the developer has configured, or us-east-1."""
    region = os.environ.get("AWS_DEFAULT_REGION")
    if region:
        return region
    if _mentions_region():
        from botocore.session import Session

        configured: str | None = Session().get_config_variable("region")
        return configured or _DEFAULT_REGION
    return _DEFAULT_REGION


@contextmanager
def lent(region: str) -> Iterator[None]:
    """Set in the environment the credentials and the Region that are missing, and take them back afterwards."""
    with _lent_credentials(), lent_region(region):
        yield


@contextmanager
def lent_region(region: str) -> Iterator[None]:
    """Set a Region in the environment where none is configured, and take it back afterwards."""
    missing = not os.environ.get("AWS_DEFAULT_REGION") and not _mentions_region()
    with _set({"AWS_DEFAULT_REGION": region} if missing else {}):
        yield


@contextmanager
def _lent_credentials() -> Iterator[None]:
    configured = any(map(os.environ.get, _CREDENTIAL_SOURCES)) or any(file.exists() for file in _files())
    with _set({} if configured else {"AWS_ACCESS_KEY_ID": ACCESS_KEY, "AWS_SECRET_ACCESS_KEY": SECRET_KEY}):
        yield


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


def _files() -> tuple[Path, Path]:
    return (
        Path(os.environ.get("AWS_SHARED_CREDENTIALS_FILE", "~/.aws/credentials")).expanduser(),
        Path(os.environ.get("AWS_CONFIG_FILE", "~/.aws/config")).expanduser(),
    )


def _mentions_region() -> bool:
    return any(file.is_file() and "region" in file.read_text(errors="replace") for file in _files())
