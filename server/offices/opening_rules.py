"""When an office is open (pure): rules of eight kinds, of which the first kind that speaks of a day decides it.

In order: dated rules, closures, system outages, yearly ranges, holidays, days relative to others, n-th weekdays, the
week. Of closures and outages only those that cover the whole day decide; others take their hours out of what the
remaining kinds say, and so does every closed rule that names services, for these services alone. Rules of one kind
that open the same day are its sessions; a closed one among them closes it. A rule that `adds` puts its session beside
what the later kinds say. A dated opening beats closures and outages, too: whoever writes it down means it.
"""

from calendar import monthrange
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from enum import Enum
from functools import cached_property
from itertools import groupby

from server.clock import at_minute, business_date

LOOK_BACK_DAYS = 60
LONGEST_CLOSED_DAYS = 366
MIDNIGHT = 1440
LONGEST_RELATION = 31  # days from a holiday or n-th weekday to the day that is counted from it
LAST = 6  # in `nth`: the last one of the month


class RuleKind(Enum):
    """How an opening rule chooses its days, in the order in which they decide."""

    DATED = "dated"
    CLOSURE = "closure"
    OUTAGE = "outage"
    YEARLY = "yearly"
    HOLIDAY = "holiday"
    RELATIVE = "relative"
    NTH = "nth"
    WEEKLY = "weekly"


class OnClosedWeekday(Enum):
    """What holiday hours mean on a weekday on which the office is closed anyway."""

    CLOSED = "closed"
    OPEN = "open"


class HolidayKind(Enum):
    """国民の祝日に関する法律, article 3: paragraphs 1, 2 and 3."""

    NATIONAL = "national"
    SUBSTITUTE = "substitute"
    BETWEEN = "between"


class Caution(Enum):
    """What staff should look at: the day is decided, but perhaps not as they mean it."""

    HOLIDAY_UNDECIDED = "holiday_undecided"
    OUTAGE_OVERRULED = "outage_overruled"
    OVERLAP = "overlap"
    HOLIDAYS_UNKNOWN = "holidays_unknown"


@dataclass(frozen=True)
class Holiday:
    """One day of the table of holidays."""

    name: str
    kind: HolidayKind = HolidayKind.NATIONAL


def bits_of(numbers: Iterable[int], first: int = 1) -> int:
    """A set of small numbers as bits, `first` being the lowest: how rules keep weekdays (0–6), n-ths and months."""
    return sum(1 << (number - first) for number in set(numbers))


def numbers_of(bits: int, first: int = 1) -> tuple[int, ...]:
    """The numbers that `bits_of` was given, in order."""
    return tuple(n + first for n in range(bits.bit_length()) if bits >> n & 1)


@dataclass(frozen=True)
class Rule:
    """One session of opening hours, or a closure; minutes count from midnight, 1440 is the next midnight.

    Which fields say the days: DATED `on_date` (… `until_date`); CLOSURE and OUTAGE from minute `opens` of `on_date` to
    minute `closes` of `until_date`; YEARLY `first_md` … `last_md` (month × 100 + day, may cross the year); HOLIDAY;
    RELATIVE `days_after` days after a holiday or, with `weekdays`, after the `nth` ones of a month (in `months`); NTH
    `weekdays`, `nth`, `months`; WEEKLY `weekdays`. `services` names codes, None is all.
    """

    id: int
    kind: RuleKind
    weekdays: int = 0
    nth: int = 0
    months: int = 0
    days_after: int = 0
    on_date: date | None = None
    until_date: date | None = None
    first_md: int | None = None
    last_md: int | None = None
    substitutes: bool = True
    on_closed_weekday: OnClosedWeekday | None = None
    adds: bool = False
    closed: bool = False
    opens: int = 0
    closes: int = 0
    last_booked: int = 0
    last_walk_in: int = 0
    services: frozenset[str] | None = None
    reason: str = ""
    valid_from: date | None = None
    valid_to: date | None = None

    @property
    def takes_away(self) -> bool:
        """Whether this rule takes hours or services out of a day instead of deciding it."""
        return self.kind in TAKING or (self.closed and self.services is not None)

    def is_valid_on(self, day: date) -> bool:
        """Whether the rule stands on a day, whatever days it chooses."""
        return (self.valid_from or day) <= day <= (self.valid_to or day)


TAKING = (RuleKind.CLOSURE, RuleKind.OUTAGE)
RANKS = {kind: rank for rank, kind in enumerate(RuleKind)}


def _rank(rule: Rule) -> int:
    return RANKS[rule.kind]


@dataclass(frozen=True)
class OpenSession:
    """One stretch of opening: moments of opening, closing and the two last receptions; `services` None is all.

    `grid`: when the session opened of which this is the rest, else None.
    """

    opens: datetime
    closes: datetime
    last_booked: datetime
    last_walk_in: datetime
    services: frozenset[str] | None = None
    grid: datetime | None = None

    def offers(self, service: str) -> bool:
        """Whether a service (code) is done in this session."""
        return self.services is None or service in self.services


