"""The rules of booking (pure): states, what may be booked when, what a place is."""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date, datetime
from enum import Enum
from itertools import product
from typing import Protocol, TypeVar

from server.clock import business_date
from server.errors import Conflict, Invalid, NotFound, NotNow
from server.offices.policy import OfficePolicy
from server.offices.service_rules import Mode, Offered, offered_on


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
    REOPEN = "reopen"


class Overbook(Enum):
    """予約枠を超える理由: why staff book beyond the places. Who did it and why is written down."""

    FAR_AWAY = "far_away"  # lives far away, or cannot come at another time
    OFFICE_FAULT = "office_fault"  # the office made a mistake, or closed a window or a day
    WELFARE = "welfare"  # accommodation or urgency for reasons of welfare
    FAMILY_TOGETHER = "family_together"  # a family that has to come together


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
    (BookingState.DONE, BookingAction.REOPEN): BookingState.CHECKED_IN,
}
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


class PartyTooBig(Invalid):
    """More people than one booking holds, or one of them twice."""

    code = "party_too_big"


class CardsElsewhere(Conflict):
    """The cards of a party are kept at different offices: each is booked for where it is."""

    code = "cards_elsewhere"


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
    business_date: date
    starts_at: datetime
    ends_at: datetime


class PlaceLike(Protocol):
    """A slot as a party looks at it: of which pool, from when to when."""

    @property
    def id(self) -> int: ...
    @property
    def pool_id(self) -> int: ...
    @property
    def starts_at(self) -> datetime: ...
    @property
    def ends_at(self) -> datetime: ...


class SessionLike(Protocol):
    """What the rules need of a session of opening hours."""

    @property
    def opens(self) -> datetime: ...
    @property
    def closes(self) -> datetime: ...

    def offers(self, service: str) -> bool:
        """Whether a service (code) is done in it."""
        ...


class InvitedLike(Protocol):
    """What the rules need of a notice: where its card is, and when its holder is asked to come."""

    office_id: int
    assigned_from: date | None
    assigned_to: date | None
    assigned_at: datetime | None


# Units by pool: what somebody takes of the slots of one moment.
Units = Mapping[int, int]
UseT = TypeVar("UseT", bound="UseLike")


class UseLike(Protocol):
    """Units that a booking takes of a slot."""

    units: int

    @property
    def slot(self) -> PlaceLike: ...


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
    """Until when the web may book a place: the hour the day list is made on the open day before (昨開庁日),
    or, where the office needs no list, until the place begins."""
    if not policy.closes_with_list or list_made_at is None:
        return slot.starts_at
    return min(list_made_at, slot.starts_at)


def check_offered(offer: Offered, ways: Collection[Mode], day: date) -> None:
    """Raise SlotNotBookable where the office does not offer the service that day, or in none of these ways."""
    if not offered_on(offer, day) or offer.modes.isdisjoint(ways):
        raise SlotNotBookable(reason="service")


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


def check_party(notices: Sequence[InvitedLike], people: int, most: int) -> None:
    """Raise PartyTooBig unless these are so many different people and no more than `most`, CardsElsewhere unless all
    their cards are at one office. `people` is the number that was asked for, each of them once or more."""
    if people > most or len(notices) != people:
        raise PartyTooBig(most=most)
    if len({notice.office_id for notice in notices}) > 1:
        raise CardsElsewhere


def needs_of(people: Sequence[Units], party_in: str) -> tuple[dict[int, int], ...]:
    """What a party takes, slot by slot from its first on: all of it there (`one_slot`), or of each slot what one
    person takes (`consecutive`)."""
    if party_in == "consecutive":
        return tuple(dict(person) for person in people)
    total: Counter[int] = Counter()
    for person in people:
        total.update(person)
    return (dict(total),)


def side_by_side(places: Iterable[PlaceLike], needs: Sequence[Units], starts_at: datetime) -> dict[int, int] | None:
    """Slot id → units for a party that comes at `starts_at`; None where one slot does not follow on the other, or a
    pool has none at that moment."""
    at = {(place.pool_id, place.starts_at): place for place in places}
    found: dict[int, int] = {}
    for need in needs:
        slots = [at.get((pool, starts_at)) for pool in need]
        if not slots:
            return None
        for slot, units in zip(slots, need.values(), strict=True):
            if slot is None:
                return None
            found[slot.id] = units
            ends_at = slot.ends_at
        starts_at = ends_at
    return found


def given_back(uses: Iterable[UseT], units: Units) -> list[tuple[UseT, int]]:
    """Which units a party gives back when one of it, who takes `units`, stays away: the last ones of each pool, so
    that the others still sit side by side from the first slot on."""
    left = dict(units)
    back = []
    for use in sorted(uses, key=lambda u: u.slot.starts_at, reverse=True):
        if (fewer := min(left.get(use.slot.pool_id, 0), use.units)) > 0:
            left[use.slot.pool_id] -= fewer
            back.append((use, fewer))
    return back


def invited_days(notices: Iterable[InvitedLike]) -> tuple[date, date]:
    """First and last day on which all of a party are asked to come; nothing said, nothing excluded."""
    notices = list(notices)
    exact = [business_date(n.assigned_at) for n in notices if n.assigned_at is not None]
    first = max((*exact, *(n.assigned_from for n in notices if n.assigned_from)), default=date.min)
    last = min((*exact, *(n.assigned_to for n in notices if n.assigned_to)), default=date.max)
    return first, last


def check_invited(notices: Iterable[InvitedLike], slot: SlotLike) -> None:
    """Raise SlotNotBookable outside the days (`period`) or at another time (`assigned`) than the office has given
    these people. For the web: staff may agree on another time with them."""
    notices = list(notices)
    first, last = invited_days(notices)
    if not first <= slot.business_date <= last:
        raise SlotNotBookable(reason="period")
    if any(n.assigned_at is not None and not slot.starts_at <= n.assigned_at < slot.ends_at for n in notices):
        raise SlotNotBookable(reason="assigned")


def check_sessions(slots: Sequence[SlotLike], sessions: Sequence[SessionLike], services: Iterable[str]) -> None:
    """Raise SlotNotBookable where a slot lies outside the hours (`closed`: they were changed, and places do not follow
    yet), or in a session in which one of these services (codes) is not done."""
    for slot in slots:
        if not any(s.opens <= slot.starts_at and slot.ends_at <= s.closes for s in sessions):
            raise SlotNotBookable(reason="closed")
    for slot, service in product(slots, services):
        if any(s.opens < slot.ends_at and slot.starts_at < s.closes and not s.offers(service) for s in sessions):
            raise SlotNotBookable(reason="service")


class EntryLike(Protocol):
    """What the rules need of an entry of the work list."""

    starts_at: datetime
    moved_to: datetime | None
    told_at: datetime | None


def still_to_do(entry: EntryLike, booking: BookingLike) -> bool:
    """Whether an entry of the work list asks for something: its booking still expects a place, and stands where it has
    none, or its people were not told since the office began to move it. Who moves by themselves know."""
    if booking.state not in (BookingState.HELD, BookingState.TO_CONFIRM, BookingState.CONFIRMED):
        return False
    if booking.starts_at == entry.starts_at:
        return True
    return entry.moved_to is not None and entry.told_at is None
