"""What becomes of an office's opening rules when one is written, ended or many are read from a file (pure).

The past stays as it was: a rule that has counted already is ended with the day before, and the new one begins.
"""

import csv
import hashlib
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta

from server.auth.forms import may_be_kept
from server.offices.opening_rules import LONGEST_RELATION, MIDNIGHT, TAKING, Calendar, DayPlan, Rule, RuleKind

ONE_DAY = timedelta(days=1)
WITH_DATES = (RuleKind.DATED, RuleKind.CLOSURE, RuleKind.OUTAGE)
CSV_COLUMNS = ("day", "opens", "closes", "last_booked", "last_walk_in", "services", "reason")
MOST_CSV_ROWS = 1000
LONGEST_REASON = 120
FIRST_YEAR, LAST_YEAR = 2000, 2099
NOT_READ = "\ufffd"
"""Stands for letters of a table whose encoding nobody understands."""
PRESETS = {
    "maintenance": Rule(
        0, RuleKind.RELATIVE, weekdays=1 << 5, nth=1 << 2, days_after=1, closed=True, reason="全国システムの保守日"
    ),
    "year_end": Rule(0, RuleKind.YEARLY, first_md=1229, last_md=103, closed=True, reason="年末年始"),
    "holidays": Rule(0, RuleKind.HOLIDAY, closed=True),
    "lunch": Rule(0, RuleKind.WEEKLY, weekdays=31, opens=510, closes=1035, last_booked=1020, last_walk_in=1005),
}
"""What most offices need; `lunch` is a week that is closed at noon."""


@dataclass(frozen=True)
class RuleChange:
    """What is added (ids 0), removed, and ended with its last day."""

    add: tuple[Rule, ...] = ()
    remove: frozenset[int] = frozenset()
    end: Mapping[int, date] = field(default_factory=dict)

    def applied(self, rules: Iterable[Rule]) -> list[Rule]:
        """The rules as they will be."""
        kept = (r for r in rules if r.id not in self.remove)
        return [*(replace(r, valid_to=self.end.get(r.id, r.valid_to)) for r in kept), *self.add]


@dataclass(frozen=True)
class DayChange:
    """A day that is other than before."""

    before: DayPlan
    after: DayPlan


@dataclass(frozen=True)
class CsvFault:
    """A row of a CSV file that cannot be meant; `line` counts from one. `text` is empty where the row is not to be said
    again: it may hold a My Number."""

    line: int
    fault: str
    text: str


def digest(rules: Iterable[Rule]) -> str:
    """Names one state of the rules: who saves must have seen it."""
    text = "\n".join(sorted(f"{replace(r, services=None)!r} {sorted(r.services or ())}" for r in rules))
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def faults_of(rule: Rule, offered: Collection[str]) -> list[str]:
    """The fields of a rule that cannot be meant."""
    kind, found = rule.kind, []
    if kind in WITH_DATES and (rule.on_date is None or (rule.until_date or rule.on_date) < rule.on_date):
        found.append("dates")
    if kind in (RuleKind.WEEKLY, RuleKind.NTH) and not rule.weekdays:
        found.append("weekdays")
    if (kind is RuleKind.NTH and not rule.nth) or (kind is RuleKind.RELATIVE and bool(rule.weekdays) != bool(rule.nth)):
        found.append("nth")
    if kind is RuleKind.RELATIVE and (not rule.days_after or abs(rule.days_after) > LONGEST_RELATION):
        found.append("days_after")
    if kind is RuleKind.YEARLY and not (_is_day(rule.first_md) and _is_day(rule.last_md)):
        found.append("yearly")
    if kind in TAKING:
        one_day = rule.until_date in (None, rule.on_date)
        if not (
            0 <= rule.opens < MIDNIGHT and 0 < rule.closes <= MIDNIGHT and (not one_day or rule.opens < rule.closes)
        ):
            found.append("hours")
    elif not rule.closed:
        if not 0 <= rule.opens < rule.closes <= MIDNIGHT:
            found.append("hours")
        elif not all(rule.opens <= last <= rule.closes for last in (rule.last_booked, rule.last_walk_in)):
            found.append("last_reception")
    if rule.services is not None and (not rule.services or not rule.services <= set(offered)):
        found.append("services")
    if rule.valid_from and rule.valid_to and rule.valid_to < rule.valid_from:
        found.append("validity")
    return found


