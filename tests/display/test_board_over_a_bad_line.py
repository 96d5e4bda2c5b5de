"""The whole board in Chromium, against a server that falls silent, dies, freezes, hides and talks nonsense."""

import time

import pytest
from playwright.sync_api import Page, expect

from tests.display.board_page import BoardPage
from tests.display.office_process import OfficeProcess

pytestmark = [pytest.mark.browser, pytest.mark.alone]

NOTICE_WITHIN_S = 5.0
HEALED_WITHIN_S = 1.5  # asked every second, and the answers' own time

SLOW_TIMERS = """
for (const name of ["setTimeout", "setInterval"]) {
  const real = window[name].bind(window);
  window[name] = (act, ms = 0, ...more) => real(act, Math.max(ms, 60000), ...more);
}
"""


@pytest.fixture
def board(page: Page, office: OfficeProcess) -> BoardPage:
    """A board that is listening, with one call from before."""
    office.call(61, 2, ago=300)
    return BoardPage(page, office.board).live()


def test_a_call_stands_on_the_board_within_half_a_second(board: BoardPage, office: OfficeProcess) -> None:
    called = time.time()
    office.call(62, 3)
    assert board.wait_for_number(62) - called < 0.5
    assert (board.window, board.recent, board.announced) == ("3", ["61"], [62])


def test_a_call_whose_message_is_lost_comes_with_the_next_heartbeat(board: BoardPage, office: OfficeProcess) -> None:
    office.call(62, 3, lost=True)
    board.wait_for_number(62)
    assert board.announced == [62]


def test_a_skipped_sequence_brings_both_calls_in_their_order(board: BoardPage, office: OfficeProcess) -> None:
    office.call(62, 3, lost=True)
    office.call(63, 4)
    board.wait_for_number(62)
    board.wait_for_number(63, seconds=11)
    assert board.announced == [62, 63]


def test_a_silent_server_is_owned_up_to_within_five_seconds_and_then_polled(
    board: BoardPage, office: OfficeProcess
) -> None:
    office.set(heartbeats=False)
    silent_since = time.time()
    assert board.wait_for_notice() - silent_since < NOTICE_WITHIN_S
    board.wait_until_healed()
    office.call(62, 3, lost=True)
    board.wait_for_number(62)
    assert board.stale is False


def test_a_frozen_server_is_owned_up_to_though_its_socket_stays_open(board: BoardPage, office: OfficeProcess) -> None:
    office.freeze()
    frozen_since = time.time()
    assert board.wait_for_notice() - frozen_since < NOTICE_WITHIN_S
    assert (board.number, board.page.is_visible("#figures")) == ("61", True)
    thawed = office.thaw()
    assert board.wait_until_healed() - thawed < HEALED_WITHIN_S


def test_slow_timers_of_the_page_do_not_delay_the_notice(page: Page, office: OfficeProcess) -> None:
    page.add_init_script(SLOW_TIMERS)
    board = BoardPage(page, office.board).live()
    office.freeze()
    frozen_since = time.time()
    assert board.wait_for_notice() - frozen_since < NOTICE_WITHIN_S
    thawed = office.thaw()
    assert board.wait_until_healed() - thawed < HEALED_WITHIN_S


def test_a_dead_server_that_comes_back_is_true_again_in_about_a_second(board: BoardPage, office: OfficeProcess) -> None:
    office.stop()
    stopped = time.time()
    assert board.wait_for_notice() - stopped < NOTICE_WITHIN_S
    office.call(62, 3, ago=60)
    office.call(63, 4)
    back = office.start()
    assert board.wait_until_healed() - back < HEALED_WITHIN_S
    board.wait_for_number(63)
    assert (board.recent, board.announced) == (["62", "61"], [63])
    office.set(pictures=False)
    board.live()
    office.call(64, 5)
    expect(board.page.locator("#calls .number").first).to_have_text("64", timeout=500)


def test_a_quick_restart_passes_without_a_notice(board: BoardPage, office: OfficeProcess) -> None:
    office.stop()
    office.start()
    board.page.wait_for_timeout(3000)
    board.live()
    office.call(62, 3)
    board.wait_for_number(62)
    assert board.page.evaluate("seen.notices.some((notice) => notice.shown)") is False


def test_where_websockets_are_blocked_calls_come_by_polling_and_no_notice(page: Page, office: OfficeProcess) -> None:
    office.set(websockets=False)
    board = BoardPage(page, office.board)
    called = time.time()
    office.call(62, 3)
    assert board.wait_for_number(62) - called < 2.5
    page.wait_for_timeout(5000)
    assert (board.stale, board.announced) == (False, [62])


def test_nonsense_never_blanks_the_board(board: BoardPage, office: OfficeProcess) -> None:
    for event in ("call", "heartbeat", "waiting"):
        office.send(event, None)
        office.send(event, [])
        office.send(event, {"sequence": "x", "total": -1, "lanes": None})
    office.call(62, 3)
    board.wait_for_number(62)
    assert (board.recent, board.stale, board.faults) == (["61"], False, [])


def test_while_no_picture_can_be_read_calls_are_shown_all_the_same(board: BoardPage, office: OfficeProcess) -> None:
    office.set(pictures=False)
    office.call(62, 3)
    board.wait_for_number(62)
    assert board.stale is False


def test_a_page_loaded_again_shows_the_last_call_and_does_not_announce_it_twice(
    board: BoardPage, office: OfficeProcess
) -> None:
    office.call(62, 3)
    board.wait_for_number(62)
    board.page.reload()
    board.live()
    assert (board.number, board.announced, board.rung) == ("62", [], 0)
