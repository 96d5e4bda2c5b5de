"""Holding, booking, moving and giving back a place, on each kind of database."""

from datetime import date, timedelta
from uuid import uuid4

import pytest

from server.booking.queries import open_days, open_times
from server.booking.rules import (
    AlreadyBooked,
    BookingNotFound,
    BookingState,
    HoldLapsed,
    NotPossible,
    SlotFull,
    SlotNotBookable,
    TooLateToCancel,
    UnknownSlot,
)
from server.booking.service import sweep_lapsed_holds, sweep_past_bookings
from server.db import read_session
from server.errors import RepeatedWithOtherBody
from server.issuance.models import NoticeState
from server.issuance.service import NoticeNotReady
from server.offices.queries import policy_on
from server.queueing.service import close_past_days
from tests.fakes import asked_by
from tests.server.city import MONDAY, City, Person, moment

TUESDAY = MONDAY + timedelta(days=1)


@pytest.fixture
def person(city: City) -> Person:
    """Somebody whose notice has come by post."""
    return city.person()


class TestHolding:
    """仮予約: a place kept for some minutes."""

    def test_a_held_place_is_taken_for_ten_minutes(self, city: City, person: Person) -> None:
        held = city.hold(person, "10:15")

        assert (held.starts_at, held.hold_until) == (moment("10:15"), moment("9:10"))
        assert city.taken("10:15") == 1
        assert city.state(held.booking) is BookingState.HELD

    def test_the_last_place_can_be_held_and_then_the_time_is_full(self, city: City, person: Person) -> None:
        city.hold(city.person(), "10:15")
        city.hold(city.person(), "10:15")

        with pytest.raises(SlotFull):
            city.hold(person, "10:15")
        assert city.taken("10:15") == 2

    def test_another_hold_of_the_same_notice_gives_the_old_one_back(self, city: City, person: Person) -> None:
        first = city.hold(person, "10:15")
        second = city.hold(person, "11:15")

        assert (city.taken("10:15"), city.taken("11:15")) == (0, 1)
        assert city.state(first.booking) is BookingState.LAPSED
        assert city.state(second.booking) is BookingState.HELD

    def test_the_same_time_can_be_held_again_even_if_it_was_the_last_place(self, city: City, person: Person) -> None:
        city.booked("10:15")
        city.hold(person, "10:15")
        city.clock.forward(minutes=3)

        assert city.hold(person, "10:15").hold_until == moment("9:13")
        assert city.taken("10:15") == 2

    def test_the_old_place_stays_when_the_new_one_is_full(self, city: City, person: Person) -> None:
        city.booked("11:15")
        city.booked("11:15")
        held = city.hold(person, "10:15")

        with pytest.raises(SlotFull):
            city.hold(person, "11:15")
        assert (city.taken("10:15"), city.state(held.booking)) == (1, BookingState.HELD)

    def test_a_lapsed_hold_is_released_by_whoever_needs_the_place(self, city: City, person: Person) -> None:
        lapsed = [city.hold(city.person(), "10:15") for _ in range(2)]

        city.clock.forward(minutes=10, seconds=-1)
        with pytest.raises(SlotFull):
            city.hold(person, "10:15")
        city.clock.forward(seconds=1)
        city.hold(person, "10:15")

        assert [city.state(held.booking) for held in lapsed] == [BookingState.LAPSED] * 2
        assert city.taken("10:15") == 1

    def test_the_sweep_only_tidies_what_has_lapsed(self, city: City, person: Person) -> None:
        city.hold(city.person(), "10:15")
        city.clock.forward(minutes=5)
        city.hold(person, "10:15")

        assert sweep_lapsed_holds(city.clock.forward(minutes=5, seconds=-1)) == 0
        assert sweep_lapsed_holds(city.clock.forward(seconds=1)) == 1
        assert sweep_lapsed_holds(city.now) == 0
        assert city.taken("10:15") == 1

    def test_who_has_a_booking_holds_no_second_place(self, city: City, person: Person) -> None:
        _, booking = city.booked("10:15", person=person)

        with pytest.raises(AlreadyBooked) as refused:
            city.hold(person, "11:15")
        assert refused.value.facts == {"booking": str(booking)}

    @pytest.mark.parametrize("state", [NoticeState.PREPARING, NoticeState.STOPPED, NoticeState.HANDED_OVER])
    def test_only_who_has_a_card_that_is_ready_holds_a_place(
        self, city: City, person: Person, state: NoticeState
    ) -> None:
        city.set_row(city.notice(person), state=state)

        with pytest.raises(NoticeNotReady):
            city.hold(person, "10:15")

    def test_a_place_of_another_office_is_unknown(self, city: City, person: Person) -> None:
        for slot in (city.slot("10:15", site="kita"), uuid4()):
            with pytest.raises(UnknownSlot):
                city.hold(person, slot)

    @pytest.mark.parametrize(
        ("time", "web", "reason"),
        [
            pytest.param("8:30", True, "past", id="over"),
            pytest.param("9:00", True, "past", id="just begun: not on the web"),
            pytest.param("9:00", False, None, id="just begun: by phone"),
            pytest.param("9:15", True, None, id="the next one"),
        ],
    )
    def test_what_is_over_cannot_be_held(
        self, city: City, person: Person, time: str, web: bool, reason: str | None
    ) -> None:
        if reason is None:
            assert city.hold(person, time, web=web).starts_at == moment(time)
            return
        with pytest.raises(SlotNotBookable) as refused:
            city.hold(person, time, web=web)
        assert refused.value.facts == {"reason": reason}


