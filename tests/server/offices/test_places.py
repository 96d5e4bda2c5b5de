"""The places of the coming days: made, adjusted, closed – and nobody who has one is dropped."""

from datetime import date, timedelta

import pytest

from server.booking.models import Slot
from server.booking.places import extend_slots, make_slots
from server.booking.queries import places_of_day
from server.booking.rules import SlotFull, SlotNotBookable
from server.clock import office_time
from server.db import read_session, transaction
from server.offices.models import OpeningRule, Policy, RuleKind
from tests.server.city import MONDAY, City

TUESDAY = MONDAY + timedelta(days=1)


def set_policy(city: City, key: str, value: object, day: date = MONDAY) -> None:
    """The office decides otherwise from a day on."""
    with transaction() as tx:
        tx.session.add(Policy(office_id=city.here, valid_from=day, key=key, value=value, by="kanri"))


def set_hours(city: City, day: date, opens: int, closes: int, *, closed: bool = False) -> None:
    """The office has other hours on one day."""
    last = {"last_booked": closes, "last_walk_in": closes}
    with transaction() as tx:
        rule = OpeningRule(
            office_id=city.here, kind=RuleKind.DATED, on_date=day, closed=closed, opens=opens, closes=closes, **last
        )
        tx.session.add(rule)


def starts(city: City, day: date) -> list[str]:
    """The times of a day that are not closed."""
    read_session().rollback()
    pool = city.place("10:00").pool_id
    rows = read_session().query(Slot).filter_by(pool_id=pool, business_date=day, closed=False).order_by(Slot.starts_at)
    return [f"{office_time(slot.starts_at):%H:%M}" for slot in rows]


def test_a_day_has_a_place_each_quarter_of_an_hour_until_the_last_reception(city: City) -> None:
    times = starts(city, TUESDAY)

    assert (times[0], times[-1], len(times)) == ("08:30", "17:00", 35)
    assert starts(city, MONDAY + timedelta(days=5)) == []


def test_a_place_that_would_end_after_closing_is_not_made(city: City) -> None:
    set_hours(city, TUESDAY, 600, 640)
    make_slots(city.here, TUESDAY, TUESDAY, city.now)

    assert starts(city, TUESDAY) == ["10:00", "10:15"]


def test_making_places_again_changes_nothing(city: City) -> None:
    before = city.place("10:15").uid

    assert make_slots(city.here, MONDAY, TUESDAY, city.now) == 0
    assert city.place("10:15").uid == before


def test_when_places_shrink_everybody_keeps_theirs_and_nobody_else_gets_one(city: City) -> None:
    booked = [city.booked("10:15") for _ in range(2)]
    set_policy(city, "walk_in_percent", 100)
    make_slots(city.here, MONDAY, MONDAY, city.now)

    place = city.place("10:15")
    assert (place.bookable, place.extra, place.taken, place.walk_in) == (0, 2, 2, 3)
    with pytest.raises(SlotFull):
        city.hold(city.person(), "10:15")
    city.cancel(*booked[0])
    with pytest.raises(SlotFull):
        city.hold(city.person(), "10:15")
    assert city.has_right_counters()


def test_when_places_grow_again_they_can_be_had(city: City) -> None:
    city.booked("10:15")
    set_policy(city, "walk_in_percent", 100)
    make_slots(city.here, MONDAY, MONDAY, city.now)
    set_policy(city, "walk_in_percent", 0, TUESDAY)
    with transaction() as tx:
        tx.session.query(Policy).filter_by(office_id=city.here, valid_from=MONDAY).delete()
    make_slots(city.here, MONDAY, TUESDAY, city.now)

    assert (city.place("10:15").bookable, city.place("10:15", TUESDAY).bookable) == (2, 3)
    city.hold(city.person(), "10:15")


def test_a_day_that_closes_keeps_its_people_and_takes_no_more(city: City) -> None:
    _, booking = city.booked("10:15", TUESDAY)
    set_hours(city, TUESDAY, 0, 0, closed=True)
    make_slots(city.here, TUESDAY, TUESDAY, city.now)

    place = city.place("10:15", TUESDAY)
    assert (place.closed, place.taken, city.state(booking).value) == (True, 1, "confirmed")
    with pytest.raises(SlotNotBookable) as refused:
        city.hold(city.person(), "10:15", TUESDAY)
    assert refused.value.facts == {"reason": "closed"}


def test_a_day_that_opens_again_has_its_old_places(city: City) -> None:
    uid = city.place("10:15", TUESDAY).uid
    set_hours(city, TUESDAY, 0, 0, closed=True)
    make_slots(city.here, TUESDAY, TUESDAY, city.now)
    with transaction() as tx:
        tx.session.query(OpeningRule).filter_by(office_id=city.here, on_date=TUESDAY).delete()

    assert make_slots(city.here, TUESDAY, TUESDAY, city.now) == 0
    assert (city.place("10:15", TUESDAY).uid, city.place("10:15", TUESDAY).closed) == (uid, False)


def test_each_day_the_booking_period_moves_on_by_one(city: City) -> None:
    assert extend_slots(city.here, city.now) == 0
    assert extend_slots(city.here, city.clock.forward(days=1)) == 0  # the new last day is a Saturday
    assert extend_slots(city.here, city.clock.forward(days=2)) == 35
    assert extend_slots(city.here, city.now) == 0


def test_how_full_a_day_is(city: City) -> None:
    city.booked("10:15")
    read_session().rollback()
    (pool,) = places_of_day(read_session(), city.here, MONDAY)

    assert (pool.places, pool.taken, pool.free) == (79, 1, 78)
