"""Chromium for tests: found on this machine, quiet. The fixtures that start it stand in tests/conftest.py."""

import shutil

NAMES = ("chromium", "chromium-browser", "google-chrome")
QUIET = ("--no-sandbox", "--disable-background-networking")
WITH_SOUND = "--autoplay-policy=no-user-gesture-required"


def chromium() -> str:
    """Where this machine's Chromium is. Its absence is a failure: pages are nothing without a browser."""
    found = next((path for name in NAMES if (path := shutil.which(name))), None)
    assert found is not None, "Chromium is not installed; `make setup` brings it"
    return found
