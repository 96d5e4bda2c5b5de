"""What people see and hear: sizes, chime, clock, languages, and that everybody can read it."""

import re
from datetime import timedelta
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.display.board_page import BoardPage
from tests.display.office_process import ROOT, OfficeProcess

pytestmark = [pytest.mark.browser, pytest.mark.alone]

SCREENS = [(1920, 1080), (1280, 720), (1080, 1920), (1024, 768)]
AXE = ROOT / "node_modules" / "axe-core" / "axe.min.js"

# Height of the digits themselves as drawn, not of the line they stand in, in hundredths of the screen's height.
DIGIT_HEIGHTS = """(selector) => [...document.querySelectorAll(selector)].map((element) => {
  const style = getComputedStyle(element), pen = document.createElement("canvas").getContext("2d");
  pen.font = `${style.fontWeight} ${style.fontSize} ${style.fontFamily}`;
  const drawn = pen.measureText("8");
  return (drawn.actualBoundingBoxAscent + drawn.actualBoundingBoxDescent) / innerHeight * 100;
})"""

# Everything that has text must lie in the screen, and in whatever frames it.
STICKING_OUT = """() => [...document.querySelectorAll("body *")].filter((element) => {
  if (element.closest(".spoken, [data-state=stale] .office, [hidden], script")) return false;
  if (!element.textContent.trim()) return false;
  const box = element.getBoundingClientRect();
  const frame = (element.closest("section, header, li") ?? document.body).getBoundingClientRect();
  const beyond = (outer) => box.left < outer.left - 1 || box.right > outer.right + 1 || box.bottom > outer.bottom + 1;
  return beyond(frame) || box.right > innerWidth + 1 || box.bottom > innerHeight + 1 || box.top < -1;
}).map((element) => element.id || element.className || element.tagName)"""


def busy(office: OfficeProcess) -> None:
    """An afternoon with everything on the board: six calls, long numbers, absent people, nobody received any more."""
    office.office.walk_ins_ended = True
    for number, window in ((1234, 12), (57, 1), (305, 10), (302, 12), (60, 2), (999, 12)):
        office.call(number, window, ago=100)
    for number in (51, 304, 55, 1301, 56):
        office.call(number, 1, "missed", ago=200)


def sticking_out(page: Page) -> dict[tuple[int, int], list[str]]:
    """What does not fit, for each screen on which something does not."""
    found = {}
    for width, height in SCREENS:
        page.set_viewport_size({"width": width, "height": height})
        if parts := page.evaluate(STICKING_OUT):
            found[width, height] = parts
    return found


def axe_violations(page: Page) -> list[str]:
    """What axe-core finds wrong with the page as it is now."""
    page.evaluate(AXE.read_text("utf-8"))
    found: dict[str, Any] = page.evaluate("axe.run()")
    return [f"{v['id']}: {node['html'][:80]}" for v in found["violations"] for node in v["nodes"]]


@pytest.mark.parametrize(("width", "height"), SCREENS)
def test_number_and_window_of_the_call_are_a_tenth_of_the_screen_high(
    page: Page, office: OfficeProcess, width: int, height: int
) -> None:
    busy(office)
    page.set_viewport_size({"width": width, "height": height})
    BoardPage(page, office.board).page.wait_for_selector("#calls .number >> nth=4")
    assert min(page.evaluate(DIGIT_HEIGHTS, "#number, #window")) >= 10


def test_nothing_sticks_out_or_is_cut_off_on_any_screen(page: Page, office: OfficeProcess) -> None:
    busy(office)
    board = BoardPage(page, office.board).live()
    assert sticking_out(page) == {}
    office.stop()
    board.wait_for_notice()
    assert sticking_out(page) == {}


def test_on_a_television_hung_level_the_five_calls_before_are_as_high(page: Page, office: OfficeProcess) -> None:
    for number in (301, 57, 302, 58, 60, 62):
        office.call(number, 12, ago=100)
    BoardPage(page, office.board).page.wait_for_selector("#calls .number >> nth=4")
    heights = page.evaluate(DIGIT_HEIGHTS, "#calls .digits")
    assert len(heights) == 10
    assert min(heights) >= 10


def test_a_call_is_highlighted_and_rung_once_for_ten_seconds_and_the_next_waits_its_turn(
    page: Page, office: OfficeProcess
) -> None:
    board = BoardPage(page, office.board).live()
    office.call(62, 3)
    office.call(301, 5)
    board.wait_for_number(62)
    expect(page.locator("#calls .number")).to_have_text(["301"])
    board.wait_for_number(301, seconds=11)
    first, second = page.evaluate("seen.announced.filter((a) => a.number !== null).map((a) => a.at)")
    assert 9900 <= second - first <= 11000
    assert board.rung == 2


