"""The rules of arriving: who is received, and where they stand."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest

from server.booking.rules import BookingState
from server.errors import Refusal
from server.queueing.rules import StepClass
from server.reception.rules import Admission, BookingIsCancelled, NotBooked, WrongDay, admit
from tests.fakes import MONDAY_NINE

TEN = MONDAY_NINE.replace(hour=10)
MOMENT = timedelta(microseconds=1)
GRACE, WALK_IN_DUE = 15, 15


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
            Admission(StepClass.WALK_IN, due(30) + MOMENT, early=False, late=True),
            id="just after the grace: waits with the walk-ins",
        ),
        pytest.param(
            TEN.replace(hour=23, minute=59),
            Admission(StepClass.WALK_IN, TEN.replace(hour=23, minute=59) + timedelta(minutes=15), False, True),
            id="at the end of the day",
        ),
    ],
)
def test_a_booked_person_stands_in_the_line_by_the_booked_time(came: datetime, place: Admission) -> None:
    assert admit(Booked(), came, GRACE, WALK_IN_DUE) == place


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
        admit(Booked(), came, GRACE, WALK_IN_DUE)

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
        assert admit(Booked(state=state), TEN, GRACE, WALK_IN_DUE) == ON_TIME
    else:
        with pytest.raises(refusal):
            admit(Booked(state=state), TEN, GRACE, WALK_IN_DUE)


@pytest.mark.parametrize(("grace", "late"), [(0, True), (1, False)])
def test_how_late_is_late_is_the_offices_policy(grace: int, late: bool) -> None:
    assert admit(Booked(), due(1), grace, WALK_IN_DUE).late is late
