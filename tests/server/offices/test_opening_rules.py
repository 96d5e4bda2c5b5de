"""When an office is open: which rule decides a day, and what is left of it."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from functools import cache
from itertools import count

import holidays as library
import pytest

from server.clock import OFFICE_ZONE
from server.offices.office_file import read_office_file
from server.offices.opening_file import rules_in
from server.offices.opening_rules import (
    LAST,
    Calendar,
    Caution,
    Holiday,
    HolidayKind,
    OnClosedWeekday,
    Rule,
    RuleKind,
    bits_of,
    numbers_of,
)
from server.sample import FILES

MONDAY = date(2026, 11, 30)
MOMENT = timedelta(microseconds=1)
MON, TUE, WED, THU, FRI, SAT, SUN = range(7)
KINDS = {"振替休日": HolidayKind.SUBSTITUTE, "国民の休日": HolidayKind.BETWEEN}
ids = count(1)


@cache
def real_holidays() -> dict[date, Holiday]:
    """The holidays of the years that the examples speak of."""
    found = library.country_holidays("JP", years=range(2021, 2029), language="ja")
    return {day: Holiday(name, KINDS.get(name, HolidayKind.NATIONAL)) for day, name in found.items()}


def rules_of(sample: str) -> tuple[Rule, ...]:
    """The rules of an office's file among the samples; each has a number of its own."""
    found = rules_in(read_office_file(FILES / f"{sample}.toml")["opening"], ("pickup",))
    return tuple(replace(one, id=next(ids)) for one in found)


def minute(text: str) -> int:
    """Minutes from midnight."""
    hour, _, rest = text.partition(":")
    return int(hour) * 60 + int(rest or 0)


def rule(kind: RuleKind, hours: str = "", *services: str, **more: object) -> Rule:
    """A rule with its hours, "9:00-17:00", for some services; closed without hours."""
    opens, _, closes = hours.partition("-")
    times = {"opens": minute(opens), "closes": minute(closes)} if hours else {"closed": True}
    if hours and kind in (RuleKind.CLOSURE, RuleKind.OUTAGE):
        times["closed"] = True
    elif hours:
        times |= {"last_booked": times["closes"], "last_walk_in": times["closes"]}
    codes = frozenset(services) if services else None
    return replace(Rule(next(ids), kind, services=codes), **{**times, **more})  # type: ignore[arg-type]


def weekly(days: Iterable[int], hours: str = "", *services: str, **more: object) -> Rule:
    """A rule for weekdays."""
    return rule(RuleKind.WEEKLY, hours, *services, weekdays=bits_of(days, 0), **more)


def nth(numbers: Iterable[int], weekday: int, hours: str = "", *services: str, **more: object) -> Rule:
    """A rule for n-th weekdays."""
    return rule(RuleKind.NTH, hours, *services, nth=bits_of(numbers), weekdays=1 << weekday, **more)


def dated(day: date, hours: str = "", *services: str, **more: object) -> Rule:
    """A rule for one day."""
    return rule(RuleKind.DATED, hours, *services, on_date=day, **more)


def closure(first: date, last: date, hours: str = "0:00-24:00", *services: str, **more: object) -> Rule:
    """A closure from a time of one day to a time of another."""
    return rule(RuleKind.CLOSURE, hours, *services, on_date=first, until_date=last, **more)


def outage(first: date, last: date, hours: str = "0:00-24:00", *services: str) -> Rule:
    """The nation-wide system is off from a time of one day to a time of another."""
    return rule(RuleKind.OUTAGE, hours, *services, on_date=first, until_date=last)


def calendar(*rules: Rule, offered: Iterable[str] = ()) -> Calendar:
    """An office's calendar with the real holidays."""
    return Calendar(rules, real_holidays(), tuple(offered))


def hours_on(day: date, *rules: Rule, offered: Iterable[str] = ()) -> list[str]:
    """The sessions of a day as people write them; a session for some services names them."""
    return [
        f"{s.opens:%H:%M}-{s.closes:%H:%M}" + (f" {','.join(sorted(s.services))}" if s.services is not None else "")
        for s in calendar(*rules, offered=offered).plan(day).sessions
    ]


