"""A family books as one: places for all of them or none; one booking, one code; each can stay away alone."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from server.audit import newest_entries
from server.booking.models import Channel, Slot, SlotUse
from server.booking.places import make_slots
from server.booking.queries import open_days, open_times
from server.booking.rules import (
    AlreadyBooked,
    BookingNotFound,
    BookingState,
    CardsElsewhere,
    NotPossible,
    Overbook,
    PartyTooBig,
    SlotFull,
    SlotNotBookable,
    TooLateToCancel,
)
from server.booking.service import move_booking, sweep_lapsed_holds
from server.db import read_session, transaction
from server.issuance.models import NoticeState
from server.issuance.service import NoticeNotReady
from server.offices.models import OpeningRule, Policy, Pool, PoolKind, PoolWindow, ServiceUse, Window
from server.offices.opening_rules import RuleKind
from server.offices.queries import policy_on, pools_of
from server.offices.service import set_policy
from tests.fakes import asked_by
from tests.server.city import MONDAY, City, Person, moment

TUESDAY = MONDAY + timedelta(days=1)


def rule(city: City, key: str, value: object) -> None:
    """The office decides something, from the beginning on."""
    with transaction() as tx:
        tx.session.merge(
            Policy(office_id=city.here, valid_from=MONDAY - timedelta(days=9), key=key, value=value, by="test")
        )


def taken(city: City, *times: str) -> list[int]:
    """How many places are taken at each of these times."""
    return [city.taken(time) for time in times]


def free_at(city: City, people: Sequence[Person], web: bool = True) -> dict[str, int]:
    """The times of Monday and how often the family fits."""
    read_session().rollback()
    policy = policy_on(read_session(), city.here, MONDAY)
    times = open_times(read_session(), city.wish(*people, web=web), MONDAY, policy, city.now)
    return {f"{t.starts_at.astimezone(city.zone):%-H:%M}": t.free for t in times}


@pytest.fixture
def person(city: City) -> Person:
    """Somebody alone."""
    return city.person()


@pytest.fixture
def family(city: City) -> list[Person]:
    """Three people of one family."""
    return city.people(3)


class TestOneAfterTheOther:
    """party_in = consecutive: of each slot what one person takes."""

    def test_three_people_take_three_slots_and_stand_in_one_booking(self, city: City, family: list[Person]) -> None:
        held = city.hold(family[0], "10:15", family=family[1:])
        booking = city.booking(held.booking)

        assert taken(city, "10:15", "10:30", "10:45", "11:00") == [1, 1, 1, 0]
        assert [(p.position, p.notice_id) for p in booking.people] == [(n + 1, p.notice) for n, p in enumerate(family)]
        assert {city.live(person) for person in family} == {booking}

    def test_all_places_or_none(self, city: City, family: list[Person]) -> None:
        for _ in range(city.place("10:45").bookable):
            city.booked("10:45")
        before = taken(city, "10:15", "10:30", "10:45")

        with pytest.raises(SlotFull):
            city.hold(family[0], "10:15", family=family[1:])
        assert taken(city, "10:15", "10:30", "10:45") == before
        assert city.live(family[0]) is None

    def test_where_the_day_ends_there_are_too_few_side_by_side(self, city: City, family: list[Person]) -> None:
        with pytest.raises(SlotNotBookable) as refused:
            city.hold(family[0], "17:00", family=family[1:])
        assert refused.value.facts == {"reason": "together"}

    def test_only_starts_at_which_all_fit_are_offered(self, city: City, family: list[Person]) -> None:
        for _ in range(city.place("10:45").bookable):
            city.booked("10:45")
        free = free_at(city, family)

        assert [free[t] for t in ("10:00", "10:15", "10:30", "10:45")] == [free["9:30"], 0, 0, 0]
        assert (free["16:30"], free["16:45"], free["17:00"]) == (2, 0, 0)
        assert free_at(city, family[:1])["10:30"] > 0

    def test_what_is_offered_is_what_can_be_held(self, city: City) -> None:
        for time in ("10:15", "10:15", "11:00", "11:30", "11:30"):
            city.booked(time)
        for time, free in free_at(city, city.people(2)).items():
            two = city.people(2)
            try:
                held = city.hold(two[0], time, family=two[1:])
            except (SlotFull, SlotNotBookable):
                assert free == 0, time
            else:
                assert free > 0, time
                city.cancel(two[0], held.booking)

    def test_a_lapsed_hold_of_a_family_counts_as_free_in_each_of_its_slots(
        self, city: City, family: list[Person]
    ) -> None:
        others = city.people(3)
        free = free_at(city, others)["10:30"]
        city.hold(family[0], "10:15", family=family[1:])
        city.clock.forward(minutes=10)

        assert free_at(city, others)["10:30"] == free
        city.hold(others[0], "10:45", family=others[1:])  # lies on its last slot only
        assert taken(city, "10:15", "10:30", "10:45", "11:00", "11:15") == [0, 0, 1, 1, 1]
        assert sweep_lapsed_holds(city.now) == 0


class TestInOneSlot:
    """party_in = one_slot: all of it at once."""

    def test_three_people_take_three_places_of_one_slot(self, city: City, family: list[Person]) -> None:
        rule(city, "party_in", "one_slot")
        city.set_row(city.place("10:15"), bookable=5)

        assert free_at(city, family)["10:15"] == 1  # five places: one more family of three
        city.hold(family[0], "10:15", family=family[1:])
        assert taken(city, "10:15", "10:30") == [3, 0]
        with pytest.raises(SlotFull):
            city.hold(city.person(), "10:15", family=city.people(2))
        assert free_at(city, city.people(2))["10:15"] == 1


class TestTwoPools:
    """A service may need a window and another resource: units of both, or none."""

    @pytest.fixture
    def terminals(self, city: City) -> int:
        """A pool of one window in the back that a pick-up needs, too."""
        service = city.notice(city.person()).service_id
        with transaction() as tx:
            pool = Pool(office_id=city.here, kind=PoolKind.WINDOWS, name="奥の窓口")
            tx.session.add(pool)
            tx.session.flush()
            window = Window(office_id=city.here, number=9)
            tx.session.add(window)
            tx.session.flush()
            tx.session.add(PoolWindow(pool_id=pool.id, window_id=window.id, valid_from=MONDAY))
            tx.session.add(ServiceUse(service_id=service, office_id=city.here, pool_id=pool.id, units=1))
            terminals = pool.id
        rule(city, "walk_in_percent", 0)
        make_slots(city.here, MONDAY, MONDAY, city.now)
        return terminals

    def uses(self, pool: int) -> list[tuple[str, int]]:
        """Times and units taken of a pool."""
        read_session().rollback()
        slots = read_session().query(Slot).filter(Slot.pool_id == pool, Slot.taken > 0).order_by(Slot.starts_at)
        return [(f"{slot.starts_at:%H:%M}", slot.taken) for slot in slots]

    def slot_of(self, pool: int, time: str) -> Slot:
        """A slot of a pool."""
        return read_session().query(Slot).filter(Slot.pool_id == pool, Slot.starts_at == moment(time)).one()

    def test_a_family_takes_units_of_both(self, city: City, terminals: int, family: list[Person]) -> None:
        windows = min(pool.id for pool in pools_of(read_session(), city.here))
        shown = self.slot_of(windows, "10:15").uid
        city.hold(family[0], shown, family=family[1:])

        assert self.uses(terminals) == self.uses(windows) == [("01:15", 1), ("01:30", 1), ("01:45", 1)]
        assert city.has_right_counters()

    def test_a_full_terminal_refuses_though_windows_are_free(
        self, city: City, terminals: int, family: list[Person]
    ) -> None:
        windows = min(pool.id for pool in pools_of(read_session(), city.here))
        shown = self.slot_of(windows, "10:15").uid
        city.set_row(self.slot_of(terminals, "10:30"), bookable=0)

        assert free_at(city, family[:2]) | {"10:15": 0, "10:30": 0} == free_at(city, family[:2])
        with pytest.raises(SlotFull):
            city.hold(family[0], shown, family=family[1:2])
        assert self.uses(windows) == self.uses(terminals) == []


class TestWhoMayBookTogether:
    def test_no_more_than_the_office_allows_and_nobody_twice(self, city: City) -> None:
        rule(city, "party_max", 2)
        one, other, third = city.people(3)

        for family in ([other, third], [one]):
            with pytest.raises(PartyTooBig) as refused:
                city.hold(one, "10:15", family=family)
            assert refused.value.facts == {"most": 2}

    def test_only_whose_cards_are_at_the_same_office(self, city: City) -> None:
        with pytest.raises(CardsElsewhere):
            city.hold(city.person(), "10:15", family=[city.person(site="kita")])

    @pytest.mark.parametrize("state", [NoticeState.PREPARING, NoticeState.STOPPED, NoticeState.HANDED_OVER])
    def test_only_when_all_cards_are_ready(self, city: City, family: list[Person], state: NoticeState) -> None:
        city.set_row(city.notice(family[2]), state=state)

        with pytest.raises(NoticeNotReady):
            city.hold(family[0], "10:15", family=family[1:])
        assert taken(city, "10:15", "10:30") == [0, 0]

    def test_not_with_somebody_who_has_a_booking(self, city: City, family: list[Person]) -> None:
        city.booked("14:00", person=family[1])

        with pytest.raises(AlreadyBooked):
            city.hold(family[0], "10:15", family=family[1:])

    def test_holds_that_some_of_them_have_are_given_back(self, city: City, family: list[Person]) -> None:
        stranger = city.person()
        city.hold(family[0], "14:00")
        city.hold(stranger, "15:00", family=[family[2]])
        city.hold(family[0], "10:15", family=family[1:])

        assert taken(city, "10:15", "10:30", "10:45", "14:00", "15:00", "15:15") == [1, 1, 1, 0, 0, 0]
        assert city.live(stranger) is None
        assert city.has_right_counters()


class TestMovingAndCancelling:
    """変更・取消: the booking is a whole, whoever of them asks."""

    def test_all_move_together_also_to_a_time_that_overlaps(self, city: City, family: list[Person]) -> None:
        _, booking = city.booked("10:15", person=family[0], family=family[1:])
        city.move(family[2], booking, "10:30")

        assert taken(city, "10:15", "10:30", "10:45", "11:00") == [0, 1, 1, 1]
        assert city.booking(booking).starts_at == moment("10:30")
        assert city.has_right_counters()

    def test_the_old_places_stay_when_one_new_place_is_lacking(self, city: City, family: list[Person]) -> None:
        _, booking = city.booked("10:15", person=family[0], family=family[1:])
        city.set_row(city.place("14:30"), bookable=0)

        with pytest.raises(SlotFull):
            city.move(family[0], booking, "14:00")
        assert taken(city, "10:15", "10:30", "10:45", "14:00") == [1, 1, 1, 0]

    def test_all_places_are_given_back(self, city: City, family: list[Person]) -> None:
        _, booking = city.booked("10:15", person=family[0], family=family[1:])
        city.cancel(family[1], booking)

        assert taken(city, "10:15", "10:30", "10:45") == [0, 0, 0]
        assert [city.live(person) for person in family] == [None] * 3


class TestStayingAway:
    """一部取消: one of them does not come."""

    def test_the_last_places_are_given_back_and_the_others_keep_theirs(self, city: City, family: list[Person]) -> None:
        _, booking = city.booked("10:15", person=family[0], family=family[1:])
        city.leave(family[0], booking)

        assert taken(city, "10:15", "10:30", "10:45") == [1, 1, 0]
        assert city.booking(booking).starts_at == moment("10:15")
        assert (city.live(family[0]), city.live(family[1])) == (None, city.booking(booking))
        city.booked("14:00", person=family[0])
        assert city.has_right_counters()

    def test_in_one_slot_one_place_is_given_back(self, city: City, family: list[Person]) -> None:
        rule(city, "party_in", "one_slot")
        city.set_row(city.place("10:15"), bookable=5)
        _, booking = city.booked("10:15", person=family[0], family=family[1:])
        city.leave(family[1], booking)

        assert city.taken("10:15") == 2
        uses = read_session().query(SlotUse).all()
        assert [use.units for use in uses] == [2]

    def test_when_the_last_one_leaves_the_booking_is_cancelled(self, city: City, family: list[Person]) -> None:
        _, booking = city.booked("10:15", person=family[0], family=family[1:])
        for person in family:
            city.leave(person, booking)

        assert (city.state(booking), taken(city, "10:15", "10:30", "10:45")) == (BookingState.CANCELLED, [0, 0, 0])

    def test_who_has_left_has_no_more_to_do_with_the_booking(self, city: City, family: list[Person]) -> None:
        _, booking = city.booked("10:15", person=family[0], family=family[1:])
        city.leave(family[1], booking)

        for deed in (city.leave, city.cancel):
            with pytest.raises(BookingNotFound):
                deed(family[1], booking)
        with pytest.raises(BookingNotFound):
            city.move(family[1], booking, "14:00")

    def test_until_the_arrival_time_and_not_from_a_booking_that_has_ended(
        self, city: City, family: list[Person]
    ) -> None:
        _, booking = city.booked("10:15", person=family[0], family=family[1:])
        _, over = city.booked("14:00")
        someone = city.person()
        _, over = city.booked("14:00", person=someone)
        city.cancel(someone, over)

        with pytest.raises(NotPossible):
            city.leave(someone, over)
        city.clock.set(10, 15)
        with pytest.raises(TooLateToCancel):
            city.leave(family[0], booking)

    def test_asking_twice_gives_places_back_once(self, city: City, family: list[Person]) -> None:
        _, booking = city.booked("10:15", person=family[0], family=family[1:])
        by = asked_by(family[0].actor)

        assert city.leave(family[0], booking, by=by) == city.leave(family[0], booking, by=by)
        assert taken(city, "10:15", "10:30", "10:45") == [1, 1, 0]


class TestArriving:
    def test_whoever_scans_the_family_gets_one_ticket_for_who_comes(self, city: City, family: list[Person]) -> None:
        _, booking = city.booked("9:15", person=family[0], family=family[1:])
        city.leave(family[0], booking)

        answer = city.scan(family[2].sticker.scan_code)
        assert answer.ticket is not None
        assert answer.ticket.party == 2
        again = city.scan(city.code(booking)).ticket
        assert again is not None
        assert (again.number, again.party) == (answer.ticket.number, 2)


class TestOverbooking:
    """予約枠を超えて受ける: staff, with a reason, written down."""

    def test_a_place_is_made_and_who_and_why_is_written_down(self, city: City, person: Person) -> None:
        for _ in range(2):
            city.booked("10:15")
        held = city.hold(person, "10:15", web=False, by=asked_by("staff:3"), overbook=Overbook.FAR_AWAY)

        place = city.place("10:15")
        assert (place.bookable, place.extra, place.taken) == (2, 1, 3)
        entry = next(e for e in newest_entries(read_session(), 9) if e.verb == "booking.overbook")
        assert (entry.actor, entry.subject_uid) == ("staff:3", held.booking)
        assert entry.facts == {"slot": str(place.uid), "reason": "far_away"}

    def test_where_there_is_room_nothing_is_made(self, city: City, person: Person) -> None:
        city.hold(person, "10:15", web=False, overbook=Overbook.WELFARE)

        assert (city.place("10:15").extra, city.place("10:15").taken) == (0, 1)

    def test_when_it_is_given_back_what_was_made_goes_first(self, city: City, person: Person) -> None:
        others = [city.booked("10:15") for _ in range(2)]
        city.hold(person, "10:15", web=False, overbook=Overbook.OFFICE_FAULT)
        city.cancel(*others[0])

        assert (city.place("10:15").extra, city.place("10:15").taken) == (0, 2)
        with pytest.raises(SlotFull):
            city.hold(city.person(), "10:15")

    def test_a_family_takes_of_each_slot_what_is_lacking(self, city: City, family: list[Person]) -> None:
        for _ in range(city.place("10:30").bookable):
            city.booked("10:30")
        city.hold(family[0], "10:15", web=False, family=family[1:], overbook=Overbook.FAMILY_TOGETHER)

        assert [city.place(t).extra for t in ("10:15", "10:30", "10:45")] == [0, 1, 0]

    def test_a_booking_is_moved_beyond_the_places(self, city: City) -> None:
        person, booking = city.booked("10:15")
        for _ in range(2):
            city.booked("11:15")
        slot = city.slot("11:15")
        move_booking(asked_by("staff:3"), person.notice, booking, slot, Channel.PHONE, city.now, Overbook.OFFICE_FAULT)

        assert (city.place("11:15").extra, city.place("11:15").taken, city.taken("10:15")) == (1, 3, 0)
        assert city.has_right_counters()

    def test_the_web_sees_no_place_that_was_made(self, city: City, person: Person) -> None:
        city.set_row(city.place("10:15"), extra=5)
        for _ in range(2):
            city.booked("10:15")

        assert free_at(city, [person])["10:15"] == 0
        with pytest.raises(SlotFull):
            city.hold(person, "10:15")

    def test_a_closed_time_is_not_overbooked(self, city: City, person: Person) -> None:
        city.set_row(city.place("10:15"), closed=True)

        with pytest.raises(SlotNotBookable):
            city.hold(person, "10:15", web=False, overbook=Overbook.WELFARE)


class TestTheOfficesInvitation:
    """来庁期間・日時の指定."""

    def test_on_the_web_only_the_days_it_names_by_staff_others_too(self, city: City, person: Person) -> None:
        city.set_row(city.notice(person), assigned_from=TUESDAY, assigned_to=TUESDAY + timedelta(days=1))

        for day in (MONDAY, TUESDAY + timedelta(days=2)):
            with pytest.raises(SlotNotBookable) as refused:
                city.hold(person, "10:15", day)
            assert refused.value.facts == {"reason": "period"}
        city.hold(person, "10:15", TUESDAY)
        city.hold(person, "10:15", web=False)

    def test_days_outside_it_say_so(self, city: City, person: Person) -> None:
        city.set_row(city.notice(person), assigned_from=TUESDAY, assigned_to=TUESDAY)
        policy = policy_on(read_session(), city.here, MONDAY)
        days = {d.day: d.why for d in open_days(read_session(), city.wish(person), policy, city.now)}

        assert (days[MONDAY], days[TUESDAY], days[TUESDAY + timedelta(days=4)]) == ("period", None, "closed")
        assert {d for d, reason in days.items() if reason is None} == {TUESDAY}
        by_staff = open_days(read_session(), city.wish(person, web=False), policy, city.now)
        assert by_staff[0].reason is None

    def test_a_family_comes_when_all_of_them_are_asked_to(self, city: City, family: list[Person]) -> None:
        city.set_row(city.notice(family[0]), assigned_to=TUESDAY)
        city.set_row(city.notice(family[1]), assigned_from=TUESDAY)

        with pytest.raises(SlotNotBookable):
            city.hold(family[0], "10:15", family=family[1:])
        city.hold(family[0], "10:15", TUESDAY, family=family[1:])

    def test_an_exact_time_is_the_only_one_on_the_web(self, city: City, person: Person) -> None:
        city.set_row(city.notice(person), assigned_at=moment("10:15", TUESDAY))
        policy = policy_on(read_session(), city.here, MONDAY)
        days = open_days(read_session(), city.wish(person), policy, city.now)
        times = open_times(read_session(), city.wish(person), TUESDAY, policy, city.now)

        assert [d.day for d in days if d.reason is None] == [TUESDAY]
        assert [t.starts_at for t in times] == [moment("10:15", TUESDAY)]
        with pytest.raises(SlotNotBookable) as refused:
            city.hold(person, "10:30", TUESDAY)
        assert refused.value.facts == {"reason": "assigned"}
        assert city.hold(person, "10:15", TUESDAY).starts_at == moment("10:15", TUESDAY)

    def test_its_day_is_full_when_its_time_is(self, city: City, person: Person) -> None:
        city.set_row(city.notice(person), assigned_at=moment("10:15", TUESDAY))
        for _ in range(2):
            city.booked("10:15", TUESDAY)
        policy = policy_on(read_session(), city.here, MONDAY)
        days = {d.day: d.why for d in open_days(read_session(), city.wish(person), policy, city.now)}

        assert days[TUESDAY] == "full"


class TestChannels:
    """web_max, phone_max: of a slot's places so many are for each."""

    def test_each_channel_ends_at_its_own_maximum(self, city: City) -> None:
        city.set_row(city.place("10:00"), bookable=3, web_max=1, phone_max=1)
        city.hold(city.person(), "10:00")
        city.booked("10:00")

        for web in (True, False):
            assert free_at(city, city.people(1), web)["10:00"] == 0
            with pytest.raises(SlotFull):
                city.hold(city.person(), "10:00", web=web)

    def test_a_booking_that_changes_its_channel_counts_for_the_new_one(self, city: City) -> None:
        city.set_row(city.place("11:00"), phone_max=1)
        city.set_row(city.place("10:00"), web_max=1)
        person = city.person()
        booking = city.book(person, city.hold(person, "10:00").booking).booking
        city.move(person, booking, "11:00")

        assert (city.place("10:00").web_taken, city.place("11:00").phone_taken) == (0, 1)
        assert free_at(city, city.people(1))["10:00"] == 1
        with pytest.raises(SlotFull):
            city.hold(city.person(), "11:00", web=False)
        assert city.has_right_counters()

    def test_overbooking_counts_for_no_channel(self, city: City, person: Person) -> None:
        city.set_row(city.place("10:00"), phone_max=0)
        city.hold(person, "10:00", web=False, overbook=Overbook.WELFARE)

        assert (city.place("10:00").phone_taken, city.place("10:00").taken) == (0, 1)


