"""Many want the same places at once, in threads: nothing is sold twice and nothing is lost."""

import threading
from collections import Counter
from contextlib import suppress
from datetime import date, timedelta
from functools import partial
from uuid import UUID

import pytest
from sqlalchemy import event

from server.booking.models import BookingPerson, Channel
from server.booking.places import make_slots
from server.booking.rules import BookingState, SlotFull
from server.booking.service import Held, book, hold_slot, move_booking, sweep_lapsed_holds
from server.db import db, transaction
from server.errors import ChangedMeanwhile
from server.offices.models import Policy
from tests.fakes import asked_by
from tests.races.together import PATIENCE_S, Deed, at_once, codes, done
from tests.server.city import MONDAY, City, Person
from tests.server.offices.test_places import set_hours, starts

pytestmark = pytest.mark.race


def test_of_fifty_who_want_the_last_place_one_gets_it(city: City) -> None:
    city.booked("10:15")
    slot = city.slot("10:15")
    answers = at_once(city.office.app, [partial(city.hold, person, slot) for person in city.people(50)])

    assert len(done(answers)) == 1
    assert codes(answers) == ["slot_full"] * 49
    assert city.taken("10:15") == 2
    assert city.has_right_counters()


def test_the_same_request_twenty_times_at_once_is_one_deed_and_one_answer(city: City) -> None:
    person, slot = city.person(), city.slot("10:15")
    by = asked_by(person.actor)
    answers = at_once(city.office.app, [partial(city.hold, person, slot, by=by) for _ in range(20)])

    assert len(set(done(answers))) == 1
    assert codes(answers) == []
    assert city.taken("10:15") == 1


def test_the_same_request_with_two_bodies_at_once_does_one_of_them(city: City) -> None:
    person, slots = city.person(), [city.slot("10:15"), city.slot("11:15")]
    by = asked_by(person.actor)
    answers = at_once(city.office.app, [partial(city.hold, person, slots[n % 2], by=by) for n in range(20)])

    assert len(set(done(answers))) == 1
    assert codes(answers) == ["repeated_with_other_body"] * 10
    assert city.taken("10:15") + city.taken("11:15") == 1


def test_one_notice_in_many_tabs_at_once_ends_with_one_place(city: City) -> None:
    person = city.person()
    slots = [city.slot(time) for time in ("10:15", "10:30", "10:45", "11:15", "11:30", "11:45")]
    answers = at_once(city.office.app, [partial(city.hold, person, slot) for slot in slots * 2])

    held = done(answers)
    states = Counter(city.state(h.booking) for h in held)
    assert (len(held), states[BookingState.HELD], states[BookingState.LAPSED]) == (12, 1, 11)
    assert sum(city.taken(t) for t in ("10:15", "10:30", "10:45", "11:15", "11:30", "11:45")) == 1
    assert city.has_right_counters()


def test_a_familys_notice_in_two_bookings_at_once_is_refused_by_the_database_itself(city: City) -> None:
    child, *parents = city.people(3)
    bookings = [city.booked("10:15", person=parent)[1] for parent in parents]

    def add_child(booking: UUID) -> None:
        with transaction() as tx:
            row = city.booking(booking).people[0]
            place = {"booking_id": row.booking_id, "position": 2, "service_id": row.service_id}
            tx.session.add(BookingPerson(notice_id=child.notice, **place))

    answers = at_once(city.office.app, [partial(add_child, booking) for booking in bookings])
    assert codes(answers) == ["changed_meanwhile"]
    (refusal,) = (a for a in answers if isinstance(a, ChangedMeanwhile))
    assert "notice" in refusal.facts["constraint"]


def test_people_who_swap_their_times_neither_block_each_other_nor_lose_a_place(city: City) -> None:
    times = ["10:15", "11:15", "14:15"]
    slots = {time: city.slot(time) for time in times}
    people = [(*city.booked(times[n % 3]), n) for n in range(4)]

    def wander(person: Person, booking: UUID, n: int) -> None:
        for step in range(1, 26):
            wanted = slots[times[(n + step * (1 + n % 2)) % 3]]
            with suppress(SlotFull):
                move_booking(asked_by(person.actor), person.notice, booking, wanted, Channel.PHONE, city.now)

    assert codes(at_once(city.office.app, [partial(wander, *who) for who in people])) == []
    assert sum(city.taken(time) for time in times) == 4
    assert {city.state(booking) for _, booking, _ in people} == {BookingState.CONFIRMED}
    assert city.has_right_counters()


