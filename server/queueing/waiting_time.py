"""How long people will wait (pure): the line is played through many times, each time with other luck.

In each play windows call by the rule that calls (`place`), and the times at the windows, who of the booked comes and
when, who comes without a booking and how quick the day is are drawn anew. What lies in the middle of the plays is
likely, and four of five lie within the range. Who cannot be called (no window, no terminal) is told nothing. The random
numbers are a parameter: the same ones give the same estimate. Times are minutes from now.
"""

from bisect import bisect_right, insort
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from heapq import heappop, heappush
from itertools import count, pairwise
from math import exp, inf, log, sqrt
from operator import attrgetter, itemgetter
from random import Random
from statistics import NormalDist, fmean

from madoguchi.wire import WaitView
from server.clock import minute_of_day
from server.offices.policy import DEFAULT, OfficePolicy
from server.queueing.rules import StepClass, due_with_booking, due_without_booking, patience_of, place

PLAYS = 30
FEWEST_PLAYS = 9  # between the least and the most of nine lie four of five of what is to come
WORK = 4000  # calls in all plays together: a long line is played less often, so that none takes long to estimate
RANGE = (0.1, 0.9)  # of the plays
STEP_MIN = 5  # what people are told: nobody knows it better
MINUTE = timedelta(minutes=1)
BELL = NormalDist()
LATER = 10**18  # ids of those who are not here yet are higher than all others
VALUES = 40  # so many say how long a stop takes


