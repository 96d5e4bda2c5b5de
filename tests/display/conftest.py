"""Chromium, the feed's bench, and the fake office's server."""

import shutil
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, Playwright, sync_playwright

from tests.display.feed_bench import FeedBench, serve_files
from tests.display.office_process import OfficeProcess

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
QUIET = ("--no-sandbox", "--disable-background-networking")
WITH_SOUND = "--autoplay-policy=no-user-gesture-required"


def chromium() -> str:
    """Where this machine's Chromium is. Its absence is a failure: the board is nothing without a browser."""
    found = next((path for name in BROWSERS if (path := shutil.which(name))), None)
    assert found is not None, "Chromium is not installed; `make setup` brings it"
    return found


@pytest.fixture(scope="session")
def playwright_() -> Iterator[Playwright]:
    """The driver."""
    with sync_playwright() as driver:
        yield driver


@pytest.fixture(scope="session")
def browser(playwright_: Playwright) -> Iterator[Browser]:
    """Chromium as `board-screen` starts it: it may sound without being touched."""
    running = playwright_.chromium.launch(executable_path=chromium(), args=[*QUIET, WITH_SOUND])
    yield running
    running.close()


@pytest.fixture(scope="session")
def silent_browser(playwright_: Playwright) -> Iterator[Browser]:
    """Chromium as anybody starts it: no sound before the page was touched."""
    running = playwright_.chromium.launch(executable_path=chromium(), args=list(QUIET))
    yield running
    running.close()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A television of 1920 × 1080 in a fresh browser profile."""
    context = browser.new_context(viewport={"width": 1920, "height": 1080}, locale="ja-JP")
    yield context.new_page()
    context.close()


@pytest.fixture(scope="session")
def bench_page(browser: Browser) -> Iterator[Page]:
    """One page for all benches."""
    context = browser.new_context()
    page = context.new_page()
    serve_files(page)
    yield page
    context.close()


@pytest.fixture
def bench(bench_page: Page) -> FeedBench:
    """A feed on the bench."""
    return FeedBench(bench_page)


@pytest.fixture(scope="session")
def office_process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OfficeProcess]:
    """The office's server; starting it takes longer than most tests."""
    process = OfficeProcess(tmp_path_factory.mktemp("office"))
    yield process
    process.stop()


@pytest.fixture
def office(office_process: OfficeProcess) -> OfficeProcess:
    """The office's server in the morning: running, in good order, nobody called yet."""
    office_process.begin_the_day()
    return office_process
