"""要連絡の予約: the work list of bookings whose places were closed or taken away by a smaller size.

Nobody is dropped: the booking keeps its place until its people have another one. An entry is done when the booking has
ended, or when it stands at another time and its people were told, or when its place is back and nobody had been told.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID, uuid5

from sqlalchemy import Select, and_, or_, select
from sqlalchemy.orm import Session, joinedload

from madoguchi.wire import Message
from server.audit import record
from server.booking.models import AffectedBooking, Booking, BookingPerson, Channel, Reason, Slot, SlotUse, Told
from server.booking.queries import Wish, open_days, open_times
from server.booking.rules import BookingState, SlotFull, SlotNotBookable, UnknownSlot, still_to_do
from server.booking.service import move_booking
from server.clock import business_date
from server.db import Transaction, locked, new_uid, read_session, transaction
from server.errors import Conflict, NotFound, Refusal
from server.offices.queries import calendar_of, policy_on
from server.repeats import Caller, repeat_of

# Bookings that still expect a place.
EXPECTING = (BookingState.HELD, BookingState.TO_CONFIRM, BookingState.CONFIRMED)


class UnknownEntry(NotFound):
    """The work list has no such entry any more."""

    code = "unknown_entry"


class NoFreePlace(Conflict):
    """No place is free after the booked time; the booking stays on the work list."""

    code = "no_free_place"


@dataclass(frozen=True)
class Listed(Message):
    """An entry of the work list, and where its booking stands now."""

    entry: UUID
    starts_at: datetime


@dataclass(frozen=True)
class MovedAll:
    """How many bookings found another place, how many none, how many are still to be tried, and after which entry."""

    moved: int
    left: int
    untried: int
    last: UUID | None


def open_entries(session: Session, office_id: int | None) -> list[AffectedBooking]:
    """What is to be done, by booked time: one office's, or all. Holds are not shown: they end by themselves."""
    rows = session.scalars(_entries(office_id).options(joinedload(AffectedBooking.booking)))
    return [entry for entry in rows if still_to_do(entry, entry.booking)]


def done_entries(session: Session, office_id: int | None, limit: int) -> list[AffectedBooking]:
    """What was done, newest first."""
    rows = select(AffectedBooking).join(Booking).where(AffectedBooking.done_at.is_not(None))
    if office_id is not None:
        rows = rows.where(Booking.office_id == office_id)
    newest = rows.order_by(AffectedBooking.done_at.desc(), AffectedBooking.id.desc()).limit(limit)
    return list(session.scalars(newest.options(joinedload(AffectedBooking.booking))))


def tell(caller: Caller, entry: UUID, how: Told, now: datetime) -> Listed:
    """Write down that the people of a booking were told. Raises UnknownEntry."""
    with transaction() as tx:
        repeat = repeat_of(tx, caller, "affected.tell", {"entry": str(entry), "how": how.value}, now)
        if repeat.answer is not None:
            return Listed.from_json(repeat.answer)
        row = _locked_entry(tx, entry)
        row.told_how, row.told_by, row.told_at = how, caller.actor, now
        _settle(row, now)
        record(tx, now, caller.actor, "affected.tell", row.booking.uid, how=how.value)
        return repeat.keep(Listed(row.uid, row.booking.starts_at))


def strike(caller: Caller, entry: UUID, now: datetime) -> Listed:
    """Take an entry from the list: what there was to do is done in another way. It does not come back as long as its
    booking stands at the same time for the same reason. Raises UnknownEntry."""
    with transaction() as tx:
        repeat = repeat_of(tx, caller, "affected.strike", {"entry": str(entry)}, now)
        if repeat.answer is not None:
            return Listed.from_json(repeat.answer)
        row = _locked_entry(tx, entry)
        row.done_at, row.struck = now, True
        record(tx, now, caller.actor, "affected.strike", row.booking.uid)
        return repeat.keep(Listed(row.uid, row.booking.starts_at))


