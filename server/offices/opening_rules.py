"""Opening hours of one day (pure): dated rules before weekly ones.

Further kinds (holidays, n-th weekdays, days relative to others, closures inside a day) join this precedence.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Protocol

from server.clock import at_minute, business_date

LOOK_AHEAD_DAYS = 60


class RuleLike(Protocol):
    """What is needed of an opening rule."""

    weekday: int | None
    on_date: date | None
    closed: bool
    opens: int
    closes: int
    last_booked: int
    last_walk_in: int
    valid_from: date | None
    valid_to: date | None


@dataclass(frozen=True)
class OpenSession:
    """One stretch of opening: moments of opening, closing and the two last receptions."""

    opens: datetime
    closes: datetime
    last_booked: datetime
    last_walk_in: datetime


def sessions_on(day: date, rules: Iterable[RuleLike]) -> list[OpenSession]:
    """The sessions of a day in order of time; none if the office is closed."""
    valid = [r for r in rules if (r.valid_from or day) <= day <= (r.valid_to or day)]
    chosen = [r for r in valid if r.on_date == day] or [r for r in valid if r.weekday == day.weekday()]
    if any(r.closed for r in chosen):
        return []
    return sorted((_session(day, r) for r in chosen), key=lambda s: s.opens)


def _session(day: date, rule: RuleLike) -> OpenSession:
    minutes = (rule.opens, rule.closes, rule.last_booked, rule.last_walk_in)
    return OpenSession(*(at_minute(day, m) for m in minutes))


def session_at(now: datetime, rules: Iterable[RuleLike]) -> OpenSession | None:
    """The session that is running at a moment, if any."""
    return next((s for s in sessions_on(business_date(now), rules) if s.opens <= now < s.closes), None)


def next_opening(now: datetime, rules: Iterable[RuleLike]) -> datetime | None:
    """When the office opens next, after `now`; None if not within two months."""
    rules = list(rules)
    for ahead in range(LOOK_AHEAD_DAYS):
        for session in sessions_on(business_date(now) + timedelta(days=ahead), rules):
            if session.opens > now:
                return session.opens
    return None


def open_day_before(day: date, rules: Iterable[RuleLike]) -> date | None:
    """The last open day before a day; None if not within two months."""
    rules = list(rules)
    days = (day - timedelta(days=back) for back in range(1, LOOK_AHEAD_DAYS))
    return next((d for d in days if sessions_on(d, rules)), None)
