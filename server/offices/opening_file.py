"""The opening rules of an office's file (format: docs/offices.md): TOML read into rules, and rules in its words."""

from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import date
from typing import Any

from server.offices.office_file import YEARS, OfficeFileUnusable, Row, day_in
from server.offices.opening_changes import PRESETS, faults_of, minute_of
from server.offices.opening_rules import LAST, MIDNIGHT, OnClosedWeekday, Rule, RuleKind, bits_of, numbers_of
from server.offices.policy import WEEKDAYS

# Exactly one of these says of which days a table speaks.
CHOOSING = ("preset", "days", "nth", "after", "yearly", "holidays", "from")
KEYS = (
    *CHOOSING,
    *("weekdays", "months", "days_after", "substitutes", "on_closed_weekday", "to", "outage"),
    *("closed", "opens", "closes", "last_booked", "last_walk_in", "break"),
    *("services", "adds", "reason", "valid_from", "valid_to"),
)
FILE_PRESETS = ("maintenance", "year_end", "holidays")
WHAT_TO_DO = {
    "dates": ("to", "write a moment that is not before `from`"),
    "days_after": ("days_after", "write a whole number from -31 to 31, not 0"),
    "hours": ("closes", "write times as 8:30, the end after the beginning, 24:00 at the latest"),
    "last_reception": ("last_booked", "write last_booked and last_walk_in between opens and closes"),
    "nth": ("nth", "write both nth and weekdays"),
    "services": ("services", "write codes of services that the file names"),
    "validity": ("valid_to", "write a day that is not before valid_from"),
    "weekdays": ("weekdays", "write at least one of " + ", ".join(WEEKDAYS)),
    "yearly": ("yearly", 'write two days of a year, as ["12-29", "01-03"]'),
}
A_TIME = "write a time as 8:30"
A_MOMENT = f'write a moment as "2027-10-07 8:00", {YEARS}'


def rules_in(tables: object, offered: Collection[str]) -> list[Rule]:
    """The rules of all `[[opening]]` tables. Raises OfficeFileUnusable naming the key."""
    return [rule for row in Row.all_of(tables, "opening", KEYS) for rule in _rules_of(row, offered)]


def _rules_of(row: Row, offered: Collection[str]) -> list[Rule]:
    chosen = [key for key in CHOOSING if key in row]
    if len(chosen) != 1:
        raise OfficeFileUnusable(key=row.where, fault=f"write exactly one of {', '.join(CHOOSING)}")
    if chosen[0] == "preset":
        row.one_of("preset", FILE_PRESETS)
    base = replace(
        _hours(row, chosen[0]),
        services=frozenset(row.some_of("services", offered, offered)) if "services" in row else None,
        adds=row.truth("adds", False),
        valid_from=row.day("valid_from"),
        valid_to=row.day("valid_to"),
    )
    rules = [piece for rule in _chosen(row, chosen[0], base) for piece in _around_break(row, rule)]
    for rule in rules:
        for fault in faults_of(rule, offered):
            key, what_to_do = WHAT_TO_DO[fault]
            raise row.fault(key if key in row or fault != "dates" else chosen[0], what_to_do)
        if rule.adds and rule.closed:
            raise row.fault("adds", "leave it out of closed rules")
    return rules


def _hours(row: Row, chosen: str) -> Rule:
    """The hours of a table, as a rule of no day yet."""
    reason = row.text("reason", longest=120) if row.values.get("reason") else ""
    closed = row.truth("closed", chosen == "preset" and row.values.get("preset") in FILE_PRESETS)
    if closed or chosen == "from":
        for key in ("opens", "closes", "last_booked", "last_walk_in", "break"):
            if key in row:
                raise row.fault(key, "leave it out of closed rules")
        return Rule(0, RuleKind.WEEKLY, closed=True, reason=reason)
    opens, closes = _time(row, "opens"), _time(row, "closes")
    return Rule(
        0,
        RuleKind.WEEKLY,
        opens=opens,
        closes=closes,
        last_booked=_time(row, "last_booked", closes),
        last_walk_in=_time(row, "last_walk_in", closes),
        reason=reason,
    )