def at(hour: int, minute: int = 0, day: date = MONDAY) -> datetime:
    """A moment on the office's clock."""
    return datetime(day.year, day.month, day.day, hour, minute, tzinfo=OFFICE_ZONE)


def days(first: date, last: date) -> list[date]:
    """All days from one to another."""
    return [first + timedelta(days=n) for n in range((last - first).days + 1)]


WEEK = weekly(range(5), "8:30-17:15")
EVENING = weekly([MON], "18:00-20:00")
HOLIDAYS = rule(RuleKind.HOLIDAY)
SATURDAY = MONDAY + timedelta(days=5)


@pytest.mark.parametrize(
    ("day", "rules", "hours"),
    [
        pytest.param(MONDAY, [WEEK], ["08:30-17:15"], id="a weekday"),
        pytest.param(SATURDAY, [WEEK], [], id="Saturday: no rule, closed"),
        pytest.param(MONDAY, [EVENING, WEEK], ["08:30-17:15", "18:00-20:00"], id="two sessions, in order of time"),
        pytest.param(MONDAY, [WEEK, dated(MONDAY, "10:00-12:00")], ["10:00-12:00"], id="a dated rule replaces them"),
        pytest.param(MONDAY, [WEEK, dated(MONDAY)], [], id="a dated closure"),
        pytest.param(MONDAY, [WEEK, dated(MONDAY, "10:00-12:00"), dated(MONDAY)], [], id="closed wins on one day"),
        pytest.param(SATURDAY, [WEEK, dated(SATURDAY, "10:00-12:00")], ["10:00-12:00"], id="open on one Saturday"),
        pytest.param(
            SATURDAY,
            [WEEK, dated(MONDAY, "10:00-12:00", until_date=SATURDAY)],
            ["10:00-12:00"],
            id="other hours for some days, the last one too",
        ),
        pytest.param(MONDAY, [replace(WEEK, valid_from=MONDAY)], ["08:30-17:15"], id="valid from this day"),
        pytest.param(MONDAY, [replace(WEEK, valid_from=MONDAY + timedelta(days=1))], [], id="valid from tomorrow"),
        pytest.param(MONDAY, [replace(WEEK, valid_to=MONDAY)], ["08:30-17:15"], id="valid up to this day"),
        pytest.param(MONDAY, [replace(WEEK, valid_to=MONDAY - timedelta(days=1))], [], id="valid up to yesterday"),
        pytest.param(MONDAY, [dated(MONDAY, "0:00-24:00")], ["00:00-00:00"], id="around the clock"),
    ],
)
def test_the_sessions_of_a_day(day: date, rules: list[Rule], hours: list[str]) -> None:
    assert hours_on(day, *rules) == hours


KIND_BY_KIND = [
    (RuleKind.DATED, dated(date(2026, 11, 23), "1:00-2:00")),
    (RuleKind.CLOSURE, closure(date(2026, 11, 22), date(2026, 11, 24))),
    (RuleKind.OUTAGE, outage(date(2026, 11, 23), date(2026, 11, 23))),
    (RuleKind.YEARLY, rule(RuleKind.YEARLY, "3:00-4:00", first_md=1120, last_md=105)),
    (RuleKind.HOLIDAY, rule(RuleKind.HOLIDAY, "4:00-5:00")),
    (RuleKind.RELATIVE, rule(RuleKind.RELATIVE, "5:00-6:00", days_after=1, weekdays=1 << SUN, nth=bits_of([4]))),
    (RuleKind.NTH, nth([4], MON, "6:00-7:00")),
    (RuleKind.WEEKLY, weekly([MON], "7:00-8:00")),
]


@pytest.mark.parametrize("place", range(len(KIND_BY_KIND)))
def test_the_first_kind_that_speaks_of_a_day_decides_it(place: int) -> None:
    """勤労感謝の日, a fourth Monday, is spoken of by a rule of each kind; without the first ones the next decides."""
    kind, first = KIND_BY_KIND[place]
    plan = calendar(*(r for _, r in reversed(KIND_BY_KIND[place:]))).plan(date(2026, 11, 23))

    assert plan.rule == first
    assert [f"{s.opens:%H}" for s in plan.sessions] == ([] if first.closed else [f"{first.opens // 60:02d}"])
    assert (kind, plan.holiday) == (first.kind, Holiday("勤労感謝の日"))