class TestBooking:
    """予約: a hold is confirmed."""

    def test_a_hold_becomes_a_booking_and_keeps_its_place(self, city: City, person: Person) -> None:
        held = city.hold(person, "10:15")
        city.clock.forward(minutes=10, microseconds=-1)

        assert city.book(person, held.booking).starts_at == moment("10:15")
        booking = city.booking(held.booking)
        assert (booking.state, booking.hold_until, city.taken("10:15")) == (BookingState.CONFIRMED, None, 1)

    def test_at_the_minute_its_time_is_over_the_hold_has_lapsed(self, city: City, person: Person) -> None:
        held = city.hold(person, "10:15")
        city.clock.forward(minutes=10)

        with pytest.raises(HoldLapsed):
            city.book(person, held.booking)
        assert city.live(person) is None

    def test_a_hold_that_was_tidied_away_has_lapsed_as_well(self, city: City, person: Person) -> None:
        held = city.hold(person, "10:15")
        sweep_lapsed_holds(city.clock.forward(minutes=10))

        with pytest.raises(HoldLapsed):
            city.book(person, held.booking)
        assert city.taken("10:15") == 0

    def test_somebody_elses_booking_is_not_found(self, city: City, person: Person) -> None:
        held = city.hold(city.person(), "10:15")
        _, booking = city.booked("11:15")

        with pytest.raises(BookingNotFound):
            city.book(person, held.booking)
        with pytest.raises(BookingNotFound):
            city.move(person, booking, "14:00")
        for uid in (booking, uuid4()):
            with pytest.raises(BookingNotFound):
                city.cancel(person, uid)

    def test_a_booking_is_not_booked_again(self, city: City, person: Person) -> None:
        _, booking = city.booked("10:15", person=person)

        with pytest.raises(NotPossible):
            city.book(person, booking)


