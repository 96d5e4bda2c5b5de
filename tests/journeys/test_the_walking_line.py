"""One visitor's way through the whole program, on real processes: server, kiosk, printer on the network, Chromium."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import zxingcpp
from playwright.sync_api import Browser, Page, expect

from madoguchi import codes
from madoguchi.demo_story import CODE, scan
from server.issuance.service import Sticker
from tests.conftest import Office
from tests.journeys.places import Place, open_window, running

pytestmark = [pytest.mark.journey, pytest.mark.browser]


@pytest.fixture
def place(office: Office, tmp_path: Path) -> Iterator[Place]:
    """The running office, on each kind of database."""
    with running(office, tmp_path) as place:
        yield place


def _books(page: Page, url: str, sticker: Sticker) -> str:
    """Sign in, first day with places, first time, confirm; gives the booking code on the page."""
    page.goto(url)
    page.fill("input[name=credential_id]", sticker.credential_id)
    page.fill("input[name=password]", sticker.password)
    page.click("main form button")
    page.click("a[href*='/book/2026-11-30']")
    page.locator("input[name=slot]:not([disabled])").first.check()
    page.click("main form button")
    page.click("main form[action*='/book/confirm/'] button")
    found = CODE.search(page.locator("main").inner_text())
    assert found is not None, page.locator("main").inner_text()
    return found[0]


def test_a_resident_books_scans_gets_a_ticket_is_called_and_the_board_says_so(place: Place, browser: Browser) -> None:
    """The whole line: the paper carries the ticket's code for another reader, the panel and the board its number."""
    board = browser.new_context(viewport={"width": 1920, "height": 1080}).new_page()
    board.goto(f"{place.url}/boards/pair/{place.pairing}")
    panel = browser.new_context(viewport={"width": 1080, "height": 1920}).new_page()
    panel.goto(place.panel)

    code = _books(browser.new_context(locale="ja-JP").new_page(), place.url, place.sticker)
    scan(str(place.scan_socket), code)
    (printed,) = place.printer.wait_for_papers(1, timeout=20)
    assert printed.paper.cut
    assert not printed.paper.faults
    (mark,) = zxingcpp.read_barcodes(printed.paper.image.convert("L"))
    on_paper = codes.read(mark.text, ())
    assert isinstance(on_paper, codes.Code)
    assert on_paper.kind is codes.Kind.TICKET
    expect(panel.locator("body")).to_contain_text("1")

    desk = browser.new_context().new_page()
    open_window(desk, place, 3)
    desk.click("form[action*='call-next'] button")
    expect(board.locator("#number")).to_have_text("1")
    expect(board.locator("#window")).to_have_text("3")
