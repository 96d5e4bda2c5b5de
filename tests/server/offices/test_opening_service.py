"""Changing the opening hours of an office: at once, by who has seen them, with the places following."""

from datetime import date, timedelta

import pytest

from server.audit import newest_entries
from server.booking.places import bookings_outside, make_slots
from server.booking.worklist import open_entries
from server.db import read_session
from server.offices.opening_changes import RuleChange, digest, without, written
from server.offices.opening_rules import Calendar, Rule, RuleKind
from server.offices.opening_service import RulesChanged, RuleUnusable, change_rules
from server.offices.queries import calendar_of, offer_by_code
from tests.server.city import MONDAY, City

TUESDAY, SATURDAY = MONDAY + timedelta(days=1), MONDAY + timedelta(days=5)
OPEN = Rule(0, RuleKind.DATED, on_date=SATURDAY, opens=540, closes=720, last_booked=720, last_walk_in=720)
CLOSED = Rule(0, RuleKind.DATED, on_date=TUESDAY, closed=True, reason="停電")


def rules(city: City) -> list[Rule]:
    """The office's rules, read afresh."""
    read_session().rollback()
    return list(calendar_of(read_session(), city.here).rules)


def change(city: City, *some: Rule) -> None:
    """Add rules."""
    change_rules(city.here, RuleChange(add=some), digest(rules(city)), "staff:1", city.now)


def test_a_rule_is_kept_as_it_was_written(city: City) -> None:
    before = len(rules(city))
    wanted = Rule(
        0,
        RuleKind.RELATIVE,
        weekdays=32,
        nth=4,
        months=9,
        days_after=-1,
        substitutes=False,
        opens=540,
        closes=1440,
        last_booked=1400,
        last_walk_in=1300,
        services=frozenset({"pickup", "pin"}),
        reason="試行",
        valid_from=MONDAY,
        valid_to=date(2027, 3, 31),
        adds=True,
    )
    change(city, wanted)

    kept = next(r for r in rules(city) if r.kind is RuleKind.RELATIVE)
    assert (written(None, kept, MONDAY).add, len(rules(city))) == ((wanted,), before + 1)


def test_places_follow_and_the_deed_is_written_down(city: City) -> None:
    change(city, OPEN, CLOSED)

    assert [city.place("10:00", day).closed for day in (SATURDAY, TUESDAY)] == [False, True]
    (entry,) = [e for e in newest_entries(read_session(), 20) if e.verb == "opening.change"]
    assert (entry.actor, entry.facts) == ("staff:1", {"added": 2, "removed": 0, "ended": 0})


def test_a_rule_that_ends_stays_for_the_past(city: City) -> None:
    week = next(r for r in rules(city) if r.weekdays & 2)
    change_rules(city.here, without(week, None, MONDAY), digest(rules(city)), "staff:1", city.now)

    calendar = calendar_of(read_session(), city.here)
    assert [len(calendar.plan(TUESDAY - timedelta(days=7 * n)).sessions) for n in (0, 1)] == [0, 1]
    assert city.place("10:00", TUESDAY).closed


def test_who_saves_must_have_seen_the_rules_as_they_are(city: City) -> None:
    seen = digest(rules(city))
    change(city, OPEN)

    with pytest.raises(RulesChanged):
        change_rules(city.here, RuleChange(add=(CLOSED,)), seen, "staff:1", city.now)
    assert not city.place("10:00", TUESDAY).closed


def test_a_rule_that_cannot_be_meant_is_refused(city: City) -> None:
    with pytest.raises(RuleUnusable) as refused:
        change(city, Rule(0, RuleKind.WEEKLY, opens=540, closes=500, services=frozenset({"passport"})))
    assert refused.value.facts == {"fields": ["weekdays", "hours", "services"]}


def test_a_rule_of_another_office_cannot_be_removed(city: City) -> None:
    north = City(city.office, "kita")
    theirs = rules(north)
    change_rules(
        city.here, RuleChange(remove=frozenset(r.id for r in theirs)), digest(rules(city)), "staff:1", city.now
    )
    assert rules(north) == theirs


def test_bookings_outside_a_calendar_are_counted_by_day(city: City) -> None:
    for time in ("10:15", "16:00"):
        city.booked(time, TUESDAY)
    week = tuple(rules(city))
    early = Rule(-1, RuleKind.CLOSURE, on_date=TUESDAY, until_date=TUESDAY, closed=True, opens=900, closes=1440)
    only_pins = Rule(-1, RuleKind.OUTAGE, on_date=TUESDAY, closed=True, closes=1440, services=frozenset({"pickup"}))

    def outside(*more: Rule) -> dict[date, int]:
        found = Calendar([*week, *more], {}, ["certificate", "pickup", "pin"])
        lost = bookings_outside(read_session(), city.here, found, city.now)
        return {day: len(bookings) for day, bookings in lost.items()}

    assert [outside(), outside(early), outside(CLOSED), outside(only_pins)] == [
        {},
        {TUESDAY: 1},
        {TUESDAY: 2},
        {TUESDAY: 2},
    ]


def dated(opens: int, last: int, services: frozenset[str] | None = None) -> Rule:
    """Other hours on Tuesday."""
    return Rule(
        0,
        RuleKind.DATED,
        on_date=TUESDAY,
        opens=opens,
        closes=1035,
        last_booked=last,
        last_walk_in=last,
        services=services,
    )


@pytest.mark.parametrize(
    ("rule", "lost"),
    [
        (dated(515, 1035), 4),
        (dated(525, 1035), 0),
        (dated(510, 630), 2),
        (dated(510, 1035, services=frozenset({"certificate", "pin"})), 3),
        (Rule(0, RuleKind.DATED, on_date=TUESDAY, closed=True, services=frozenset({"pickup"})), 3),
    ],
    ids=["later by five minutes", "later by a whole slot", "shorter", "for other services", "closed for one service"],
)
def test_the_preview_names_those_whom_the_work_list_gets(city: City, rule: Rule, lost: int) -> None:
    for time in ("10:15", "11:00", "16:00"):
        city.booked(time, TUESDAY)
    city.booked("10:30", TUESDAY, city.person("pin"))
    after = Calendar([*rules(city), rule], {}, ["certificate", "pickup", "pin"])
    preview = bookings_outside(read_session(), city.here, after, city.now)
    change(city, rule)

    read_session().rollback()
    listed = {entry.booking_id for entry in open_entries(read_session(), city.here)}
    assert preview.get(TUESDAY, set()) == listed
    assert len(listed) == lost


def test_who_is_booked_after_the_last_day_of_a_service_is_on_the_work_list(city: City) -> None:
    _, (_, lost) = city.booked("10:15", MONDAY), city.booked("10:15", TUESDAY)
    offer = offer_by_code(read_session(), city.here, "pickup")
    city.set_row(offer, valid_to=MONDAY)
    make_slots(city.here, MONDAY, TUESDAY, city.now)
    assert [entry.booking.uid for entry in open_entries(read_session(), city.here)] == [lost]