def test_a_dated_opening_beats_closure_and_outage_and_the_plan_says_so_of_the_outage() -> None:
    rules = [WEEK, dated(MONDAY, "9:00-12:00"), closure(MONDAY, MONDAY), outage(MONDAY, MONDAY, "11:00-13:00")]
    plan = calendar(*rules).plan(MONDAY)

    assert (len(plan.sessions), plan.taken_by, plan.warnings) == (1, (), (Caution.OUTAGE_OVERRULED,))
    assert calendar(*rules[:3], outage(MONDAY, MONDAY, "12:00-13:00")).plan(MONDAY).warnings == ()


class TestClosuresInsideADay:
    """A closure takes its minutes out of what the other rules say."""

    LATE = replace(WEEK, last_booked=minute("17:00"), last_walk_in=minute("16:45"))

    @pytest.mark.parametrize(
        ("hours", "left"),
        [
            pytest.param("12:00-13:00", ["08:30-12:00", "13:00-17:15"], id="in the middle: the session is split"),
            pytest.param("0:00-13:00", ["13:00-17:15"], id="it opens later"),
            pytest.param("13:00-24:00", ["08:30-13:00"], id="it closes earlier"),
            pytest.param("8:30-17:15", [], id="all of the session"),
            pytest.param("17:15-20:00", ["08:30-17:15"], id="after the session"),
        ],
    )
    def test_what_is_left(self, hours: str, left: list[str]) -> None:
        assert hours_on(MONDAY, WEEK, closure(MONDAY, MONDAY, hours)) == left

    def test_people_are_received_as_long_before_a_closure_as_before_the_end_of_the_day(self) -> None:
        first, second = calendar(self.LATE, closure(MONDAY, MONDAY, "12:00-13:00")).plan(MONDAY).sessions

        assert (first.last_booked, first.last_walk_in) == (at(11, 45), at(11, 30))
        assert (second.last_booked, second.last_walk_in) == (at(17), at(16, 45))

    def test_a_remainder_in_which_nobody_is_received_any_more_is_none(self) -> None:
        assert hours_on(MONDAY, self.LATE, closure(MONDAY, MONDAY, "12:00-17:05")) == ["08:30-12:00"]

    def test_a_closure_of_several_days_begins_and_ends_at_its_times(self) -> None:
        long = closure(MONDAY, MONDAY + timedelta(days=2), "16:00-13:00")
        found = [hours_on(MONDAY + timedelta(days=n), WEEK, long) for n in range(3)]

        assert found == [["08:30-16:00"], [], ["13:00-17:15"]]

    def test_two_closures_on_one_day_both_count_and_are_both_named(self) -> None:
        first, second = closure(MONDAY, MONDAY, "9:00-10:00"), outage(MONDAY, MONDAY, "16:00-24:00")
        plan = calendar(WEEK, second, first).plan(MONDAY)

        assert [f"{s.opens:%H:%M}" for s in plan.sessions] == ["08:30", "10:00"]
        assert (plan.rule, plan.taken_by) == (WEEK, (first, second))


