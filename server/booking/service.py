"""Entry points of booking: hold a place, book it, move it, cancel it, for one person or a family.

Locks, always in this order: notices by id, slots by id, bookings by id (docs/concurrency.md). What is done to a booking
locks all its notices, so that what its people do follows each other.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import Any
from uuid import UUID

from sqlalchemy import Executable, bindparam, case, insert, or_, select, update
from sqlalchemy.orm import Session, aliased

from madoguchi.wire import Message
from server.audit import record
from server.booking.capacity import next_arrival, spreads
from server.booking.models import Booking, BookingPerson, Channel, PlacesToMake, Slot, SlotUse
from server.booking.queries import needs_at, units_by_pool
from server.booking.rules import (
    LIVE_STATES,
    AlreadyBooked,
    BookingAction,
    BookingNotFound,
    BookingState,
    HoldLapsed,
    Overbook,
    SlotFull,
    SlotNotBookable,
    TooLateToCancel,
    UnknownSlot,
    after,
    check_bookable,
    check_invited,
    check_offered,
    check_party,
    check_sessions,
    given_back,
    has_lapsed,
    side_by_side,
    way_out,
    web_closes_at,
)
from server.clock import at_minute, business_date
from server.db import Transaction, locked, new_uid, read_session, transaction
from server.events import BookingCancelled, BookingMade
from server.issuance.models import Notice
from server.issuance.service import locked_notices, notices_for
from server.keys import Keyring
from server.offices.models import Pool, Service
from server.offices.policy import OfficePolicy
from server.offices.queries import calendar_of, list_made_at, policy_on
from server.offices.service_rules import BOOKABLE, ON_THE_WEB, Mode
from server.repeats import Caller, repeat_of

# Which services a channel books; at the counter staff decide for themselves.
WAYS: dict[Channel, frozenset[Mode]] = {
    Channel.WEB: ON_THE_WEB,
    Channel.PHONE: BOOKABLE,
    Channel.COUNTER: frozenset(Mode),
}


@dataclass(frozen=True)
class Held(Message):
    """A place kept for some minutes."""

    booking: UUID
    starts_at: datetime
    hold_until: datetime


@dataclass(frozen=True)
class Booked(Message):
    """A confirmed booking; its code is made from its uid by the keyring."""

    booking: UUID
    starts_at: datetime


def hold_slot(
    caller: Caller,
    keyring: Keyring,
    notice_ids: Sequence[int],
    slot: UUID,
    channel: Channel,
    language: str,
    now: datetime,
    overbook: Overbook | None = None,
) -> Held:
    """Keep places for a party, all of them or none, while the form is filled. An older hold of one of them is given
    back in the same breath; a booking of a day that is over stands in nobody's way.

    With a reason to `overbook` places beyond the bookable ones are taken, too; never for the web, and whoever may.
    Raises SlotFull, SlotNotBookable, UnknownSlot, AlreadyBooked, NoticeNotReady, PartyTooBig, CardsElsewhere.
    """
    with transaction() as tx:
        body = {"notices": list(notice_ids), "slot": str(slot), "overbook": overbook and overbook.value}
        repeat = repeat_of(tx, caller, "booking.hold", body, now)
        if repeat.answer is not None:
            return Held.from_json(repeat.answer)
        party = notices_for(tx, notice_ids)
        policy = policy_on(tx.session, party[0].office_id, business_date(now))
        check_party(party, len(notice_ids), policy.party_max)
        party = sorted(party, key=lambda notice: notice_ids.index(notice.id))
        olds = _live_bookings(tx, notice_ids)
        for old in olds:
            if way_out(old, now) is None:
                raise AlreadyBooked(booking=str(old.uid))
        wanted, then = _wanted(tx.session, party[0].office_id, [n.service_id for n in party], slot, channel)
        slots = _slots_for(tx, wanted, olds, now)
        for old in olds:
            _make_way(tx, old.id, now)
        first = slots[next(iter(wanted))]
        _check(tx.session, [slots[s] for s in wanted], party, channel, policy, now)
        arrives_at = _arrival(tx.session, first, party, then)
        hold_until = now + timedelta(minutes=policy.hold_minutes)
        booking = _new_hold(tx, keyring, party, first, arrives_at, channel, language, hold_until, now)
        _take(tx, booking, wanted, slots, channel, overbook)
        record(tx, now, caller.actor, "booking.hold", booking.uid)
        _record_overbook(tx, now, caller, booking, first, overbook)
        return repeat.keep(Held(booking.uid, booking.starts_at, hold_until))


def book(caller: Caller, notice_id: int, booking: UUID, now: datetime) -> Booked:
    """Make a hold a booking. Raises HoldLapsed, BookingNotFound, NoticeNotReady."""
    with transaction() as tx:
        repeat = repeat_of(tx, caller, "booking.book", {"notice": notice_id, "booking": str(booking)}, now)
        if repeat.answer is not None:
            return Booked.from_json(repeat.answer)
        notices_for(tx, _notices_of(tx.session, notice_id, booking))
        row = _locked_booking_of(tx, notice_id, booking)
        if has_lapsed(row, now) or row.state is BookingState.LAPSED:
            raise HoldLapsed
        row.state, row.hold_until = after(row.state, BookingAction.CONFIRM), None
        record(tx, now, caller.actor, "booking.book", row.uid)
        tx.publish(BookingMade(row.uid, row.office_id, row.starts_at))
        return repeat.keep(Booked(row.uid, row.starts_at))


def move_booking(
    caller: Caller,
    notice_id: int,
    booking: UUID,
    slot: UUID,
    channel: Channel,
    now: datetime,
    overbook: Overbook | None = None,
) -> Booked:
    """Another time for a whole party: the new places are won first, the old ones lost only with them.

    Raises as `hold_slot`, and BookingNotFound, TooLateToCancel.
    """
    with transaction() as tx:
        body = {
            "notice": notice_id,
            "booking": str(booking),
            "slot": str(slot),
            "overbook": overbook and overbook.value,
        }
        repeat = repeat_of(tx, caller, "booking.move", body, now)
        if repeat.answer is not None:
            return Booked.from_json(repeat.answer)
        notices = {n.id: n for n in notices_for(tx, _notices_of(tx.session, notice_id, booking))}
        old = _booking_of(tx, notice_id, booking)
        if old.state is not BookingState.CONFIRMED:
            raise TooLateToCancel
        people = [person for person in old.people if person.live]
        policy = policy_on(tx.session, old.office_id, business_date(now))
        wanted, then = _wanted(tx.session, old.office_id, [p.service_id for p in people], slot, channel)
        slots = _slots_for(tx, wanted, [old], now)
        row = locked_booking(tx, old.id)
        if row.state is not BookingState.CONFIRMED or row.starts_at <= now:
            raise TooLateToCancel
        first = slots[next(iter(wanted))]
        if {use.slot_id for use in row.uses} != set(wanted):
            party = [notices[p.notice_id] for p in people if p.notice_id is not None]
            _check(tx.session, [slots[s] for s in wanted], party, channel, policy, now)
            _give_back(tx, row)
            row.starts_at = _arrival(tx.session, first, party, then)
            _take(tx, row, wanted, slots, channel, overbook)
            row.channel, row.policy_at = channel, first.business_date
            _record_overbook(tx, now, caller, row, first, overbook)
        record(tx, now, caller.actor, "booking.move", row.uid)
        return repeat.keep(Booked(row.uid, row.starts_at))


def cancel_booking(caller: Caller, notice_id: int, booking: UUID, now: datetime) -> Booked:
    """Give a whole party's places back, until the arrival time: they still help walk-ins.

    Raises TooLateToCancel, BookingNotFound.
    """
    with transaction() as tx:
        repeat = repeat_of(tx, caller, "booking.cancel", {"notice": notice_id, "booking": str(booking)}, now)
        if repeat.answer is not None:
            return Booked.from_json(repeat.answer)
        row = _locked_to_cancel(tx, notice_id, booking, now)
        _cancel(tx, caller, row, now)
        return repeat.keep(Booked(row.uid, row.starts_at))


def leave_booking(caller: Caller, notice_id: int, booking: UUID, now: datetime) -> Booked:
    """One person of a party does not come: that person's places are given back, the others' stay. When the last one
    leaves, the booking is cancelled. Raises as `cancel_booking`.
    """
    with transaction() as tx:
        repeat = repeat_of(tx, caller, "booking.leave", {"notice": notice_id, "booking": str(booking)}, now)
        if repeat.answer is not None:
            return Booked.from_json(repeat.answer)
        row = _locked_to_cancel(tx, notice_id, booking, now)
        staying = [person for person in row.people if person.live and person.notice_id != notice_id]
        if staying:
            leaving = next(person for person in row.people if person.live and person.notice_id == notice_id)
            back = given_back(row.uses, units_by_pool(tx.session, row.office_id, leaving.service_id))
            _give_back(tx, row, {use.slot_id: units for use, units in back})
            leaving.live, row.service_id = False, staying[0].service_id
            record(tx, now, caller.actor, "booking.leave", row.uid, position=leaving.position)
        else:
            _cancel(tx, caller, row, now)
        return repeat.keep(Booked(row.uid, row.starts_at))


_LOCK_BOOKING = locked(select(Booking).where(Booking.id == bindparam("booking")))


def locked_booking(tx: Transaction, booking_id: int) -> Booking:
    """Step: the booking's row, locked and read afresh."""
    return tx.session.scalars(_LOCK_BOOKING, {"booking": booking_id}).one()


