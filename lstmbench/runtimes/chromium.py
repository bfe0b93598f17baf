"""A headless Chromium that shows one page."""

import os
import shutil
import subprocess
from collections.abc import Sequence

from lstmbench.errors import RuntimeMissingError

_CLOSING_S = 3.0
_OPTIONS = ("--headless=new", "--disable-extensions", "--no-first-run", "--disable-background-networking")


def program() -> str:
    """Its path; RuntimeMissingError where there is none."""
    found = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if found is None:
        raise RuntimeMissingError("it needs Chromium: apt-get install --no-install-recommends chromium")
    return found


def start(profile: str, url: str, options: Sequence[str]) -> subprocess.Popen[bytes]:
    """Show a page; `profile`: a folder of its own."""
    own = [*_OPTIONS, *options, f"--user-data-dir={profile}"]
    if os.geteuid() == 0:
        own.append("--no-sandbox")  # it refuses to run as root otherwise; the page is our own
    quiet = subprocess.DEVNULL
    return subprocess.Popen([program(), *own, url], stdin=quiet, stdout=quiet, stderr=quiet)


def end(browser: subprocess.Popen[bytes]) -> None:
    """Close it, by force if it does not go."""
    browser.terminate()
    try:
        browser.wait(_CLOSING_S)
    except subprocess.TimeoutExpired:
        browser.kill()
        browser.wait()