class TestMoving:
    """変更: the new place is won before the old one is lost."""

    def test_the_new_place_is_taken_and_the_old_one_given_back(self, city: City) -> None:
        person, booking = city.booked("10:15")

        assert city.move(person, booking, "11:00", TUESDAY).starts_at == moment("11:00", TUESDAY)
        assert (city.taken("10:15"), city.taken("11:00", TUESDAY)) == (0, 1)
        assert city.booking(booking).policy_at == TUESDAY

    def test_the_old_place_stays_when_the_new_one_is_full(self, city: City) -> None:
        person, booking = city.booked("10:15")
        city.booked("11:15")
        city.booked("11:15")

        with pytest.raises(SlotFull):
            city.move(person, booking, "11:15")
        assert (city.taken("10:15"), city.booking(booking).starts_at) == (1, moment("10:15"))

    def test_to_its_own_time_nothing_moves_even_if_it_is_full(self, city: City) -> None:
        person, booking = city.booked("10:15")
        city.booked("10:15")

        assert city.move(person, booking, "10:15").starts_at == moment("10:15")
        assert city.taken("10:15") == 2

    def test_a_lapsed_hold_makes_room(self, city: City) -> None:
        person, booking = city.booked("10:15")
        city.hold(city.person(), "11:15")
        city.hold(city.person(), "11:15")
        city.clock.forward(minutes=10)

        city.move(person, booking, "11:15")
        assert (city.taken("10:15"), city.taken("11:15")) == (0, 1)

    def test_a_hold_is_not_moved_and_neither_is_what_has_begun(self, city: City, person: Person) -> None:
        held = city.hold(city.person(), "14:00")
        someone, booking = city.booked("10:15", person=person)

        with pytest.raises(BookingNotFound):
            city.move(person, held.booking, "11:00")
        city.clock.set(10, 15)
        with pytest.raises(TooLateToCancel):
            city.move(someone, booking, "11:00")


class TestCancelling:
    """取消: a place is given back until the arrival time."""

    @pytest.mark.parametrize(("minutes_before", "may"), [(60, True), (1 / 60, True), (0, False), (-1, False)])
    def test_until_the_arrival_time(self, city: City, minutes_before: float, may: bool) -> None:
        person, booking = city.booked("10:15")
        city.clock.set(10, 15)
        city.clock.forward(minutes=-minutes_before)

        if may:
            city.cancel(person, booking)
            assert (city.state(booking), city.taken("10:15")) == (BookingState.CANCELLED, 0)
        else:
            with pytest.raises(TooLateToCancel):
                city.cancel(person, booking)
            assert (city.state(booking), city.taken("10:15")) == (BookingState.CONFIRMED, 1)

    def test_not_after_the_check_in(self, city: City) -> None:
        person, booking = city.booked("10:15")
        city.scan(city.code(booking))

        with pytest.raises(TooLateToCancel):
            city.cancel(person, booking)

    def test_a_hold_can_be_given_back(self, city: City, person: Person) -> None:
        city.cancel(person, city.hold(person, "10:15").booking)

        assert (city.taken("10:15"), city.live(person)) == (0, None)

    def test_then_another_time_can_be_booked(self, city: City) -> None:
        person, booking = city.booked("10:15")
        city.cancel(person, booking)

        city.booked("11:15", person=person)
        assert (city.taken("10:15"), city.taken("11:15")) == (0, 1)

    def test_twice_is_not_possible(self, city: City) -> None:
        person, booking = city.booked("10:15")
        city.cancel(person, booking)

        with pytest.raises(NotPossible):
            city.cancel(person, booking)
        assert city.taken("10:15") == 0


class TestWhenTheDayIsOver:
    """不来庁, or gone without being served: the next day another place can be had."""

    @pytest.mark.parametrize("swept", [False, True])
    @pytest.mark.parametrize(("came", "became", "taken"), [(False, "no_show", 0), (True, "done", 1)])
    def test_the_notice_can_be_booked_for_again(
        self, city: City, came: bool, became: str, taken: int, swept: bool
    ) -> None:
        person, booking = city.booked("10:15")
        if came:
            city.scan(city.code(booking))
        city.clock.forward(days=1)
        assert city.live(person) is None
        if swept:
            close_past_days(city.now)
            assert (sweep_past_bookings(city.now), sweep_past_bookings(city.now)) == (1, 0)

        city.booked("10:15", TUESDAY, person)
        assert (city.state(booking).value, city.taken("10:15"), city.taken("10:15", TUESDAY)) == (became, taken, 1)
        assert city.has_right_counters()

    def test_on_the_day_itself_it_stands_to_its_end(self, city: City) -> None:
        person, booking = city.booked("10:15")
        city.at("23:59:59")

        assert sweep_past_bookings(city.now) == 0
        with pytest.raises(AlreadyBooked):
            city.hold(person, "10:15", TUESDAY)
        assert city.state(booking) is BookingState.CONFIRMED