def check_in_booking(booking: Booking) -> None:
    """Step, on a locked booking: the person came."""
    booking.state = after(booking.state, BookingAction.CHECK_IN)


def finish_booking(tx: Transaction, booking_id: int) -> list[int]:
    """Step: the visit of a booking has ended. Gives the positions of its people that were live."""
    booking = locked_booking(tx, booking_id)
    booking.state = after(booking.state, BookingAction.FINISH)
    live = [person.position for person in booking.people if person.live]
    _people_leave(tx, booking)
    return live


def reopen_booking(tx: Transaction, booking_id: int, positions: Collection[int]) -> None:
    """Step: the visit of a booking has not ended after all; these of its people are live again. Raises NotPossible."""
    booking = locked_booking(tx, booking_id)
    booking.state = after(booking.state, BookingAction.REOPEN)
    for person in booking.people:
        person.live = person.position in positions


def stands_elsewhere(tx: Transaction, booking_id: int | None, notice_ids: Collection[int]) -> bool:
    """Step: whether one of these notices, which are locked, stands in another live booking by now."""
    other = select(BookingPerson.booking_id).where(BookingPerson.notice_id.in_(notice_ids), BookingPerson.live)
    if booking_id is not None:
        other = other.where(BookingPerson.booking_id != booking_id)
    return tx.session.scalar(other.limit(1)) is not None


