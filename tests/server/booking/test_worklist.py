"""The work list of bookings that lost their place: nobody is dropped, everybody is told, most find another time."""

from datetime import date, timedelta
from uuid import UUID

import pytest

from server.booking.models import AffectedBooking, Channel, Reason, Slot, Told
from server.booking.places import make_slots
from server.booking.service import cancel_booking, move_booking, sweep_lapsed_holds
from server.booking.worklist import (
    MovedAll,
    NoFreePlace,
    UnknownEntry,
    done_entries,
    move_all,
    move_to_next,
    open_entries,
    settle,
    strike,
    tell,
)
from server.clock import office_time
from server.db import read_session, transaction
from server.offices.models import OpeningRule
from server.offices.service import set_policy
from tests.fakes import asked_by
from tests.server.city import MONDAY, City
from tests.server.offices.test_places import set_hours

TUESDAY, WEDNESDAY = MONDAY + timedelta(days=1), MONDAY + timedelta(days=2)
SUPERVISOR = "staff:4"


def close(city: City, day: date = TUESDAY, opens: int = 0, closes: int = 0) -> None:
    """The office closes on a day, or is open for some hours only."""
    set_hours(city, day, opens, closes, closed=not closes)
    make_slots(city.here, day, day, city.now)


def size(city: City, percent: int, day: date = TUESDAY) -> None:
    """So many per cent of the places are for people without a booking."""
    set_policy(city.here, None, "walk_in_percent", percent, day, SUPERVISOR, city.now)
    make_slots(city.here, day, day, city.now)


def todo(city: City) -> list[AffectedBooking]:
    """The open entries."""
    read_session().rollback()
    return open_entries(read_session(), city.here)


def at(city: City, booking: UUID) -> str:
    """Day and time of a booking."""
    return f"{office_time(city.booking(booking).starts_at):%d %H:%M}"


def test_a_day_that_closes_puts_its_bookings_on_the_list(city: City) -> None:
    booked = [city.booked(time, TUESDAY)[1] for time in ("11:00", "10:15")]
    city.booked("10:15", WEDNESDAY)
    close(city)

    assert [(e.booking.uid, e.reason) for e in todo(city)] == [(uid, Reason.CLOSED) for uid in reversed(booked)]
    make_slots(city.here, TUESDAY, TUESDAY, city.now)
    assert len(todo(city)) == 2


def test_who_comes_for_what_is_not_done_then_any_more_is_on_the_list(city: City) -> None:
    lost, _ = city.booked("10:15", TUESDAY)[1], city.booked("10:15", WEDNESDAY)
    set_hours(city, TUESDAY, 510, 1035, services=["certificate"])
    make_slots(city.here, TUESDAY, WEDNESDAY, city.now)
    assert [(e.booking.uid, e.reason) for e in todo(city)] == [(lost, Reason.CLOSED)]

    with transaction() as tx:
        tx.session.query(OpeningRule).filter(OpeningRule.on_date == TUESDAY).update({"services": ["pickup"]})
    make_slots(city.here, TUESDAY, WEDNESDAY, city.now)
    assert todo(city) == []


def test_of_a_time_that_shrinks_the_newest_bookings_are_listed(city: City) -> None:
    _, newest = [city.booked("10:15", TUESDAY)[1] for _ in range(2)]
    size(city, 50)  # one place of 10:15 is left

    assert [(e.booking.uid, e.reason) for e in todo(city)] == [(newest, Reason.SHRUNK)]
    size(city, 100)
    assert len(todo(city)) == 2


def test_who_has_a_place_again_and_was_told_nothing_leaves_the_list(city: City) -> None:
    first, second = [city.booked("10:15", TUESDAY)[1] for _ in range(2)]
    size(city, 100)
    tell(asked_by(SUPERVISOR), next(e.uid for e in todo(city) if e.booking.uid == first), Told.POST, city.now)
    size(city, 25)

    assert [e.booking.uid for e in todo(city)] == [first]
    assert [e.booking.uid for e in done_entries(read_session(), city.here, 10)] == [second]


