"""Entry points of booking: hold a place, book it, move it, cancel it.

Locks, always in this order: notices by id, slots by id, bookings by id (docs/concurrency.md).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from madoguchi.wire import Message
from server.audit import record
from server.booking.models import Booking, BookingPerson, Channel, Slot, SlotUse
from server.booking.queries import units_by_pool
from server.booking.rules import (
    LIVE_STATES,
    AlreadyBooked,
    BookingAction,
    BookingNotFound,
    BookingState,
    HoldLapsed,
    SlotFull,
    TooLateToCancel,
    UnknownSlot,
    after,
    check_bookable,
    has_lapsed,
    way_out,
    web_closes_at,
)
from server.clock import at_minute, business_date
from server.db import Transaction, locked, new_uid, read_session, transaction
from server.events import BookingCancelled, BookingMade
from server.issuance.models import Notice
from server.issuance.service import locked_notice, notice_for
from server.keys import Keyring
from server.offices.policy import OfficePolicy
from server.offices.queries import list_made_at, policy_on
from server.repeats import Caller, repeat_of


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
    notice_id: int,
    slot: UUID,
    channel: Channel,
    language: str,
    now: datetime,
) -> Held:
    """Keep a place while the form is filled. An older hold of the same notice is given back in the same breath; a
    booking of a day that is over stands in nobody's way.

    Raises SlotFull, SlotNotBookable, UnknownSlot, AlreadyBooked, NoticeNotReady.
    """
    with transaction() as tx:
        repeat = repeat_of(tx, caller, "booking.hold", {"notice": notice_id, "slot": str(slot)}, now)
        if repeat.answer is not None:
            return Held.from_json(repeat.answer)
        notice = notice_for(tx, notice_id)
        old = _live_booking(tx, notice.id)
        if old is not None and way_out(old, now) is None:
            raise AlreadyBooked(booking=str(old.uid))
        wanted = _wanted(tx.session, notice, slot)
        slots = _locked_slots(tx, wanted, old)
        _release_lapsed(tx, wanted, now)
        if old is not None:
            _make_way(tx, old.id, now)
        policy = policy_on(tx.session, notice.office_id, business_date(now))
        _check(tx.session, [slots[s] for s in wanted], notice.office_id, channel, policy, now)
        hold_until = now + timedelta(minutes=policy.hold_minutes)
        first = slots[next(iter(wanted))]
        booking = _new_hold(tx, keyring, notice, first, channel, language, hold_until, now)
        _take(tx, booking, wanted, channel)
        record(tx, now, caller.actor, "booking.hold", booking.uid)
        return repeat.keep(Held(booking.uid, booking.starts_at, hold_until))


def book(caller: Caller, notice_id: int, booking: UUID, now: datetime) -> Booked:
    """Make a hold a booking. Raises HoldLapsed, BookingNotFound, NoticeNotReady."""
    with transaction() as tx:
        repeat = repeat_of(tx, caller, "booking.book", {"notice": notice_id, "booking": str(booking)}, now)
        if repeat.answer is not None:
            return Booked.from_json(repeat.answer)
        notice = notice_for(tx, notice_id)
        row = _locked_booking_of(tx, notice.id, booking)
        if has_lapsed(row, now) or row.state is BookingState.LAPSED:
            raise HoldLapsed
        row.state, row.hold_until = after(row.state, BookingAction.CONFIRM), None
        record(tx, now, caller.actor, "booking.book", row.uid)
        tx.publish(BookingMade(row.uid, row.office_id, row.starts_at))
        return repeat.keep(Booked(row.uid, row.starts_at))


def move_booking(caller: Caller, notice_id: int, booking: UUID, slot: UUID, channel: Channel, now: datetime) -> Booked:
    """Another time for a booking: the new place is won first, the old one lost only with it.

    Raises as `hold_slot`, and BookingNotFound, TooLateToCancel.
    """
    with transaction() as tx:
        body = {"notice": notice_id, "booking": str(booking), "slot": str(slot)}
        repeat = repeat_of(tx, caller, "booking.move", body, now)
        if repeat.answer is not None:
            return Booked.from_json(repeat.answer)
        notice = notice_for(tx, notice_id)
        old = _booking_of(tx, notice.id, booking)
        wanted = _wanted(tx.session, notice, slot)
        slots = _locked_slots(tx, wanted, old)
        row = _locked_booking_of(tx, notice.id, booking)
        if row.state is not BookingState.CONFIRMED or row.starts_at <= now:
            raise TooLateToCancel
        first = slots[next(iter(wanted))]
        if first.starts_at != row.starts_at:
            policy = policy_on(tx.session, notice.office_id, business_date(now))
            _release_lapsed(tx, wanted, now)
            _check(tx.session, [slots[s] for s in wanted], notice.office_id, channel, policy, now)
            _give_back(tx, row)
            _take(tx, row, wanted, channel)
            row.starts_at, row.channel, row.policy_at = first.starts_at, channel, first.business_date
        record(tx, now, caller.actor, "booking.move", row.uid)
        return repeat.keep(Booked(row.uid, row.starts_at))


def cancel_booking(caller: Caller, notice_id: int, booking: UUID, now: datetime) -> Booked:
    """Give a place back, until the arrival time: it still helps a walk-in. Raises TooLateToCancel, BookingNotFound."""
    with transaction() as tx:
        repeat = repeat_of(tx, caller, "booking.cancel", {"notice": notice_id, "booking": str(booking)}, now)
        if repeat.answer is not None:
            return Booked.from_json(repeat.answer)
        locked_notice(tx, notice_id)
        _locked_slots(tx, {}, _booking_of(tx, notice_id, booking))
        row = _locked_booking_of(tx, notice_id, booking)
        if row.state is BookingState.CHECKED_IN or (row.state is BookingState.CONFIRMED and row.starts_at <= now):
            raise TooLateToCancel
        _end(tx, row, BookingAction.CANCEL)
        record(tx, now, caller.actor, "booking.cancel", row.uid)
        tx.publish(BookingCancelled(row.uid, row.office_id))
        return repeat.keep(Booked(row.uid, row.starts_at))


def locked_booking(tx: Transaction, booking_id: int) -> Booking:
    """Step: the booking's row, locked and read afresh."""
    return tx.session.scalars(locked(select(Booking).where(Booking.id == booking_id))).one()