def _is_day(md: int | None) -> bool:
    try:
        return md is not None and bool(date(2000, *divmod(md, 100)))
    except ValueError:
        return False


def is_over(rule: Rule, today: date) -> bool:
    """Whether a rule says nothing of today and the days to come."""
    last = rule.until_date or rule.on_date
    return (rule.valid_to is not None and rule.valid_to < today) or (last is not None and last < today)


def without(rule: Rule, last_day: date | None, today: date) -> RuleChange:
    """A rule counts no more: after `last_day`, at once if there is none. What it said of past days stays."""
    last_day = today - ONE_DAY if last_day is None else max(last_day, today - ONE_DAY)
    if _begins(rule) > last_day:
        return RuleChange(remove=frozenset({rule.id}))
    return RuleChange(end={rule.id: last_day})


def written(old: Rule | None, new: Rule, today: date) -> RuleChange:
    """A new rule, or another one instead of `old` from the day on from which the new one is valid, at least today."""
    new = replace(new, id=0)
    if old is None:
        return RuleChange(add=(new,))
    since = max(new.valid_from or today, today)
    if _begins(old) >= since:
        return RuleChange(add=(new,), remove=frozenset({old.id}))
    return RuleChange(add=(replace(new, valid_from=since),), end={old.id: since - ONE_DAY})


def dated_instead(rules: Iterable[Rule], new: Sequence[Rule]) -> RuleChange:
    """Openings of single days, instead of those that these days have."""
    days = {rule.on_date for rule in new}
    old = (r for r in rules if r.kind is RuleKind.DATED and not r.closed and r.until_date in (None, r.on_date))
    return RuleChange(add=tuple(new), remove=frozenset(r.id for r in old if r.on_date in days))


def reloaded(rules: Iterable[Rule], wanted: Iterable[Rule], today: date) -> RuleChange:
    """What makes the standing rules the wanted ones; equal rules are left alone, and what is over as well."""
    standing = {_meaning(r, today): r for r in rules if not is_over(r, today)}
    coming = {_meaning(r, today): r for r in wanted if not is_over(r, today)}
    gone = [without(r, None, today) for meaning, r in standing.items() if meaning not in coming]
    add = []
    for meaning, rule in coming.items():
        if meaning not in standing:
            since = rule.valid_from if rule.kind in WITH_DATES else max(rule.valid_from or today, today)
            add.append(replace(rule, id=0, valid_from=since))
    return RuleChange(
        tuple(add),
        frozenset(n for one in gone for n in one.remove),
        {n: day for one in gone for n, day in one.end.items()},
    )


def _meaning(rule: Rule, today: date) -> Rule:
    """The rule as it counts from today on, whatever its number and since when it has."""
    begun = rule.valid_from is None or rule.valid_from <= today
    until = rule.on_date if rule.until_date is None else rule.until_date
    return replace(rule, id=0, until_date=until, valid_from=None if begun else rule.valid_from)


def _begins(rule: Rule) -> date:
    """The first day of which a rule may say something."""
    return max(rule.valid_from or date.min, rule.on_date or date.min)


def changed_days(before: Calendar, after: Calendar, first: date, last: date) -> list[DayChange]:
    """The days whose sessions are others."""
    days = (first + timedelta(days=n) for n in range((last - first).days + 1))
    both = (DayChange(before.plan(day), after.plan(day)) for day in days)
    return [one for one in both if one.before.sessions != one.after.sessions]