@dataclass(frozen=True, slots=True)
class Takes:
    """How long a stop takes: minutes, each as likely, the shortest first."""

    minutes: tuple[float, ...]
    mean: float

    @classmethod
    def of(cls, minutes: Iterable[float]) -> "Takes":
        """What was seen, thinned to a few values that have its mean."""
        seen = sorted(minutes)
        parts = min(len(seen), VALUES)
        ends = [len(seen) * part // parts for part in range(parts + 1)]
        return cls(tuple(fmean(seen[a:b]) for a, b in pairwise(ends)), fmean(seen))

    @classmethod
    def about(cls, mean: float, deviation: float) -> "Takes":
        """Of mean and standard deviation in minutes: most a little shorter, some much longer."""
        spread = sqrt(log(1 + (deviation / mean) ** 2))
        values = [exp(spread * BELL.inv_cdf((n + 0.5) / VALUES)) for n in range(VALUES)]
        return cls.of(mean * value / fmean(values) for value in values)

    def times(self, factor: float, people: float = 1) -> "Takes":
        """So many times as long, for so many people one after the other: of several some are quick and some are not."""
        mean = self.mean * factor * people
        narrower = sqrt(max(1, people))
        return Takes(tuple(mean + (minutes * factor * people - mean) / narrower for minutes in self.minutes), mean)

    def drawn(self, luck: float) -> float:
        """Minutes; `luck` from 0 to 1."""
        return self.minutes[int(luck * len(self.minutes))]

    def left(self, since: float, luck: float) -> float:
        """Minutes still to go for whoever is served since some minutes: as of those that took longer than this one has
        so far; of what has taken longer than all, nothing is known, and it is as if it began now."""
        over = bisect_right(self.minutes, since)
        still = len(self.minutes) - over
        return self.minutes[over + int(luck * still)] - since if still else self.drawn(luck)


NO_TIME = Takes((0.0,), 0.0)


@dataclass(frozen=True, slots=True)
class Stop:
    """Where a party still has to go: which lane, how long it takes there, and with which kind of terminal, if any."""

    lane_id: int
    takes: Takes
    terminal_kind: str = ""
    ready: bool = True


@dataclass(slots=True)
class InLine:
    """A party in the line, as the rule sees it, with its stops from here on. Ids are unique in a scene."""

    id: int
    step_class: StepClass
    due_at: datetime
    entered_at: datetime
    stops: tuple[Stop, ...]
    ready: bool = True


@dataclass(frozen=True, slots=True)
class Place:
    """An open window: the lanes from which it calls, and who is at it since how many minutes."""

    lanes: frozenset[int]
    served: InLine | None = None
    since: float = 0.0


@dataclass(frozen=True, slots=True)
class ToCome:
    """A booked party that is not here yet: how likely it will come, and when (minutes from now, each as likely, the
    earliest first)."""

    party: InLine
    share: float
    comes: Sequence[float]


@dataclass(frozen=True, slots=True)
class CameIn:
    """A party that came without a booking on a recent day, at a minute of the day, with all stops before it."""

    minute: float
    stops: tuple[Stop, ...]


@dataclass(frozen=True)
class Scene:
    """An office's lines at a moment. `terminals`: kind → how many work, in use or not.

    `walk_ins`: who came on recent days, each day's first comers first: those who will come today are like those of one
    of them. `doubt`: how far all times may be off today, as a share of them (standard deviation).
    """

    now: datetime
    waiting: Sequence[InLine]
    places: Sequence[Place]
    to_come: Sequence[ToCome] = ()
    walk_ins: Sequence[Sequence[CameIn]] = ()
    terminals: Mapping[str, int] = field(default_factory=dict)
    doubt: float = 0.0
    policy: OfficePolicy = DEFAULT


@dataclass(frozen=True)
class Estimate:
    """Minutes: likely, and a range in which four of five lie."""

    likely: float
    least: float
    most: float


def told(estimate: Estimate) -> WaitView:
    """An estimate as people are told it: never more exactly than it is known."""

    def rounded(minutes: float) -> int:
        return int(minutes / STEP_MIN + 0.5) * STEP_MIN

    likely, least = rounded(estimate.likely), rounded(estimate.least)
    return WaitView(likely, least, max(rounded(estimate.most), least + STEP_MIN))


def newcomer(number: int, stop: Stop, due_at: datetime, now: datetime) -> InLine:
    """Somebody without a booking who might come now. Takes nobody's time, so that several can be asked for at once."""
    return InLine(number, StepClass.WALK_IN, due_at, now, (replace(stop, takes=NO_TIME),), stop.ready)


def estimates(scene: Scene, chance: Random, wanted: Collection[int] | None = None) -> dict[int, Estimate]:
    """Id → until the party is called: of these ids, or of all who wait. Who cannot be called is left out."""
    asked = {
        party.id
        for party in scene.waiting
        if (wanted is None or party.id in wanted) and _can_be_called(party.stops[0], scene)
    }
    if not asked:
        return {}
    start = _Start(scene)
    rehearsal = _play(start, next(_lucks(start, chance, 1)), asked)
    many = min(PLAYS, max(FEWEST_PLAYS, WORK // rehearsal.calls))
    plays = [_play(start, luck, asked) for luck in _lucks(start, chance, many)]
    return {who: _estimate([play.called[who] for play in plays]) for who in asked}


def _can_be_called(stop: Stop, scene: Scene) -> bool:
    terminal = not stop.terminal_kind or scene.terminals.get(stop.terminal_kind, 0) > 0
    return terminal and any(stop.lane_id in place.lanes for place in scene.places)


def _estimate(minutes: list[float]) -> Estimate:
    minutes.sort()
    return Estimate(*(_at(minutes, share) for share in (0.5, *RANGE)))


def _at(minutes: Sequence[float], share: float) -> float:
    """Under which value this share of what is to come lies, as far as so many plays can tell."""
    nth = min(max(share * (len(minutes) + 1) - 1, 0.0), len(minutes) - 1.0)
    low = int(nth)
    return minutes[low] + (minutes[min(low + 1, len(minutes) - 1)] - minutes[low]) * (nth - low)


# The plays


@dataclass(slots=True)
class _Party:
    """A party with its stops from here on; times in minutes from now."""

    id: int
    step_class: StepClass
    due: float
    stops: tuple[Stop, ...]


_Entry = tuple[float, float, int, _Party]
"""Who stands in a row, with when they are due, when they entered and their id, all three negative: the first is last,
from where it is quickly taken."""


@dataclass(slots=True)
class _Row:
    """Those of a class and readiness who wait for a lane and a kind of terminal."""

    step_class: StepClass
    terminal_kind: str
    ready: bool
    patience: float
    entries: list[_Entry]

    def first(self, time: float) -> tuple[bool, int, float, float, float]:
        """Where the first of them stands in the order of all: who is not ready after all who are."""
        due, entered, number, _ = self.entries[-1]
        rank, moment = place(self.step_class, -due, time, self.patience)
        return not self.ready, rank, moment, -entered, -number


class _Lines:
    """Who waits, row by row. `groups` are windows that call from the same lanes."""

    def __init__(self, policy: OfficePolicy, groups: Sequence[frozenset[int]]) -> None:
        self._policy, self._groups = policy, groups
        self._rows: dict[tuple[int, str, StepClass, bool], _Row] = {}
        self._rows_of: list[list[_Row]] = [[] for _ in groups]
        self._not_ready: list[tuple[float, int, _Entry]] = []  # until when they do not count as ready
        self.waiting = 0

    def copy(self) -> "_Lines":
        """To be played with."""
        found = _Lines(self._policy, self._groups)
        for key, row in self._rows.items():
            found._add(key, row.entries.copy())
        found.waiting, found._not_ready = self.waiting, self._not_ready.copy()
        return found

    def enter(self, party: _Party, entered: float, ready: bool) -> None:
        """Somebody comes into a line."""
        self.waiting += 1
        entry = (-party.due, -entered, -party.id, party)
        insort(self._row(party, ready=ready).entries, entry)
        if not ready:
            heappush(self._not_ready, (entered + self._policy.not_ready_minutes, party.id, entry))

    def _row(self, party: _Party, *, ready: bool) -> _Row:
        stop = party.stops[0]
        key = (stop.lane_id, stop.terminal_kind, party.step_class, ready)
        return self._rows.get(key) or self._add(key, [])

    def _add(self, key: tuple[int, str, StepClass, bool], entries: list[_Entry]) -> _Row:
        lane, kind, step_class, ready = key
        row = self._rows[key] = _Row(step_class, kind, ready, patience_of(step_class, self._policy), entries)
        for lanes, rows in zip(self._groups, self._rows_of, strict=True):
            if lane in lanes:
                rows.append(row)
        return row

    def take(self, group: int, free: Mapping[str, int], time: float) -> _Party | None:
        """Who is called by a window of a group, with these terminals free, and leaves the line: whom `choose_next`
        would say, asked with the first of each row."""
        while self._not_ready and self._not_ready[0][0] <= time:
            self._counts_as_ready(heappop(self._not_ready)[2])
        heads = [
            row
            for row in self._rows_of[group]
            if row.entries and (not row.terminal_kind or free.get(row.terminal_kind, 0) > 0)
        ]
        if not heads:
            return None
        row = heads[0] if len(heads) == 1 else min(heads, key=lambda row: row.first(time))
        self.waiting -= 1
        return row.entries.pop()[3]

    def _counts_as_ready(self, entry: _Entry) -> None:
        row = self._row(entry[-1], ready=False)
        if entry in row.entries:
            row.entries.remove(entry)
            insort(self._row(entry[-1], ready=True).entries, entry)


class _Start:
    """How a scene stands before each play, put in order once."""

    def __init__(self, scene: Scene) -> None:
        self.scene = scene
        # Of windows that call from the same lanes all stand idle, or none has anybody to call.
        self.groups = list(dict.fromkeys(place.lanes for place in scene.places))
        self.lines = _Lines(scene.policy, self.groups)
        self.walk_in_due = self.minutes(due_without_booking(scene.now, scene.policy))
        for one in scene.waiting:
            self.lines.enter(self.party(one), self.minutes(one.entered_at), one.ready)
        self.idle = [sum(one.served is None and one.lanes == lanes for one in scene.places) for lanes in self.groups]
        self.busy = [
            (self.groups.index(place.lanes), place.since, self.party(place.served))
            for place in scene.places
            if place.served is not None
        ]
        self.free = dict(scene.terminals)
        for _, _, party in self.busy:
            if kind := party.stops[0].terminal_kind:
                self.free[kind] = self.free.get(kind, 0) - 1
        self.to_come = sorted(((one.comes[0], one, self.party(one.party)) for one in scene.to_come), key=itemgetter(0))
        self.minute = minute_of_day(scene.now)
        self.walk_ins = [day[bisect_right(day, self.minute, key=attrgetter("minute")) :] for day in scene.walk_ins]

    def minutes(self, moment: datetime) -> float:
        """From now to a moment."""
        return (moment - self.scene.now) / MINUTE

    def party(self, party: InLine) -> _Party:
        """As it stands in a play."""
        return _Party(party.id, party.step_class, self.minutes(party.due_at), party.stops)

    def walk_in(self, number: int, who: CameIn, time: float) -> _Party:
        """Somebody who comes without a booking at a time."""
        return _Party(number, StepClass.WALK_IN, time + self.walk_in_due, who.stops)

    def booked(self, party: _Party, booked_at: datetime, time: float) -> _Party:
        """A booked party that comes at a time: later than the grace it stands with the others."""
        if time <= party.due:
            return party
        step_class, due_at = due_with_booking(booked_at, self.scene.now + time * MINUTE, self.scene.policy)
        return _Party(party.id, step_class, self.minutes(due_at), party.stops)


@dataclass(frozen=True)
class _Luck:
    """What is drawn before a play: the pace of the day, how soon each busy window is done, who comes in."""

    chance: Random
    pace: float
    lefts: Sequence[float]
    walk_ins: Sequence[CameIn]


def _lucks(start: _Start, chance: Random, plays: int) -> Iterator[_Luck]:
    """Each is spread evenly over the plays."""
    paces = _spread(plays, chance)
    lefts = [_spread(plays, chance) for _ in start.busy]
    days = _spread(plays, chance)
    for play in range(plays):
        walk_ins = start.walk_ins[int(days[play] * len(start.walk_ins))] if start.walk_ins else ()
        pace = exp(start.scene.doubt * BELL.inv_cdf(paces[play]))
        yield _Luck(chance, pace, [shares[play] for shares in lefts], walk_ins)


def _spread(plays: int, chance: Random) -> list[float]:
    """Shares from 0 to 1, one in each of so many equal parts, shuffled."""
    shares = [(part + chance.random()) / plays for part in range(plays)]
    chance.shuffle(shares)
    return shares


class _Arrivals:
    """Who comes in a play. Who is booked is drawn when they may be the next to come, for most are never needed."""

    def __init__(self, start: _Start, luck: _Luck) -> None:
        self._start, self._random = start, luck.chance.random
        self._booked, self._walk_ins = iter(start.to_come), iter(luck.walk_ins)
        self._next_booked, self._next_walk_in = next(self._booked, None), next(self._walk_ins, None)
        self._drawn: list[tuple[float, int, _Party]] = []
        self._serial = count(LATER)

    def next(self, latest: float) -> tuple[float, _Party] | None:
        """When who comes next, if not later than that."""
        while self._next_booked is not None and self._next_booked[0] <= latest:
            _, coming, party = self._next_booked
            self._next_booked = next(self._booked, None)
            if self._random() < coming.share:
                at = coming.comes[int(self._random() * len(coming.comes))]
                heappush(self._drawn, (at, next(self._serial), self._start.booked(party, coming.party.due_at, at)))
        if self._next_walk_in is not None:
            at = self._next_walk_in.minute - self._start.minute
            if at <= latest and (not self._drawn or at <= self._drawn[0][0]):
                party = self._start.walk_in(next(self._serial), self._next_walk_in, at)
                self._next_walk_in = next(self._walk_ins, None)
                return at, party
        if self._drawn and self._drawn[0][0] <= latest:
            at, _, party = heappop(self._drawn)
            return at, party
        return None


@dataclass(frozen=True)
class _Play:
    """When each who is asked for was called, and how many were called in all until then."""

    called: dict[int, float]
    calls: int


def _play(start: _Start, luck: _Luck, asked: Collection[int]) -> _Play:
    """Until all who are asked for are called."""
    lines, idle, free = start.lines.copy(), start.idle.copy(), start.free.copy()
    arrivals, pace, random = _Arrivals(start, luck), luck.pace, luck.chance.random
    serial = count()  # of windows that are done at the same time the one that called first
    busy: list[tuple[float, int, int, _Party]] = []  # until when, which group, whom it serves
    for (group, since, party), share in zip(start.busy, luck.lefts, strict=True):
        left = party.stops[0].takes.left(since / pace, share) * pace
        heappush(busy, (left, next(serial), group, party))
    groups, called, time = range(len(idle)), dict[int, float](), 0.0
    while True:
        for group in groups if lines.waiting else ():
            while idle[group] and (found := lines.take(group, free, time)) is not None:
                idle[group] -= 1
                if found.id in asked and found.id not in called:
                    called[found.id] = time
                    if len(called) == len(asked):
                        return _Play(called, next(serial) + 1)
                stop = found.stops[0]
                if stop.terminal_kind:
                    free[stop.terminal_kind] -= 1
                heappush(busy, (time + stop.takes.drawn(random()) * pace, next(serial), group, found))
        arrived = arrivals.next(busy[0][0] if busy else inf)
        if arrived is not None:
            time, party = arrived
        else:
            time, _, group, party = heappop(busy)
            idle[group] += 1
            if kind := party.stops[0].terminal_kind:
                free[kind] += 1
            if len(party.stops) == 1:
                continue
            party = _Party(party.id, party.step_class, party.due, party.stops[1:])
        lines.enter(party, time, party.stops[0].ready)
