"""Marks for tests that need what is not installed everywhere: they are skipped where it is not, with the reason."""

from __future__ import annotations

import re
import shutil
import subprocess
from importlib import import_module
from importlib.util import find_spec

import pytest


def openssl(*arguments: str, stdin: bytes = b"") -> bytes:
    """Run OpenSSL's command line, for tests marked `needs_openssl`, and return what it says."""
    command = ["openssl", *arguments]
    done = subprocess.run(command, input=stdin, check=True, capture_output=True)  # noqa: S603  # the tests' own
    return done.stdout


def _has(*modules: str) -> bool:
    return all(find_spec(module) is not None for module in modules)


def _has_ml_dsa() -> bool:
    """Say whether this `cryptography` has ML-DSA with the methods for an external mu, which came with version 49."""
    try:
        mldsa = import_module("cryptography.hazmat.primitives.asymmetric.mldsa")
    except ImportError:
        return False
    return hasattr(mldsa.MLDSA44PrivateKey, "sign_mu")


def _has_openssl() -> bool:
    """Say whether there is OpenSSL 3 or later; LibreSSL goes by the same name and has other options."""
    return shutil.which("openssl") is not None and bool(re.match(rb"OpenSSL ([3-9]|\d\d)", openssl("version")))


needs_ml_dsa = pytest.mark.skipif(not _has_ml_dsa(), reason="the extra ml-dsa is not installed")
needs_ed25519ph = pytest.mark.skipif(not _has("nacl"), reason="the extra ed25519ph is not installed")
needs_sm2 = pytest.mark.skipif(not _has("gmalg"), reason="the extra sm2 is not installed")
needs_enclave = pytest.mark.skipif(not _has("asn1crypto", "cbor2"), reason="the extra enclave is not installed")
needs_openssl = pytest.mark.skipif(not _has_openssl(), reason="there is no OpenSSL 3 on this machine")
needs_httpx = pytest.mark.skipif(
    not _has("aiobotocore._httpx", "httpx2", "trio"), reason="aiobotocore has no httpx, or trio is not there"
)