def sweep_lapsed_holds(now: datetime) -> int:
    """Tidy holds whose time is over; nothing hangs on it. Gives their number."""
    slots = read_session().scalars(
        select(SlotUse.slot_id)
        .join(Booking, Booking.id == SlotUse.booking_id)
        .where(Booking.state == BookingState.HELD, Booking.hold_until <= now)
        .distinct()
    )
    if not (wanted := slots.all()):
        return 0
    with transaction() as tx:
        _lock_slots(tx, wanted)
        return _release_lapsed(tx, wanted, now)


def sweep_past_bookings(now: datetime) -> int:
    """Tidy bookings of days that are over: no-shows, and people who left unserved. Gives their number."""
    past = (
        Booking.state.in_((BookingState.CONFIRMED, BookingState.CHECKED_IN)),
        Booking.starts_at < at_minute(business_date(now), 0),
    )
    bookings = read_session().scalars(select(Booking.id).where(*past).order_by(Booking.id)).all()
    if not bookings:
        return 0
    with transaction() as tx:
        slots = tx.session.scalars(select(SlotUse.slot_id).join(Booking).where(*past)).all()
        _lock_slots(tx, slots)
        return sum(_make_way(tx, booking, now) for booking in bookings)


_CHOSEN = select(Slot).join(Pool).where(Slot.uid == bindparam("slot"), Pool.office_id == bindparam("office"))
_THEN = (
    select(Slot.id, Slot.pool_id, Slot.starts_at, Slot.ends_at)
    .where(
        Slot.pool_id.in_(bindparam("pools", expanding=True)),
        Slot.business_date == bindparam("day"),
        Slot.starts_at >= bindparam("starts_at"),
    )
    .order_by(Slot.id)
)


def _wanted(
    session: Session, office_id: int, services: Sequence[int], slot: UUID, channel: Channel
) -> tuple[dict[int, int], OfficePolicy]:
    """Slot ids → units for people of these services, the chosen slot first: those of all pools that they need, in one
    slot or one after the other; and the policy of that day, by which places are given.

    Raises UnknownSlot, and SlotNotBookable where the office does not offer the services so.
    """
    chosen = session.scalar(_CHOSEN, {"slot": slot, "office": office_id})
    if chosen is None:
        raise UnknownSlot
    policy = policy_on(session, office_id, chosen.business_date)
    offers, needs = needs_at(session, office_id, services, policy.party_in)
    if chosen.pool_id not in needs[0]:
        raise UnknownSlot
    for offer in offers:
        check_offered(offer, WAYS[channel], chosen.business_date)
    if len(needs) == len(needs[0]) == 1:
        return {chosen.id: needs[0][chosen.pool_id]}, policy
    asked = {"pools": list(set().union(*needs)), "day": chosen.business_date, "starts_at": chosen.starts_at}
    wanted = side_by_side(session.execute(_THEN, asked).all(), needs, chosen.starts_at)
    if wanted is None:
        raise SlotNotBookable(reason="together")
    return wanted, policy


