"""The table of holidays: filled once, compared with each version of the library, decided by staff."""

from datetime import date, timedelta

import pytest

from server.audit import newest_entries
from server.booking.models import Slot
from server.db import read_session, transaction
from server.offices.holiday_service import (
    Difference,
    HolidayDay,
    HolidayName,
    UnknownHoliday,
    differences,
    fill_year,
    holidays_of,
    keep_holidays,
    library_holidays,
    reported_differences,
    set_holiday,
    strike_holiday,
)
from server.offices.models import HolidayYear, OpeningRule, PublicHoliday
from server.offices.opening_rules import HolidayKind, RuleKind
from server.offices.queries import calendar_of
from tests.server.city import MONDAY, City

TUESDAY = MONDAY + timedelta(days=1)


def names(year: int) -> dict[str, str]:
    """What counts as a holiday in a year."""
    read_session().rollback()
    return {f"{row.day:%m-%d}": row.name for row in holidays_of(read_session(), year) if row.counts}


def verbs() -> list[str]:
    """The newest deeds about holidays."""
    return [entry.verb for entry in newest_entries(read_session(), 20) if entry.verb.startswith("holiday")]


def earlier_version(year: int) -> None:
    """The year was compared with an older library."""
    with transaction() as tx:
        tx.session.get_one(HolidayYear, year).library = "0.1"


@pytest.fixture
def filled(city: City) -> City:
    """The sample city, whose table is filled."""
    keep_holidays(city.now)
    return city


@pytest.mark.parametrize(
    ("day", "name", "kind"),
    [
        (date(2026, 9, 22), "国民の休日", HolidayKind.BETWEEN),
        (date(2026, 5, 6), "振替休日", HolidayKind.SUBSTITUTE),
        (date(2027, 3, 22), "振替休日", HolidayKind.SUBSTITUTE),
        (date(2026, 11, 23), "勤労感謝の日", HolidayKind.NATIONAL),
    ],
)
def test_the_library_tells_the_three_kinds_of_days_off_apart(day: date, name: str, kind: HolidayKind) -> None:
    found = library_holidays(day.year)[day]
    assert (found.name, found.kind) == (name, kind)


def test_this_year_and_the_two_to_come_are_filled_once(filled: City) -> None:
    assert [len(names(year)) for year in (2025, 2026, 2027, 2028, 2029)] == [0, 18, 17, 16, 0]
    assert keep_holidays(filled.now) == 0
    assert keep_holidays(filled.clock.forward(days=32)) == 1
    assert len(names(2029)) > 0


def test_a_past_year_is_filled_when_asked_for(filled: City) -> None:
    assert fill_year(2022, filled.now) == 16
    assert names(2022)["08-11"] == "山の日"


def test_what_staff_decide_is_kept_and_no_difference(filled: City) -> None:
    set_holiday(TUESDAY, "見本の日", "kanri", filled.now)
    strike_holiday(date(2026, 12, 31) - timedelta(days=38), "kanri", filled.now)
    earlier_version(2026)

    assert keep_holidays(filled.now) == 1
    assert names(2026)["12-01"] == "見本の日"
    assert "11-23" not in names(2026)
    assert reported_differences(read_session()) == []
    assert "holidays.differ" not in verbs()


def test_a_new_library_that_differs_is_reported_and_changes_nothing(filled: City) -> None:
    with transaction() as tx:
        tx.session.delete(tx.session.get_one(PublicHoliday, date(2026, 11, 3)))
        tx.session.get_one(PublicHoliday, date(2026, 11, 23)).name = "新嘗祭"
    earlier_version(2026)
    keep_holidays(filled.now)

    assert reported_differences(read_session()) == [
        Difference(date(2026, 11, 3), "文化の日", ""),
        Difference(date(2026, 11, 23), "勤労感謝の日", "新嘗祭"),
    ]
    assert ("11-03" in names(2026), names(2026)["11-23"]) == (False, "新嘗祭")
    assert verbs()[0] == "holidays.differ"


def test_a_difference_is_settled_by_deciding_it_either_way(filled: City) -> None:
    days = [date(2026, 11, 3), date(2026, 11, 23)]
    with transaction() as tx:
        for day in days:
            tx.session.delete(tx.session.get_one(PublicHoliday, day))
    earlier_version(2026)
    keep_holidays(filled.now)
    set_holiday(days[0], "文化の日", "kanri", filled.now)
    strike_holiday(days[1], "kanri", filled.now)

    assert reported_differences(read_session()) == []
    assert [day in names(2026) for day in ("11-03", "11-23")] == [True, False]


def test_two_tables_differ_where_names_are_missing_or_others() -> None:
    one, two = date(2026, 1, 1), date(2026, 1, 2)
    assert differences({one: "元日"}, {one: "元日", two: "成人の日"}) == [Difference(two, "成人の日", "")]
    assert differences({one: "元日"}, {}) == [Difference(one, "", "元日")]


@pytest.mark.parametrize("day", [date.min, date.max, date(1999, 12, 31), date(2100, 1, 1)])
def test_a_holiday_is_of_a_year_for_which_an_office_plans(filled: City, day: date) -> None:
    with pytest.raises(HolidayDay):
        set_holiday(day, "祝", "kanri", filled.now)
    with pytest.raises(HolidayDay):
        strike_holiday(day, "kanri", filled.now)


@pytest.mark.parametrize("name", ["", "  ", "祝" * 41, "123456789018", "祝\u202e"])
def test_a_holiday_has_a_name(filled: City, name: str) -> None:
    with pytest.raises(HolidayName):
        set_holiday(TUESDAY, name, "kanri", filled.now)


def test_a_day_that_nobody_calls_a_holiday_cannot_be_struck(filled: City) -> None:
    with pytest.raises(UnknownHoliday):
        strike_holiday(TUESDAY, "kanri", filled.now)


def test_places_follow_a_new_holiday_and_the_day_after_it(filled: City) -> None:
    with transaction() as tx:
        tx.session.add(OpeningRule(office_id=filled.here, kind=RuleKind.HOLIDAY, closed=True))
        tx.session.add(OpeningRule(office_id=filled.here, kind=RuleKind.RELATIVE, closed=True, days_after=1))
    set_holiday(TUESDAY, "見本の日", "kanri", filled.now)

    assert calendar_of(read_session(), filled.here).plan(TUESDAY).holiday is not None
    closed = [filled.place("10:00", TUESDAY + timedelta(days=n)).closed for n in range(3)]
    assert closed == [True, True, False]
    after = TUESDAY + timedelta(days=1)
    assert read_session().query(Slot).filter_by(business_date=after, closed=False).count() > 0  # the other office's
