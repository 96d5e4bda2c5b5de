"""queue: seeded days with the office's own rule, beside first come first served and the rule of Berlin and Munich.

`python -m bench.figure_queue` writes docs/queue-simulation.md and .svg; the same seeds make the same files.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from statistics import mean

from bench.queue_chart import Curve, Point, chart
from bench.queue_days import Day, Kind, Rule, Visit, make_day, play
from bench.queue_rules import first_come, own, zms
from bench.report import Line, tell
from server.offices.policy import DEFAULT, OfficePolicy

DAYS = 40
KINDS = tuple(Kind(windows, load) for windows in (3, 5, 8, 12) for load in (0.75, 0.80, 0.85, 0.90, 0.95))
NO_GRACE = replace(DEFAULT, late_grace_minutes=24 * 60)
"""The other rules know no late people: who has a booking has it."""
CURVE_WINDOWS, CURVE_LOADS = 5, (0.75, 0.85, 0.95)
SETTINGS = ((0, 20), (1, 20), (2, 20), (3, 20), (5, 20), (10, 20), (60, 20), (60, 10), (60, 0))
"""(booked_first_minutes, walk_in_due_minutes) from most for booked people to most for those without a booking."""


@dataclass(frozen=True)
class Waits:
    """How long some people waited on all days of a kind, in minutes; `of_a_day` is the mean of the days' longest."""

    mean: float
    p95: float
    longest: float
    of_a_day: float

    @classmethod
    def of(cls, days: Iterable[Sequence[Visit]]) -> "Waits":
        """Of one group of people on several days."""
        waits = [sorted(visit.waited / timedelta(minutes=1) for visit in day) for day in days if day]
        everybody = sorted(minutes for day in waits for minutes in day)
        p95 = everybody[int(0.95 * len(everybody))]
        return cls(mean(everybody), p95, everybody[-1], mean(day[-1] for day in waits))

    def to_json(self) -> dict[str, float]:
        """To tenths of a minute."""
        return {key: round(value, 1) for key, value in vars(self).items()}

    def __truediv__(self, other: "Waits") -> "Waits":
        """How many times as long as others."""
        return Waits(*(mine / theirs for mine, theirs in zip(vars(self).values(), vars(other).values(), strict=True)))


@dataclass(frozen=True)
class Outcome:
    """What a rule made of the days of a kind; whoever came later than the grace is not among the booked."""

    booked: Waits
    walk_ins: Waits
    late: Waits
    idle_minutes: float

    @classmethod
    def of(cls, days: Sequence[Day], rule: Rule, policy: OfficePolicy) -> "Outcome":
        """Play them."""
        played = [play(day, rule, policy) for day in days]

        def waits(belongs: Callable[[Visit], bool]) -> Waits:
            return Waits.of([visit for visit in one.visits if belongs(visit)] for one in played)

        return cls(
            waits(lambda v: v.person.booked_at is not None and not _late(v)),
            waits(lambda v: v.person.booked_at is None),
            waits(_late),
            sum((one.idle for one in played), timedelta()) / timedelta(minutes=1) / len(played),
        )


def _late(visit: Visit) -> bool:
    grace = timedelta(minutes=DEFAULT.late_grace_minutes)
    return visit.person.booked_at is not None and visit.arrived_at > visit.person.booked_at + grace


@dataclass(frozen=True)
class Compared:
    """The days of a kind with three rules."""

    kind: Kind
    own: Outcome
    zms: Outcome
    first_come: Outcome

    @classmethod
    def of(cls, kind: Kind, days: int = DAYS) -> "Compared":
        """Make the days and play them."""
        made = [make_day(seed, kind) for seed in range(days)]
        return cls(
            kind,
            Outcome.of(made, own, DEFAULT),
            Outcome.of(made, zms, NO_GRACE),
            Outcome.of(made, first_come, NO_GRACE),
        )

    @property
    def limits(self) -> Waits:
        """How long people without a booking may wait, in times of the other rule."""
        return Waits(0.75, 0.85, 0.65, 0.65) if _roomy(self.kind) else Waits(0.9, 1.0, 1.0, 1.0)

    def missed(self) -> list[str]:
        """Which aims are missed."""
        booked, walk_ins, limits = self.own.booked / self.zms.booked, self.own.walk_ins / self.zms.walk_ins, self.limits
        aims = {
            "booked mean": booked.mean <= 1,
            "booked p95": booked.p95 <= 1,
            "walk-ins mean": walk_ins.mean <= limits.mean,
            "walk-ins p95": walk_ins.p95 <= limits.p95,
            "walk-ins longest": walk_ins.longest <= limits.longest,
            "idle": self.own.idle_minutes == 0,
        }
        return [name for name, met in aims.items() if not met]


