"""The rules of booking (pure): states, what may be booked when, what a place is."""

from datetime import date, datetime
from enum import Enum
from typing import Protocol

from server.clock import business_date
from server.errors import Conflict, Invalid, NotFound, NotNow
from server.offices.policy import OfficePolicy


class BookingState(Enum):
    """Where a booking stands."""

    HELD = "held"
    TO_CONFIRM = "to_confirm"
    CONFIRMED = "confirmed"
    CHECKED_IN = "checked_in"
    DONE = "done"
    CANCELLED = "cancelled"
    NO_SHOW = "no_show"
    LAPSED = "lapsed"


class BookingAction(Enum):
    """What can be done to a booking."""

    CONFIRM = "confirm"
    CHECK_IN = "check_in"
    FINISH = "finish"
    CANCEL = "cancel"
    LAPSE = "lapse"
    MISS = "miss"


_NEXT: dict[tuple[BookingState, BookingAction], BookingState] = {
    (BookingState.HELD, BookingAction.CONFIRM): BookingState.CONFIRMED,
    (BookingState.HELD, BookingAction.CANCEL): BookingState.CANCELLED,
    (BookingState.HELD, BookingAction.LAPSE): BookingState.LAPSED,
    (BookingState.TO_CONFIRM, BookingAction.CONFIRM): BookingState.CONFIRMED,
    (BookingState.TO_CONFIRM, BookingAction.CANCEL): BookingState.CANCELLED,
    (BookingState.CONFIRMED, BookingAction.CHECK_IN): BookingState.CHECKED_IN,
    (BookingState.CONFIRMED, BookingAction.CANCEL): BookingState.CANCELLED,
    (BookingState.CONFIRMED, BookingAction.MISS): BookingState.NO_SHOW,
    (BookingState.CHECKED_IN, BookingAction.FINISH): BookingState.DONE,
}

_ENDS_WITH_ITS_DAY = {BookingState.CONFIRMED: BookingAction.MISS, BookingState.CHECKED_IN: BookingAction.FINISH}

# States in which the booking's notices cannot stand in another booking.
LIVE_STATES = frozenset({BookingState.HELD, BookingState.TO_CONFIRM, BookingState.CONFIRMED, BookingState.CHECKED_IN})


class SlotFull(Conflict):
    """Somebody took the last place."""

    code = "slot_full"


class SlotNotBookable(NotNow):
    """This place cannot be booked (any more, or yet)."""

    code = "slot_not_bookable"


class UnknownSlot(NotFound):
    """There is no such place for this notice."""

    code = "unknown_slot"


class HoldLapsed(NotNow):
    """The ten minutes are over; the place is somebody else's again."""

    code = "hold_lapsed"


class AlreadyBooked(Conflict):
    """The notice has a booking; it is changed or cancelled first."""

    code = "already_booked"


class BookingNotFound(NotFound):
    """No such booking of this person."""

    code = "booking_not_found"


class TooLateToCancel(NotNow):
    """The booked time has passed or the visit has begun."""

    code = "too_late_to_cancel"


class NotPossible(Invalid):
    """The action does not fit the booking's state."""

    code = "booking_state"


class BookingLike(Protocol):
    """What the rules need of a booking."""

    state: BookingState
    starts_at: datetime
    hold_until: datetime | None


class SlotLike(Protocol):
    """What the rules need of a slot."""

    closed: bool
    bookable: int
    taken: int
    business_date: date
    starts_at: datetime
    ends_at: datetime


def after(state: BookingState, action: BookingAction) -> BookingState:
    """The state that follows; NotPossible if the action does not fit."""
    try:
        return _NEXT[state, action]
    except KeyError:
        raise NotPossible(state=state.value, action=action.value) from None


def has_lapsed(booking: BookingLike, now: datetime) -> bool:
    """A hold ends at its minute, whether or not anybody has tidied it away."""
    return booking.state is BookingState.HELD and booking.hold_until is not None and booking.hold_until <= now


def way_out(booking: BookingLike, now: datetime) -> BookingAction | None:
    """How a booking makes way for a new one of the same notice, or None if it does not: a hold that is replaced
    lapses; when its day is over, a booking whose person never came is a no-show, and one who came is done with it."""
    if booking.state is BookingState.HELD:
        return BookingAction.LAPSE
    if business_date(booking.starts_at) >= business_date(now):
        return None
    return {BookingState.CONFIRMED: BookingAction.MISS, BookingState.CHECKED_IN: BookingAction.FINISH}.get(
        booking.state
    )


def web_closes_at(slot: SlotLike, policy: OfficePolicy, list_made_at: datetime | None) -> datetime:
    """Until when the web may book a place: the hour the preparation list is made on the open day before (昨開庁日),
    or, where the office needs no list, until the place begins."""
    if not policy.closes_with_list or list_made_at is None:
        return slot.starts_at
    return min(list_made_at, slot.starts_at)


def check_bookable(slot: SlotLike, channel_is_web: bool, closes_at: datetime, opens_on: date, now: datetime) -> None:
    """Raise SlotNotBookable with the reason: closed, past, over (list is made) or not yet open for booking."""
    if slot.closed:
        raise SlotNotBookable(reason="closed")
    if slot.ends_at <= now or (channel_is_web and slot.starts_at <= now):
        raise SlotNotBookable(reason="past")
    if channel_is_web and now >= closes_at:
        raise SlotNotBookable(reason="over")
    if business_date(now) < opens_on:
        raise SlotNotBookable(reason="notyet", opens_on=opens_on.isoformat())