class TestRepeating:
    """Asking twice with the same id is harmless."""

    def test_a_double_submit_gives_the_same_answer_and_takes_one_place(self, city: City, person: Person) -> None:
        by = asked_by(person.actor)
        first = city.hold(person, "10:15", by=by)
        city.clock.forward(minutes=2)

        assert city.hold(person, "10:15", by=by) == first
        assert city.taken("10:15") == 1

    def test_every_action_of_a_booking_answers_its_repetition_as_before(self, city: City, person: Person) -> None:
        by = [asked_by(person.actor) for _ in range(4)]
        held = city.hold(person, "10:15", by=by[0])
        booked = city.book(person, held.booking, by=by[1])
        moved = city.move(person, held.booking, "11:15", by=by[2])
        cancelled = city.cancel(person, held.booking, by=by[3])

        assert city.book(person, held.booking, by=by[1]) == booked
        assert city.move(person, held.booking, "11:15", by=by[2]) == moved
        assert city.cancel(person, held.booking, by=by[3]) == cancelled
        assert (city.taken("10:15"), city.taken("11:15")) == (0, 0)

    def test_the_same_id_with_another_body_is_refused(self, city: City, person: Person) -> None:
        by = asked_by(person.actor)
        held = city.hold(person, "10:15", by=by)

        with pytest.raises(RepeatedWithOtherBody):
            city.hold(person, "11:15", by=by)
        with pytest.raises(RepeatedWithOtherBody):
            city.book(person, held.booking, by=by)

    def test_a_refusal_is_not_kept(self, city: City, person: Person) -> None:
        others = [city.booked("10:15") for _ in range(2)]
        by = asked_by(person.actor)
        with pytest.raises(SlotFull):
            city.hold(person, "10:15", by=by)

        city.cancel(*others[0])
        assert city.hold(person, "10:15", by=by).starts_at == moment("10:15")

    def test_the_same_id_of_somebody_else_is_another_asking(self, city: City) -> None:
        one, other = city.people(2)
        by = asked_by(one.actor)

        city.hold(one, "10:15", by=by)
        city.hold(other, "10:15", by=type(by)(other.actor, by.request_id))
        assert city.taken("10:15") == 2


class TestPlacesOnOffer:
    """What pages show of the places."""

    def test_times_to_come_with_their_free_places(self, city: City, person: Person) -> None:
        city.booked("10:15")
        city.hold(person, "10:15")

        assert free_at(city, "10:15") == 0
        city.clock.forward(minutes=10)
        assert free_at(city, "10:15") == 1
        city.clock.set(10, 15)
        assert free_at(city, "10:15") is None

    def test_days_from_today_to_the_end_of_the_booking_period(self, city: City) -> None:
        policy = policy_on(read_session(), city.here, MONDAY)
        days = open_days(read_session(), city.wish(city.person()), policy, city.now)

        assert [d.day for d in days] == [MONDAY + timedelta(days=n) for n in range(46)]
        turn_of_the_year = {date(2026, 12, 29) + timedelta(days=n) for n in range(6)}
        days_off = {d.day for d in days if d.day.weekday() >= 5} | turn_of_the_year | {date(2027, 1, 11)}  # 成人の日
        assert {d.day for d in days if d.reason in ("closed", "holiday")} == days_off
        assert next(d.free for d in days if d.day == TUESDAY) == 79

    def test_after_a_whole_life_every_counter_is_right(self, city: City, person: Person) -> None:
        held = city.hold(person, "10:15")
        city.book(person, held.booking)
        city.move(person, held.booking, "11:15")
        city.hold(city.person(), "11:15")
        other, booking = city.booked("14:00")
        city.cancel(other, booking)
        sweep_lapsed_holds(city.clock.forward(minutes=11))
        city.scan(city.code(held.booking))
        city.open(2)
        city.call_next(2)
        city.finish(2)

        assert city.has_right_counters()
        assert city.state(held.booking) is BookingState.DONE


def free_at(city: City, time: str, day: date = MONDAY) -> int | None:
    """Free places of a time as the web shows them; None if it is not shown."""
    read_session().rollback()
    policy = policy_on(read_session(), city.here, MONDAY)
    times = open_times(read_session(), city.wish(city.person()), day, policy, city.now)
    return next((t.free for t in times if t.starts_at == moment(time, day)), None)
