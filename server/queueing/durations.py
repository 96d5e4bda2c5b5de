"""How long visits take at the windows, learned from those that are done (pure).

Of an office's recent days and today: each service's stop by itself, and by the hour of the call where there is enough
to learn from. Few observations move what the office's file says only a little, many replace it. All is counted for one
person; a party takes as many times as long as it has people, as in the places.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from math import sqrt
from statistics import fmean, median

from server.queueing.waiting_time import Takes

FILE_COUNTS = 10  # the minutes of the office's file count as so many observations …
DAYS_COUNT = 40  # … of a stop; the mean of all its hours as so many of one hour …
SPREAD = 0.6  # standard deviation ÷ mean where nothing is known yet
LONGEST_MIN = 180.0  # a visit that took longer was left open by mistake
OUTLIER = 5.0  # no visit counts for more than so many times the median
DAYS_DIFFER = 0.06  # how far the pace of a day is off that of others (standard deviation) …
PACE_COUNTS = (SPREAD / DAYS_DIFFER) ** 2  # … so that the other days count as so many visits against those of today


@dataclass(frozen=True, slots=True, order=True)
class Done:
    """A stop that is done: of which service, in which lane, called in which hour, minutes for each person."""

    service_id: int
    lane_id: int
    hour: int
    minutes: float


@dataclass(frozen=True, slots=True)
class _Known:
    """What is known of one stop: mean in all and by hour, how times differ from their mean, and of how many
    observations."""

    mean: float
    by_hour: Mapping[int, float]
    shape: Takes
    n: int


class Durations:
    """What is known of all stops of an office. `planned`: (service, lane) → minutes of the office's file."""

    def __init__(self, planned: Mapping[tuple[int, int], float], past: Iterable[Done], today: Iterable[Done]) -> None:
        """`past` are the recent days, without today."""
        observed = {stop: list(done) for stop, done in groupby(sorted(past), lambda d: (d.service_id, d.lane_id))}
        self._takes: dict[tuple[int, int, int, float], Takes] = {}
        self._known = {stop: _learn(minutes, observed.get(stop, ())) for stop, minutes in planned.items()}
        self._learn_pace(today)

    def _learn_pace(self, today: Iterable[Done]) -> None:
        """How much longer all takes today than on other days."""
        ratios = [
            min(done.minutes / self._mean(self._known[stop], done.hour), OUTLIER)
            for done in today
            if done.minutes <= LONGEST_MIN and (stop := (done.service_id, done.lane_id)) in self._known
        ]
        self._pace = (PACE_COUNTS + sum(ratios)) / (PACE_COUNTS + len(ratios))
        least = min((known.n for known in self._known.values()), default=0)
        self.doubt = SPREAD * sqrt(1 / (PACE_COUNTS + len(ratios)) + 1 / (FILE_COUNTS + least))

    def takes(self, service_id: int, lane_id: int, hour: int, people: float = 1) -> Takes:
        """How long a stop takes a party that is called in an hour; `people`: so many times what one person takes."""
        asked = (service_id, lane_id, hour, people)
        if asked not in self._takes:
            known = self._known.get((service_id, lane_id), UNKNOWN)
            self._takes[asked] = known.shape.times(self._mean(known, hour) * self._pace, people)
        return self._takes[asked]

    @staticmethod
    def _mean(known: _Known, hour: int) -> float:
        return known.by_hour.get(hour, known.mean)


USUAL = Takes.about(1.0, SPREAD)
ASSUMED = [USUAL.drawn((n + 0.5) / FILE_COUNTS) for n in range(FILE_COUNTS)]
UNKNOWN = _Known(15.0, {}, USUAL, 0)


def _learn(planned: float, done: Sequence[Done]) -> _Known:
    usual = [d for d in done if d.minutes <= LONGEST_MIN]
    if not usual:
        return _Known(planned, {}, USUAL, 0)
    most = OUTLIER * median(d.minutes for d in usual)
    by_hour: dict[int, list[float]] = {}
    for one in usual:
        by_hour.setdefault(one.hour, []).append(max(min(one.minutes, most), 0.1))
    everything = [minutes for of_hour in by_hour.values() for minutes in of_hour]
    mean = _drawn_to(planned, FILE_COUNTS, everything)
    hours = {hour: _drawn_to(mean, DAYS_COUNT, minutes) for hour, minutes in by_hour.items()}
    shape = Takes.of([*(m / hours[hour] for hour, of_hour in by_hour.items() for m in of_hour), *ASSUMED])
    return _Known(mean, hours, shape.times(1 / shape.mean), len(everything))


def _drawn_to(known: float, counts: int, observed: Sequence[float]) -> float:
    """The mean of what was observed, drawn to what was known before, which counts as so many observations."""
    return (counts * known + fmean(observed) * len(observed)) / (counts + len(observed))