class TestServices:
    """A session or a closure may be for some services only."""

    OFFERED = ("certificate", "pickup", "pin")

    def test_a_session_offers_its_services_and_one_without_offers_all(self) -> None:
        morning, evening = calendar(WEEK, weekly([MON], "18:00-20:00", "pickup")).plan(MONDAY).sessions

        assert [morning.offers(s) for s in ("pickup", "pin")] == [True, True]
        assert [evening.offers(s) for s in ("pickup", "pin")] == [True, False]

    def test_an_outage_of_some_services_leaves_the_others_open(self) -> None:
        found = hours_on(MONDAY, WEEK, outage(MONDAY, MONDAY, "12:00-13:00", "pickup", "pin"), offered=self.OFFERED)

        assert found == ["08:30-12:00", "12:00-13:00 certificate", "13:00-17:15"]

    def test_others_are_received_until_a_closure_of_some_services_begins(self) -> None:
        late = replace(WEEK, last_booked=minute("17:00"), last_walk_in=minute("16:45"))
        before = calendar(late, closure(MONDAY, MONDAY, "12:00-13:00", "pin"), offered=self.OFFERED).plan(MONDAY)

        assert before.sessions[0].last_walk_in == at(12)

    def test_an_outage_of_all_services_that_a_session_has_closes_it(self) -> None:
        only = weekly([MON], "9:00-12:00", "pickup")
        assert hours_on(MONDAY, only, outage(MONDAY, MONDAY, "0:00-24:00", "pickup"), offered=self.OFFERED) == []

    def test_a_closed_rule_for_a_service_takes_it_out_of_the_day(self) -> None:
        no_pins = weekly([MON], "", "pin")
        assert hours_on(MONDAY, WEEK, no_pins, offered=self.OFFERED) == ["08:30-17:15 certificate,pickup"]

    def test_a_closed_rule_for_a_service_says_nothing_of_days_that_an_earlier_kind_decides(self) -> None:
        no_pins = weekly([MON], "", "pin")
        found = hours_on(MONDAY, WEEK, no_pins, nth([LAST], MON, "9:00-12:00"), offered=self.OFFERED)
        assert found == ["09:00-12:00"]

    def test_when_a_service_is_offered_next(self) -> None:
        found = calendar(WEEK, weekly([SAT], "15:00-18:00", "pickup"))
        friday_evening = at(18, day=date(2026, 12, 4))

        assert found.next_opening(friday_evening, "pickup") == at(15, day=SATURDAY)
        assert found.next_opening(friday_evening, "pin") == at(8, 30, date(2026, 12, 7))


class TestSessionsThatAreAdded:
    """An extra session stands beside what the day has otherwise."""

    EXTRA = nth([2, 4], SAT, "15:00-18:00", "pickup", adds=True)

    def test_it_joins_the_weeks_hours(self) -> None:
        found = hours_on(date(2026, 12, 12), weekly([SAT], "9:00-12:30"), self.EXTRA)
        assert found == ["09:00-12:30", "15:00-18:00 pickup"]

    def test_it_joins_a_day_that_has_nothing_else(self) -> None:
        assert hours_on(date(2026, 12, 12), WEEK, self.EXTRA) == ["15:00-18:00 pickup"]

    def test_it_does_not_open_a_day_that_an_earlier_kind_closes(self) -> None:
        assert hours_on(date(2026, 12, 12), self.EXTRA, dated(date(2026, 12, 12))) == []

    def test_a_dated_one_opens_a_holiday_and_is_the_rule_that_decides(self) -> None:
        extra = dated(date(2026, 11, 23), "13:00-15:00", adds=True)
        plan = calendar(WEEK, HOLIDAYS, extra).plan(date(2026, 11, 23))
        assert (len(plan.sessions), plan.rule) == (1, extra)


def test_sessions_that_meet_are_never_two_at_once_and_the_plan_says_so() -> None:
    plan = calendar(WEEK, weekly([MON], "16:00-19:00"), weekly([MON], "9:00-10:00")).plan(MONDAY)

    assert [(s.opens, s.closes) for s in plan.sessions] == [(at(8, 30), at(17, 15)), (at(17, 15), at(19))]
    assert plan.warnings == (Caution.OVERLAP,)


def test_a_calendar_that_asks_for_holidays_of_a_year_nobody_has_entered_says_so() -> None:
    found = Calendar([WEEK, HOLIDAYS], {date(2026, 11, 23): Holiday("勤労感謝の日")})

    assert found.plan(date(2026, 12, 1)).warnings == ()
    assert found.plan(date(2027, 1, 4)).warnings == (Caution.HOLIDAYS_UNKNOWN,)
    assert Calendar([WEEK], {}).plan(date(2027, 1, 4)).warnings == ()