def _chosen(row: Row, chosen: str, base: Rule) -> list[Rule]:
    match chosen:
        case "preset":
            preset = PRESETS[row.one_of("preset", FILE_PRESETS)]
            days = {"valid_from": base.valid_from, "valid_to": base.valid_to, "services": base.services}
            return [replace(preset, reason=base.reason or preset.reason, **days)]  # type: ignore[arg-type]
        case "days":
            return _days(row, base)
        case "nth":
            return [replace(base, kind=RuleKind.NTH, **_nth(row))]  # type: ignore[arg-type]
        case "after":
            far = row.values.get("days_after", 1)
            if not isinstance(far, int) or isinstance(far, bool):
                raise row.fault("days_after", WHAT_TO_DO["days_after"][1])
            anchor = row.values["after"]
            nth = {} if anchor == "holiday" else _nth(Row(anchor, f"{row.where}.after", ("nth", "weekdays", "months")))
            with_substitutes = row.truth("substitutes", True)
            return [
                replace(base, kind=RuleKind.RELATIVE, days_after=far, substitutes=with_substitutes, **nth)  # type: ignore[arg-type]
            ]
        case "yearly":
            days_of_year = row.values["yearly"]
            if not isinstance(days_of_year, list) or len(days_of_year) != 2:
                raise row.fault("yearly", WHAT_TO_DO["yearly"][1])
            first, last = (_month_day(row, text) for text in days_of_year)
            return [replace(base, kind=RuleKind.YEARLY, first_md=first, last_md=last)]
        case "holidays":
            if row.values["holidays"] is not True:
                raise row.fault("holidays", "write true, or leave it out")
            decided = row.one_of("on_closed_weekday", ("closed", "open")) if "on_closed_weekday" in row else None
            return [
                replace(
                    base,
                    kind=RuleKind.HOLIDAY,
                    substitutes=row.truth("substitutes", True),
                    on_closed_weekday=OnClosedWeekday(decided) if decided else None,
                )
            ]
        case _:
            (first_day, start), (last_day, end) = _moment(row, "from"), _moment(row, "to")
            kind = RuleKind.OUTAGE if row.truth("outage", False) else RuleKind.CLOSURE
            if end == 0:
                raise row.fault("to", "write 24:00 of the day before instead of 0:00")
            return [replace(base, kind=kind, on_date=first_day, until_date=last_day, opens=start, closes=end)]


def _days(row: Row, base: Rule) -> list[Rule]:
    """Weekdays become one rule, dates one each."""
    words = row.values["days"]
    if not isinstance(words, list) or not words:
        raise row.fault("days", f"write a list of {', '.join(WEEKDAYS)}, or of days as 2027-03-31")
    weekdays = [WEEKDAYS.index(word) for word in words if word in WEEKDAYS]
    rules = [replace(base, weekdays=bits_of(weekdays, 0))] if weekdays else []
    for word in words:
        if word not in WEEKDAYS:
            try:
                day = day_in(word)
            except ValueError:
                what_to_do = f"write weekdays ({', '.join(WEEKDAYS)}) or days as 2027-03-31, {YEARS}"
                raise row.fault("days", what_to_do) from None
            rules.append(replace(base, kind=RuleKind.DATED, on_date=day))
    return rules


def _nth(row: Row) -> dict[str, int]:
    numbers = row.values.get("nth", [])
    months = row.values.get("months", [])
    if not isinstance(numbers, list) or not all(n == "last" or (type(n) is int and 1 <= n <= 5) for n in numbers):
        raise row.fault("nth", 'write a list of 1 to 5 and "last"')
    if not isinstance(months, list) or not all(type(n) is int and 1 <= n <= 12 for n in months):
        raise row.fault("months", "write a list of 1 to 12")
    weekdays = [WEEKDAYS.index(word) for word in row.some_of("weekdays", WEEKDAYS, ())]
    if not weekdays:
        raise row.fault(*WHAT_TO_DO["weekdays"])
    return {
        "nth": bits_of(LAST if n == "last" else n for n in numbers),
        "weekdays": bits_of(weekdays, 0),
        "months": bits_of(months),
    }