@dataclass(frozen=True)
class DayPlan:
    """One day: its sessions in order of time, none if closed; never two at once.

    `rule` has decided it (None: no rule speaks of the day, so it is closed), `taken_by` took hours or services away.
    """

    day: date
    sessions: tuple[OpenSession, ...]
    rule: Rule | None = None
    taken_by: tuple[Rule, ...] = ()
    holiday: Holiday | None = None
    warnings: tuple[Caution, ...] = ()

    def session_at(self, now: datetime) -> OpenSession | None:
        """The session that is running at a moment, if any."""
        return next((s for s in self.sessions if s.opens <= now < s.closes), None)


@dataclass(frozen=True)
class _Hours:
    """A session in minutes of its day."""

    opens: int
    closes: int
    last_booked: int
    last_walk_in: int
    services: frozenset[str] | None
    grid: int  # when the session opened of which this may be the rest


@dataclass
class Calendar:
    """An office's rules with the holidays they speak of. Plans are made when they are asked for, and kept.

    `offered` are the codes of all the office's services: needed to take some of them away.
    """

    rules: Iterable[Rule]
    holidays: Mapping[date, Holiday]
    offered: Collection[str] = ()
    _plans: dict[date, DayPlan] = field(default_factory=dict, init=False, repr=False)

    def __post_init__(self) -> None:
        """Read the rules once."""
        self.rules = tuple(self.rules)

    def plan(self, day: date) -> DayPlan:
        """What a day is like."""
        found = self._plans.get(day)
        if found is None:
            found = self._plans[day] = self._planned(day)
        return found

    def session_at(self, now: datetime) -> OpenSession | None:
        """The session that is running at a moment, if any."""
        return self.plan(business_date(now)).session_at(now)

    def next_opening(self, now: datetime, service: str | None = None) -> datetime | None:
        """When the office opens next, after `now` (for one service, if given); None if not within a year."""
        today = business_date(now)
        for ahead in range(LONGEST_CLOSED_DAYS):
            for session in self.plan(today + timedelta(days=ahead)).sessions:
                if session.opens > now and (service is None or session.offers(service)):
                    return session.opens
        return None

    def open_day_before(self, day: date) -> date | None:
        """The last open day before a day; None if not within two months."""
        days = (day - timedelta(days=back) for back in range(1, LOOK_BACK_DAYS))
        return next((d for d in days if self.plan(d).sessions), None)

    # The kinds

    @cached_property
    def _in_order(self) -> list[Rule]:
        return sorted(self.rules, key=_rank)

    @cached_property
    def _asks_for_holidays(self) -> bool:
        return any(r.kind is RuleKind.HOLIDAY or _follows_holiday(r) for r in self.rules)

    @cached_property
    def _years_known(self) -> set[int]:
        return {day.year for day in self.holidays}

    def _planned(self, day: date) -> DayPlan:
        speaking = [rule for rule in self._in_order if self._speaks_of(rule, day)]
        rule, hours = self._decided(day, speaking)
        cautions = set()
        taken_by: list[Rule] = []
        for taking in (r for r in speaking if r.takes_away):
            left = [piece for one in hours for piece in self._without(one, taking, *_stretch(taking, day))]
            if left == hours:
                continue
            if rule is not None and _rank(taking) > _rank(rule):  # overruled
                if taking.kind is RuleKind.OUTAGE:
                    cautions.add(Caution.OUTAGE_OVERRULED)
                continue
            hours, taken_by = left, [*taken_by, taking]
        hours, overlapping = _one_after_another(hours)
        if overlapping:
            cautions.add(Caution.OVERLAP)
        if rule is not None and rule.on_closed_weekday is None and self._meets_closed_weekday(rule, day):
            cautions.add(Caution.HOLIDAY_UNDECIDED)
        if self._asks_for_holidays and day.year not in self._years_known:
            cautions.add(Caution.HOLIDAYS_UNKNOWN)
        sessions = tuple(_session(day, one) for one in hours)
        in_order = tuple(c for c in Caution if c in cautions)
        return DayPlan(day, sessions, rule, tuple(taken_by), self.holidays.get(day), in_order)

    def _decided(self, day: date, speaking: Iterable[Rule]) -> tuple[Rule | None, list[_Hours]]:
        """The rule of the first kind that speaks of a day, and the hours it gives; nothing is taken away yet."""
        added: list[Rule] = []
        deciding = (r for r in speaking if not r.takes_away or _takes_whole_day(r, day))
        for _, kind in groupby(deciding, key=_rank):
            rules = list(kind)
            added += [r for r in rules if r.adds]
            if not (rules := [r for r in rules if not r.adds]):
                continue
            closing = next((r for r in rules if r.closed or r.kind in TAKING or self._stays_closed(r, day)), None)
            if closing is None:
                return rules[0], [_hours(r) for r in [*rules, *added]]
            return (added[0] if added else closing), [_hours(r) for r in added]
        return (added[0] if added else None), [_hours(r) for r in added]

    def _speaks_of(self, rule: Rule, day: date) -> bool:
        if not rule.is_valid_on(day):
            return False
        match rule.kind:
            case RuleKind.WEEKLY:
                return bool(rule.weekdays >> day.weekday() & 1)
            case RuleKind.NTH:
                return _is_nth(rule, day)
            case RuleKind.HOLIDAY:
                return self._is_holiday(day, rule.substitutes)
            case RuleKind.YEARLY:
                return _in_year(rule, day)
            case RuleKind.RELATIVE:
                anchor = day - timedelta(days=rule.days_after)
                return _is_nth(rule, anchor) if rule.weekdays else self._is_holiday(anchor, rule.substitutes)
            case _:
                return rule.on_date is not None and rule.on_date <= day <= (rule.until_date or rule.on_date)

    def _is_holiday(self, day: date, substitutes: bool) -> bool:
        holiday = self.holidays.get(day)
        return holiday is not None and (substitutes or holiday.kind is HolidayKind.NATIONAL)

    def _stays_closed(self, rule: Rule, day: date) -> bool:
        """Holiday hours on a closed weekday count only where the office says so."""
        return rule.on_closed_weekday is not OnClosedWeekday.OPEN and self._meets_closed_weekday(rule, day)

    def _meets_closed_weekday(self, rule: Rule, day: date) -> bool:
        if rule.kind is not RuleKind.HOLIDAY or rule.closed:
            return False
        week = (r for r in self._in_order if r.kind is RuleKind.WEEKLY and not r.closed)
        return not any(self._speaks_of(r, day) for r in week)

    def _without(self, one: _Hours, rule: Rule, start: int, end: int) -> Iterable[_Hours]:
        """What is left of a session when a rule takes the minutes from `start` to `end` away."""
        start, end = max(start, one.opens), min(end, one.closes)
        if start >= end:
            return [one]
        pieces = []
        if one.opens < start:
            # Who is received last must be done by then, as at the end of the day – unless others go on being received.
            early = one.closes - start if rule.services is None else 0
            pieces.append(
                replace(
                    one,
                    closes=start,
                    last_booked=max(min(one.last_booked - early, start), one.opens),
                    last_walk_in=max(min(one.last_walk_in - early, start), one.opens),
                )
            )
        if rule.services is not None:
            left = frozenset(self.offered if one.services is None else one.services) - rule.services
            if left:
                pieces.append(_piece(one, start, end, left))
        if end < one.closes:
            pieces.append(_piece(one, end, one.closes, one.services))
        return [piece for piece in pieces if max(piece.last_booked, piece.last_walk_in) >= piece.opens]