class TestASharedCentre:
    """Every day but Saturday, late on Tuesdays and Thursdays; closed after the third Saturday, on holidays, at New
    Year's.
    """

    RULES = rules_of("center")

    @pytest.mark.parametrize(
        ("day", "hours"),
        [
            pytest.param(date(2026, 11, 20), ["09:00-17:00"], id="Friday 2026-11-20 is open from 9 to 17"),
            pytest.param(date(2026, 11, 24), ["11:00-19:00"], id="Tuesday 2026-11-24 is open from 11 to 19"),
            pytest.param(date(2026, 11, 22), [], id="Sunday 2026-11-22 is closed, although it is the fourth"),
            pytest.param(date(2026, 11, 15), ["09:00-17:00"], id="Sunday 2026-11-15 is open, although it is the third"),
            pytest.param(date(2026, 11, 23), [], id="Monday 2026-11-23 is closed, 勤労感謝の日"),
            pytest.param(date(2026, 9, 22), [], id="Tuesday 2026-09-22 is closed, 国民の休日 between two holidays"),
            pytest.param(date(2026, 5, 6), [], id="Wednesday 2026-05-06 is closed, 振替休日"),
            pytest.param(date(2027, 3, 22), [], id="Monday 2027-03-22 is closed, 振替休日"),
            pytest.param(date(2026, 12, 28), ["09:00-17:00"], id="2026-12-28 is open"),
            pytest.param(date(2026, 12, 29), [], id="2026-12-29 is closed"),
            pytest.param(date(2027, 1, 3), [], id="2027-01-03 is closed"),
            pytest.param(date(2027, 1, 4), ["09:00-17:00"], id="2027-01-04 is open"),
        ],
    )
    def test_its_days(self, day: date, hours: list[str]) -> None:
        assert hours_on(day, *self.RULES) == hours

    def test_the_closed_sundays_of_2026_follow_the_third_saturdays(self) -> None:
        year = [day for day in days(date(2026, 1, 4), date(2026, 12, 28)) if day.weekday() == SUN]
        found = calendar(*self.RULES)
        closed = [day for day in year if not found.plan(day).sessions and day not in real_holidays()]

        expected = "01-18 02-22 03-22 04-19 05-17 06-21 07-19 08-16 09-20 10-18 11-22 12-20"
        assert " ".join(f"{day:%m-%d}" for day in closed) == expected


class TestAnOfficeThatIsOpenOnHolidays:
    """Monday to Thursday from noon to eight, weekends and holidays from nine to five, Fridays closed."""

    RULES = tuple(r for r in rules_of("ekimae") if r.kind is not RuleKind.HOLIDAY)
    ON_HOLIDAYS = next(r for r in rules_of("ekimae") if r.kind is RuleKind.HOLIDAY)

    @pytest.mark.parametrize(
        ("day", "hours"),
        [
            pytest.param(date(2026, 11, 23), ["09:00-17:00"], id="Monday 2026-11-23, a holiday, has holiday hours"),
            pytest.param(date(2026, 11, 24), ["12:00-20:00"], id="the Tuesday after it has its own"),
            pytest.param(date(2026, 11, 27), [], id="Friday is closed"),
            pytest.param(date(2027, 1, 1), [], id="New Year's Day is closed, a holiday or not"),
        ],
    )
    def test_its_days(self, day: date, hours: list[str]) -> None:
        assert hours_on(day, *self.RULES, self.ON_HOLIDAYS) == hours

    @pytest.mark.parametrize(
        ("decided", "sessions", "warnings"),
        [
            (None, 0, (Caution.HOLIDAY_UNDECIDED,)),
            (OnClosedWeekday.CLOSED, 0, ()),
            (OnClosedWeekday.OPEN, 1, ()),
        ],
    )
    def test_a_holiday_on_a_friday_is_closed_with_a_warning_until_the_office_decides(
        self, decided: OnClosedWeekday | None, sessions: int, warnings: tuple[Caution, ...]
    ) -> None:
        on_holidays = replace(self.ON_HOLIDAYS, on_closed_weekday=decided)
        plan = calendar(*self.RULES, on_holidays).plan(date(2026, 3, 20))

        assert (len(plan.sessions), plan.rule, plan.warnings) == (sessions, on_holidays, warnings)

    def test_a_holiday_on_another_day_warns_of_nothing(self) -> None:
        assert calendar(*self.RULES, self.ON_HOLIDAYS).plan(date(2026, 11, 23)).warnings == ()