def move_to_next(caller: Caller, entry: UUID, now: datetime) -> Listed:
    """Move one booking to the next free place after its booked time; its people are to be told (again).

    The new place is won first and the old one lost only with it, as in every move; who is faster at a place leaves the
    next one. Raises UnknownEntry, NoFreePlace, TooLateToCancel.
    """
    row = read_session().scalar(_one(entry))
    if row is None:
        raise UnknownEntry
    booking = row.booking
    if booking.starts_at != row.starts_at:
        return Listed(entry, booking.starts_at)
    uid, notice = booking.uid, _notice_of(read_session(), booking)
    if notice is None:
        raise NoFreePlace  # nobody whose place could be moved: staff do it by hand
    for slot, starts_at in _free_after(booking, now):
        _note_move(caller, entry, starts_at, now)
        asking = Caller(caller.actor, str(uuid5(entry, f"{caller.request_id} {slot}")))
        try:
            return Listed(entry, move_booking(asking, notice, uid, slot, Channel.COUNTER, now).starts_at)
        except (SlotFull, SlotNotBookable, UnknownSlot):
            continue
    raise NoFreePlace


def move_all(
    caller: Caller,
    office_id: int | None,
    now: datetime,
    most: int | None = None,
    after: UUID | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> MovedAll:
    """Move the bookings of the list, by booked time, to the next free places: each in a transaction of its own, so that
    whatever stops it leaves everybody with one place. Those that find none stay on the list.

    `most`: try no more than so many; `after`: those that come after this entry, the last one tried; `progress` is told
    after each (tried, of all).
    """
    entries = open_entries(read_session(), office_id)
    start = read_session().scalar(select(AffectedBooking).where(AffectedBooking.uid == after)) if after else None
    waiting = [
        entry.uid
        for entry in entries
        if entry.booking.starts_at == entry.starts_at
        and (start is None or _place_in_list(entry) > _place_in_list(start))
    ]
    moved, tried = 0, waiting[:most]
    for n, entry in enumerate(tried, start=1):
        with suppress(Refusal):  # it stays on the list
            move_to_next(caller, entry, now)
            moved += 1
        if progress is not None:
            progress(n, len(waiting))
    return MovedAll(moved, len(tried) - moved, len(waiting) - len(tried), tried[-1] if tried else after)


def settle(now: datetime) -> int:
    """Take from the list what has become done elsewhere (sweep). Gives the number."""
    entries = read_session().scalars(select(AffectedBooking.uid).where(AffectedBooking.done_at.is_(None))).all()
    done = 0
    for entry in entries:
        with transaction() as tx:
            row = tx.session.scalar(_one(entry))
            done += row is not None and _settle(row, now)
    return done


def note_affected(
    tx: Transaction, slots: Collection[Slot], sizes: Mapping[int, int], not_offered: Collection[int], now: datetime
) -> None:
    """Step, on the locked slots of a day that were given new sizes: put on the list who has no place any more, take off
    it who has one again. `sizes`: slot id → bookable places before; `not_offered`: bookings whose slot is open, but not
    for what they come for.

    A slot that is overbooked on purpose is none of the list's business: what was taken beyond the old size, less those
    who are on the list already or were struck from it, was meant so.
    """
    wanted: dict[int, Reason] = {}
    uses = expecting(tx.session, [slot.id for slot in slots if slot.taken and slot.starts_at > now])
    known = {
        row.booking_id: row for row in tx.session.scalars(_of_bookings({b for rows in uses.values() for b, _ in rows}))
    }
    for slot in slots:
        here = uses.get(slot.id, [])
        if slot.closed:
            wanted.update((booking, Reason.CLOSED) for booking, _ in here)
            continue
        wanted.update((booking, Reason.CLOSED) for booking, _ in here if booking in not_offered)
        on_list = sum(units for booking, units in here if booking in known)
        on_purpose = max(0, slot.taken - sizes.get(slot.id, slot.bookable) - on_list)
        over = slot.taken - slot.bookable - on_purpose
        for booking, units in sorted(here, key=lambda use: (use[0] in known, use[0]), reverse=True):
            if over > 0:
                wanted.setdefault(booking, Reason.SHRUNK)
                over -= units
    for booking, reason in sorted(wanted.items()):
        if (row := known.get(booking)) is None or (row.struck and row.reason is not reason):
            _list(tx, booking, reason, now)
    for booking, row in known.items():
        if booking not in wanted:
            row.struck = False
            if row.done_at is None and row.told_at is None and row.booking.starts_at == row.starts_at:
                row.done_at = now


def _list(tx: Transaction, booking_id: int, reason: Reason, now: datetime) -> None:
    booking = tx.session.get_one(Booking, booking_id)
    row = AffectedBooking(uid=new_uid(now), booking_id=booking_id, starts_at=booking.starts_at, reason=reason)
    row.added_at = now
    tx.session.add(row)


def expecting(session: Session, slots: Collection[int]) -> dict[int, list[tuple[int, int]]]:
    """Slot id → (booking id, units) of the bookings that still expect their place."""
    found: dict[int, list[tuple[int, int]]] = {}
    rows = session.execute(
        select(SlotUse.slot_id, SlotUse.booking_id, SlotUse.units)
        .join(Booking, Booking.id == SlotUse.booking_id)
        .where(SlotUse.slot_id.in_(slots), Booking.state.in_(EXPECTING))
    )
    for slot, booking, units in rows:
        found.setdefault(slot, []).append((booking, units))
    return found


def _place_in_list(entry: AffectedBooking) -> tuple[datetime, int]:
    return entry.starts_at, entry.booking_id


def _note_move(caller: Caller, entry: UUID, to: datetime, now: datetime) -> None:
    """Before the move: should anything stop us after it, the list knows that we did it, and nobody was told."""
    with transaction() as tx:
        row = _locked_entry(tx, entry)
        row.moved_to, row.told_how, row.told_by, row.told_at = to, None, None, None
        record(tx, now, caller.actor, "affected.move", row.booking.uid, to=to.isoformat())


def _settle(row: AffectedBooking, now: datetime) -> bool:
    """End an entry that asks for nothing any more, and write down where its booking went."""
    if still_to_do(row, row.booking):
        return False
    row.moved_to = None if row.booking.starts_at == row.starts_at else row.booking.starts_at
    row.done_at = now
    return True


def _locked_entry(tx: Transaction, entry: UUID) -> AffectedBooking:
    row = tx.session.scalar(_one(entry))
    if row is None:
        raise UnknownEntry
    return row


def _one(entry: UUID) -> Select[AffectedBooking]:
    return locked(select(AffectedBooking).where(AffectedBooking.uid == entry, AffectedBooking.done_at.is_(None)))


def _of_bookings(bookings: Iterable[int]) -> Select[AffectedBooking]:
    """Open entries, and those struck while their bookings stood where they stand; the newest of a booking last."""
    struck = and_(AffectedBooking.struck, AffectedBooking.starts_at == Booking.starts_at)
    return (
        select(AffectedBooking)
        .join(Booking, Booking.id == AffectedBooking.booking_id)
        .where(AffectedBooking.booking_id.in_(bookings), or_(AffectedBooking.done_at.is_(None), struck))
        .order_by(AffectedBooking.id)
    )


def _entries(office_id: int | None) -> Select[AffectedBooking]:
    rows = (
        select(AffectedBooking)
        .join(Booking, Booking.id == AffectedBooking.booking_id)
        .where(AffectedBooking.done_at.is_(None), Booking.state != BookingState.HELD)
        .order_by(AffectedBooking.starts_at, AffectedBooking.booking_id)
    )
    return rows if office_id is None else rows.where(Booking.office_id == office_id)


def _notice_of(session: Session, booking: Booking) -> int | None:
    """The notice by which a booking is moved."""
    return session.scalar(
        select(BookingPerson.notice_id)
        .where(BookingPerson.booking_id == booking.id, BookingPerson.live, BookingPerson.notice_id.is_not(None))
        .order_by(BookingPerson.position)
        .limit(1)
    )


def _free_after(booking: Booking, now: datetime) -> Iterator[tuple[UUID, datetime]]:
    """Slots after the booked time in which the booking's people find room, in order of time; read day by day."""
    session, after = read_session(), max(booking.starts_at, now)
    wish = Wish(booking.office_id, tuple(p.service_id for p in booking.people if p.live), Channel.COUNTER)
    policy = policy_on(session, wish.office_id, business_date(now))
    calendar = calendar_of(session, wish.office_id, business_date(now))
    for day in open_days(session, wish, policy, now, calendar):
        if day.reason is None and day.day >= business_date(after):
            for time in open_times(session, wish, day.day, policy, now, calendar):
                if time.starts_at > after and time.free > 0:
                    yield time.slot, time.starts_at
