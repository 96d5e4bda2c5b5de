"""The places of the coming days: made, adjusted, closed – and nobody who has one is dropped."""

from datetime import date, timedelta

import pytest
from sqlalchemy import select

from server.booking.models import Slot
from server.booking.places import days_to_make, extend_slots, make_slots, make_waiting
from server.booking.queries import places_of_day
from server.booking.rules import SlotFull, SlotNotBookable
from server.booking.service import sweep_lapsed_holds
from server.booking.worklist import open_entries
from server.clock import office_time
from server.db import read_session, transaction
from server.offices.models import OpeningRule, Policy, Pool, PoolKind, ServiceUse
from server.offices.opening_rules import Rule, RuleKind
from server.offices.opening_service import values_of
from server.offices.policy import UnknownPolicy
from server.offices.queries import service_by_code
from server.offices.service import UnknownPool, set_policy
from tests.server.city import MONDAY, City

TUESDAY = MONDAY + timedelta(days=1)


def decide(city: City, key: str, value: object, day: date = MONDAY, pool: str | None = None) -> None:
    """The office decides otherwise from a day on, for itself or for one of its pools."""
    set_policy(city.here, pool, key, value, day, "staff:1", city.now)


def terminals(city: City, n: int, day: date = MONDAY) -> None:
    """The card terminals that picking up a card takes a place of, too."""
    with transaction() as tx:
        pool = tx.session.scalar(select(Pool).where(Pool.office_id == city.here, Pool.kind == PoolKind.TERMINAL))
        if pool is None:
            pool = Pool(office_id=city.here, kind=PoolKind.TERMINAL, name="統合端末")
            tx.session.add(pool)
            tx.session.flush()
            service = service_by_code(tx.session, city.here, "pickup")
            tx.session.add(ServiceUse(service_id=service.id, office_id=city.here, pool_id=pool.id, units=1))
    decide(city, "size", n, day, "統合端末")


def slots(city: City, kind: PoolKind, day: date = MONDAY) -> dict[str, Slot]:
    """The open slots of a pool on a day, by their times."""
    read_session().rollback()
    wanted = select(Slot).join(Pool, Pool.id == Slot.pool_id).where(Pool.office_id == city.here, Pool.kind == kind)
    found = read_session().scalars(wanted.where(Slot.business_date == day, Slot.closed.is_(False)))
    return {f"{office_time(slot.starts_at):%H:%M}": slot for slot in found}


def set_hours(
    city: City, day: date, opens: int, closes: int, *, closed: bool = False, services: list[str] | None = None
) -> None:
    """The office has other hours on one day."""
    last = {"last_booked": closes, "last_walk_in": closes}
    with transaction() as tx:
        rule = OpeningRule(
            office_id=city.here,
            kind=RuleKind.DATED,
            on_date=day,
            closed=closed,
            opens=opens,
            closes=closes,
            services=services,
            **last,
        )
        tx.session.add(rule)


def starts(city: City, day: date) -> list[str]:
    """The times of a day that are not closed."""
    return sorted(slots(city, PoolKind.WINDOWS, day))


def test_a_day_has_a_place_each_quarter_of_an_hour_until_the_last_reception(city: City) -> None:
    times = starts(city, TUESDAY)

    assert (times[0], times[-1], len(times)) == ("08:30", "17:00", 35)
    assert starts(city, MONDAY + timedelta(days=5)) == []


def test_a_place_that_would_end_after_closing_is_not_made(city: City) -> None:
    set_hours(city, TUESDAY, 600, 640)
    make_slots(city.here, TUESDAY, TUESDAY, city.now)

    assert starts(city, TUESDAY) == ["10:00", "10:15"]


