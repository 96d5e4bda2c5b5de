"""The rules of receiving people without a booking (pure): until when the line can still take somebody.

This asks each lane by itself and expects windows back that are closed for lunch or not open yet: the end of the whole
office's line, reckoned with the windows of this moment, would send people away at half past eight.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum
from typing import Protocol

AS_NOW = timedelta(minutes=60)  # so long the windows stay as they are now …
ALL_COME = timedelta(minutes=60)  # … and so long after opening those that are not open yet are still expected


class Choice(Enum):
    """What staff decided for today."""

    OPEN = "open"
    CLOSED = "closed"
    BY_ITSELF = "by_itself"


@dataclass(frozen=True)
class Staffing:
    """How many windows work off a line: now, and from a moment on (a window closed for lunch comes back)."""

    windows_now: int
    windows_later: int
    later_from: datetime

    def done(self, start: datetime, minutes: float) -> datetime:
        """When so many minutes of work, begun at a moment, are done by these windows together."""
        if minutes and start < self.later_from:
            until_then = (self.later_from - start) / timedelta(minutes=1) * self.windows_now
            if minutes <= until_then and self.windows_now:
                return start + timedelta(minutes=minutes / self.windows_now)
            start, minutes = self.later_from, minutes - until_then
        return start + timedelta(minutes=minutes / self.windows_later)


def staffing(now: datetime, opens: datetime, opened: int, opened_today: int, windows: int) -> Staffing:
    """How many of `windows` serve a line: those open now; in an hour also those that were open before today; in the
    first hour after opening all of them. Before any is opened all count at once."""
    later = windows if now < opens + ALL_COME or not opened_today else opened_today
    return Staffing(opened if opened_today else windows, max(later, 1), now + AS_NOW)


def expected_end(
    now: datetime, waiting: float, to_come: Iterable[tuple[datetime, float]], windows: Staffing, newcomer: float = 0
) -> datetime:
    """When everybody is served who is in the line, with a newcomer of so many minutes.

    `waiting` is the work in the line in minutes; `to_come` are (booked time, minutes) of those who are still expected:
    they count as far as the line reaches to their time, for until then it has found an end. The newcomer begins behind
    the line, and nobody is served by two windows.
    """
    end = windows.done(now, waiting)
    begins = end
    with_newcomer = windows.done(now, waiting + newcomer)
    for at, minutes in sorted(to_come):
        if at <= begins:
            begins = windows.done(begins, minutes)
        if at <= with_newcomer:
            with_newcomer = windows.done(with_newcomer, minutes)
    return max(begins + timedelta(minutes=newcomer), with_newcomer)


def receives(choice: Choice, expected: datetime | None, closing: datetime) -> bool:
    """Whether somebody without a booking is still received: as staff say, else while they will be served by closing.

    An end that nobody can tell (`None`: no window serves this) closes nothing.
    """
    if choice is Choice.BY_ITSELF:
        return expected is None or expected <= closing
    return choice is Choice.OPEN


class DecisionLike(Protocol):
    """What the rules need of a decision."""

    choice: Choice


def in_force(office: DecisionLike | None, service: DecisionLike | None) -> Choice:
    """Of the newest decisions for the office and for one of its services the one that counts: the service's own, unless
    that leaves it to the office."""
    said = [one.choice for one in (service, office) if one is not None]
    return next((choice for choice in said if choice is not Choice.BY_ITSELF), Choice.BY_ITSELF)


def shares(lane: int, windows: Sequence[frozenset[int]]) -> tuple[int, frozenset[int]]:
    """How many windows serve a lane, and the lanes whose work those windows alone must do.

    `windows`: the lanes from which each window calls.
    """
    serving = [lanes for lanes in windows if lane in lanes]
    elsewhere = frozenset[int]().union(*(lanes for lanes in windows if lane not in lanes))
    return len(serving), frozenset[int]().union(*serving) - elsewhere
