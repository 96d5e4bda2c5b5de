"""The rules of the day list (pure): what has changed since it was made, and its two orders."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum

from server.errors import Invalid


class DayUnusable(Invalid):
    """A list is of today or of a day in the booking period."""

    code = "day_unusable"


class Order(Enum):
    """How a list is ordered."""

    TIME = "time"
    PLACE = "place"


class Change(Enum):
    """What has become of somebody since the list was made; the last three are not expected any more."""

    ADDED = "added"
    MOVED = "moved"  # comes at another time of the same day
    STORED = "stored"  # the folder lies elsewhere
    CANCELLED = "cancelled"
    OTHER_DAY = "other_day"
    STOPPED = "stopped"  # 交付取止め


GONE = frozenset({Change.CANCELLED, Change.OTHER_DAY, Change.STOPPED})


class Presence(Enum):
    """Whether somebody who was expected has come."""

    EXPECTED = "expected"
    TO_CONFIRM = "to_confirm"
    HERE = "here"
    DONE = "done"
    STAYED_AWAY = "stayed_away"


@dataclass(frozen=True)
class Key:
    """A person of a booking."""

    booking: int
    position: int


@dataclass(frozen=True)
class Kept:
    """What the list said of a person when it was made."""

    starts_at: datetime
    storage_place: str


@dataclass(frozen=True)
class Person:
    """A person as it stands now. `gone`: why they are not expected on this day, None if they are.

    `party`: how many people come with this booking; `number` is the notice's, empty without one.
    """

    key: Key
    starts_at: datetime
    party: int
    number: str
    storage_place: str
    service: str
    marks: tuple[str, ...]
    language: str
    presence: Presence
    gone: Change | None = None


@dataclass(frozen=True)
class Line:
    """One line of a list: the person, what changed since it was made, and what it said then."""

    person: Person
    change: Change | None
    before: Kept | None

    @property
    def gone(self) -> bool:
        """Whether the person is not expected any more."""
        return self.change in GONE

    @property
    def time(self) -> datetime:
        """When the person comes, or would have come."""
        return self.before.starts_at if self.gone and self.before is not None else self.person.starts_at


def compare(people: Iterable[Person], kept: Mapping[Key, Kept] | None) -> list[Line]:
    """The lines of a list that was made (`kept`; None: not yet, and nothing counts as a change) as it stands now.

    Whoever was never on it and is not expected is left out.
    """
    lines = []
    for person in people:
        before = None if kept is None else kept.get(person.key)
        change = _change(person, before) if kept is not None else person.gone
        if change not in GONE or before is not None:
            lines.append(Line(person, change, before))
    return lines


def in_order(lines: Iterable[Line], order: Order) -> list[Line]:
    """Lines by time or by storage place; who is gone stands at the time at which they were expected."""
    return sorted(lines, key=_by_time if order is Order.TIME else _by_place)


def _change(person: Person, before: Kept | None) -> Change | None:
    if person.gone is not None:
        return person.gone
    if before is None:
        return Change.ADDED
    if before.starts_at != person.starts_at:
        return Change.MOVED
    return Change.STORED if before.storage_place != person.storage_place else None


def _by_time(line: Line) -> tuple[datetime, int, int]:
    return line.time, line.person.key.booking, line.person.key.position


def _by_place(line: Line) -> tuple[bool, Sequence[tuple[bool, int, str]], tuple[datetime, int, int]]:
    """As folders stand on a shelf: B-2 before B-12; without a place at the end."""
    place = line.person.storage_place
    return not place, natural(place), _by_time(line)


def natural(text: str) -> list[tuple[bool, int, str]]:
    """A key that sorts numbers in a text by their value."""
    parts = re.findall(r"\d+|\D+", text)
    return [(not part.isdecimal(), int(part) if part.isdecimal() else 0, part) for part in parts]