def _roomy(kind: Kind) -> bool:
    return kind.windows >= 5 and kind.load <= 0.85


def measure() -> Iterator[Line]:
    """One line for each kind of day."""
    for kind in KINDS:
        tell(f"queue: {kind.windows} windows, load {kind.load}")
        yield _line(Compared.of(kind))


def _line(compared: Compared) -> Line:
    limits, missed = compared.limits, compared.missed()
    facts = {
        "windows": compared.kind.windows,
        "load": compared.kind.load,
        "days": DAYS,
        "booked": compared.own.booked.to_json(),
        "walk_ins": compared.own.walk_ins.to_json(),
        "late": compared.own.late.to_json(),
        "idle_minutes": compared.own.idle_minutes,
        "missed": missed,
    }
    raw = {"what": "the rule of it-at-m/eappointment on the same days", **_raw(compared.zms)}
    aim = f"booked ≤ 1 ×; walk-ins mean, p95, longest ≤ {limits.mean}, {limits.p95}, {limits.longest} ×; idle 0"
    ratio = compared.own.walk_ins.mean / compared.zms.walk_ins.mean
    return Line("queue", facts, {**raw, "first_come": _raw(compared.first_come)}, ratio, aim, not missed)


def _raw(outcome: Outcome) -> dict[str, dict[str, float]]:
    return {"booked": outcome.booked.to_json(), "walk_ins": outcome.walk_ins.to_json()}


def curve(load: float) -> Curve:
    """What else the policy could be at a load: booked people's 95th percentile against the longest wait of a day of
    those without a booking, both in times of the other rule."""
    days = [make_day(seed, Kind(CURVE_WINDOWS, load)) for seed in range(DAYS)]
    other = Outcome.of(days, zms, NO_GRACE)
    points = []
    for first, due in SETTINGS:
        policy = replace(DEFAULT, booked_first_minutes=first, walk_in_due_minutes=due)
        one = Outcome.of(days, own, policy)
        booked, walk_ins = one.booked / other.booked, one.walk_ins / other.walk_ins
        points.append(Point(first, due, booked.mean, booked.p95, walk_ins.mean, walk_ins.longest, walk_ins.of_a_day))
    return Curve(load, tuple(points))


def write(folder: Path) -> None:
    """The page and its chart."""
    curves = [curve(load) for load in CURVE_LOADS]
    default = (DEFAULT.booked_first_minutes, DEFAULT.walk_in_due_minutes)
    (folder / "queue-simulation.svg").write_text(chart(curves, default, CURVE_WINDOWS), encoding="utf-8")
    rows = [_row(Compared.of(kind)) for kind in KINDS]
    page = PAGE.format(
        days=DAYS, first=default[0], due=default[1], rows="\n".join(rows), settings="\n".join(_settings(curves)),
        windows=CURVE_WINDOWS,
    )  # fmt: skip
    (folder / "queue-simulation.md").write_text(page, encoding="utf-8")


def _row(compared: Compared) -> str:
    kind, mine, other, arrival = compared.kind, compared.own, compared.zms, compared.first_come
    columns = [
        *(
            f"{getattr(rule, who).mean:.1f} / {getattr(rule, who).p95:.0f}"
            for who in ("booked",)
            for rule in (mine, other, arrival)
        ),
        *(
            f"{rule.walk_ins.mean:.1f} / {rule.walk_ins.p95:.0f} / {rule.walk_ins.longest:.0f}"
            for rule in (mine, other, arrival)
        ),
    ]
    times = mine.walk_ins / other.walk_ins
    ratios = f"{times.mean:.2f} / {times.p95:.2f} / {times.longest:.2f} ({times.of_a_day:.2f})"
    missed = ", ".join(compared.missed()) or "–"
    return f"| {kind.windows} | {kind.load:.2f} | {' | '.join(columns)} | {ratios} | {missed} |"


def _settings(curves: Sequence[Curve]) -> Iterator[str]:
    for nth, (first, due) in enumerate(SETTINGS):
        cells = [
            f"{p.booked_mean:.2f} / {p.booked_p95:.2f} · {p.walk_ins_mean:.2f} / {p.longest:.2f} ({p.of_a_day:.2f})"
            for p in (one.points[nth] for one in curves)
        ]
        yield f"| {first} | {due} | {' | '.join(cells)} |"


PAGE = Path(__file__).with_name("queue_page.md").read_text(encoding="utf-8")

if __name__ == "__main__":
    write(Path(__file__).parents[1] / "docs")