def read_csv(text: str, offered: Collection[str]) -> tuple[list[Rule], list[CsvFault]]:
    """Dated openings: day, opening, closing, then – where wanted – the two last receptions, services (codes with
    spaces between) and a reason. A first line without a day is a heading. Several rows of one day are its sessions.
    Each line is a row of its own.
    """
    if NOT_READ in text:
        return [], [CsvFault(1, "encoding", "")]
    rules: dict[date | None, list[Rule]] = {}
    faults: list[CsvFault] = []
    lines = enumerate(text.removeprefix("\ufeff").splitlines(), start=1)
    rows = [(n, line) for n, line in lines if line.strip(' ,"\t')]
    for place, (n, line) in enumerate(rows):
        if place > MOST_CSV_ROWS:
            faults.append(CsvFault(n, "rows", ""))
            break
        found = _read_row(line, n, offered)
        if place == 0 and found == "day" and not any(letter.isdigit() for letter in line.partition(",")[0]):
            continue
        if isinstance(found, Rule) and any(_meet(found, rule) for rule in rules.get(found.on_date, ())):
            found = "meets"
        if isinstance(found, Rule):
            rules.setdefault(found.on_date, []).append(found)
        else:
            faults.append(CsvFault(n, found, "" if found in UNSAID else line[:80]))
    if not rows:
        faults.append(CsvFault(1, "empty", ""))
    return [rule for of_day in rules.values() for rule in of_day], faults


UNSAID = ("letters", "quotes")
"""Faults of rows that are not said again."""


def _read_row(line: str, number: int, offered: Collection[str]) -> Rule | str:
    """The rule of a row, or why there is none."""
    try:
        [row] = csv.reader([line], strict=True)
    except csv.Error:
        return "quotes"
    row = [cell.strip() for cell in row]
    if not all(may_be_kept(cell) for cell in row):
        return "letters"
    if len(row) > len(CSV_COLUMNS):
        return "columns"
    rule = _rule_of(dict(zip(CSV_COLUMNS, row, strict=False)), number)
    return next(iter(faults_of(rule, offered)), rule) if isinstance(rule, Rule) else rule


def _rule_of(cells: Mapping[str, str], line: int) -> Rule | str:
    day = day_of(cells["day"])
    if day is None:
        return "day"
    times = {key: minute_of(cells.get(key, "")) for key in CSV_COLUMNS[1:5]}
    opens, closes = times["opens"], times["closes"]
    if opens is None or closes is None:
        return "hours"
    for key in ("last_booked", "last_walk_in"):
        if times[key] is None and cells.get(key):
            return "last_reception"
    if len(cells.get("reason", "")) > LONGEST_REASON:
        return "reason"
    booked, walk_in = times["last_booked"], times["last_walk_in"]
    return Rule(
        -line,
        RuleKind.DATED,
        on_date=day,
        opens=opens,
        closes=closes,
        last_booked=closes if booked is None else booked,
        last_walk_in=closes if walk_in is None else walk_in,
        services=frozenset(cells["services"].split()) if cells.get("services") else None,
        reason=cells.get("reason", ""),
    )


def _meet(one: Rule, other: Rule) -> bool:
    return one.opens < other.closes and other.opens < one.closes


def day_of(text: str) -> date | None:
    """A day as 2026-12-05 or 2026/12/5, in years that an office plans for; None of anything else."""
    parts = text.strip().replace("/", "-").split("-")
    if len(parts) != 3 or not all(part.isascii() and part.isdigit() and len(part) <= 4 for part in parts):
        return None
    year, month, day = map(int, parts)
    try:
        return date(year, month, day) if FIRST_YEAR <= year <= LAST_YEAR else None
    except ValueError:
        return None


def minute_of(text: str) -> int | None:
    """Minutes from midnight of a time such as 9:00; None of anything else."""
    hour, colon, minute = text.strip().partition(":")
    digits = hour + minute
    if not (colon and digits.isascii() and digits.isdigit() and 1 <= len(hour) <= 2 and len(minute) == 2):
        return None
    found = int(hour) * 60 + int(minute)
    return found if int(minute) < 60 and found <= MIDNIGHT else None
