"""Chromium for tests: found on this machine, quiet, with a profile of its own."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Browser, sync_playwright

NAMES = ("chromium", "chromium-browser", "google-chrome")
QUIET = ("--no-sandbox", "--disable-background-networking")
WITH_SOUND = "--autoplay-policy=no-user-gesture-required"


def chromium() -> str:
    """Where this machine's Chromium is. Its absence is a failure: pages are nothing without a browser."""
    found = next((path for name in NAMES if (path := shutil.which(name))), None)
    assert found is not None, "Chromium is not installed; `make setup` brings it"
    return found


@contextmanager
def running_chromium(*more: str) -> Iterator[Browser]:
    """A running browser; each test opens contexts of its own."""
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=chromium(), args=[*QUIET, *more])
        try:
            yield browser
        finally:
            browser.close()