class TestFrames:
    """Frames of an hour: each booking is asked to come at a time of its own."""

    @pytest.fixture
    def frame(self, city: City) -> str:
        """Ten to eleven with five places, all of a party in one slot."""
        rule(city, "party_in", "one_slot")
        city.set_row(city.place("10:00"), ends_at=moment("11:00"), bookable=5)
        return "10:00"

    def arrivals(self, city: City, *bookings: UUID) -> list[str]:
        """When these are asked to come."""
        return [f"{city.booking(uid).starts_at.astimezone(city.zone):%H:%M}" for uid in bookings]

    def test_arrival_times_are_spread_and_given_out_again(self, city: City, frame: str) -> None:
        first, second = city.booked(frame), city.booked(frame)
        party = city.people(2)
        _, third = city.booked(frame, person=party[0], family=party[1:])
        _, fourth = city.booked(frame)

        assert self.arrivals(city, first[1], second[1], third, fourth) == ["10:00", "10:10", "10:20", "10:45"]
        city.cancel(*second)
        assert self.arrivals(city, city.booked(frame)[1]) == ["10:10"]

    def test_the_ticket_and_late_or_early_go_by_the_arrival_time(self, city: City, frame: str) -> None:
        city.booked(frame)
        _, booking = city.booked(frame)
        city.clock.set(10, 5)

        answer = city.scan(city.code(booking))
        assert answer.ticket is not None
        assert (answer.early, answer.ticket.booked_at) == (True, moment("10:10"))

    def test_moving_within_the_frame_moves_nothing_and_elsewhere_gives_a_new_time(self, city: City, frame: str) -> None:
        city.booked(frame)
        person, booking = city.booked(frame)

        assert city.move(person, booking, frame).starts_at == moment("10:10")
        assert city.move(person, booking, "14:00").starts_at == moment("14:00")
        assert city.move(person, booking, frame).starts_at == moment("10:10")

    def test_a_time_the_office_has_given_is_the_arrival_time(self, city: City, person: Person, frame: str) -> None:
        city.set_row(city.notice(person), assigned_at=moment("10:35"))

        assert city.hold(person, frame).starts_at == moment("10:35")