class TestBranchesThroughTheYears:
    """Week-end openings, seasons, days after holidays, rotating sites."""

    RULES = rules_of("higashi")

    @pytest.mark.parametrize(
        ("day", "is_open"),
        [
            pytest.param(date(2022, 7, 11), False, id="Monday 2022-07-11 is closed in the season"),
            pytest.param(date(2022, 7, 5), True, id="2022-07-05 is open"),
            pytest.param(date(2022, 7, 19), False, id="Tuesday 2022-07-19 is closed, the day after 海の日"),
            pytest.param(date(2022, 8, 12), False, id="Friday 2022-08-12 is closed, the day after 山の日"),
            pytest.param(date(2023, 2, 28), True, id="2023-02-28 is open"),
            pytest.param(date(2023, 3, 6), True, id="Monday 2023-03-06, after the season, is open"),
            pytest.param(date(2023, 9, 30), True, id="Saturday 2023-09-30, the last day of a campaign, is open"),
            pytest.param(date(2023, 9, 16), False, id="other Saturdays are closed"),
        ],
    )
    def test_its_days(self, day: date, is_open: bool) -> None:
        assert bool(hours_on(day, *self.RULES)) is is_open

    def test_the_season_has_121_open_days(self) -> None:
        found = calendar(*self.RULES)
        season = days(date(2022, 7, 5), date(2023, 2, 28))

        assert sum(bool(found.plan(day).sessions) for day in season) == 121

    def test_weekends_and_holidays_of_summer_2022_are_30_days(self) -> None:
        found = calendar(
            weekly([SAT, SUN], "9:00-17:00"),
            rule(RuleKind.HOLIDAY, "9:00-17:00", on_closed_weekday=OnClosedWeekday.OPEN),
        )
        assert sum(bool(found.plan(day).sessions) for day in days(date(2022, 7, 1), date(2022, 9, 30))) == 30

    def test_the_fourth_sunday_is_open_and_in_april_and_may_the_second_too(self) -> None:
        found = calendar(*self.RULES)
        sundays = [day for day in days(date(2021, 4, 1), date(2021, 6, 30)) if day.weekday() == SUN]
        open_days = [day for day in sundays if found.plan(day).sessions]

        assert " ".join(f"{day:%m-%d}" for day in open_days) == "04-11 04-25 05-09 05-23 06-27"

    def test_a_session_of_card_handover_on_second_and_fourth_saturdays(self) -> None:
        valid = {"valid_from": date(2021, 5, 22), "valid_to": date(2021, 8, 31)}
        rules = (WEEK, nth([2, 4], SAT, "8:30-12:30"), nth([2, 4], SAT, "15:00-18:00", "pickup", **valid))

        assert hours_on(date(2021, 6, 12), *rules) == ["08:30-12:30", "15:00-18:00 pickup"]
        assert hours_on(date(2021, 6, 26), *rules) == ["08:30-12:30", "15:00-18:00 pickup"]
        assert hours_on(date(2021, 9, 11), *rules) == ["08:30-12:30"]
        assert hours_on(date(2021, 6, 5), *rules) == []

    def test_a_weekday_except_holidays_from_a_day_on(self) -> None:
        rules = (weekly(range(5), "11:00-19:00", valid_from=date(2022, 7, 1)), HOLIDAYS)
        found = [hours_on(day, *rules) for day in (date(2022, 6, 30), date(2022, 7, 1), date(2022, 7, 18))]

        assert found == [[], ["11:00-19:00"], []]

    def test_on_2023_10_09_it_is_closed_at_12_59_and_open_at_13_00(self) -> None:
        found = calendar(WEEK, closure(date(2023, 10, 7), date(2023, 10, 9), "0:00-13:00"))

        assert found.session_at(at(12, 59, date(2023, 10, 9))) is None
        assert found.session_at(at(13, 0, date(2023, 10, 9))) is not None

    def test_closed_on_wednesdays_and_thursdays_except_the_second_and_the_fourth(self) -> None:
        found = calendar(
            weekly([MON, TUE, FRI], "9:00-17:00"), nth([2], WED, "9:00-17:00"), nth([4], THU, "9:00-17:00")
        )
        middle = [day for day in days(date(2022, 6, 1), date(2022, 6, 30)) if day.weekday() in (WED, THU)]

        assert [day.day for day in middle if found.plan(day).sessions] == [8, 23]


