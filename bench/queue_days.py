"""Seeded days of an office, and who is called when on such a day by a rule: no database, no clock, no threads.

A day is made once and played with as many rules as one likes; the same seed makes the same day. The rule is asked as
the office asks it: with the first few of each class, whenever a window is free.
"""

from bisect import insort
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from heapq import heapify, heappop, heappush
from random import Random

from server.booking.capacity import places_at
from server.booking.rules import BookingState
from server.clock import OFFICE_ZONE
from server.offices.policy import DEFAULT, OfficePolicy
from server.queueing.queries import HEADS
from server.queueing.rules import NobodyWaiting, StepClass, StepLike, due_without_booking
from server.reception.rules import admit

OPENS = datetime(2026, 11, 30, 8, 30, tzinfo=OFFICE_ZONE)
CLOSES = OPENS.replace(hour=17, minute=15)
LAST_WALK_IN = OPENS.replace(hour=16, minute=45)

SPREAD = 0.6
"""Standard deviation of the time at a window ÷ its mean."""
WALK_INS_BY_HOUR = {8: 1.5, 9: 1.6, 10: 1.4, 11: 0.9, 12: 0.7, 13: 1.3, 14: 1.0, 15: 0.7, 16: 0.5}
"""How many people without a booking come in an hour, against the mean."""


@dataclass(frozen=True)
class Kind:
    """What sort of day: windows open all day, and their load (work that comes ÷ work they can do)."""

    windows: int
    load: float


@dataclass(frozen=True)
class Person:
    """Somebody (or a party) who is expected or comes; `comes_at` is None for who is booked and stays away."""

    id: int
    booked_at: datetime | None
    comes_at: datetime | None
    takes: timedelta


@dataclass(frozen=True)
class Day:
    """All who are expected or come, those who come first first."""

    kind: Kind
    seed: int
    people: tuple[Person, ...]


@dataclass
class Waiting:
    """A step in the line, as the rule sees it."""

    id: int
    step_class: StepClass
    due_at: datetime
    entered_at: datetime
    ready: bool = True


@dataclass(frozen=True)
class Visit:
    """What became of somebody who came."""

    person: Person
    step_class: StepClass
    due_at: datetime
    arrived_at: datetime
    called_at: datetime
    ended_at: datetime

    @property
    def waited(self) -> timedelta:
        """From the later of booked time and coming; nothing for who was called before the booked time."""
        since = max(self.arrived_at, self.person.booked_at or self.arrived_at)
        return max(self.called_at - since, timedelta())


@dataclass(frozen=True)
class Played:
    """A day as a rule has it: the visits in the order of their calls.

    `idle` is the time that windows stood idle while somebody waited, summed over windows.
    """

    day: Day
    visits: tuple[Visit, ...]
    idle: timedelta


Rule = Callable[[Sequence[StepLike], datetime, OfficePolicy], StepLike]
"""Who is next of the first of each class, now and by an office's policy. Raises NobodyWaiting if that is nobody."""


@dataclass
class _Booking:
    """What reception asks of a booking."""

    starts_at: datetime
    office_id: int = 1
    state: BookingState = BookingState.CONFIRMED


def make_day(seed: int, kind: Kind, policy: OfficePolicy = DEFAULT) -> Day:
    """A day with all bookable places sold, 12 to 20 % of them to people who stay away, and as many walk-ins as there
    are places for them and places of those who stay away."""
    chance = Random(f"{seed} {kind}")  # noqa: S311  # it must be repeatable
    stay_away = chance.uniform(0.12, 0.20)
    booked = _booked_times(kind, policy)
    places = kind.windows * policy.rate_per_hour * (CLOSES - OPENS) / timedelta(hours=1)
    walk_ins = places - len(booked) * (1 - stay_away)
    mean = kind.load * kind.windows * (CLOSES - OPENS) / places
    arrivals: list[tuple[datetime | None, datetime | None]] = [
        (at, None if chance.random() < stay_away else at + _early_or_late(chance)) for at in booked
    ]
    arrivals += [(None, at) for at in _walk_in_times(chance, walk_ins)]
    arrivals.sort(key=lambda pair: pair[1] or CLOSES)
    people = (Person(n, *times, _takes(chance, mean)) for n, times in enumerate(arrivals, start=1))
    return Day(kind, seed, tuple(people))