def test_from_a_full_time_to_a_full_time_nobody_moves_and_nobody_loses(city: City) -> None:
    there = [city.booked("10:15") for _ in range(2)]
    here = [city.booked("11:15") for _ in range(2)]
    deeds = [partial(city.move, *who, "11:15") for who in there] + [partial(city.move, *who, "10:15") for who in here]
    answers = at_once(city.office.app, deeds)

    assert codes(answers) == ["slot_full"] * 4
    assert (city.taken("10:15"), city.taken("11:15")) == (2, 2)


def test_places_of_lapsed_holds_are_won_once_each_though_many_and_the_sweep_reach_for_them(city: City) -> None:
    slot = city.slot("10:15")
    lapsed = [city.hold(city.person(), slot) for _ in range(2)]
    people = city.people(18)
    city.clock.forward(minutes=10)

    deeds: list[Deed] = [partial(city.hold, person, slot) for person in people]
    deeds += [partial(sweep_lapsed_holds, city.now)] * 2
    answers = at_once(city.office.app, deeds)
    assert len([a for a in done(answers) if isinstance(a, Held)]) == 2
    assert codes(answers) == ["slot_full"] * 16
    assert {city.state(held.booking) for held in lapsed} == {BookingState.LAPSED}
    assert city.has_right_counters()


def test_booking_in_the_last_moment_and_somebody_elses_hold_in_the_next_never_both_win(city: City) -> None:
    for time in ("10:15", "10:30", "10:45", "11:15", "11:30", "11:45", "14:15", "14:30"):
        city.booked(time)
        slot, (one, other) = city.slot(time), city.people(2)
        until = city.hold(one, slot).hold_until
        last = until - timedelta(microseconds=1)
        booking = city.live(one)
        assert booking is not None

        in_time = partial(book, asked_by(one.actor), one.notice, booking.uid, last)
        too_soon = (city.keyring, [other.notice], slot, Channel.WEB, "ja", until)
        deeds: list[Deed] = [in_time, partial(hold_slot, asked_by(other.actor), *too_soon)]
        answers = at_once(city.office.app, deeds)
        assert len(done(answers)) == 1, time
        assert codes(answers) in (["hold_lapsed"], ["slot_full"])
        assert city.taken(time) == 2
    assert city.has_right_counters()


def test_changing_the_calendar_while_people_book_oversells_nothing_and_drops_nobody(city: City) -> None:
    slot, people = city.slot("10:15"), city.people(10)
    with transaction() as tx:
        tx.session.add(Policy(office_id=city.here, valid_from=MONDAY, key="walk_in_percent", value=100, by="test"))

    deeds: list[Deed] = [partial(city.hold, person, slot) for person in people]
    deeds.insert(3, partial(make_slots, city.here, MONDAY, MONDAY, city.now))
    held = [a for a in done(at_once(city.office.app, deeds)) if isinstance(a, Held)]

    place = city.place("10:15")
    assert (place.bookable, place.walk_in, place.taken) == (0, 3, len(held))
    assert place.extra == len(held) <= 2
    assert city.has_right_counters()


@pytest.mark.parametrize("standing_office", [pytest.param("postgresql", marks=pytest.mark.postgresql)], indirect=True)
@pytest.mark.parametrize("day", [MONDAY, MONDAY + timedelta(days=70)], ids=["with slots", "without slots"])
def test_places_made_while_the_rules_change_follow_the_newest_rules(city: City, day: date) -> None:
    """The rules are changed, and their places made, just as another thread is about to lock what it makes again; on
    SQLite nobody can come between, so there is nothing to see there."""
    engine = db.engine
    making = partial(make_slots, city.here, day, day, city.now)
    about_to_lock, changed, slow = threading.Event(), threading.Event(), threading.local()

    def wait_before_the_first_lock(_c: object, _u: object, statement: str, *_more: object) -> None:
        if getattr(slow, "waits", False) and "FOR NO KEY UPDATE" in statement:
            slow.waits = False
            about_to_lock.set()
            assert changed.wait(PATIENCE_S)

    def make_slowly() -> None:
        slow.waits = True
        making()

    def change() -> None:
        assert about_to_lock.wait(PATIENCE_S)
        set_hours(city, day, 0, 0, closed=True)
        making()
        changed.set()

    event.listen(engine, "before_cursor_execute", wait_before_the_first_lock)
    try:
        at_once(city.office.app, [make_slowly, change])
    finally:
        event.remove(engine, "before_cursor_execute", wait_before_the_first_lock)
    assert starts(city, day) == []