_USED_BY = select(SlotUse.slot_id).where(SlotUse.booking_id.in_(bindparam("bookings", expanding=True)))
_ON_THEM, _USE = aliased(SlotUse), aliased(SlotUse)
_USED_BY_LAPSED = (
    select(_USE.slot_id)
    .join(_ON_THEM, _ON_THEM.booking_id == _USE.booking_id)
    .join(Booking, Booking.id == _ON_THEM.booking_id)
    .where(
        _ON_THEM.slot_id.in_(bindparam("slots", expanding=True)),
        Booking.state == BookingState.HELD,
        Booking.hold_until <= bindparam("now"),
    )
)
_LOCK_SLOTS = locked(select(Slot).where(Slot.id.in_(bindparam("ids", expanding=True))).order_by(Slot.id))


def _slots_for(tx: Transaction, wanted: Collection[int], olds: Sequence[Booking], now: datetime) -> dict[int, Slot]:
    """Lock the wanted slots, those of the old bookings, and all of the lapsed holds that lie on a wanted one, in
    ascending id; then give those holds back: correctness never waits for the sweep."""
    old = tx.session.scalars(_USED_BY, {"bookings": [o.id for o in olds]}).all() if olds else []
    lapsed = tx.session.scalars(_USED_BY_LAPSED, {"slots": list(wanted), "now": now}).all()
    slots = _lock_slots(tx, {*wanted, *old, *lapsed})
    if lapsed:
        _release_lapsed(tx, slots, now)
    return slots


def _lock_slots(tx: Transaction, ids: Iterable[int]) -> dict[int, Slot]:
    return {slot.id: slot for slot in tx.session.scalars(_LOCK_SLOTS, {"ids": list(ids)})}


_LIVE_BOOKINGS = (
    select(Booking)
    .join(BookingPerson)
    .where(BookingPerson.notice_id.in_(bindparam("notices", expanding=True)), BookingPerson.live)
    .order_by(Booking.id)
)


def _live_bookings(tx: Transaction, notice_ids: Sequence[int]) -> Sequence[Booking]:
    return tx.session.scalars(_LIVE_BOOKINGS, {"notices": list(notice_ids)}).unique().all()


# Who has left a party has no more to do with its booking; once it has ended, it is everybody's who stood in it.
_BOOKING_OF = (
    select(Booking)
    .join(BookingPerson)
    .where(
        BookingPerson.notice_id == bindparam("notice"),
        Booking.uid == bindparam("uid"),
        or_(BookingPerson.live, Booking.state.not_in(LIVE_STATES)),
    )
)


def _booking_of(tx: Transaction, notice_id: int, uid: UUID) -> Booking:
    booking = tx.session.scalar(_BOOKING_OF, {"notice": notice_id, "uid": uid})
    if booking is None:
        raise BookingNotFound
    return booking


def _locked_booking_of(tx: Transaction, notice_id: int, uid: UUID) -> Booking:
    return locked_booking(tx, _booking_of(tx, notice_id, uid).id)


_NOTICES_OF = (
    select(BookingPerson.notice_id)
    .join(Booking)
    .where(Booking.uid == bindparam("uid"), BookingPerson.notice_id.is_not(None))
)


def _notices_of(session: Session, notice_id: int, booking: UUID) -> set[int]:
    """The notices to lock before anything is done to a booking: of all its people, and of who asks. Nobody joins a
    booking, so they may be read before."""
    return {notice_id, *session.scalars(_NOTICES_OF, {"uid": booking})}


def _locked_to_cancel(tx: Transaction, notice_id: int, booking: UUID, now: datetime) -> Booking:
    """A booking, locked with its notices and slots. Raises BookingNotFound, TooLateToCancel."""
    locked_notices(tx, _notices_of(tx.session, notice_id, booking))
    _lock_slots(tx, tx.session.scalars(_USED_BY, {"bookings": [_booking_of(tx, notice_id, booking).id]}))
    row = _locked_booking_of(tx, notice_id, booking)
    if row.state is BookingState.CHECKED_IN or (row.state is BookingState.CONFIRMED and row.starts_at <= now):
        raise TooLateToCancel
    return row


