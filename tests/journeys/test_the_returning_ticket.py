"""A paper is missing: the visitor takes a slip along, comes back with it, and is called within two calls."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import zxingcpp
from PIL import Image
from playwright.sync_api import Browser, expect

from madoguchi.demo_story import scan
from tests.conftest import Office
from tests.journeys.places import Place, open_window, running

pytestmark = [pytest.mark.journey, pytest.mark.browser]


@pytest.fixture
def place(sqlite_office: Office, tmp_path: Path) -> Iterator[Place]:
    """The running office."""
    with running(sqlite_office, tmp_path) as place:
        yield place


def test_who_comes_back_with_the_papers_keeps_the_number_and_is_called_within_two_calls(
    place: Place, browser: Browser, tmp_path: Path
) -> None:
    """The first touches 予約なし, three get numbers from staff; the first lacks a paper, and is back when the second is
    at the window."""
    panel = browser.new_context(viewport={"width": 1080, "height": 1920}).new_page()
    panel.goto(place.panel)
    panel.click("[data-button=walkin]")
    panel.click("#choices button >> nth=0")
    place.printer.wait_for_papers(1, timeout=20)
    desk = browser.new_context().new_page()
    open_window(desk, place, 3)
    for number in (2, 3, 4):
        desk.goto(f"{place.url}/desk/walk-ins")
        desk.click("form[action$='/numbers'] button")
        expect(desk.locator(".given strong")).to_have_text(str(number))
    desk.goto(f"{place.url}/desk/windows/3")
    desk.click("form[action*='call-next'] button")
    expect(desk.locator("#number")).to_have_text("1")

    desk.click("a[href$='/papers']")
    desk.check("input[name=missing] >> nth=0")
    desk.click("form.ticks button")
    slip = tmp_path / "slip.png"
    desk.locator(".return-slip").screenshot(path=slip)
    (mark,) = zxingcpp.read_barcodes(Image.open(slip))
    desk.click("text=窓口に戻る")
    desk.click("form[action*='call-next'] button")
    expect(desk.locator("#number")).to_have_text("2")

    scan(str(place.scan_socket), mark.text)
    expect(panel.locator("body")).to_contain_text("番号札を確認しました", timeout=20_000)
    desk.reload()  # a press at once would be taken for a finger that trembles
    desk.click("form[data-action=missed] button")
    expect(desk.locator("#nobody")).to_be_visible(timeout=20_000)
    desk.reload()
    desk.click("form[action*='call-next'] button")
    expect(desk.locator("#number")).to_have_text("1")
    expect(desk.locator("#rows")).to_contain_text("書類をそろえて戻られました")
    assert len(place.printer.papers) == 1
