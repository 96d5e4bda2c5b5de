"""When an emergency list is written, and when staff must know that there is none."""

import errno
from dataclasses import dataclass
from datetime import datetime

import pytest

from server.emergency.rules import Failure, NumbersUnusable, failure_of, is_due, is_too_old, numbers_by_hand
from tests.server.city import moment


@dataclass(frozen=True)
class Open:
    """A session."""

    opens: datetime
    closes: datetime


@dataclass
class State:
    """What has become of the lists."""

    written_at: datetime | None
    tried_at: datetime


DAY = Open(moment("8:30"), moment("17:15"))
MORNING, LATER = Open(DAY.opens, moment("12:00")), Open(moment("13:00"), DAY.closes)


@pytest.mark.parametrize(
    ("now", "written", "tried", "due"),
    [
        ("7:29", None, None, False),
        ("7:30", None, None, True),
        ("7:59", "7:30", "7:30", False),
        ("8:00", "7:30", "7:30", True),
        ("12:30", "12:00", "12:00", True),  # over lunch, too
        ("17:15", "16:45", "16:45", True),
        ("17:16", "16:45", "16:45", False),
        ("9:04", "8:30", "9:00", False),  # the last try failed
        ("9:05", "8:30", "9:00", True),
        ("9:05", None, "9:00", True),
    ],
)
def test_from_an_hour_before_opening_every_half_hour_and_sooner_after_a_failure(
    now: str, written: str | None, tried: str | None, due: bool
) -> None:
    state = None if tried is None else State(moment(written) if written else None, moment(tried))
    assert is_due([MORNING, LATER], state, moment(now)) is due


def test_on_a_closed_day_none_is_written() -> None:
    assert not is_due([], None, moment("10:00"))
    assert not is_too_old([], None, moment("10:00"))


@pytest.mark.parametrize(
    ("now", "written", "told"),
    [
        ("7:34", None, False),
        ("7:35", None, True),
        ("9:45", "9:00", False),
        ("9:46", "9:00", True),
        ("18:00", None, False),
    ],
)
def test_staff_are_told_when_the_newest_is_three_quarters_of_an_hour_old(
    now: str, written: str | None, told: bool
) -> None:
    state = State(moment(written), moment(now)) if written else None
    assert is_too_old([DAY], state, moment(now)) is told


def test_what_an_error_of_the_system_means() -> None:
    found = [failure_of(n) for n in (errno.ENOENT, errno.EROFS, errno.EACCES, errno.ENOSPC, errno.EIO)]
    assert found == [Failure.MISSING, Failure.REFUSED, Failure.REFUSED, Failure.FULL, Failure.OTHER]


class TestNumbersByHand:
    """From 901 on, and none that a lane or kiosk gives out."""

    def test_in_order(self) -> None:
        assert numbers_by_hand(901, 903, [(1, 300), (801, 840)]) == [901, 902, 903]

    @pytest.mark.parametrize(("first", "last"), [(900, 905), (990, 1000), (905, 901), (1, 5)])
    def test_no_others(self, first: int, last: int) -> None:
        with pytest.raises(NumbersUnusable):
            numbers_by_hand(first, last, [])

    @pytest.mark.parametrize("other", [(801, 901), (903, 999), (902, 902)])
    def test_none_that_is_given_out_already(self, other: tuple[int, int]) -> None:
        with pytest.raises(NumbersUnusable):
            numbers_by_hand(901, 903, [other])
