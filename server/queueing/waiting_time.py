"""How long people will wait (pure): the line is played through some twenty times, each time with other luck.

The rule that calls (`choose_next`) first says in which order, with everything as expected; then the times at the
windows, who of the booked comes and when, and how quick the day is are drawn anew for each play. What lies in the
middle of the plays is likely, and four of five lie within the range. Who cannot be called (no window, no terminal) is
told nothing. The random numbers are a parameter: the same ones give the same estimate. Times are minutes from now.
"""

from abc import ABC, abstractmethod
from bisect import insort
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from heapq import heappop, heappush
from itertools import count
from math import exp, inf, log, sqrt
from random import Random
from statistics import NormalDist

from madoguchi.wire import WaitView
from server.offices.policy import DEFAULT, OfficePolicy
from server.queueing.rules import NobodyWaiting, StepClass, StepLike, choose_next

PLAYS = 25
FEWEST_PLAYS = 9  # between the least and the most of nine lie four of five of what is to come
WORK = 4000  # calls in all plays together: a long line is played less often, so that none takes long to estimate
RANGE = (0.08, 0.92)  # of the plays, to hold four of five of what comes true: they do not know all that can happen
STEP_MIN = 5  # what people are told: nobody knows it better
BELL = NormalDist()
CERTAIN = 0.9999


@dataclass(frozen=True, slots=True)
class Takes:
    """How long a stop takes: mean and standard deviation of the logarithm of the minutes."""

    middle: float
    spread: float

    @classmethod
    def about(cls, mean: float, deviation: float) -> "Takes":
        """Of mean and standard deviation in minutes."""
        spread = log(1 + (deviation / mean) ** 2)
        return cls(log(mean) - spread / 2, sqrt(spread))

    @property
    def mean(self) -> float:
        """The mean in minutes."""
        return exp(self.middle + self.spread**2 / 2)

    def drawn(self, luck: float) -> float:
        """Minutes; `luck` of the standard bell."""
        return exp(self.middle + self.spread * luck)

    def left(self, since: float, luck: float) -> float:
        """Minutes still to go for whoever is served since some minutes; `luck` from 0 to 1."""
        if not self.spread:
            return max(0.0, self.mean - since)
        # The share of visits that are over by now; the others go on for longer than this one has taken so far.
        over = BELL.cdf((log(since) - self.middle) / self.spread) if since > 0 else 0.0
        return max(0.0, self.drawn(BELL.inv_cdf(_within(over + luck * (1 - over)))) - since)


NO_TIME = Takes(-inf, 0.0)


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
    """A booked party that is not here yet: how likely it will come, and when (minutes from now, each as likely)."""

    party: InLine
    share: float
    comes: Sequence[float]


@dataclass(frozen=True)
class Scene:
    """An office's lines at a moment. `terminals`: kind → how many work, in use or not.

    `doubt`: how far all times may be off today, as a share of them (standard deviation).
    """

    now: datetime
    waiting: Sequence[InLine]
    places: Sequence[Place]
    to_come: Sequence[ToCome] = ()
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
    asked = {(p.id, len(p.stops)) for p in scene.waiting if wanted is None or p.id in wanted}
    plays = _plays(scene, chance, asked)
    return {who[0]: _estimate([play.called[who] for play in plays]) for who in (asked & plays[0].called.keys())}


def expected_end(scene: Scene, chance: Random) -> Estimate | None:
    """Until the last is done who is here now, or is booked and comes, at all stops; None if somebody of those here
    cannot be called."""
    plays = _plays(scene, chance, None)
    if any((party.id, len(party.stops)) not in plays[0].called for party in scene.waiting):
        return None
    return _estimate([play.end for play in plays])


def _estimate(minutes: list[float]) -> Estimate:
    minutes.sort()
    return Estimate(*(_at(minutes, share) for share in (0.5, *RANGE)))


def _at(minutes: Sequence[float], share: float) -> float:
    """Under which value this share of what is to come lies, as far as so many plays can tell."""
    place = min(max(share * (len(minutes) + 1) - 1, 0.0), len(minutes) - 1.0)
    low = int(place)
    return minutes[low] + (minutes[min(low + 1, len(minutes) - 1)] - minutes[low]) * (place - low)


