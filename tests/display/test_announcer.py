"""Announcing: one call at a time, ten seconds each, and nothing that is no longer so."""

from typing import Any

import pytest
from playwright.sync_api import Page

from tests.display.office import call, picture

pytestmark = [pytest.mark.browser, pytest.mark.alone]


class AnnouncerBench:
    """The announcer with time in the test's hands."""

    def __init__(self, page: Page) -> None:
        self._page = page
        page.evaluate("() => { window.desk = new AnnouncerBench(); }")

    def announce(self, number: int, window: int = 3, sequence: int = 17) -> None:
        """A call as the feed hands it on."""
        self._page.evaluate(
            "(call) => desk.announcer.announce(call)",
            {"sequence": sequence, "number": number, "windowNo": window, "kind": "call"},
        )

    def wait(self, seconds: float) -> None:
        """Time passes, ticking."""
        self._page.evaluate(
            "(ms) => { for (const end = desk.time + ms; desk.time < end; desk.announcer.tick()) desk.time += 100; }",
            round(seconds * 1000),
        )

    def see(self, shown: object) -> None:
        """The picture changes."""
        self._page.evaluate(
            """async (raw) => {
                const { readPicture } = await import("/display/wire.js");
                desk.announcer.reconcile(readPicture(raw));
            }""",
            shown,
        )

    @property
    def current(self) -> int | None:
        """The number being announced."""
        number: int | None = self._page.evaluate("desk.announcer.current?.number ?? null")
        return number

    @property
    def chimes(self) -> int:
        """How often it rang."""
        rung: int = self._page.evaluate("desk.chimes")
        return rung

    @property
    def shown(self) -> list[list[Any]]:
        """What was shown from which millisecond on."""
        shown: list[list[Any]] = self._page.evaluate("desk.shown")
        return shown


@pytest.fixture
def desk(bench_page: Page) -> AnnouncerBench:
    """An announcer with nothing to say."""
    return AnnouncerBench(bench_page)


def test_a_call_rings_once_and_stands_for_ten_seconds(desk: AnnouncerBench) -> None:
    desk.announce(62)
    desk.wait(9.9)
    assert (desk.current, desk.chimes) == (62, 1)
    desk.wait(0.1)
    assert (desk.current, desk.chimes) == (None, 1)


def test_three_calls_at_once_are_announced_one_after_another(desk: AnnouncerBench) -> None:
    for number in (62, 301, 63):
        desk.announce(number)
    desk.wait(30)
    assert desk.shown == [[0, 62], [10000, 301], [20000, 63], [30000, None]]
    assert desk.chimes == 3


def test_a_recall_rings_again_after_the_call(desk: AnnouncerBench) -> None:
    desk.announce(62, sequence=17)
    desk.announce(62, sequence=18)
    desk.wait(10)
    assert (desk.current, desk.chimes) == (62, 2)


def test_a_number_marked_absent_while_it_waits_its_turn_is_not_announced(desk: AnnouncerBench) -> None:
    desk.announce(62)
    desk.announce(301)
    desk.see(picture(18, call(17, number=62), absent=(301,)))
    desk.wait(10)
    assert (desk.current, desk.chimes) == (None, 1)


def test_a_number_marked_absent_while_it_is_announced_gives_way(desk: AnnouncerBench) -> None:
    desk.announce(62)
    desk.see(picture(18, absent=(62,)))
    assert desk.current is None


def test_a_number_called_to_another_window_meanwhile_is_announced_for_that_window_only(
    desk: AnnouncerBench,
) -> None:
    desk.announce(301, sequence=16)
    desk.announce(62, window=3, sequence=17)
    desk.announce(62, window=5, sequence=18)
    desk.see(picture(18, call(18, number=62, window=5), call(16, number=301)))
    desk.wait(30)
    assert [number for _, number in desk.shown] == [301, 62, None]
