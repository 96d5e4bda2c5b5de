"""Families and single people want the same places at once: all places of a party or none."""

from functools import partial
from itertools import pairwise

import pytest

from server.booking.models import Channel
from server.booking.rules import BookingState, Overbook
from server.booking.service import leave_booking, move_booking, sweep_lapsed_holds
from tests.fakes import asked_by
from tests.races.together import Deed, at_once, codes, done
from tests.server.city import City

pytestmark = pytest.mark.race

ROW = ["10:00", "10:15", "10:30", "10:45"]


def test_of_fifty_families_only_so_many_get_places_side_by_side_as_there_are(city: City) -> None:
    families = [city.people(2) for _ in range(50)]
    slots = [city.slot(time) for time in ROW]
    deeds = [partial(city.hold, family[0], slots[n % 3], family=family[1:]) for n, family in enumerate(families)]
    answers = at_once(city.office.app, deeds)

    places = [city.place(time) for time in ROW]
    won = done(answers)
    assert sum(place.taken for place in places) == 2 * len(won)
    assert all(place.taken <= place.bookable for place in places)
    assert codes(answers) == ["slot_full"] * (50 - len(won))
    assert all(a.taken == a.bookable or b.taken == b.bookable for a, b in pairwise(places))
    assert city.has_right_counters()


def test_families_that_share_people_never_share_them_in_two_bookings(city: City) -> None:
    people, slots = city.people(6), [city.slot(time) for time in ("10:00", "11:00", "14:00")]
    pairs = [(people[n], people[(n + 1 + k) % 6]) for n in range(6) for k in range(3)]
    deeds = [partial(city.hold, pair[n % 2], slots[n % 3], family=[pair[1 - n % 2]]) for n, pair in enumerate(pairs)]
    answers = at_once(city.office.app, deeds)

    assert set(codes(answers)) <= {"slot_full"}
    live = [city.live(person) for person in people]
    held = {booking.uid: booking for booking in live if booking is not None}
    for booking in held.values():
        assert [person.live for person in booking.people] == [True, True]
    assert sum(sum(use.units for use in booking.uses) for booking in held.values()) == 2 * len(held)
    assert city.has_right_counters()


@pytest.mark.parametrize("n", range(4))
def test_one_leaves_while_the_others_move(city: City, n: int) -> None:
    family = city.people(3)
    _, booking = city.booked("10:00", person=family[0], family=family[1:])
    slot = city.slot(("10:15", "11:00", "10:15", "14:00")[n])
    leave = partial(leave_booking, asked_by(family[1].actor), family[1].notice, booking, city.now)
    to = (family[0].notice, booking, slot, Channel.PHONE, city.now)
    deeds: list[Deed] = [leave, partial(move_booking, asked_by(family[0].actor), *to)]
    answers = at_once(city.office.app, deeds[:: 1 if n % 2 else -1])

    assert codes(answers) == []
    row = city.booking(booking)
    assert sum(use.units for use in row.uses) == 2
    assert [person.live for person in row.people] == [True, False, True]
    assert (city.state(booking), city.has_right_counters()) == (BookingState.CONFIRMED, True)


def test_all_of_a_family_leave_at_once_and_the_booking_is_cancelled_once(city: City) -> None:
    family = city.people(4)
    _, booking = city.booked("10:00", person=family[0], family=family[1:])
    answers = at_once(city.office.app, [partial(city.leave, person, booking) for person in family])

    assert codes(answers) == []
    assert (city.state(booking), [city.taken(time) for time in ROW]) == (BookingState.CANCELLED, [0] * 4)
    assert city.has_right_counters()


def test_lapsed_holds_that_lie_across_each_other_are_released_without_deadlock(city: City) -> None:
    for time in ("10:00", "10:15", "10:30"):
        family = city.people(2)
        city.hold(family[0], time, family=family[1:])
    families = [city.people(2) for _ in range(9)]
    slots = [city.slot(time) for time in ROW[:3]]
    city.clock.forward(minutes=10)
    deeds: list[Deed] = [
        partial(city.hold, family[0], slots[n % 3], family=family[1:]) for n, family in enumerate(families)
    ]
    deeds += [partial(sweep_lapsed_holds, city.now)] * 3
    answers = at_once(city.office.app, deeds)

    assert set(codes(answers)) <= {"slot_full"}
    assert city.has_right_counters()


def test_staff_overbook_while_residents_book_and_the_web_gets_no_more_than_its_places(city: City) -> None:
    slot, people = city.slot("10:15"), city.people(20)
    overbook = [
        partial(city.hold, person, slot, web=False, overbook=Overbook.WELFARE, by=asked_by("staff:3"))
        for person in people[:5]
    ]
    answers = at_once(city.office.app, [*overbook, *(partial(city.hold, person, slot) for person in people[5:])])

    place = city.place("10:15")
    assert place.taken == len(done(answers)) == place.bookable + place.extra
    assert place.web_taken <= place.bookable
    assert place.taken - place.web_taken == 5
    assert city.has_right_counters()