def _booked_times(kind: Kind, policy: OfficePolicy) -> list[datetime]:
    slots = (OPENS + timedelta(minutes=m) for m in range(0, 24 * 60, policy.slot_minutes))
    length = timedelta(minutes=policy.slot_minutes)
    return [at for at in slots if at + length <= CLOSES for _ in range(places_at(at, kind.windows, policy).bookable)]


def _early_or_late(chance: Random) -> timedelta:
    """Most come some ten minutes before, some long before, some at the last minute, a few too late."""
    sort = chance.random()
    if sort < 0.72:
        minutes = chance.gauss(-10, 3.5)
    elif sort < 0.85:
        minutes = -15 - chance.expovariate(1 / 10)
    elif sort < 0.95:
        minutes = chance.uniform(-2, 15)
    else:
        minutes = 15 + chance.expovariate(1 / 10)
    return timedelta(seconds=round(minutes * 60))


def _walk_in_times(chance: Random, expected: float) -> list[datetime]:
    """At random, more of them in the morning and after lunch."""
    most = max(WALK_INS_BY_HOUR.values())
    minutes = range(int((LAST_WALK_IN - OPENS) / timedelta(minutes=1)))
    weights = [WALK_INS_BY_HOUR[(OPENS + timedelta(minutes=m)).hour] for m in minutes]
    per_second = most * expected / sum(weights) / 60
    times, at = [], OPENS
    while (at := at + timedelta(seconds=1 + int(chance.expovariate(per_second)))) < LAST_WALK_IN:
        if chance.random() * most < WALK_INS_BY_HOUR[at.hour]:
            times.append(at)
    return times


def _takes(chance: Random, mean: timedelta) -> timedelta:
    """The time at a window: gamma, wide, never under a minute."""
    shape = 1 / SPREAD**2
    return timedelta(seconds=max(60, round(chance.gammavariate(shape, mean.total_seconds() / shape))))


class Line:
    """Who waits, class by class, those due first first."""

    def __init__(self) -> None:
        self._classes: dict[StepClass, list[tuple[datetime, datetime, int, Waiting]]] = {}

    def __len__(self) -> int:
        return sum(map(len, self._classes.values()))

    def enter(self, step: Waiting) -> None:
        """Somebody takes a place."""
        insort(self._classes.setdefault(step.step_class, []), (step.due_at, step.entered_at, step.id, step))

    def heads(self) -> list[Waiting]:
        """The first few of each class, as the index of the line gives them."""
        return [row[-1] for line in self._classes.values() for row in line[:HEADS]]

    def leave(self, step: StepLike) -> None:
        """Somebody is called."""
        line = self._classes[step.step_class]
        del line[next(n for n, row in enumerate(line) if row[-1] is step)]


def play(day: Day, rule: Rule, policy: OfficePolicy = DEFAULT) -> Played:
    """The day with a rule: windows serve from opening until nobody is left."""
    people = {person.id: person for person in day.people}
    # (when, whose): somebody comes, a window becomes free (0), a booked time has come for who is there already (0).
    events = [(person.comes_at, person.id) for person in day.people if person.comes_at is not None]
    events += [(OPENS, 0), *((person.booked_at, 0) for person in day.people if person.booked_at is not None)]
    heapify(events)
    busy_until: list[datetime] = []
    line, visits, idle, before = Line(), [], timedelta(), OPENS
    while events:
        now = events[0][0]
        if len(line):
            idle += (day.kind.windows - len(busy_until)) * max(now - max(before, OPENS), timedelta())
        while events and events[0][0] == now:
            _, who = heappop(events)
            if who:
                line.enter(_admitted(people[who], now, policy))
        while busy_until and busy_until[0] <= now:
            heappop(busy_until)
        while now >= OPENS and len(line) and len(busy_until) < day.kind.windows:
            try:
                step = rule(line.heads(), now, policy)
            except NobodyWaiting:
                break
            line.leave(step)
            ended = now + people[step.id].takes
            heappush(busy_until, ended)
            heappush(events, (ended, 0))
            visits.append(Visit(people[step.id], step.step_class, step.due_at, step.entered_at, now, ended))
        before = now
    return Played(day, tuple(visits), idle)


def _admitted(person: Person, now: datetime, policy: OfficePolicy) -> Waiting:
    if person.booked_at is None:
        return Waiting(person.id, StepClass.WALK_IN, due_without_booking(now, policy), now)
    place = admit(_Booking(person.booked_at), now, policy)
    return Waiting(person.id, place.step_class, place.due_at, now)