def _cancel(tx: Transaction, caller: Caller, row: Booking, now: datetime) -> None:
    _end(tx, row, BookingAction.CANCEL)
    record(tx, now, caller.actor, "booking.cancel", row.uid)
    tx.publish(BookingCancelled(row.uid, row.office_id))


_LAPSED = locked(
    select(Booking)
    .where(
        Booking.state == BookingState.HELD,
        Booking.hold_until <= bindparam("now"),
        Booking.id.in_(select(SlotUse.booking_id).where(SlotUse.slot_id.in_(bindparam("slots", expanding=True)))),
        # One of its slots may have been left unlocked by who did not know of it: then somebody else's turn comes.
        Booking.id.not_in(
            select(SlotUse.booking_id)
            .join(Booking)
            .where(
                Booking.state == BookingState.HELD,
                Booking.hold_until <= bindparam("now"),
                SlotUse.slot_id.not_in(bindparam("slots", expanding=True)),
            )
        ),
    )
    .order_by(Booking.id)
)


def _release_lapsed(tx: Transaction, slots: Iterable[int], now: datetime) -> int:
    """Give back lapsed holds whose slots are all locked already."""
    lapsed = tx.session.scalars(_LAPSED, {"slots": list(slots), "now": now}).all()
    for booking in lapsed:
        _end(tx, booking, BookingAction.LAPSE)
    return len(lapsed)


def _end(tx: Transaction, booking: Booking, action: BookingAction) -> None:
    booking.state, booking.hold_until = after(booking.state, action), None
    _give_back(tx, booking)
    _people_leave(tx, booking)


def _make_way(tx: Transaction, booking_id: int, now: datetime) -> bool:
    """End a booking that stands in nobody's way any more; its slots are locked. False if somebody was first."""
    booking = locked_booking(tx, booking_id)
    if booking.state not in LIVE_STATES or (action := way_out(booking, now)) is None:
        return False
    if action is BookingAction.FINISH:  # the place was used
        finish_booking(tx, booking_id)
    else:
        _end(tx, booking, action)
    return True


def _people_leave(tx: Transaction, booking: Booking) -> None:
    tx.session.execute(update(BookingPerson).where(BookingPerson.booking_id == booking.id).values(live=False))


def _check(
    session: Session,
    slots: Sequence[Slot],
    party: Sequence[Notice],
    channel: Channel,
    policy: OfficePolicy,
    now: datetime,
) -> None:
    first, web = slots[0], channel is Channel.WEB
    if web:
        check_invited(party, first)
    day = first.business_date
    calendar = calendar_of(session, party[0].office_id, day)
    codes: Sequence[str] = ()
    if any(rule.services is not None for rule in calendar.rules):
        codes = session.scalars(select(Service.code).where(Service.id.in_({n.service_id for n in party}))).all()
    check_sessions(slots, calendar.plan(day).sessions, codes)
    made = list_made_at(session, party[0].office_id, day, policy, calendar) if policy.closes_with_list else None
    opens_on = day - timedelta(days=policy.open_days_before)
    for slot in slots:
        check_bookable(slot, web, web_closes_at(slot, policy, made), opens_on, now)


_TAKEN = (
    select(Booking.starts_at, SlotUse.units)
    .join(SlotUse, SlotUse.booking_id == Booking.id)
    .where(SlotUse.slot_id == bindparam("slot"))
)


def _arrival(session: Session, slot: Slot, party: Sequence[Notice], policy: OfficePolicy) -> datetime:
    """When a party is asked to come to a slot: at the time the office has given it, else at the next free one."""
    given = (notice.assigned_at for notice in party if notice.assigned_at is not None)
    if (assigned := next((at for at in given if slot.starts_at <= at < slot.ends_at), None)) is not None:
        return assigned
    if not spreads(slot, policy):
        return slot.starts_at
    return next_arrival(slot, [(at, units) for at, units in session.execute(_TAKEN, {"slot": slot.id})], policy)