class TestSessionsOfSomeServices:
    """A session may be for some services only."""

    @pytest.fixture
    def afternoon(self, city: City) -> None:
        """On Tuesdays from three o'clock on only certificates are renewed."""
        day = {"kind": RuleKind.DATED, "office_id": city.here, "on_date": TUESDAY}
        with transaction() as tx:
            tx.session.add(OpeningRule(**day, **hours(510, 900)))
            tx.session.add(OpeningRule(**day, **hours(900, 1035), services=["certificate"]))

    @pytest.mark.usefixtures("afternoon")
    def test_its_places_are_offered_for_these_only(self, city: City) -> None:
        person, renewal = city.person(), city.person("certificate")
        policy = policy_on(read_session(), city.here, MONDAY)

        def last(who: Person) -> str:
            times = open_times(read_session(), city.wish(who), TUESDAY, policy, city.now)
            return f"{times[-1].starts_at.astimezone(city.zone):%H:%M}"

        assert (last(person), last(renewal)) == ("14:45", "17:00")
        with pytest.raises(SlotNotBookable) as refused:
            city.hold(person, "15:00", TUESDAY)
        assert refused.value.facts == {"reason": "service"}
        city.hold(renewal, "15:00", TUESDAY)

    @pytest.mark.usefixtures("afternoon")
    def test_a_family_does_not_reach_into_it(self, city: City, family: list[Person]) -> None:
        with pytest.raises(SlotNotBookable):
            city.hold(family[0], "14:45", TUESDAY, family=family[1:])
        city.hold(family[0], "14:15", TUESDAY, family=family[1:])

    @pytest.mark.usefixtures("afternoon")
    def test_days_count_only_what_is_offered(self, city: City, person: Person) -> None:
        def day(who: Person) -> tuple[int, str | None]:
            policy = policy_on(read_session(), city.here, MONDAY)
            found = open_days(read_session(), city.wish(who), policy, city.now)
            return next((d.free, d.reason) for d in found if d.day == TUESDAY)

        pickup, renewal = day(person), day(city.person("certificate"))
        assert (pickup[1], renewal[1], pickup[0] < renewal[0]) == (None, None, True)
        with transaction() as tx:
            for row in tx.session.query(OpeningRule).filter(OpeningRule.on_date == TUESDAY):
                row.services = ["certificate"]
        assert day(person) == (0, "service")

    def test_a_closed_day_says_why_it_is_closed(self, city: City, person: Person) -> None:
        with transaction() as tx:
            for n, kind in enumerate((RuleKind.CLOSURE, RuleKind.OUTAGE), start=1):
                day = TUESDAY + timedelta(days=n)
                closed = {"on_date": day, "until_date": day, "opens": 0, "closes": 1440, "closed": True}
                tx.session.add(OpeningRule(office_id=city.here, kind=kind, **closed))
        make_slots(city.here, MONDAY, TUESDAY + timedelta(days=3), city.now)
        policy = policy_on(read_session(), city.here, MONDAY)
        days = open_days(read_session(), city.wish(person), policy, city.now)

        assert [d.why for d in days[1:6]] == [None, "closure", "outage", None, "closed"]


