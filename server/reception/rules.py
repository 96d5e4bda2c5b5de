"""The rules of arriving (pure): who is received, and where they stand in the line."""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from server.booking.rules import BookingState
from server.clock import business_date, office_time
from server.errors import Conflict, Invalid, NotFound, NotNow
from server.offices.policy import OfficePolicy
from server.queueing.rules import StepClass, due_with_booking


class Unreadable(Invalid):
    """The scan is damaged or cut short."""

    code = "unreadable"


class WrongCode(Invalid):
    """Not a code of ours."""

    code = "wrong_code"


class OtherCode(Invalid):
    """The number that is printed on a notice, where it is not taken, or not now after many that led nowhere."""

    code = "other_code"


class CodeUnknown(NotFound):
    """A code of ours that stands for nothing here."""

    code = "code_unknown"


class NotBooked(NotFound):
    """The notice has no booking."""

    code = "not_booked"


class WrongOffice(Conflict):
    """Booked at another office."""

    code = "wrong_office"


class WrongDay(NotNow):
    """Booked for another day."""

    code = "wrong_day"


class BookingIsCancelled(Conflict):
    """The booking was cancelled."""

    code = "booking_cancelled"


class OfficeClosed(NotNow):
    """Nobody is received now."""

    code = "office_closed"


class WalkInsClosed(NotNow):
    """People without a booking are not received (any more) today."""

    code = "walk_ins_closed"


class ServiceNotNow(NotNow):
    """The office is open, but this service is not done at this time."""

    code = "service_not_now"


class AskStaff(NotNow):
    """Received no more by itself, but the law sets the visitor a day: never refused, staff see to it."""

    code = "ask_staff"


class PartyTooLarge(Invalid):
    """More people than one ticket stands for, or none."""

    code = "party_too_large"


class BookedLike(Protocol):
    """What the rules need of a booking."""

    office_id: int
    state: BookingState
    starts_at: datetime


@dataclass(frozen=True)
class Admission:
    """Where somebody who came with a booking stands in the line."""

    step_class: StepClass
    due_at: datetime
    early: bool
    late: bool


def admit(booking: BookedLike, now: datetime, policy: OfficePolicy) -> Admission:
    """Receive a booked person who comes now: nobody is sent away for coming early or late.

    Raises WrongDay, BookingIsCancelled, NotBooked.
    """
    if booking.state is BookingState.CANCELLED:
        raise BookingIsCancelled
    if booking.state not in (BookingState.CONFIRMED, BookingState.CHECKED_IN):
        raise NotBooked
    if business_date(booking.starts_at) != business_date(now):
        raise WrongDay(date=office_time(booking.starts_at).date().isoformat())
    step_class, due_at = due_with_booking(booking.starts_at, now, policy)
    return Admission(step_class, due_at, early=now < booking.starts_at, late=step_class is StepClass.LATE)
