"""The rules of arriving: who is received, and where they stand."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import pytest

from server.booking.rules import BookingState
from server.errors import Refusal
from server.offices.policy import DEFAULT
from server.queueing.rules import StepClass, due_without_booking
from server.reception.rules import Admission, BookingIsCancelled, NotBooked, WrongDay, admit
from tests.fakes import MONDAY_NINE

TEN = MONDAY_NINE.replace(hour=10)
MOMENT = timedelta(microseconds=1)


@dataclass
class Booked:
    """A booking for ten."""

    office_id: int = 1
    state: BookingState = BookingState.CONFIRMED
    starts_at: datetime = TEN


def due(minutes: float) -> datetime:
    """So many minutes after ten."""
    return TEN + timedelta(minutes=minutes)


ON_TIME = Admission(StepClass.BOOKED, TEN, early=False, late=False)
EARLY = Admission(StepClass.BOOKED, TEN, early=True, late=False)


@pytest.mark.parametrize(
    ("came", "place"),
    [
        pytest.param(TEN.replace(hour=0), EARLY, id="at midnight of the day: nobody is sent away for coming early"),
        pytest.param(due(0) - MOMENT, EARLY, id="just before the time"),
        pytest.param(due(0), ON_TIME, id="at the time"),
        pytest.param(due(0) + MOMENT, ON_TIME, id="just after the time"),
        pytest.param(due(15), ON_TIME, id="at the end of the grace"),
        pytest.param(
            due(15) + MOMENT,
            Admission(StepClass.LATE, due(25) + MOMENT, early=False, late=True),
            id="just after the grace: due ten minutes before who comes without a booking now",
        ),
        pytest.param(
            TEN.replace(hour=23, minute=59),
            Admission(StepClass.LATE, TEN.replace(hour=23, minute=59) + timedelta(minutes=10), False, True),
            id="at the end of the day",
        ),
    ],
)
def test_a_booked_person_stands_in_the_line_by_the_booked_time(came: datetime, place: Admission) -> None:
    assert admit(Booked(), came, DEFAULT) == place


@pytest.mark.parametrize(
    "came",
    [
        pytest.param(TEN.replace(hour=0) - MOMENT, id="just before midnight, in Japan"),
        pytest.param(datetime(2026, 11, 29, 14, 59, 59, tzinfo=UTC), id="the same in UTC"),
        pytest.param(TEN.replace(hour=0) + timedelta(days=1), id="at the next midnight"),
        pytest.param(datetime(2026, 11, 30, 15, tzinfo=UTC), id="the same in UTC, where it is still the thirtieth"),
    ],
)
def test_on_another_day_the_booked_day_is_told(came: datetime) -> None:
    with pytest.raises(WrongDay) as refused:
        admit(Booked(), came, DEFAULT)

    assert refused.value.facts == {"date": "2026-11-30"}


@pytest.mark.parametrize(
    ("state", "refusal"),
    [
        (BookingState.HELD, NotBooked),
        (BookingState.TO_CONFIRM, NotBooked),
        (BookingState.CONFIRMED, None),
        (BookingState.CHECKED_IN, None),
        (BookingState.DONE, NotBooked),
        (BookingState.CANCELLED, BookingIsCancelled),
        (BookingState.NO_SHOW, NotBooked),
        (BookingState.LAPSED, NotBooked),
    ],
)
def test_only_who_has_a_booking_is_received_as_booked(state: BookingState, refusal: type[Refusal] | None) -> None:
    if refusal is None:
        assert admit(Booked(state=state), TEN, DEFAULT) == ON_TIME
    else:
        with pytest.raises(refusal):
            admit(Booked(state=state), TEN, DEFAULT)


@pytest.mark.parametrize(("grace", "late"), [(0, True), (1, False)])
def test_how_late_is_late_is_the_offices_policy(grace: int, late: bool) -> None:
    assert admit(Booked(), due(1), replace(DEFAULT, late_grace_minutes=grace)).late is late


@pytest.mark.parametrize(
    ("credit", "due_at"),
    [(0, due(60)), (10, due(50)), (20, due(40)), (90, TEN)],
    ids=["none", "ten", "all", "too much"],
)
def test_who_is_late_stands_between_those_who_booked_and_those_who_come_now(credit: int, due_at: datetime) -> None:
    policy = replace(DEFAULT, late_credit_minutes=credit)

    assert admit(Booked(), due(40), policy).due_at == due_at
    assert TEN <= due_at <= due_without_booking(due(40), policy)


def test_without_a_booking_it_counts_from_the_real_arrival_also_from_a_kiosk_that_was_cut_off() -> None:
    assert due_without_booking(due(5), DEFAULT) == due(25)
