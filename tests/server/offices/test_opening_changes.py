"""What becomes of opening rules when one is written, ended, or many come from a file."""

from dataclasses import replace
from datetime import date, timedelta

import pytest

from server.offices.opening_changes import (
    RuleChange,
    changed_days,
    dated_instead,
    digest,
    faults_of,
    minute_of,
    read_csv,
    reloaded,
    without,
    written,
)
from server.offices.opening_rules import Calendar, OnClosedWeekday, Rule, RuleKind

TODAY = date(2026, 11, 30)
YESTERDAY, TOMORROW = TODAY - timedelta(days=1), TODAY + timedelta(days=1)
OFFERED = ("pickup", "pin")
WEEK = Rule(1, RuleKind.WEEKLY, weekdays=31, opens=510, closes=1035, last_booked=1020, last_walk_in=1005)
CLOSED = Rule(2, RuleKind.DATED, on_date=TOMORROW, closed=True)
OPEN = Rule(3, RuleKind.DATED, on_date=TOMORROW, opens=540, closes=720, last_booked=720, last_walk_in=720)
STOP = Rule(4, RuleKind.OUTAGE, on_date=TOMORROW, until_date=TOMORROW, closed=True, opens=600, closes=720)


class TestWriting:
    """One rule."""

    def test_a_new_rule_is_added(self) -> None:
        assert written(None, replace(WEEK, id=9), TODAY) == RuleChange(add=(replace(WEEK, id=0),))

    def test_another_rule_begins_today_and_the_past_stays_as_it_was(self) -> None:
        longer = replace(WEEK, closes=1200)
        assert written(WEEK, longer, TODAY) == RuleChange(
            add=(replace(longer, id=0, valid_from=TODAY),), end={1: YESTERDAY}
        )

    def test_another_rule_may_begin_later(self) -> None:
        april = date(2027, 4, 1)
        change = written(WEEK, replace(WEEK, closes=1200, valid_from=april), TODAY)
        assert (change.end, change.add[0].valid_from) == ({1: date(2027, 3, 31)}, april)

    @pytest.mark.parametrize("old", [OPEN, replace(WEEK, valid_from=TOMORROW)])
    def test_a_rule_that_has_not_counted_yet_is_replaced(self, old: Rule) -> None:
        change = written(old, replace(old, closes=700, last_booked=700, last_walk_in=700), TODAY)
        assert change.remove == frozenset({old.id})
        assert (change.end, len(change.add)) == ({}, 1)

    def test_a_rule_ends_with_its_last_day(self) -> None:
        assert without(WEEK, date(2027, 3, 31), TODAY) == RuleChange(end={1: date(2027, 3, 31)})
        assert without(WEEK, None, TODAY) == RuleChange(end={1: YESTERDAY})
        assert without(WEEK, date(2020, 1, 1), TODAY) == RuleChange(end={1: YESTERDAY})
        assert without(OPEN, None, TODAY) == RuleChange(remove=frozenset({3}))

    def test_rules_after_a_change(self) -> None:
        change = RuleChange(add=(STOP,), remove=frozenset({2}), end={1: TODAY})
        assert change.applied([WEEK, CLOSED, OPEN]) == [replace(WEEK, valid_to=TODAY), OPEN, STOP]


class TestReloading:
    """The rules of a file, instead of those that stand."""

    def test_the_same_rules_change_nothing(self) -> None:
        begun = replace(WEEK, valid_from=date(2020, 1, 1))
        assert reloaded([begun, CLOSED], [WEEK, replace(CLOSED, id=0, until_date=TOMORROW)], TODAY) == RuleChange()

    def test_what_is_over_is_left_alone_on_both_sides(self) -> None:
        over = [replace(WEEK, valid_to=YESTERDAY), replace(OPEN, on_date=YESTERDAY)]
        assert reloaded(over, [], TODAY) == reloaded([], over, TODAY) == RuleChange()

    def test_other_rules_end_the_old_ones_and_begin_today(self) -> None:
        longer = replace(WEEK, id=0, closes=1200)
        change = reloaded([WEEK, OPEN], [longer, CLOSED], TODAY)

        assert (change.end, change.remove) == ({1: YESTERDAY}, frozenset({3}))
        assert change.add == (replace(longer, valid_from=TODAY), replace(CLOSED, id=0))