def test_a_closure_until_an_odd_minute_takes_slots_out_and_moves_no_other(city: City) -> None:
    _, booking = city.booked("13:15", TUESDAY)
    with transaction() as tx:
        until = Rule(0, RuleKind.CLOSURE, on_date=TUESDAY, until_date=TUESDAY, opens=720, closes=787, closed=True)
        tx.session.add(OpeningRule(office_id=city.here, **values_of(until)))
    make_slots(city.here, TUESDAY, TUESDAY, city.now)

    times = starts(city, TUESDAY)
    assert [time for time in times if "11:40" < time < "13:40"] == ["11:45", "13:15", "13:30"]
    assert len(times) == 30
    assert open_entries(read_session(), city.here) == []
    assert city.state(booking).value == "confirmed"


def test_making_places_again_changes_nothing(city: City) -> None:
    before = city.place("10:15").uid

    assert make_slots(city.here, MONDAY, TUESDAY, city.now) == 0
    assert city.place("10:15").uid == before


def test_when_places_shrink_everybody_keeps_theirs_and_nobody_else_gets_one(city: City) -> None:
    booked = [city.booked("10:15") for _ in range(2)]
    decide(city, "walk_in_percent", 100)
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
    decide(city, "walk_in_percent", 100)
    make_slots(city.here, MONDAY, MONDAY, city.now)
    decide(city, "walk_in_percent", 0, TUESDAY)
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


def sell_out(city: City, *times: str) -> int:
    """Book these times of Tuesday until nothing is left; gives how many got a place."""
    sold = 0
    for time in times:
        while city.place(time, TUESDAY).taken < city.place(time, TUESDAY).bookable:
            city.booked(time, TUESDAY)
            sold += 1
        with pytest.raises(SlotFull):
            city.booked(time, TUESDAY)
    return sold


def test_an_hour_that_was_sold_out_is_not_sold_again_when_its_slots_move(city: City) -> None:
    assert sell_out(city, "10:00", "10:15", "10:30", "10:45") == 9
    set_hours(city, TUESDAY, 515, 1035)
    make_slots(city.here, TUESDAY, TUESDAY, city.now)

    moved = slots(city, PoolKind.WINDOWS, TUESDAY)
    around = {time: moved[time].bookable for time in ("09:35", "09:50", "10:05", "10:20", "10:35", "10:50")}
    assert around == {"09:35": 2, "09:50": 0, "10:05": 0, "10:20": 0, "10:35": 0, "10:50": 2}
    assert sell_out(city, "10:05", "10:20", "10:35") == 0
    assert city.has_right_counters()


def test_slots_that_became_longer_do_not_sell_again_what_the_old_ones_hold(city: City) -> None:
    assert sell_out(city, "10:00", "10:15", "10:30", "10:45") == 9
    decide(city, "slot_minutes", 30, TUESDAY)
    make_slots(city.here, TUESDAY, TUESDAY, city.now)

    assert [city.place(time, TUESDAY).bookable for time in ("10:00", "10:30", "11:00")] == [3, 2, 5]
    assert sell_out(city, "10:00", "10:30") == 0
    assert city.has_right_counters()


def test_slots_that_became_shorter_do_not_sell_again_what_people_of_the_long_ones_hold(city: City) -> None:
    decide(city, "slot_minutes", 30, TUESDAY)
    make_slots(city.here, TUESDAY, TUESDAY, city.now)
    assert sell_out(city, "10:00", "10:30") == 9
    decide(city, "slot_minutes", 15, TUESDAY)
    for _ in range(2):
        make_slots(city.here, TUESDAY, TUESDAY, city.now)
        bookable = [city.place(time, TUESDAY).bookable for time in ("10:00", "10:15", "10:30", "10:45", "11:00")]
        assert bookable == [3, 0, 2, 0, 3]
    assert sell_out(city, "10:00", "10:15", "10:30", "10:45") == 0
    assert city.has_right_counters()


