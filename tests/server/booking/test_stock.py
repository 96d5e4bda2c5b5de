"""Whether the counts of the places agree with their bookings, what mends them, and what is left for walk-ins."""

import logging
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import pytest
from sqlalchemy import event

from server.audit import newest_entries
from server.booking.models import PlacesToMake, SlotUse
from server.booking.places import check_places, days_to_make, make_slots, make_waiting, mend_places, nightly
from server.booking.queries import walk_in_places
from server.booking.rules import BookingState
from server.booking.service import sweep_past_bookings
from server.db import db, read_session, transaction
from server.errors import Busy
from server.offices.opening_changes import RuleChange, digest
from server.offices.opening_rules import Rule, RuleKind
from server.offices.opening_service import change_rules
from server.offices.queries import calendar_of
from server.offices.service import set_policy
from tests.conftest import Office, environment_for
from tests.server.city import MONDAY, City
from tests.server.offices.test_places import set_hours

TUESDAY, WEDNESDAY = MONDAY + timedelta(days=1), MONDAY + timedelta(days=2)


def left(city: City) -> int:
    """Places for people without a booking in what is left of today."""
    read_session().rollback()
    (places,) = walk_in_places(read_session(), city.here, city.now).values()
    return places


def quiet_day(city: City) -> None:
    """From ten to eleven one hour's slot of four places, a quarter for walk-ins; nothing else is open."""
    for key, value in (("slot_minutes", 60), ("places_by_hour", {"mon": 0, "mon 10": 4})):
        set_policy(city.here, None, key, value, MONDAY, "staff:1", city.now)
    set_hours(city, MONDAY, 600, 660)
    make_slots(city.here, MONDAY, MONDAY, city.now)


class TestWalkIns:
    def test_what_is_not_sold_and_what_is_given_back_falls_to_walk_ins(self, city: City) -> None:
        quiet_day(city)
        assert left(city) == 4
        (_, one), (other, two) = city.booked("10:00"), city.booked("10:00")
        assert left(city) == 2
        city.cancel(other, two)
        assert left(city) == 3
        held = city.hold(city.person(), "10:00")
        assert (left(city), city.state(held.booking)) == (2, BookingState.HELD)
        city.clock.forward(minutes=10)
        assert left(city) == 3
        city.at("10:16")
        assert left(city) == 4
        assert city.state(one) is BookingState.CONFIRMED

    def test_who_has_come_keeps_the_place_and_a_slot_that_has_ended_has_none(self, city: City) -> None:
        quiet_day(city)
        _, booking = city.booked("10:00")
        city.at("10:05")
        city.scan(city.code(booking))
        city.at("10:30")
        assert left(city) == 3
        city.at("11:00")
        read_session().rollback()
        assert walk_in_places(read_session(), city.here, city.now) == {}

    def test_what_was_overbooked_takes_nothing_from_others(self, city: City) -> None:
        quiet_day(city)
        city.booked("10:00")
        city.set_row(city.place("10:00"), bookable=0, extra=1)
        assert left(city) == 1


def break_counter(city: City, time: str = "10:15") -> None:
    """A slot counts two more than there are."""
    place = city.place(time)
    city.set_row(place, taken=place.taken + 2, extra=9, web_taken=place.web_taken + 1)


class TestCheck:
    def test_a_busy_day_leaves_nothing_that_differs(self, city: City) -> None:
        city.hold(city.person(), "10:15")
        person, booking = city.booked("10:15")
        city.move(person, booking, "10:30")
        city.cancel(person, booking)
        city.booked("10:30")
        assert check_places(read_session(), city.here) == ([], [])

    def test_a_counter_that_differs_is_found_and_mended(self, city: City) -> None:
        city.booked("10:15")
        break_counter(city)
        read_session().rollback()
        (found,), _ = check_places(read_session(), city.here)
        assert (found.slot, found.counted, found.used) == (city.place("10:15").id, (3, 1, 1), (1, 0, 1))

        assert mend_places(city.here, "command", city.now) == 1
        place = city.place("10:15")
        assert (place.taken, place.web_taken, place.phone_taken) == (1, 0, 1)
        assert city.has_right_counters()
        assert newest_entries(read_session(), 1)[0].facts == {"counted": [3, 1, 1], "used": [1, 0, 1]}

    def test_a_counter_below_what_is_used_is_mended_without_dropping_anybody(self, city: City) -> None:
        for _ in range(2):
            city.booked("10:15")
        city.set_row(city.place("10:15"), taken=0, phone_taken=0, bookable=1, phone_max=1)
        assert mend_places(city.here, "command", city.now) == 1

        place = city.place("10:15")
        assert (place.taken, place.bookable, place.extra, place.phone_max) == (2, 1, 1, 2)

    def test_a_booking_without_its_place_is_found(self, city: City) -> None:
        _, booking = city.booked("10:15")
        with transaction() as tx:
            tx.session.query(SlotUse).delete()
        found = check_places(read_session(), city.here)
        assert ([d.used for d in found[0]], found[1]) == ([(0, 0, 0)], [booking])

    def test_a_booking_that_ended_and_still_has_a_place_is_found(self, city: City) -> None:
        _, booking = city.booked("10:15")
        city.set_row(city.booking(booking), state=BookingState.CANCELLED)
        read_session().rollback()
        assert check_places(read_session(), city.here) == ([], [booking])

    def test_no_shows_give_their_places_back(self, city: City) -> None:
        city.booked("10:15")
        city.clock.forward(days=1)
        sweep_past_bookings(city.now)
        assert city.taken("10:15") == 0
        assert city.has_right_counters()