def test_substitutes_count_as_holidays_unless_the_rule_says_no() -> None:
    only_named = replace(HOLIDAYS, substitutes=False)
    tuesday, wednesday = date(2026, 9, 22), date(2026, 5, 6)

    assert [hours_on(day, WEEK, HOLIDAYS) for day in (tuesday, wednesday)] == [[], []]
    assert [hours_on(day, WEEK, only_named) for day in (tuesday, wednesday)] == [["08:30-17:15"], ["08:30-17:15"]]


def test_the_last_weekday_of_a_month_may_be_the_fourth_or_the_fifth() -> None:
    found = calendar(nth([LAST], FRI, "9:00-12:00"))
    fridays = [day for day in days(date(2026, 1, 1), date(2026, 4, 30)) if found.plan(day).sessions]

    assert [f"{day:%m-%d}" for day in fridays] == ["01-30", "02-27", "03-27", "04-24"]


def test_sets_of_small_numbers_as_bits() -> None:
    assert [numbers_of(bits_of(s)) for s in ([1, 6], [], [12, 4, 4])] == [(1, 6), (), (4, 12)]
    assert numbers_of(bits_of([0, 6], 0), 0) == (0, 6)


@pytest.mark.parametrize(
    ("now", "running"),
    [
        pytest.param(at(8, 30) - MOMENT, None, id="just before opening"),
        pytest.param(at(8, 30), "08:30", id="at opening"),
        pytest.param(at(17, 15) - MOMENT, "08:30", id="just before closing"),
        pytest.param(at(17, 15), None, id="at closing"),
        pytest.param(at(18), "18:00", id="in the evening's session"),
        pytest.param(at(8, 30).astimezone(UTC), "08:30", id="told in UTC, where it is still Sunday"),
    ],
)
def test_the_session_that_is_running(now: datetime, running: str | None) -> None:
    found = calendar(WEEK, EVENING).session_at(now)
    assert (found and f"{found.opens:%H:%M}") == running


@pytest.mark.parametrize(
    ("now", "opens"),
    [
        pytest.param(at(8, 30) - MOMENT, at(8, 30), id="in a moment"),
        pytest.param(at(8, 30), at(8, 30, MONDAY + timedelta(days=1)), id="open now: the next time is tomorrow"),
        pytest.param(at(20, day=date(2026, 12, 4)), at(8, 30, date(2026, 12, 7)), id="on Friday evening: Monday"),
        pytest.param(
            datetime(2026, 12, 6, 15, tzinfo=UTC), at(8, 30, date(2026, 12, 7)), id="told in UTC, midnight in Japan"
        ),
    ],
)
def test_when_the_office_opens_next(now: datetime, opens: datetime) -> None:
    assert calendar(WEEK).next_opening(now) == opens


def test_an_office_that_does_not_open_within_a_year_has_no_next_opening() -> None:
    assert calendar(dated(MONDAY + timedelta(days=366), "9:00-10:00")).next_opening(at(9)) is None
    assert calendar(dated(MONDAY + timedelta(days=365), "9:00-10:00")).next_opening(at(9)) is not None
    assert calendar().open_day_before(MONDAY) is None


def test_the_open_day_before_monday_is_friday_unless_that_is_closed() -> None:
    friday = date(2026, 11, 27)

    assert calendar(WEEK).open_day_before(MONDAY) == friday
    assert calendar(WEEK, dated(friday)).open_day_before(MONDAY) == date(2026, 11, 26)