def test_what_people_of_a_longer_slot_give_back_can_be_had_again_with_the_next_sweep(city: City) -> None:
    decide(city, "slot_minutes", 30, TUESDAY)
    make_slots(city.here, TUESDAY, TUESDAY, city.now)
    people = [city.booked("10:00", TUESDAY) for _ in range(5)]
    decide(city, "slot_minutes", 15, TUESDAY)
    make_slots(city.here, TUESDAY, TUESDAY, city.now)
    for person in people[:2]:
        city.cancel(*person)
    assert sell_out(city, "10:00", "10:15") == 0

    make_waiting(city.here, city.now)
    assert sell_out(city, "10:00", "10:15") == 2
    city.cancel(*people[2])
    make_waiting(city.here, city.now)
    assert sell_out(city, "10:00", "10:15") == 1
    assert days_to_make(read_session(), city.here) == []


def test_a_hold_in_a_slot_that_closes_keeps_its_place_until_it_is_booked_or_lapses(city: City) -> None:
    """Slots move by five minutes while two people fill in their forms: one books, one does not."""
    one, two = city.person(), city.person()
    held = city.hold(one, "10:15", TUESDAY)
    city.hold(two, "10:15", TUESDAY)
    set_hours(city, TUESDAY, 515, 1035)
    make_slots(city.here, TUESDAY, TUESDAY, city.now)
    bookable = city.place("10:05", TUESDAY).bookable + city.place("10:20", TUESDAY).bookable

    city.book(one, held.booking)
    city.clock.forward(minutes=11)
    sweep_lapsed_holds(city.now)
    make_waiting(city.here, city.now)

    assert city.place("10:05", TUESDAY).bookable + city.place("10:20", TUESDAY).bookable == bookable + 1
    assert [entry.booking.uid for entry in open_entries(read_session(), city.here)] == [held.booking]
    assert city.has_right_counters()


def test_a_day_that_is_closed_has_nothing_to_make_when_its_people_cancel(city: City) -> None:
    person = city.booked("10:15", TUESDAY)
    set_hours(city, TUESDAY, 0, 0, closed=True)
    make_slots(city.here, TUESDAY, TUESDAY, city.now)
    city.cancel(*person)

    make_waiting(city.here, city.now)
    assert (city.taken("10:15", TUESDAY), days_to_make(read_session(), city.here)) == (0, [])


def test_what_moved_people_gave_back_can_be_had_when_places_are_made_again(city: City) -> None:
    people = [city.booked("10:15", TUESDAY) for _ in range(2)]
    decide(city, "slot_minutes", 30, TUESDAY)
    make_slots(city.here, TUESDAY, TUESDAY, city.now)
    before = city.place("10:00", TUESDAY).bookable
    city.move(*people[0], "14:00", TUESDAY)
    city.cancel(*people[1])
    make_slots(city.here, TUESDAY, TUESDAY, city.now)

    assert city.place("10:00", TUESDAY).bookable == before + 2


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


def test_a_share_for_people_without_a_booking_may_differ_by_weekday_and_hour(city: City) -> None:
    decide(city, "walk_in_by_hour", {"mon 10": 100, "tue": 0})
    make_slots(city.here, MONDAY, TUESDAY, city.now)

    monday, tuesday = slots(city, PoolKind.WINDOWS), slots(city, PoolKind.WINDOWS, TUESDAY)
    assert [monday[time].bookable for time in ("09:45", "10:00", "10:45", "11:00")] == [2, 0, 0, 3]
    assert {(slot.bookable, slot.walk_in) for slot in tuesday.values()} == {(3, 0)}


def test_the_fifth_booking_of_a_frame_of_four_is_refused_and_the_sixth_of_a_frame_of_six_is_taken(city: City) -> None:
    decide(city, "slot_minutes", 60)
    decide(city, "walk_in_percent", 0)
    decide(city, "places_by_hour", {"9": 4})
    make_slots(city.here, MONDAY, MONDAY, city.now)
    for _ in range(4):
        city.booked("09:30")
    with pytest.raises(SlotFull):
        city.booked("09:30")

    decide(city, "places_by_hour", {"9": 6})
    make_slots(city.here, MONDAY, MONDAY, city.now)
    for _ in range(2):
        city.booked("09:30")
    place = city.place("09:30")
    assert (place.taken, place.bookable, place.ends_at - place.starts_at) == (6, 6, timedelta(hours=1))