def hours(opens: int, closes: int) -> dict[str, Any]:
    """A session's minutes."""
    return {"opens": opens, "closes": closes, "last_booked": closes, "last_walk_in": closes}


def test_days_say_whether_the_family_does_not_fit_or_nobody(city: City, family: list[Person]) -> None:
    with transaction() as tx:
        for slot in tx.session.query(Slot).filter(Slot.business_date == TUESDAY):
            slot.bookable = 1 if slot.starts_at.minute % 30 == 0 else 0
    policy = policy_on(read_session(), city.here, MONDAY)

    def reason(*people: Person) -> str | None:
        days = open_days(read_session(), city.wish(*people), policy, city.now)
        return next(d.reason for d in days if d.day == TUESDAY)

    assert (reason(family[0]), reason(*family)) == (None, "together")
    with transaction() as tx:
        tx.session.query(Slot).filter(Slot.business_date == TUESDAY).update({"bookable": 0})
    assert (reason(family[0]), reason(*family)) == ("full", "full")


def test_the_ticket_of_a_family_names_all_its_services_each_once(city: City) -> None:
    family = [city.person(), city.person("certificate"), city.person()]
    _, booking = city.booked("10:00", person=family[0], family=family[1:])
    city.clock.set(9, 52)
    for ticket in (city.scan(city.code(booking)).ticket, city.scan(city.code(booking)).ticket):
        assert ticket.service == {
            "ja": "カードの受け取り・電子証明書の更新",
            "en": "Pick up a card, Renew the certificate",
        }


def test_how_a_family_sits_counts_as_of_the_day_on_which_it_comes(city: City) -> None:
    """From Tuesday on all of a family come in one slot; on Monday still one after the other."""
    set_policy(city.here, None, "party_in", "one_slot", TUESDAY, "staff:1", city.now)
    family = city.people(3)
    wish, policy = city.wish(*family, web=False), policy_on(read_session(), city.here, MONDAY)
    days = open_days(read_session(), wish, policy, city.now)
    times = open_times(read_session(), wish, TUESDAY, policy, city.now)
    assert [day.free for day in days[:2]] != [0, 0]
    assert days[1].free == sum(time.free for time in times)
    assert {time.free for time in times} == {0, 1}

    one = city.hold(family[0], "09:00", TUESDAY, web=False, family=family[1:])
    assert (city.taken("09:00", TUESDAY), city.taken("09:15", TUESDAY)) == (3, 0)
    city.book(family[0], one.booking)
    city.move(family[0], one.booking, "10:15")
    assert taken(city, "10:15", "10:30", "10:45") == [1, 1, 1]
    assert city.taken("09:00", TUESDAY) == 0