def check_in_booking(booking: Booking) -> None:
    """Step, on a locked booking: the person came."""
    booking.state = after(booking.state, BookingAction.CHECK_IN)


def finish_booking(tx: Transaction, booking_id: int) -> None:
    """Step: the visit of a booking has ended."""
    booking = locked_booking(tx, booking_id)
    booking.state = after(booking.state, BookingAction.FINISH)
    _people_leave(tx, booking)


def sweep_lapsed_holds(now: datetime) -> int:
    """Tidy holds whose time is over; nothing hangs on it. Gives their number."""
    session = read_session()
    slots = session.scalars(
        select(SlotUse.slot_id)
        .join(Booking, Booking.id == SlotUse.booking_id)
        .where(Booking.state == BookingState.HELD, Booking.hold_until <= now)
        .distinct()
    ).all()
    if not slots:
        return 0
    with transaction() as tx:
        wanted = dict.fromkeys(sorted(slots), 1)
        _locked_slots(tx, wanted, None)
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
        _locked_slots(tx, slots, None)
        return sum(_make_way(tx, booking, now) for booking in bookings)


def _wanted(session: Session, notice: Notice, slot: UUID) -> dict[int, int]:
    """Slot ids → units: the chosen slot and those of the service's other pools at the same time."""
    units = units_by_pool(session, notice.office_id, notice.service_id)
    chosen = session.scalar(select(Slot).where(Slot.uid == slot, Slot.pool_id.in_(units)))
    if chosen is None:
        raise UnknownSlot
    rows = session.execute(
        select(Slot.id, Slot.pool_id)
        .where(Slot.pool_id.in_(units), Slot.starts_at == chosen.starts_at)
        .order_by(Slot.id)
    ).all()
    if len(rows) != len(units):
        raise UnknownSlot
    return {slot_id: units[pool_id] for slot_id, pool_id in rows}


def _locked_slots(tx: Transaction, wanted: Iterable[int], old: Booking | None) -> dict[int, Slot]:
    """Lock the wanted slots and those of an old booking, in ascending id."""
    ids = {*wanted, *(use.slot_id for use in (old.uses if old is not None else ()))}
    rows = tx.session.scalars(locked(select(Slot).where(Slot.id.in_(ids)).order_by(Slot.id)))
    return {slot.id: slot for slot in rows}