def _piece(one: _Hours, opens: int, closes: int, services: frozenset[str] | None) -> _Hours:
    return _Hours(opens, closes, min(one.last_booked, closes), min(one.last_walk_in, closes), services, one.grid)


def _follows_holiday(rule: Rule) -> bool:
    return rule.kind is RuleKind.RELATIVE and not rule.weekdays


def _is_nth(rule: Rule, day: date) -> bool:
    """Whether a day is an n-th weekday as the rule says; the last one counts as such besides its number."""
    if not rule.weekdays >> day.weekday() & 1 or (rule.months and not rule.months >> (day.month - 1) & 1):
        return False
    number = (day.day - 1) // 7 + 1
    is_last = day.day + 7 > monthrange(day.year, day.month)[1]
    return bool(rule.nth >> (number - 1) & 1) or (is_last and bool(rule.nth >> (LAST - 1) & 1))


def _in_year(rule: Rule, day: date) -> bool:
    md, first, last = day.month * 100 + day.day, rule.first_md or 0, rule.last_md or 0
    return first <= md <= last if first <= last else md >= first or md <= last


def _stretch(rule: Rule, day: date) -> tuple[int, int]:
    """From which minute of a day to which a rule takes away."""
    if rule.kind not in TAKING:
        return 0, MIDNIGHT
    start = rule.opens if day == rule.on_date else 0
    end = rule.closes if day == (rule.until_date or rule.on_date) else MIDNIGHT
    return start, end


def _takes_whole_day(rule: Rule, day: date) -> bool:
    return rule.services is None and _stretch(rule, day) == (0, MIDNIGHT)


def _hours(rule: Rule) -> _Hours:
    return _Hours(rule.opens, rule.closes, rule.last_booked, rule.last_walk_in, rule.services, rule.opens)


def _session(day: date, one: _Hours) -> OpenSession:
    opens, closes, booked, walk_in = (
        at_minute(day, minute) for minute in (one.opens, one.closes, one.last_booked, one.last_walk_in)
    )
    grid = None if one.grid == one.opens else at_minute(day, one.grid)
    return OpenSession(opens, closes, booked, walk_in, one.services, grid)


def _one_after_another(hours: list[_Hours]) -> tuple[list[_Hours], bool]:
    """Sessions in order of time. Where two meet, the later one begins when the earlier one ends."""
    found: list[_Hours] = []
    overlapping = False
    for one in sorted(hours, key=lambda h: (h.opens, h.closes)):
        if found and one.opens < found[-1].closes:
            overlapping = True
            if one.closes <= found[-1].closes:
                continue
            one = replace(one, opens=found[-1].closes)
        found.append(one)
    return found, overlapping