def test_what_was_overbooked_on_purpose_is_no_work(city: City) -> None:
    for _ in range(2):
        city.booked("10:15", TUESDAY)
    city.set_row(city.place("10:15", TUESDAY), bookable=1, extra=1)  # as if staff had booked the second beyond the size
    set_policy(city.here, None, "places_by_hour", {"10": 4}, TUESDAY, SUPERVISOR, city.now)
    set_policy(city.here, None, "walk_in_percent", 0, TUESDAY, SUPERVISOR, city.now)
    make_slots(city.here, TUESDAY, TUESDAY, city.now)

    assert city.place("10:15", TUESDAY).bookable == 1
    assert todo(city) == []


def test_holds_are_no_work_until_they_are_bookings(city: City) -> None:
    person, other = city.people(2)
    held = city.hold(person, "10:15", TUESDAY)
    city.hold(other, "10:30", TUESDAY)
    close(city)
    assert todo(city) == []

    city.book(person, held.booking)
    city.clock.forward(minutes=10)
    sweep_lapsed_holds(city.now)
    assert [e.booking.uid for e in todo(city)] == [held.booking]
    assert settle(city.now) == 1


def test_moved_by_the_office_the_next_free_time_is_taken_and_people_are_told(city: City) -> None:
    _, booking = city.booked("16:45", TUESDAY)
    close(city)
    (entry,) = todo(city)
    moved = move_to_next(asked_by(SUPERVISOR), entry.uid, city.now)

    assert (at(city, booking), moved.starts_at) == ("02 08:30", city.booking(booking).starts_at)
    assert [e.moved_to for e in todo(city)] == [moved.starts_at]
    tell(asked_by(SUPERVISOR), entry.uid, Told.SMS, city.now)
    assert todo(city) == []
    (done,) = done_entries(read_session(), city.here, 10)
    assert (done.told_how, done.told_by, done.told_at, done.done_at) == (Told.SMS, SUPERVISOR, city.now, city.now)
    assert (city.taken("16:45", TUESDAY), city.taken("08:30", WEDNESDAY)) == (0, 1)
    assert city.has_right_counters()


def test_who_was_told_before_being_moved_is_told_again(city: City) -> None:
    city.booked("10:15", TUESDAY)
    close(city)
    (entry,) = todo(city)
    tell(asked_by(SUPERVISOR), entry.uid, Told.POST, city.now)
    assert [e.told_how for e in todo(city)] == [Told.POST]
    move_to_next(asked_by(SUPERVISOR), entry.uid, city.now)

    assert [e.told_how for e in todo(city)] == [None]


def test_who_takes_another_time_or_cancels_by_themselves_is_done(city: City) -> None:
    mover, canceller = [city.booked("10:15", TUESDAY) for _ in range(2)]
    close(city)
    move_booking(asked_by("notice:1"), mover[0].notice, mover[1], city.slot("11:00"), Channel.WEB, city.now)
    cancel_booking(asked_by("notice:2"), canceller[0].notice, canceller[1], city.now)

    assert todo(city) == []
    assert settle(city.now) == 2
    assert [e.moved_to and office_time(e.moved_to).hour for e in done_entries(read_session(), city.here, 9)] == [
        None,
        11,
    ]


def test_all_are_moved_to_the_next_free_places_and_who_finds_none_stays(city: City) -> None:
    last = city.now.date() + timedelta(days=45)  # the last day that can be booked
    booked = [city.booked(time, last - timedelta(days=1)) for time in ("09:00", "09:15", "09:30")]
    keep = {"09:00": 1, "16:00": 1}
    with transaction() as tx:
        for slot in tx.session.query(Slot).filter(Slot.business_date == last):
            slot.bookable = keep.get(f"{office_time(slot.starts_at):%H:%M}", 0)
    close(city, last - timedelta(days=1))
    told: list[tuple[int, int]] = []
    result = move_all(asked_by(SUPERVISOR), city.here, city.now, progress=lambda n, of: told.append((n, of)))

    assert result == MovedAll(moved=2, left=1, untried=0, last=todo(city)[-1].uid)
    assert told == [(1, 3), (2, 3), (3, 3)]
    assert [at(city, uid)[3:] for _, uid in booked] == ["09:00", "16:00", "09:30"]
    assert [e.moved_to is not None for e in todo(city)] == [True, True, False]
    with pytest.raises(NoFreePlace):
        move_to_next(asked_by(SUPERVISOR), todo(city)[-1].uid, city.now)
    assert city.has_right_counters()