def _new_hold(
    tx: Transaction,
    keyring: Keyring,
    party: Sequence[Notice],
    slot: Slot,
    arrives_at: datetime,
    channel: Channel,
    language: str,
    hold_until: datetime,
    now: datetime,
) -> Booking:
    uid = new_uid(now)
    booking = Booking(
        uid=uid,
        code_key=keyring.key("booking-code", keyring.booking_code(uid).text),
        key_id=keyring.key_id,
        office_id=party[0].office_id,
        service_id=party[0].service_id,
        starts_at=arrives_at,
        channel=channel,
        state=BookingState.HELD,
        hold_until=hold_until,
        language=language,
        policy_at=slot.business_date,
    )
    booking.people = [
        BookingPerson(position=n, notice_id=notice.id, service_id=notice.service_id)
        for n, notice in enumerate(party, start=1)
    ]
    tx.session.add(booking)
    tx.session.flush()  # its id is needed for the uses
    return booking


_COUNTED = {Channel.WEB: (Slot.web_max, Slot.web_taken), Channel.PHONE: (Slot.phone_max, Slot.phone_taken)}
_UNITS = bindparam("units", type_=Slot.taken.type)


@cache
def _taking(channel: Channel, overbook: bool) -> Executable:
    """Take places of one slot if they are still there; overbooking makes them."""
    conditions = [Slot.id == bindparam("slot"), Slot.closed.is_(False)]
    values: dict[Any, Any] = {Slot.taken: Slot.taken + _UNITS}
    if overbook:
        beyond = Slot.taken + _UNITS - Slot.bookable
        values[Slot.extra] = case((beyond > Slot.extra, beyond), else_=Slot.extra)
    else:
        conditions.append(Slot.taken + _UNITS <= Slot.bookable)
    if channel in _COUNTED:
        most, taken = _COUNTED[channel]
        conditions.append(or_(most.is_(None), taken + _UNITS <= most))
        values[taken] = taken + _UNITS
    return update(Slot).where(*conditions).values(values).execution_options(synchronize_session=False)


def _take(
    tx: Transaction,
    booking: Booking,
    wanted: Mapping[int, int],
    slots: Mapping[int, Slot],
    channel: Channel,
    overbook: Overbook | None,
) -> None:
    """Take the places, each only if it is still there; nothing is taken if one is not. What is overbooked counts
    for no channel: its maximum is for what can be had without asking."""
    counted = channel if overbook is None else Channel.COUNTER
    for slot_id, units in wanted.items():
        taking: Any = tx.session.execute(_taking(counted, overbook is not None), {"slot": slot_id, "units": units})
        if taking.rowcount != 1:
            raise SlotFull
    uses = [
        {
            "slot_id": slot_id,
            "booking_id": booking.id,
            "units": units,
            "channel": counted,
            "until": slots[slot_id].ends_at,
        }
        for slot_id, units in wanted.items()
    ]
    tx.session.execute(_ADD_USES, uses)
    tx.session.expire(booking, ["uses"])


_ADD_USES = insert(SlotUse)


def _record_overbook(
    tx: Transaction, now: datetime, caller: Caller, booking: Booking, slot: Slot, overbook: Overbook | None
) -> None:
    if overbook is not None:
        record(tx, now, caller.actor, "booking.overbook", booking.uid, slot=str(slot.uid), reason=overbook.value)


@cache
def _freeing(channel: Channel) -> Executable:
    """Give places of one slot back; what was overbooked goes first."""
    left = Slot.taken - _UNITS
    values: dict[Any, Any] = {Slot.taken: left, Slot.extra: case((left > Slot.bookable, left - Slot.bookable), else_=0)}
    if channel in _COUNTED:
        _, taken = _COUNTED[channel]
        values[taken] = taken - _UNITS
    where = Slot.id == bindparam("slot")
    return update(Slot).where(where).values(values).execution_options(synchronize_session=False)


_USES = select(SlotUse).where(SlotUse.booking_id == bindparam("booking")).order_by(SlotUse.slot_id)


def _give_back(tx: Transaction, booking: Booking, units: Mapping[int, int] | None = None) -> None:
    """Give back all that a booking takes, or so many `units` by slot id. The slots are locked.

    A place in a slot that was closed or became shorter is kept by slots at the same time (`held_elsewhere`): these are
    made again, after us.
    """
    for use in tx.session.scalars(_USES, {"booking": booking.id}).all():
        fewer = use.units if units is None else units.get(use.slot_id, 0)
        if fewer:
            tx.session.execute(_freeing(use.channel), {"slot": use.slot_id, "units": fewer})
            if use.slot.closed or use.until > use.slot.ends_at:
                day = use.slot.business_date
                tx.session.add(PlacesToMake(office_id=booking.office_id, first_day=day, last_day=day))
        if fewer == use.units:
            tx.session.delete(use)
        else:
            use.units -= fewer
    tx.session.flush()
    tx.session.expire(booking, ["uses"])
