"""How waits are counted (pure): figures of many waits, and how right what was told has been."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import groupby
from math import ceil
from statistics import fmean, median

from server.errors import Invalid

WITHIN_MINUTES = 30  # what offices promise: "called within 30 minutes"
LONGEST_PERIOD = 366  # days …
ON_A_PAGE = 31  # … and on a page, so that a big office's figures are not counted while its kiosks wait


class PeriodUnusable(Invalid):
    """A report is of one day or of several in order, a year at the most, on a page a month."""

    code = "period_unusable"


def check_period(first: date, last: date, most: int = LONGEST_PERIOD) -> None:
    """Raise PeriodUnusable unless a report can be of these days."""
    if not first <= last < first + timedelta(days=most):
        raise PeriodUnusable(most=most)


@dataclass(frozen=True, slots=True)
class Wait:
    """One ticket that was called at one stop. Minutes: of waiting, since it was told how long, and what was told."""

    day: date
    hour: int
    service: str
    lane: str
    booked: bool
    people: int
    minutes: float
    since_told: float
    told: int | None = None
    least: int | None = None
    most: int | None = None


def waited_from(entered: datetime, booked_at: datetime | None) -> datetime:
    """From when somebody waits: from coming, who has booked not before the booked time."""
    return entered if booked_at is None else max(entered, booked_at)


def minutes_between(start: datetime, end: datetime) -> float:
    """Minutes; who was called before the booked time has not waited."""
    return max((end - start) / timedelta(minutes=1), 0.0)


@dataclass(frozen=True)
class Figures:
    """Figures of waits in minutes; `within` is the share of those called within 30 minutes."""

    tickets: int
    people: int
    median: float
    mean: float
    percentile_95: float
    longest: float
    within: float


def figures(waits: Sequence[Wait]) -> Figures | None:
    """The figures of some waits, each ticket counting once; None of nothing."""
    if not waits:
        return None
    minutes = sorted(wait.minutes for wait in waits)
    soon = sum(m <= WITHIN_MINUTES for m in minutes)
    return Figures(
        len(minutes),
        sum(wait.people for wait in waits),
        median(minutes),
        fmean(minutes),
        percentile(minutes, 95),
        minutes[-1],
        soon / len(minutes),
    )


def percentile(in_order: Sequence[float], share: int) -> float:
    """The smallest of the values that `share` percent of them do not exceed."""
    return in_order[max(ceil(len(in_order) * share / 100), 1) - 1]


@dataclass(frozen=True)
class Line:
    """One line of a table: of whom (`booked` None: all), and their figures."""

    of: tuple[str, ...]
    booked: bool | None
    figures: Figures


Label = Callable[[Wait], tuple[str, ...]]


def lines(waits: Iterable[Wait], label: Label) -> list[Line]:
    """For each label in order: those with a booking, those without, and, where there are both, all."""
    found = []
    for of, group in groupby(sorted(waits, key=label), key=label):
        rows = list(group)
        kinds = [(booked, [w for w in rows if w.booked is booked]) for booked in (True, False)]
        for booked, some in [*kinds, (None, rows if all(some for _, some in kinds) else [])]:
            if (counted := figures(some)) is not None:
                found.append(Line(of, booked, counted))
    return found


@dataclass(frozen=True)
class Told:
    """How right what was told has been: tickets told, mean error in minutes, and the share whose range was right."""

    tickets: int
    error: float | None
    ranges: int
    hits: float | None


def told(waits: Iterable[Wait]) -> Told:
    """Compare what was told on entering a line with what became of it."""
    errors, hits = [], []
    for wait in waits:
        if wait.told is not None:
            errors.append(abs(wait.told - wait.since_told))
        if wait.least is not None and wait.most is not None:
            hits.append(wait.least <= wait.since_told <= wait.most)
    return Told(len(errors), fmean(errors) if errors else None, len(hits), fmean(hits) if hits else None)


def by_day(wait: Wait) -> tuple[str, ...]:
    """Of each day."""
    return (wait.day.isoformat(),)


def by_hour(wait: Wait) -> tuple[str, ...]:
    """Of each hour of the day in which people began to wait."""
    return (f"{wait.hour:02}時",)


def by_service(wait: Wait) -> tuple[str, ...]:
    """Of each service."""
    return (wait.service,)


def by_lane(wait: Wait) -> tuple[str, ...]:
    """Of each lane."""
    return (wait.lane,)


def by_all(wait: Wait) -> tuple[str, ...]:
    """Of each day, hour, service and lane."""
    return (wait.day.isoformat(), f"{wait.hour:02}時", wait.service, wait.lane)


def of_all(_: Wait) -> tuple[str, ...]:
    """Of all together."""
    return ("全体",)