def _live_booking(tx: Transaction, notice_id: int) -> Booking | None:
    return tx.session.scalar(
        select(Booking).join(BookingPerson).where(BookingPerson.notice_id == notice_id, BookingPerson.live)
    )


def _booking_of(tx: Transaction, notice_id: int, uid: UUID) -> Booking:
    booking = tx.session.scalar(
        select(Booking).join(BookingPerson).where(BookingPerson.notice_id == notice_id, Booking.uid == uid)
    )
    if booking is None:
        raise BookingNotFound
    return booking


def _locked_booking_of(tx: Transaction, notice_id: int, uid: UUID) -> Booking:
    return locked_booking(tx, _booking_of(tx, notice_id, uid).id)


def _release_lapsed(tx: Transaction, slots: Iterable[int], now: datetime) -> int:
    """Give back lapsed holds of slots that are locked already: correctness never waits for the sweep."""
    lapsed = tx.session.scalars(
        locked(
            select(Booking)
            .where(
                Booking.state == BookingState.HELD,
                Booking.hold_until <= now,
                Booking.id.in_(select(SlotUse.booking_id).where(SlotUse.slot_id.in_(slots))),
            )
            .order_by(Booking.id)
        )
    ).all()
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
    office_id: int,
    channel: Channel,
    policy: OfficePolicy,
    now: datetime,
) -> None:
    made = list_made_at(session, office_id, slots[0].business_date, policy) if policy.closes_with_list else None
    for slot in slots:
        opens_on = slot.business_date - timedelta(days=policy.open_days_before)
        check_bookable(slot, channel is Channel.WEB, web_closes_at(slot, policy, made), opens_on, now)


def _new_hold(
    tx: Transaction,
    keyring: Keyring,
    notice: Notice,
    slot: Slot,
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
        office_id=notice.office_id,
        service_id=notice.service_id,
        starts_at=slot.starts_at,
        channel=channel,
        state=BookingState.HELD,
        hold_until=hold_until,
        language=language,
        policy_at=slot.business_date,
    )
    booking.people = [BookingPerson(position=1, notice_id=notice.id, service_id=notice.service_id)]
    tx.session.add(booking)
    tx.session.flush()  # its id is needed for the uses
    return booking


def _take(tx: Transaction, booking: Booking, wanted: dict[int, int], channel: Channel) -> None:
    """Take the places, each only if it is still there; nothing is taken if one is not."""
    for slot_id, units in wanted.items():
        conditions = [Slot.id == slot_id, Slot.closed.is_(False), Slot.taken + units <= Slot.bookable]
        values: dict[Any, Any] = {Slot.taken: Slot.taken + units}
        if channel is Channel.WEB:
            conditions.append((Slot.web_max.is_(None)) | (Slot.web_taken + units <= Slot.web_max))
            values[Slot.web_taken] = Slot.web_taken + units
        elif channel is Channel.PHONE:
            conditions.append((Slot.phone_max.is_(None)) | (Slot.phone_taken + units <= Slot.phone_max))
            values[Slot.phone_taken] = Slot.phone_taken + units
        done: Any = tx.session.execute(
            update(Slot).where(*conditions).values(values).execution_options(synchronize_session=False)
        )
        if done.rowcount != 1:
            raise SlotFull
        tx.session.add(SlotUse(slot_id=slot_id, booking_id=booking.id, units=units, channel=channel))


def _give_back(tx: Transaction, booking: Booking) -> None:
    for use in tx.session.scalars(select(SlotUse).where(SlotUse.booking_id == booking.id).order_by(SlotUse.slot_id)):
        values: dict[Any, Any] = {Slot.taken: Slot.taken - use.units}
        if use.channel is Channel.WEB:
            values[Slot.web_taken] = Slot.web_taken - use.units
        elif use.channel is Channel.PHONE:
            values[Slot.phone_taken] = Slot.phone_taken - use.units
        tx.session.execute(
            update(Slot).where(Slot.id == use.slot_id).values(values).execution_options(synchronize_session=False)
        )
    tx.session.execute(delete(SlotUse).where(SlotUse.booking_id == booking.id))
    tx.session.expire(booking, ["uses"])
