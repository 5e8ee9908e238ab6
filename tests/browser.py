"""The browser that the pages are looked at with; `python tests/browser.py` installs one on Debian, if it can."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from selenium.webdriver.chrome.webdriver import WebDriver

PROGRAMS = ("chromium", "chromedriver")
PACKAGES = ("chromium", "chromium-driver")
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
    "--window-size=1400,1000",
)


def missing() -> list[str]:
    """Name the programs that are not there."""
    return [name for name in PROGRAMS if shutil.which(name) is None]


def open_browser(profile: Path) -> WebDriver:
    """Open a headless Chromium with a new profile, that keeps what pages complain of and ask for."""
    from selenium import webdriver

    options = webdriver.ChromeOptions()
    options.binary_location = shutil.which("chromium") or ""
    for flag in (*FLAGS, f"--user-data-dir={profile}"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    return webdriver.Chrome(options=options, service=webdriver.ChromeService(shutil.which("chromedriver")))


def install() -> str:
    """Install what is missing with apt, and say what came of it; never fails, for the tests skip without it."""
    if not missing():
        return "a browser is there"
    apt = shutil.which("apt-get")
    if apt is None or not hasattr(os, "geteuid") or os.geteuid() != 0:
        return "no browser, and no way to install one: tests of pages are skipped"
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    with contextlib.suppress(OSError, subprocess.TimeoutExpired):
        for arguments in (["update", "-qq"], ["install", "-qq", "-y", "--no-install-recommends", *PACKAGES]):
            subprocess.run(  # noqa: S603  # our own command
                [apt, *arguments],
                env=environment,
                timeout=600,
                check=False,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
    return "no browser could be installed: tests of pages are skipped" if missing() else "a browser was installed"


if __name__ == "__main__":
    sys.stdout.write(f"{install()}\n")