@pytest.mark.parametrize(
    ("rule", "faults"),
    [
        (WEEK, []),
        (replace(WEEK, weekdays=0), ["weekdays"]),
        (replace(WEEK, closes=510), ["hours"]),
        (replace(WEEK, closes=1441), ["hours"]),
        (replace(WEEK, last_walk_in=500), ["last_reception"]),
        (replace(WEEK, services=frozenset({"pin"})), []),
        (replace(WEEK, services=frozenset({"passport"})), ["services"]),
        (replace(WEEK, services=frozenset()), ["services"]),
        (replace(WEEK, valid_from=TOMORROW, valid_to=TODAY), ["validity"]),
        (replace(WEEK, kind=RuleKind.NTH), ["nth"]),
        (replace(WEEK, kind=RuleKind.NTH, nth=1), []),
        (Rule(0, RuleKind.RELATIVE, closed=True), ["days_after"]),
        (Rule(0, RuleKind.RELATIVE, closed=True, days_after=32), ["days_after"]),
        (Rule(0, RuleKind.RELATIVE, closed=True, days_after=1, weekdays=32), ["nth"]),
        (Rule(0, RuleKind.RELATIVE, closed=True, days_after=1, weekdays=32, nth=4), []),
        (Rule(0, RuleKind.YEARLY, closed=True, first_md=1229, last_md=103), []),
        (Rule(0, RuleKind.YEARLY, closed=True, first_md=1229, last_md=230), ["yearly"]),
        (Rule(0, RuleKind.YEARLY, closed=True, first_md=1229), ["yearly"]),
        (replace(OPEN, until_date=YESTERDAY), ["dates"]),
        (replace(OPEN, on_date=None), ["dates"]),
        (STOP, []),
        (replace(STOP, closes=600), ["hours"]),
        (replace(STOP, closes=600, until_date=TOMORROW + timedelta(days=1)), []),
    ],
)
def test_a_rule_that_cannot_be_meant_names_its_fields(rule: Rule, faults: list[str]) -> None:
    assert faults_of(rule, OFFERED) == faults


def test_the_days_that_change_are_those_whose_sessions_are_others() -> None:
    before, after = Calendar([WEEK], {}), Calendar([WEEK, CLOSED, replace(CLOSED, on_date=date(2026, 12, 5))], {})
    (only,) = changed_days(before, after, TODAY, TODAY + timedelta(days=13))

    assert (only.before.day, len(only.before.sessions), only.after.sessions) == (TOMORROW, 1, ())


def test_a_state_of_the_rules_has_one_name_in_any_order() -> None:
    some = replace(WEEK, services=frozenset({"pickup", "pin"}))
    assert digest([some, OPEN]) == digest([OPEN, replace(some, services=frozenset({"pin", "pickup"}))])
    assert len({digest(r) for r in ([], [WEEK], [some], [replace(WEEK, on_closed_weekday=OnClosedWeekday.OPEN)])}) == 4


class TestCsv:
    """Dated openings from a table, as rotating sites have them."""

    def test_rows_become_openings_and_a_heading_is_passed_over(self) -> None:
        rules, faults = read_csv(
            "日,開始,終了,予約,当日,手続,理由\n2026-12-05,9:00,12:00\n\n"
            "2026/12/5,13:00,15:00,14:30,14:00,pickup pin,北会場\n",
            OFFERED,
        )
        assert faults == []
        assert [(r.on_date, r.opens, r.closes, r.last_booked, r.last_walk_in) for r in rules] == [
            (date(2026, 12, 5), 540, 720, 720, 720),
            (date(2026, 12, 5), 780, 900, 870, 840),
        ]
        assert (rules[1].services, rules[1].reason) == (frozenset(OFFERED), "北会場")

    @pytest.mark.parametrize(
        ("row", "fault"),
        [
            ("2026-02-30,9:00,12:00", "day"),
            ("12/5,9:00,12:00", "day"),
            ("99999999999-12-05,9:00,12:00", "day"),
            ("-5-1-1,9:00,12:00", "day"),
            ("9999-12-31,9:00,12:00", "day"),
            ("0001-01-01,9:00,12:00", "day"),
            ("2026-12-06,9:00", "hours"),
            ("2026-12-06,12:00,9:00", "hours"),
            ("2026-12-06,9:00,25:00", "hours"),
            ("2026-12-06,009:00,12:00", "hours"),
            ("2026-12-06,9:00,12:00,noon", "last_reception"),
            ("2026-12-06,9:00,12:00,13:00", "last_reception"),
            ("2026-12-06,9:00,12:00,,,passport", "services"),
            ("2026-12-06,9:00,12:00,,,,a,b", "columns"),
            ("2026-12-05,11:00,13:00", "meets"),
        ],
    )
    def test_a_bad_row_is_named_by_its_line(self, row: str, fault: str) -> None:
        rules, (found,) = read_csv(f"2026-12-05,9:00,12:00\n{row}\n", OFFERED)
        assert (len(rules), found.line, found.fault, found.text) == (1, 2, fault, row)

    def test_a_file_without_rows_is_a_fault(self) -> None:
        assert [fault.fault for fault in read_csv(" \n", OFFERED)[1]] == ["empty"]

    def test_rows_replace_the_openings_of_their_days_and_no_closures(self) -> None:
        rules, _ = read_csv(f"{TOMORROW},9:00,12:00", OFFERED)
        change = dated_instead([WEEK, CLOSED, OPEN, replace(OPEN, id=5, on_date=TODAY)], rules)
        assert (change.remove, change.add) == (frozenset({3}), tuple(rules))


@pytest.mark.parametrize(
    ("text", "minute"),
    [
        ("9:00", 540),
        ("24:00", 1440),
        ("0:05", 5),
        ("24:01", None),
        ("9", None),
        ("9:5", None),
        ("-1:00", None),
        (":00", None),
        ("9" * 5000 + ":00", None),
        ("", None),
    ],
)
def test_minutes_of_a_time(text: str, minute: int | None) -> None:
    assert minute_of(text) == minute