def _within(share: float) -> float:
    return min(max(share, 1 - CERTAIN), CERTAIN)


_Key = tuple[int, int]
"""A party at one of its stops: its id, and how many stops it has from there on."""


@dataclass(frozen=True)
class _Play:
    """When each was called, in the order of the calls, and when the last was done."""

    called: dict[_Key, float]
    end: float


def _plays(scene: Scene, chance: Random, asked: set[_Key] | None) -> list[_Play]:
    rehearsal = _play(scene, _ByTheRule(scene.now, scene.policy), _AsExpected(scene), asked)
    order = {who: rank for rank, who in enumerate(rehearsal.called)}
    wanted = None if asked is None else asked & order.keys()
    many = min(PLAYS, max(FEWEST_PLAYS, WORK // max(1, len(order))))
    before = _only(scene, order)
    return [_play(before, _InOrder(order), luck, wanted) for luck in _lucks(before, chance, many)]


def _only(scene: Scene, order: Mapping[_Key, int]) -> Scene:
    """Without those who would be called after all who are asked for: they do not matter."""
    return replace(
        scene,
        waiting=[party for party in scene.waiting if (party.id, len(party.stops)) in order],
        to_come=[one for one in scene.to_come if (one.party.id, len(one.party.stops)) in order],
    )


def _play(scene: Scene, line: "_Line", luck: "_Luck", asked: set[_Key] | None) -> _Play:
    """Windows call until all who are asked for are called; None: until all are done."""
    serial = count()  # of events at the same time the one written first comes first
    events: list[tuple[float, int, int, InLine]] = []  # when, which window becomes free (or -1: who comes), who
    free, idle = dict(scene.terminals), list[int]()
    for window, place in enumerate(scene.places):
        if place.served is None:
            idle.append(window)
        else:
            kind = place.served.stops[0].terminal_kind
            free[kind] = free.get(kind, 0) - 1
            heappush(events, (luck.left(window, place), next(serial), window, place.served))
    for coming in scene.to_come:
        if (at := luck.comes(coming)) is not None:
            heappush(events, (at, next(serial), -1, coming.party))
    for party in scene.waiting:
        line.enter(party)
    called: dict[_Key, float] = {}
    left = None if asked is None else len(asked)
    time = 0.0
    while True:
        for window in tuple(idle) if line.waiting else ():
            found = line.take(scene.places[window].lanes, free, time)
            if found is None:
                continue
            idle.remove(window)
            who = (found.id, len(found.stops))
            called[who] = time
            if asked is not None and left is not None and who in asked:
                left -= 1
            stop = found.stops[0]
            if stop.terminal_kind:
                free[stop.terminal_kind] -= 1
            heappush(events, (time + luck.takes(found), next(serial), window, found))
        if left == 0 or not events:
            return _Play(called, time)
        time, _, window, party = heappop(events)
        if window < 0:
            line.enter(party)
            continue
        idle.append(window)
        if party.stops[0].terminal_kind:
            free[party.stops[0].terminal_kind] += 1
        if len(party.stops) > 1:
            line.enter(replace(party, stops=party.stops[1:], ready=party.stops[1].ready))


# Who is next


class _Line(ABC):
    """Who waits, by lane and kind of terminal."""

    waiting = 0
    """How many."""

    @abstractmethod
    def enter(self, party: InLine) -> None:
        """Somebody comes into the line."""

    @abstractmethod
    def take(self, lanes: frozenset[int], free: Mapping[str, int], time: float) -> InLine | None:
        """Who is called by a window of these lanes, with these terminals free, and leaves the line."""


class _ByTheRule(_Line):
    """By the rule that calls, asked as a window asks it: with the first of each class of each line."""

    def __init__(self, now: datetime, policy: OfficePolicy) -> None:
        self._now, self._policy = now, policy
        self._rows: dict[tuple[int, str, StepClass, bool], list[tuple[datetime, datetime, int, InLine]]] = {}

    def enter(self, party: InLine) -> None:
        """Into its class, by the order in which the index keeps it."""
        stop = party.stops[0]
        self.waiting += 1
        row = self._rows.setdefault((stop.lane_id, stop.terminal_kind, party.step_class, party.ready), [])
        insort(row, (party.due_at, party.entered_at, party.id, party), key=lambda entry: entry[:3])

    def take(self, lanes: frozenset[int], free: Mapping[str, int], time: float) -> InLine | None:
        """The choice of the rule."""
        heads = {
            row[0][2]: row
            for (lane, kind, _, _), row in self._rows.items()
            if row and lane in lanes and (not kind or free.get(kind, 0) > 0)
        }
        try:
            step, _ = choose_next(
                list[StepLike](row[0][3] for row in heads.values()), self._now + timedelta(minutes=time), self._policy
            )
        except NobodyWaiting:
            return None
        self.waiting -= 1
        return heads[step.id].pop(0)[3]


class _InOrder(_Line):
    """In the order of the rehearsal: asking the rule at each call of each play would take ten times as long."""

    def __init__(self, order: Mapping[_Key, int]) -> None:
        self._order = order
        self._rows: dict[tuple[int, str], list[tuple[int, InLine]]] = {}

    def enter(self, party: InLine) -> None:
        """Who came too late in the rehearsal to matter does not matter here."""
        rank = self._order.get((party.id, len(party.stops)))
        if rank is not None:
            stop = party.stops[0]
            self.waiting += 1
            heappush(self._rows.setdefault((stop.lane_id, stop.terminal_kind), []), (rank, party))

    def take(self, lanes: frozenset[int], free: Mapping[str, int], _time: float) -> InLine | None:
        """The first in order."""
        first: list[tuple[int, InLine]] | None = None
        for (lane, kind), row in self._rows.items():
            if row and lane in lanes and (first is None or row < first) and (not kind or free.get(kind, 0) > 0):
                first = row
        if first is None:
            return None
        self.waiting -= 1
        return heappop(first)[1]


# How it goes


class _AsExpected:
    """The rehearsal: all is as long as it is on average, and who comes with a chance takes that share of the time."""

    def __init__(self, scene: Scene) -> None:
        self._share = {coming.party.id: coming.share for coming in scene.to_come}

    def left(self, _window: int, place: Place) -> float:
        """Until whoever is at a window is done."""
        return _takes(place).left(place.since, 0.5)

    def comes(self, coming: ToCome) -> float | None:
        """When a booked party comes; None: it stays away."""
        return coming.comes[len(coming.comes) // 2]

    def takes(self, party: InLine) -> float:
        """How long the stop takes that begins now."""
        return party.stops[0].takes.mean * self._share.get(party.id, 1.0)


class _Drawn:
    """One play's luck."""

    def __init__(self, chance: Random, pace: float, lefts: Mapping[int, float]) -> None:
        self._random, self._gauss = chance.random, chance.gauss
        self._pace, self._lefts = pace, lefts

    def left(self, window: int, place: Place) -> float:
        """As in the rehearsal."""
        return _takes(place).left(place.since / self._pace, self._lefts[window]) * self._pace

    def comes(self, coming: ToCome) -> float | None:
        """As in the rehearsal."""
        if self._random() >= coming.share:
            return None
        return coming.comes[int(self._random() * len(coming.comes))]

    def takes(self, party: InLine) -> float:
        """As in the rehearsal."""
        takes = party.stops[0].takes
        return exp(takes.middle + takes.spread * self._gauss(0.0, 1.0)) * self._pace


_Luck = _AsExpected | _Drawn


def _takes(place: Place) -> Takes:
    return NO_TIME if place.served is None else place.served.stops[0].takes


def _lucks(scene: Scene, chance: Random, plays: int) -> list[_Drawn]:
    """What matters most is spread evenly over the plays: the pace of the day, and who at a window is done how soon."""
    pace = Takes.about(1.0, scene.doubt) if scene.doubt else Takes(0.0, 0.0)
    paces = [pace.drawn(BELL.inv_cdf(share)) for share in _spread(plays, chance)]
    lefts = {window: _spread(plays, chance) for window, place in enumerate(scene.places) if place.served is not None}
    return [
        _Drawn(chance, paces[play], {window: shares[play] for window, shares in lefts.items()}) for play in range(plays)
    ]


def _spread(plays: int, chance: Random) -> list[float]:
    """Shares from 0 to 1, one in each of so many equal parts, shuffled."""
    shares = [(part + chance.random()) / plays for part in range(plays)]
    chance.shuffle(shares)
    return shares