def test_a_screen_reader_is_told_each_call_in_both_languages(page: Page, office: OfficeProcess) -> None:
    BoardPage(page, office.board).live()
    office.call(62, 3)
    expect(page.locator("[aria-live=assertive] #spoken-ja")).to_have_text(
        "受付番号、62番の方、3番窓口へお越しください。"
    )
    expect(page.locator("#spoken-en[lang=en]")).to_have_text("Number 62, please come to counter 3.")


def test_a_recall_says_that_it_is_one(page: Page, office: OfficeProcess) -> None:
    office.call(62, 3, ago=60)
    BoardPage(page, office.board).live()
    office.call(62, 3, "recall")
    expect(page.locator("#now-ja")).to_have_text("もう一度お呼びしています")
    expect(page.locator("#spoken-ja")).to_have_text(re.compile("いらっしゃいましたら"))


def test_absent_numbers_and_people_waiting_are_shown(page: Page, office: OfficeProcess) -> None:
    office.call(304, 1, "missed")
    office.call(51, 1, "missed")
    BoardPage(page, office.board)
    expect(page.locator("#absent-numbers li")).to_have_text(["51", "304"])
    expect(page.locator("#absent-tail")).to_have_text("窓口の職員にお声がけください")
    expect(page.locator("#total")).to_have_text("7人")
    expect(page.locator("#lanes .digits")).to_have_text(["5", "2"])


def test_the_clock_is_the_offices_whatever_the_television_believes(browser: Browser, office: OfficeProcess) -> None:
    context = browser.new_context(timezone_id="America/New_York")
    page = context.new_page()
    BoardPage(page, office.board)
    expect(page.locator("#time")).to_have_text(re.compile(":"))
    now, shown = office.office.now(), page.inner_text("#time")
    a_minute_ago = now - timedelta(minutes=1)
    assert shown in {f"{moment.hour}:{moment.minute:02}" for moment in (now, a_minute_ago)}
    context.close()


def test_the_pulse_is_slower_than_three_a_second_and_stands_still_for_who_asks(
    page: Page, office: OfficeProcess
) -> None:
    board = BoardPage(page, office.board).live()
    office.call(62, 3)
    board.wait_for_number(62)
    pulse = "getComputedStyle(document.getElementById('now'), '::after')"
    assert page.evaluate(f"parseFloat({pulse}.animationDuration)") >= 2
    page.emulate_media(reduced_motion="reduce")
    assert page.evaluate(f"{pulse}.animationName") == "none"


def test_where_the_browser_forbids_sound_one_press_anywhere_allows_it(
    silent_browser: Browser, office: OfficeProcess
) -> None:
    busy(office)
    context = silent_browser.new_context()
    page = context.new_page()
    board = BoardPage(page, office.board)
    expect(page.locator("#no-sound")).to_be_visible()
    assert sticking_out(page) == {}
    page.mouse.click(300, 300)
    expect(page.locator("#no-sound")).to_be_hidden()
    assert board.rung == 1
    context.close()


def test_where_sound_is_allowed_nothing_is_said_about_it(page: Page, office: OfficeProcess) -> None:
    board = BoardPage(page, office.board).live()
    assert page.is_visible("#no-sound") is False
    assert board.rung == 0


def test_the_page_asks_nobody_but_its_own_server_and_breaks_none_of_its_rules(
    page: Page, office: OfficeProcess
) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    board = BoardPage(page, office.board).live()
    assert [url for url in asked if not url.startswith(office.address)] == []
    assert board.faults == []


def test_the_letters_of_the_notice_are_there_before_the_server_is_gone(page: Page, office: OfficeProcess) -> None:
    BoardPage(page, office.board).live()
    office.stop()
    notice = page.locator("#stale").text_content()
    assert page.evaluate("(text) => document.fonts.check('700 20px \"BIZ UDPGothic\"', text)", notice) is True


class TestEverybodyCanReadIt:
    def test_axe_finds_nothing_before_the_first_call_while_one_is_made_and_while_the_line_is_lost(
        self, page: Page, office: OfficeProcess
    ) -> None:
        board = BoardPage(page, office.board).live()
        assert axe_violations(page) == []
        busy(office)
        page.reload()
        board.live()
        office.call(62, 3)
        board.wait_for_number(62)
        assert axe_violations(page) == []
        office.stop()
        board.wait_for_notice()
        assert axe_violations(page) == []

    def test_axe_finds_nothing_with_the_notice_about_sound(
        self, silent_browser: Browser, office: OfficeProcess
    ) -> None:
        context = silent_browser.new_context()
        page = context.new_page()
        BoardPage(page, office.board)
        expect(page.locator("#no-sound")).to_be_visible()
        assert axe_violations(page) == []
        context.close()
