"""Until when the line can still take somebody without a booking."""

from dataclasses import dataclass
from datetime import datetime, timedelta

import pytest

from server.intake.rules import Choice, Staffing, expected_end, in_force, receives, shares, staffing
from tests.server.city import moment

FOUR = moment("16:00")
CLOSES = moment("17:15")


def windows(now: int, later: int | None = None) -> Staffing:
    """So many windows at four o'clock, and from five on."""
    return Staffing(now, later or now, FOUR + timedelta(hours=1))


@dataclass
class Decision:
    """What staff said."""

    choice: Choice


class TestExpectedEnd:
    """The end of the line, with one more in it."""

    @pytest.mark.parametrize(
        ("waiting", "working", "end"),
        [
            pytest.param(0, windows(2), "16:00", id="nobody waits"),
            pytest.param(60, windows(2), "16:30", id="two windows share the work"),
            pytest.param(180, windows(2), "17:30", id="beyond the hour that is known"),
            pytest.param(180, windows(2, 3), "17:20", id="a third comes back after lunch"),
            pytest.param(30, windows(0, 2), "17:15", id="nobody is there until five"),
            pytest.param(0, windows(0, 2), "16:00", id="nobody is there and nobody waits"),
        ],
    )
    def test_of_those_who_wait(self, waiting: int, working: Staffing, end: str) -> None:
        assert expected_end(FOUR, waiting, [], working) == moment(end)

    def test_a_newcomer_begins_behind_the_line_and_is_served_by_one_window(self) -> None:
        assert expected_end(FOUR, 60, [], windows(2), newcomer=20) == moment("16:50")

    def test_bookings_count_as_far_as_the_line_reaches_to_them(self) -> None:
        near, far = (moment("16:20"), 30.0), (moment("17:00"), 30.0)
        assert expected_end(FOUR, 60, [far, near], windows(2)) == moment("16:45")
        assert expected_end(FOUR, 10, [far, near], windows(2)) == moment("16:05")
        assert expected_end(FOUR, 110, [far, near], windows(2)) == moment("17:25")

    def test_a_newcomer_may_push_bookings_behind_closing(self) -> None:
        bookings = [(moment("16:30"), 30.0), (moment("16:45"), 30.0)]
        assert expected_end(FOUR, 0, bookings, windows(1), newcomer=15) == moment("16:15")
        assert expected_end(FOUR, 0, bookings, windows(1), newcomer=30) == moment("17:30")


class TestStaffing:
    """How many windows serve."""

    @pytest.mark.parametrize(
        ("at", "opened", "today", "now", "later"),
        [
            pytest.param("8:30", 0, 0, 5, 5, id="before any is opened all count"),
            pytest.param("8:31", 1, 1, 1, 5, id="the others are still to be opened"),
            pytest.param("9:30", 4, 4, 4, 4, id="after an hour who has not come comes no more"),
            pytest.param("12:10", 1, 4, 1, 4, id="at noon three are at lunch"),
            pytest.param("16:30", 0, 4, 0, 4, id="all closed in the afternoon"),
        ],
    )
    def test_over_the_day(self, at: str, opened: int, today: int, now: int, later: int) -> None:
        found = staffing(moment(at), moment("8:30"), opened, today, 5)
        assert (found.windows_now, found.windows_later) == (now, later)

    @pytest.mark.parametrize(
        ("lane", "of_windows", "found"),
        [
            pytest.param(1, [{1, 2}, {1, 2}], (2, {1, 2}), id="windows that do all, do all"),
            pytest.param(1, [{1}, {2}, {2}], (1, {1}), id="each has its own"),
            pytest.param(1, [{1, 2}, {2}], (1, {1}), id="what others do, too, is left to them"),
            pytest.param(2, [{1, 2}, {2}], (2, {1, 2}), id="what only these do must be done by them"),
            pytest.param(3, [{1}], (0, set()), id="nobody"),
        ],
    )
    def test_of_a_lane(self, lane: int, of_windows: list[set[int]], found: tuple[int, set[int]]) -> None:
        windows, lanes = shares(lane, [frozenset(some) for some in of_windows])
        assert (windows, set(lanes)) == found


class TestReceiving:
    """Who says whether somebody is still received."""

    @pytest.mark.parametrize(
        ("choice", "end", "received"),
        [
            pytest.param(Choice.BY_ITSELF, CLOSES, True, id="just at closing"),
            pytest.param(Choice.BY_ITSELF, CLOSES + timedelta(minutes=1), False, id="a minute after"),
            pytest.param(Choice.BY_ITSELF, None, True, id="an end nobody can tell"),
            pytest.param(Choice.OPEN, CLOSES + timedelta(hours=2), True, id="staff open"),
            pytest.param(Choice.CLOSED, FOUR, False, id="staff close"),
        ],
    )
    def test_staff_before_the_line(self, choice: Choice, end: datetime | None, received: bool) -> None:
        assert receives(choice, end, CLOSES) is received

    @pytest.mark.parametrize(
        ("office", "service", "counts"),
        [
            (None, None, Choice.BY_ITSELF),
            (Choice.CLOSED, None, Choice.CLOSED),
            (Choice.CLOSED, Choice.OPEN, Choice.OPEN),
            (Choice.CLOSED, Choice.BY_ITSELF, Choice.CLOSED),
            (Choice.BY_ITSELF, Choice.CLOSED, Choice.CLOSED),
        ],
    )
    def test_a_services_own_decision_before_the_offices(
        self, office: Choice | None, service: Choice | None, counts: Choice
    ) -> None:
        assert in_force(office and Decision(office), service and Decision(service)) is counts