def _around_break(row: Row, rule: Rule) -> Sequence[Rule]:
    """Two sessions where the file closes at noon: nobody is received in the break, up to its beginning all are."""
    if "break" not in row:
        return [rule]
    times = row.values["break"]
    if not isinstance(times, list) or len(times) != 2 or not all(isinstance(time, str) for time in times):
        raise row.fault("break", 'write two times, as ["12:00", "13:00"]')
    start, end = (minute_of(time) for time in times)
    if start is None or end is None or not rule.opens < start < end < rule.closes:
        raise row.fault("break", 'write two times between opens and closes, as ["12:00", "13:00"]')
    before = replace(
        rule, closes=start, last_booked=min(rule.last_booked, start), last_walk_in=min(rule.last_walk_in, start)
    )
    after = replace(rule, opens=end, last_booked=max(rule.last_booked, end), last_walk_in=max(rule.last_walk_in, end))
    return [before, after]


def _time(row: Row, key: str, default: int | None = None) -> int:
    if key not in row and default is not None:
        return default
    found = minute_of(row.text(key))
    if found is None:
        raise row.fault(key, A_TIME)
    return found


def _moment(row: Row, key: str) -> tuple[date, int]:
    day, _, time = row.text(key).partition(" ")
    try:
        found = minute_of(time)
        if found is not None:
            return day_in(day), found
    except ValueError:
        pass
    raise row.fault(key, A_MOMENT)


def _month_day(row: Row, text: Any) -> int:
    month, _, day = str(text).partition("-")
    if not all(part.isascii() and part.isdigit() and len(part) <= 2 for part in (month, day)):
        raise row.fault("yearly", WHAT_TO_DO["yearly"][1])
    return int(month) * 100 + int(day)


def line_of(rule: Rule) -> str:
    """A rule in one line, much as its file would say it."""
    weekdays = ",".join(WEEKDAYS[n] for n in numbers_of(rule.weekdays, 0))
    nth = ",".join("last" if n == LAST else str(n) for n in numbers_of(rule.nth))
    months = f" in months {','.join(map(str, numbers_of(rule.months)))}" if rule.months else ""
    days = {
        RuleKind.WEEKLY: weekdays,
        RuleKind.NTH: f"nth {nth} {weekdays}{months}",
        RuleKind.RELATIVE: f"{rule.days_after:+d} after " + (f"nth {nth} {weekdays}{months}" if nth else "holidays"),
        RuleKind.HOLIDAY: "holidays" if rule.substitutes else "holidays without substitutes",
        RuleKind.YEARLY: f"yearly {rule.first_md or 0:04d}-{rule.last_md or 0:04d}",
        RuleKind.DATED: f"{rule.on_date}"
        + (f"–{rule.until_date}" if rule.until_date not in (None, rule.on_date) else ""),
    }
    until = f"{rule.until_date or rule.on_date} {_clock(rule.closes)}"
    stretch = f"{rule.kind.value} {rule.on_date} {_clock(rule.opens)} – {until}"
    parts = [days.get(rule.kind, stretch)]
    if rule.kind in days:
        last = f" (last {_clock(rule.last_booked)}, {_clock(rule.last_walk_in)})"
        parts.append("closed" if rule.closed else f"{_clock(rule.opens)}-{_clock(rule.closes)}{last}")
    parts += [f"only {','.join(sorted(rule.services))}"] if rule.services is not None else []
    parts += ["added"] if rule.adds else []
    parts += [f"on closed weekdays: {rule.on_closed_weekday.value}"] if rule.on_closed_weekday else []
    parts += [f"from {rule.valid_from}"] if rule.valid_from else []
    parts += [f"to {rule.valid_to}"] if rule.valid_to else []
    return " ".join(parts)


def _clock(minute: int) -> str:
    return "24:00" if minute == MIDNIGHT else f"{minute // 60}:{minute % 60:02d}"