def test_terminals_and_staff_have_the_size_that_is_said_for_the_day(city: City) -> None:
    terminals(city, 4)
    terminals(city, 3, TUESDAY)
    decide(city, "rate_per_hour", 2, MONDAY, "統合端末")
    decide(city, "walk_in_percent", 0, MONDAY, "統合端末")
    make_slots(city.here, MONDAY, TUESDAY, city.now)

    for day, places in ((MONDAY, 8), (TUESDAY, 6)):
        of_an_hour = slots(city, PoolKind.TERMINAL, day)
        assert sum(of_an_hour[time].bookable for time in ("10:00", "10:15", "10:30", "10:45")) == places
    assert slots(city, PoolKind.WINDOWS)["10:00"].bookable == 3


def test_a_service_that_needs_a_terminal_ends_where_the_terminals_end(city: City) -> None:
    terminals(city, 1)
    decide(city, "walk_in_percent", 0, MONDAY, "統合端末")
    make_slots(city.here, MONDAY, MONDAY, city.now)
    windows = slots(city, PoolKind.WINDOWS)["10:15"].uid

    first = city.hold(city.person(), windows)
    with pytest.raises(SlotFull):
        city.hold(city.person(), windows)
    city.hold(city.person("pin"), windows)
    assert slots(city, PoolKind.TERMINAL)["10:15"].taken == 1
    assert slots(city, PoolKind.WINDOWS)["10:15"].taken == 2
    assert city.has_right_counters()
    assert first.starts_at == slots(city, PoolKind.TERMINAL)["10:15"].starts_at


def test_pools_that_a_service_uses_together_begin_their_slots_together(city: City) -> None:
    terminals(city, 4)
    decide(city, "slot_minutes", 30, MONDAY, "統合端末")
    make_slots(city.here, MONDAY, MONDAY, city.now)

    windows = slots(city, PoolKind.WINDOWS)
    assert windows.keys() == slots(city, PoolKind.TERMINAL).keys()
    assert {slot.ends_at - slot.starts_at for slot in windows.values()} == {timedelta(minutes=30)}


def test_the_web_may_take_half_of_the_places_and_no_more(city: City) -> None:
    decide(city, "web_percent", 50)
    make_slots(city.here, MONDAY, MONDAY, city.now)
    open_slots = slots(city, PoolKind.WINDOWS)
    assert sum(open_slots[time].web_max or 0 for time in ("10:00", "10:15", "10:30", "10:45")) == 4

    time = next(time for time, slot in sorted(open_slots.items()) if slot.web_max == 1 and time > "09:30")
    city.hold(city.person(), time)
    with pytest.raises(SlotFull):
        city.hold(city.person(), time)
    city.hold(city.person(), time, web=False)


def test_a_maximum_below_what_the_web_has_taken_drops_nobody(city: City) -> None:
    for _ in range(2):
        city.hold(city.person(), "10:15")
    decide(city, "web_percent", 0)
    make_slots(city.here, MONDAY, MONDAY, city.now)

    place = city.place("10:15")
    assert (place.web_max, place.web_taken, place.taken) == (2, 2, 2)


def test_places_follow_another_value_of_the_policy_by_themselves(city: City) -> None:
    decide(city, "walk_in_percent", 100, TUESDAY)
    (waiting,) = days_to_make(read_session(), city.here)
    assert (waiting.first_day, waiting.last_day) == (TUESDAY, None)

    make_waiting(city.here, city.now)
    assert (city.place("10:15").bookable, city.place("10:15", TUESDAY).bookable) == (2, 0)
    assert days_to_make(read_session(), city.here) == []


def test_a_policy_nobody_knows_and_a_pool_nobody_has_are_refused(city: City) -> None:
    with pytest.raises(UnknownPolicy):
        decide(city, "hold_minutes", 5, MONDAY, "窓口")
    with pytest.raises(UnknownPool) as refused:
        decide(city, "size", 5, MONDAY, "倉庫")
    assert refused.value.facts == {"pool": "倉庫"}