def test_moving_all_by_portions_comes_to_an_end(city: City) -> None:
    for time in ("09:00", "09:15", "09:30"):
        city.booked(time, TUESDAY)
    close(city)
    results: list[MovedAll] = []
    for _ in range(3):
        after = results[-1].last if results else None
        results.append(move_all(asked_by(SUPERVISOR), city.here, city.now, most=2, after=after))

    assert [(r.moved, r.left, r.untried) for r in results] == [(2, 0, 1), (1, 0, 0), (0, 0, 0)]


def test_the_same_request_twice_moves_once(city: City) -> None:
    _, booking = city.booked("10:15", TUESDAY)
    close(city)
    (entry,) = todo(city)
    by = asked_by(SUPERVISOR)
    first = move_to_next(by, entry.uid, city.now)

    assert move_to_next(by, entry.uid, city.now) == first
    assert at(city, booking) == "02 08:30"


def test_what_is_struck_is_gone_and_cannot_be_told_any_more(city: City) -> None:
    city.booked("10:15", TUESDAY)
    close(city)
    (entry,) = todo(city)
    strike(asked_by(SUPERVISOR), entry.uid, city.now)

    assert todo(city) == []
    with pytest.raises(UnknownEntry):
        tell(asked_by(SUPERVISOR), entry.uid, Told.PHONE, city.now)


def test_what_is_struck_stays_struck_as_long_as_its_reason_stands(city: City) -> None:
    first, second = [city.booked("10:15", TUESDAY)[1] for _ in range(2)]
    size(city, 50)
    strike(asked_by(SUPERVISOR), todo(city)[0].uid, city.now)
    for percent in (50, 50):
        size(city, percent)
        assert todo(city) == []
    size(city, 100)
    assert [e.booking.uid for e in todo(city)] == [first]

    close(city)
    assert {(e.booking.uid, e.reason) for e in todo(city)} == {(first, Reason.SHRUNK), (second, Reason.CLOSED)}


def test_what_was_struck_is_listed_again_when_its_place_was_back_meanwhile(city: City) -> None:
    _, booking = city.booked("10:15", TUESDAY)
    close(city)
    strike(asked_by(SUPERVISOR), todo(city)[0].uid, city.now)
    close(city)
    assert todo(city) == []

    with transaction() as tx:
        tx.session.query(OpeningRule).filter_by(office_id=city.here, on_date=TUESDAY).delete()
    make_slots(city.here, TUESDAY, TUESDAY, city.now)
    close(city)
    assert [e.booking.uid for e in todo(city)] == [booking]


def test_a_day_that_opens_again_empties_the_list(city: City) -> None:
    _, booking = city.booked("10:15", TUESDAY)
    close(city)
    with transaction() as tx:
        tx.session.query(OpeningRule).filter_by(office_id=city.here, on_date=TUESDAY).delete()
    make_slots(city.here, TUESDAY, TUESDAY, city.now)

    assert todo(city) == []
    assert at(city, booking) == "01 10:15"


def test_in_a_frame_the_moved_are_asked_to_come_one_by_one_and_all_are_told(city: City) -> None:
    for day in (TUESDAY, WEDNESDAY):
        set_policy(city.here, None, "slot_minutes", 60, day, SUPERVISOR, city.now)
        make_slots(city.here, day, day, city.now)
    booked = [city.booked("15:30", TUESDAY)[1] for _ in range(2)]
    close(city)
    move_all(asked_by(SUPERVISOR), city.here, city.now)

    assert settle(city.now) == 0
    assert [at(city, uid) for uid in booked] == ["02 08:30", "02 08:35"]
    assert [e.told_at for e in todo(city)] == [None, None]
