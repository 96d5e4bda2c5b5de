"""When an office is open, and how many places an hour has."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

import pytest

from server.clock import OFFICE_ZONE
from server.offices.opening_rules import (
    next_opening,
    open_day_before,
    session_at,
    sessions_on,
)

MONDAY = date(2026, 11, 30)
MOMENT = timedelta(microseconds=1)


@dataclass
class Rule:
    """Opening hours in minutes; open on Mondays unless said otherwise."""

    weekday: int | None = 0
    on_date: date | None = None
    closed: bool = False
    opens: int = 510
    closes: int = 1035
    last_booked: int = 1020
    last_walk_in: int = 1005
    valid_from: date | None = None
    valid_to: date | None = None


def dated(day: date, opens: int = 600, closes: int = 720, *, closed: bool = False) -> Rule:
    """A rule for one day."""
    return Rule(None, day, closed, opens, closes, closes, closes)


def at(hour: int, minute: int = 0, day: date = MONDAY) -> datetime:
    """A moment on the office's clock."""
    return datetime(day.year, day.month, day.day, hour, minute, tzinfo=OFFICE_ZONE)


WEEK = [Rule(weekday) for weekday in range(5)]
EVENING = Rule(0, opens=1080, closes=1200, last_booked=1190, last_walk_in=1180)


@pytest.mark.parametrize(
    ("day", "rules", "hours"),
    [
        pytest.param(MONDAY, WEEK, ["08:30-17:15"], id="a weekday"),
        pytest.param(MONDAY + timedelta(days=5), WEEK, [], id="Saturday: no rule, closed"),
        pytest.param(MONDAY, [EVENING, *WEEK], ["08:30-17:15", "18:00-20:00"], id="two sessions, in order of time"),
        pytest.param(MONDAY, [*WEEK, dated(MONDAY)], ["10:00-12:00"], id="a dated rule replaces the week's"),
        pytest.param(MONDAY, [*WEEK, dated(MONDAY, closed=True)], [], id="a dated closure"),
        pytest.param(MONDAY, [*WEEK, dated(MONDAY), dated(MONDAY, closed=True)], [], id="closed wins on one day"),
        pytest.param(
            MONDAY + timedelta(days=5),
            [*WEEK, dated(MONDAY + timedelta(days=5))],
            ["10:00-12:00"],
            id="open on one Saturday",
        ),
        pytest.param(MONDAY, [Rule(valid_from=MONDAY)], ["08:30-17:15"], id="valid from this day"),
        pytest.param(MONDAY, [Rule(valid_from=MONDAY + timedelta(days=1))], [], id="valid from tomorrow"),
        pytest.param(MONDAY, [Rule(valid_to=MONDAY)], ["08:30-17:15"], id="valid up to this day"),
        pytest.param(MONDAY, [Rule(valid_to=MONDAY - timedelta(days=1))], [], id="valid up to yesterday"),
        pytest.param(MONDAY, [dated(MONDAY, 0, 1440)], ["00:00-00:00"], id="around the clock"),
    ],
)
def test_the_sessions_of_a_day(day: date, rules: list[Rule], hours: list[str]) -> None:
    assert [f"{s.opens:%H:%M}-{s.closes:%H:%M}" for s in sessions_on(day, rules)] == hours


@pytest.mark.parametrize(
    ("now", "running"),
    [
        pytest.param(at(8, 30) - MOMENT, None, id="just before opening"),
        pytest.param(at(8, 30), "08:30", id="at opening"),
        pytest.param(at(17, 15) - MOMENT, "08:30", id="just before closing"),
        pytest.param(at(17, 15), None, id="at closing"),
        pytest.param(at(18), "18:00", id="in the evening's session"),
        pytest.param(at(8, 30).astimezone(UTC), "08:30", id="told in UTC, where it is still Sunday"),
    ],
)
def test_the_session_that_is_running(now: datetime, running: str | None) -> None:
    found = session_at(now, [*WEEK, EVENING])
    assert (found and f"{found.opens:%H:%M}") == running


@pytest.mark.parametrize(
    ("now", "opens"),
    [
        pytest.param(at(8, 30) - MOMENT, at(8, 30), id="in a moment"),
        pytest.param(at(8, 30), at(8, 30, MONDAY + timedelta(days=1)), id="open now: the next time is tomorrow"),
        pytest.param(at(20, day=date(2026, 12, 4)), at(8, 30, date(2026, 12, 7)), id="on Friday evening: Monday"),
        pytest.param(
            datetime(2026, 12, 6, 15, tzinfo=UTC), at(8, 30, date(2026, 12, 7)), id="told in UTC, midnight in Japan"
        ),
    ],
)
def test_when_the_office_opens_next(now: datetime, opens: datetime) -> None:
    assert next_opening(now, WEEK) == opens


def test_an_office_that_does_not_open_within_two_months_has_no_next_opening() -> None:
    assert next_opening(at(9), [dated(MONDAY + timedelta(days=60))]) is None
    assert next_opening(at(9), [dated(MONDAY + timedelta(days=59))]) is not None
    assert open_day_before(MONDAY, []) is None


def test_the_open_day_before_monday_is_friday_unless_that_is_closed() -> None:
    friday = date(2026, 11, 27)

    assert open_day_before(MONDAY, WEEK) == friday
    assert open_day_before(MONDAY, [*WEEK, dated(friday, closed=True)]) == date(2026, 11, 26)