def check(office: Office, *words: str) -> tuple[int, str]:
    """The command as staff type it: how it ends, and what it says."""
    command = [sys.executable, "-m", "madoguchi.cli", "slots", "check", *words]
    env = {**os.environ, **environment_for(office.settings)}
    done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=60, check=False)  # noqa: S603 - ours
    return done.returncode, done.stdout + done.stderr


def test_the_command_names_what_differs_says_what_to_do_and_ends_with_1(sqlite_office: Office) -> None:
    city = City(sqlite_office)
    city.booked("10:15")
    assert check(sqlite_office) == (0, "all counts equal their bookings\n")

    break_counter(city)
    code, said = check(sqlite_office, "--office", "honcho")
    assert "of 2026-11-30 10:15 counts 3 for 1, 1 for 0, 1 for 1 (all, web, phone): --mend" in said
    assert (code, check(sqlite_office, "--mend")[0], check(sqlite_office)[0]) == (1, 0, 0)


class TestAfterAChange:
    """A closed Tuesday and Wednesday are saved while the database is busy at the first day's places."""

    def change(self, city: City) -> None:
        closed = tuple(Rule(0, RuleKind.DATED, on_date=day, closed=True) for day in (TUESDAY, WEDNESDAY))
        seen = digest(calendar_of(read_session(), city.here).rules)
        with busy_at("UPDATE slots"):
            change_rules(city.here, RuleChange(add=closed), seen, "staff:1", city.now)

    def test_a_day_that_fails_keeps_none_of_the_later_ones_from_being_made(self, city: City) -> None:
        self.change(city)
        assert [city.place("10:15", day).closed for day in (TUESDAY, WEDNESDAY)] == [False, True]

    def test_what_does_not_follow_yet_is_told_and_made_with_the_next_sweep(self, city: City) -> None:
        self.change(city)
        (waiting,) = days_to_make(read_session(), city.here)
        assert (waiting.first_day, waiting.last_day) == (TUESDAY, WEDNESDAY)
        make_slots(city.here, TUESDAY, TUESDAY, city.now)
        assert days_to_make(read_session(), city.here)

        make_waiting(city.here, city.now)
        assert city.place("10:15", TUESDAY).closed
        assert days_to_make(read_session(), city.here) == []
        assert make_waiting(city.here, city.now) == 0

    def test_a_change_of_days_that_have_no_places_waits_for_nothing(self, city: City) -> None:
        far = Rule(0, RuleKind.DATED, on_date=TUESDAY + timedelta(days=365), closed=True)
        seen = digest(calendar_of(read_session(), city.here).rules)
        change_rules(city.here, RuleChange(add=(far,)), seen, "staff:1", city.now)
        assert days_to_make(read_session(), city.here) == []


def test_the_command_tells_of_places_that_do_not_follow_the_rules(sqlite_office: Office) -> None:
    city = City(sqlite_office)
    with transaction() as tx:
        tx.session.add(PlacesToMake(office_id=city.here, first_day=TUESDAY))
    code, said = check(sqlite_office)
    assert (code, "honcho: places from 2026-12-01 to the last do not follow the rules yet" in said) == (1, True)

    make_waiting(city.here, city.now)
    assert check(sqlite_office)[0] == 0


class TestNightly:
    def test_it_runs_once_a_day_makes_places_again_and_tells(
        self, city: City, caplog: pytest.LogCaptureFixture
    ) -> None:
        set_policy(city.here, None, "walk_in_percent", 100, TUESDAY, "staff:1", city.now)
        break_counter(city)
        with caplog.at_level(logging.ERROR):
            nightly(city.now)
            nightly(city.clock.forward(hours=1))

        assert [m for m in caplog.messages if "slots check" in m] == [
            f"slots check: 1 slots and 0 bookings differ at office {city.here}"
        ]
        assert city.place("10:15", TUESDAY).bookable == 0
        told = [e for e in newest_entries(read_session(), 50) if e.verb == "slots.check"]
        assert {(e.facts["office"], e.facts["slots"]) for e in told} >= {(city.here, 1)}
        first = len(told)
        nightly(city.clock.forward(days=1))
        told = [e for e in newest_entries(read_session(), 50) if e.verb == "slots.check"]
        assert len(told) == 2 * first

    def test_an_office_that_was_put_off_is_done_with_the_next_sweep_and_the_others_once(self, city: City) -> None:
        set_policy(city.here, None, "walk_in_percent", 100, TUESDAY, "staff:1", city.now)
        with busy_at("UPDATE slots"):
            nightly(city.now)
        assert city.place("10:15", TUESDAY).bookable > 0
        others = checked_offices()
        assert city.here not in others
        assert others

        nightly(city.clock.forward(minutes=1))
        assert city.place("10:15", TUESDAY).bookable == 0
        assert checked_offices() == sorted([*others, city.here])


@contextmanager
def busy_at(start: str, times: int = 1) -> Iterator[None]:
    """The database is busy at the first statements that begin so."""
    left = iter(range(times))

    def refuse(_connection: object, _cursor: object, statement: str, *_more: object) -> None:
        if statement.startswith(start) and next(left, None) is not None:
            raise Busy

    event.listen(db.engine, "before_cursor_execute", refuse)
    try:
        yield
    finally:
        event.remove(db.engine, "before_cursor_execute", refuse)


def checked_offices() -> list[int]:
    """The offices whose counters were checked, by id, each as often as it was done."""
    read_session().rollback()
    return sorted(e.facts["office"] for e in newest_entries(read_session(), 50) if e.verb == "slots.check")
