"""The board's page, the feed's bench, and the fake office's server."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page

from tests.display.feed_bench import FeedBench, serve_files
from tests.display.office_process import OfficeProcess


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
