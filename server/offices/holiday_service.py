"""Entry points for the table of holidays: filled from the library, compared with its newer versions, changed by staff.

The library is asked once for each of its versions and years, and loaded only for that: it takes some 20 MB. Nothing
that stands in the table is overwritten; where library and table differ, staff are told and decide.
"""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from importlib.metadata import version

from sqlalchemy import select
from sqlalchemy.orm import Session

from server.audit import record
from server.auth.forms import may_be_kept
from server.clock import business_date
from server.db import Transaction, locked, read_session, transaction
from server.errors import Invalid, NotFound
from server.events import OpeningChanged
from server.offices.models import HolidaySource, HolidayYear, Office, PublicHoliday
from server.offices.opening_changes import FIRST_YEAR, LAST_YEAR
from server.offices.opening_rules import LONGEST_RELATION, Holiday, HolidayKind

log = logging.getLogger(__name__)

YEARS_AHEAD = 2
# What the library calls the days of paragraphs 2 and 3.
_KINDS = {"振替休日": HolidayKind.SUBSTITUTE, "国民の休日": HolidayKind.BETWEEN}
LONGEST_NAME = 40


class UnknownHoliday(NotFound):
    """Neither table nor library has a holiday on this day."""

    code = "unknown_holiday"


class HolidayName(Invalid):
    """A holiday needs a name of at most 40 characters."""

    code = "holiday_name"


class HolidayDay(Invalid):
    """The table is of the years for which an office plans."""

    code = "holiday_day"


@dataclass(frozen=True)
class Difference:
    """A day on which library and table do not say the same; an empty name is no holiday."""

    day: date
    library: str
    table: str


def library_holidays(year: int) -> dict[date, Holiday]:
    """What the library says of a year."""
    from holidays import country_holidays  # here and not above: see the module's docstring

    found = country_holidays("JP", years=year, language="ja")
    return {day: Holiday(name, _KINDS.get(name, HolidayKind.NATIONAL)) for day, name in found.items()}


def differences(table: Mapping[date, str], library: Mapping[date, str]) -> list[Difference]:
    """Where two tables of names differ, in order of time."""
    days = sorted(table.keys() | library.keys())
    both = [Difference(day, library.get(day, ""), table.get(day, "")) for day in days]
    return [one for one in both if one.library != one.table]


def keep_holidays(now: datetime) -> int:
    """Fill this year and the coming ones if they are missing, and compare them with each new version of the library
    (sweep). Gives the number of years looked at; 0 if there was nothing to do.
    """
    wanted = range(business_date(now).year, business_date(now).year + YEARS_AHEAD + 1)
    library = version("holidays")
    seen = {row.year: row.library for row in read_session().execute(select(HolidayYear.year, HolidayYear.library))}
    stale = [year for year in wanted if seen.get(year) != library]
    for year in stale:
        _look_at(year, library, now)
    return len(stale)


def fill_year(year: int, now: datetime) -> int:
    """A year the sweep does not look at, e.g. a past one for statistics. Gives the number of days added."""
    return _look_at(year, version("holidays"), now)


def set_holiday(day: date, name: str, by: str, now: datetime) -> None:
    """Staff say that a day is a holiday, whatever the library says. Raises HolidayDay, HolidayName."""
    check_year(day.year)
    name = name.strip()
    if not 1 <= len(name) <= LONGEST_NAME or not may_be_kept(name):
        raise HolidayName(most=LONGEST_NAME)
    with transaction() as tx:
        _decide(tx, day, name, counts=True)
        record(tx, now, by, "holiday.set", None, day=day.isoformat(), name=name)


def strike_holiday(day: date, by: str, now: datetime) -> None:
    """Staff say that a day is no holiday, whatever the library says. Raises HolidayDay, UnknownHoliday."""
    check_year(day.year)
    with transaction() as tx:
        standing = tx.session.get(PublicHoliday, day)
        reported = next((one.library for one in reported_differences(tx.session) if one.day == day), None)
        if standing is None and not reported:
            raise UnknownHoliday(day=day.isoformat())
        _decide(tx, day, standing.name if standing is not None else reported or "", counts=False)
        record(tx, now, by, "holiday.strike", None, day=day.isoformat())


def check_year(year: int) -> None:
    """Raise HolidayDay unless an office plans for this year."""
    if not FIRST_YEAR <= year <= LAST_YEAR:
        raise HolidayDay(first=FIRST_YEAR, last=LAST_YEAR)


def holidays_of(session: Session, year: int) -> Sequence[PublicHoliday]:
    """The rows of a year in order of time, struck ones too."""
    days = PublicHoliday.day.between(date(year, 1, 1), date(year, 12, 31))
    return session.scalars(select(PublicHoliday).where(days).order_by(PublicHoliday.day)).all()


def reported_differences(session: Session) -> list[Difference]:
    """What the newest comparisons found and nobody has decided since."""
    decided = set(session.scalars(select(PublicHoliday.day).where(PublicHoliday.source == HolidaySource.STAFF)))
    years = session.scalars(select(HolidayYear.differences).order_by(HolidayYear.year)).all()
    found = [Difference(date.fromisoformat(day), library, table) for rows in years for day, library, table in rows]
    return [one for one in found if one.day not in decided]


def _look_at(year: int, library: str, now: datetime) -> int:
    says = library_holidays(year)
    with transaction() as tx:
        new = tx.insert_or_ignore(HolidayYear, {"year": year, "library": library, "differences": []})
        row = tx.session.scalars(locked(select(HolidayYear).where(HolidayYear.year == year))).one()
        row.library = library
        if new:
            added = sum(
                tx.insert_or_ignore(PublicHoliday, {"day": day, "name": one.name, "kind": one.kind, **_FILLED})
                for day, one in sorted(says.items())
            )
            record(tx, now, "timetable", "holidays.fill", None, year=year, days=added)
            return added
        standing = {one.day: one for one in holidays_of(tx.session, year)}
        table = {day: one.name for day, one in standing.items() if one.counts}
        undecided = [
            one
            for one in differences(table, {day: one.name for day, one in says.items()})
            if one.day not in standing or standing[one.day].source is HolidaySource.LIBRARY
        ]
        row.differences = [[one.day.isoformat(), one.library, one.table] for one in undecided]
        if undecided:
            record(tx, now, "timetable", "holidays.differ", None, year=year, days=len(undecided))
    for one in undecided:
        log.warning("holiday %s: library says %r, table %r", one.day, one.library, one.table)
    return 0


_FILLED = {"source": HolidaySource.LIBRARY, "counts": True}


def _decide(tx: Transaction, day: date, name: str, *, counts: bool) -> None:
    """Write down what staff decided; every office's days follow: that day, and those that are counted from it."""
    kind = _KINDS.get(name, HolidayKind.NATIONAL)
    tx.session.merge(PublicHoliday(day=day, name=name, kind=kind, source=HolidaySource.STAFF, counts=counts))
    for office_id in tx.session.scalars(select(Office.id).order_by(Office.id)):
        tx.publish(
            OpeningChanged(office_id, day - timedelta(days=LONGEST_RELATION), day + timedelta(days=LONGEST_RELATION))
        )
