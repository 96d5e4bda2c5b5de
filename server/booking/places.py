"""Entry points for the stock of places: make the places of the coming days, and keep them.

Each day is a transaction of its own, so that nobody who books waits for the whole period; the office is locked, then
the day's slots by id, and only then the rules are read.
"""

import logging
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import and_, bindparam, delete, func, select
from sqlalchemy.orm import Session

from madoguchi.wire import Message
from server.audit import record
from server.booking.capacity import Places, Room, held_elsewhere, places_at, starts_of
from server.booking.models import Booking, BookingPerson, PlacesToMake, Slot, SlotUse
from server.booking.queries import Difference, bookings_out_of_place, differences
from server.booking.rules import LIVE_STATES
from server.booking.worklist import expecting, note_affected
from server.clock import business_date
from server.db import Transaction, locked, new_uid, read_session, transaction
from server.errors import Refusal
from server.events import OpeningChanged, PolicyChanged
from server.offices.models import Office, OfficeService, Pool, PoolKind, Service
from server.offices.opening_rules import Calendar, DayPlan
from server.offices.policy import policy_of
from server.offices.queries import (
    all_offices,
    calendar_of,
    policy_on,
    pool_values_on,
    pools_of,
    pools_used_together,
    windows_in_pool,
)
from server.offices.service_rules import offered_on
from server.repeats import Caller, Request, repeat_of

log = logging.getLogger(__name__)

Key = tuple[int, datetime]  # pool and start
Wanted = dict[Key, tuple[datetime, Places]]  # end and places


def make_slots(office_id: int, first: date, last: date, now: datetime) -> int:
    """Make or adjust the places of an office's days, after any change of calendar or policy. Gives the number of places
    made anew.

    A slot that shrinks below what is taken keeps its people: the surplus becomes `extra`. A slot outside the opening
    hours is closed, never deleted; as long as its people have no other time, slots at the same time have so much less.
    """
    days = [first + timedelta(days=n) for n in range((last - first).days + 1)]
    waiting = [row.id for row in days_to_make(read_session(), office_id) if _falls_into(row, first, last, now)]
    made, failures = 0, list[Exception]()
    for day in days:
        try:
            made += _make_day(office_id, day, now)
        except Exception as failure:  # the other days are made; those that wait for it go on waiting
            failures.append(failure)
    if failures:
        raise failures[0]
    if waiting:
        with transaction() as tx:
            tx.session.execute(delete(PlacesToMake).where(PlacesToMake.id.in_(waiting)))
    return made


def days_to_make(session: Session, office_id: int) -> Sequence[PlacesToMake]:
    """Days whose places do not follow the office's rules yet."""
    return session.scalars(
        select(PlacesToMake).where(PlacesToMake.office_id == office_id).order_by(PlacesToMake.id)
    ).all()


def note_change(tx: Transaction, changed: OpeningChanged | PolicyChanged) -> None:
    """Step, with the change itself: its days are to be made, whatever happens to us after the commit."""
    last = changed.last_day if isinstance(changed, OpeningChanged) else None
    row = PlacesToMake(office_id=changed.office_id, first_day=changed.first_day, last_day=last)
    tx.session.add(row)


def follow_calendar(changed: OpeningChanged, now: datetime) -> None:
    """The opening hours are others (after the commit): so are the places of the days that have some."""
    make_waiting(changed.office_id, now)


def make_waiting(office_id: int, now: datetime) -> int:
    """Make the places of the days that wait for it (after a change; a sweep, where that failed)."""
    today, end = business_date(now), last_day(read_session(), office_id, now)
    spans = [
        (max(row.first_day, today), min(row.last_day or end, end)) for row in days_to_make(read_session(), office_id)
    ]
    if not spans:
        return 0
    return make_slots(office_id, min(first for first, _ in spans), max(last for _, last in spans), now)


def _falls_into(row: PlacesToMake, first: date, last: date, now: datetime) -> bool:
    """Whether the days of a row that have places lie between two days; none may be left, or all be over."""
    end = last_day(read_session(), row.office_id, now)
    row_first, row_last = max(row.first_day, business_date(now)), min(row.last_day or end, end)
    return row_first > row_last or first <= row_first <= row_last <= last


def extend_slots(office_id: int, now: datetime) -> int:
    """Make the places up to the end of the booking period, if they do not stand yet (sweep)."""
    session = read_session()
    last = last_day(session, office_id, now)
    pools = [pool.id for pool in pools_of(session, office_id)]
    newest = session.scalar(select(func.max(Slot.business_date)).where(Slot.pool_id.in_(pools)))
    if newest is not None and newest >= last:
        return 0
    return make_slots(office_id, max(business_date(now), newest or date.min), last, now)


def last_day(session: Session, office_id: int, now: datetime) -> date:
    """The last day whose places are made: one more than can be booked, so that midnight finds it ready."""
    today = business_date(now)
    return today + timedelta(days=policy_on(session, office_id, today).open_days_before + 1)


@dataclass(frozen=True)
class Checked(Message):
    """What a check has found: slots whose counters differ, bookings without a place or with one too many."""

    slots: int
    bookings: int


def check_places(session: Session, office_id: int) -> tuple[list[Difference], list[UUID]]:
    """What does not agree at an office: slots whose counters are not those of their bookings, and bookings that claim a
    place and use none or the other way round. Both are empty, always; never writes."""
    slots = [found for pool in pools_of(session, office_id) for found in differences(session, pool.id)]
    return slots, bookings_out_of_place(session, office_id)


def mend_places(office_id: int, by: str, now: datetime) -> int:
    """Set the counters that differ to what their bookings use, only when staff ask for it. Gives the number of slots.

    Each is locked and counted again. Bookings keep their places: what is beyond the size becomes `extra`.
    """
    wrong, _ = check_places(read_session(), office_id)
    with transaction() as tx:
        ids = [found.slot for found in wrong]
        slots = tx.session.scalars(locked(select(Slot).where(Slot.id.in_(ids)).order_by(Slot.id))).all()
        again = {d.slot: d for pool in pools_of(tx.session, office_id) for d in differences(tx.session, pool.id)}
        for slot in slots:
            if (found := again.get(slot.id)) is not None:
                slot.taken, slot.web_taken, slot.phone_taken = found.used
                slot.extra = max(slot.extra, slot.taken - slot.bookable)
                slot.web_max = None if slot.web_max is None else max(slot.web_max, slot.web_taken)
                slot.phone_max = None if slot.phone_max is None else max(slot.phone_max, slot.phone_taken)
                record(tx, now, by, "slots.mend", slot.uid, counted=found.counted, used=found.used)
        return len(again.keys() & set(ids))


def nightly(now: datetime) -> None:
    """Once a business day, with its first sweep: make all places again and check all counters. What differs is in the
    log and among the audit entries; it is never mended by itself.

    An office is done when all of it is done: what stops us leaves the rest to the next sweep, and doing it twice is
    harmless.
    """
    for office_id in [office.id for office in all_offices(read_session())]:
        caller = Caller("timetable", f"nightly-{business_date(now)}-{office_id}")
        if read_session().get(Request, (caller.actor, caller.request_id)) is not None:
            continue
        try:
            make_slots(office_id, business_date(now), last_day(read_session(), office_id, now), now)
        except Refusal as refusal:
            log.warning("places of office %d put off: %s", office_id, refusal.code)
            continue
        _check_and_tell(office_id, caller, now)


def _check_and_tell(office_id: int, caller: Caller, now: datetime) -> None:
    slots, bookings = check_places(read_session(), office_id)
    if slots or bookings:
        log.error("slots check: %d slots and %d bookings differ at office %d", len(slots), len(bookings), office_id)
    with transaction() as tx:
        repeat = repeat_of(tx, caller, "slots.nightly", {}, now)
        if repeat.answer is None:
            facts = {"office": office_id, "slots": len(slots), "bookings": len(bookings)}
            record(tx, now, caller.actor, "slots.check", None, **facts)
            repeat.keep(Checked(len(slots), len(bookings)))


def _make_day(office_id: int, day: date, now: datetime) -> int:
    with transaction() as tx:
        # Locked before the rules are read: whoever changes them meanwhile makes these places after us, with theirs.
        tx.session.scalars(locked(select(Office.id).where(Office.id == office_id))).one()
        standing = _standing(tx, [pool.id for pool in pools_of(tx.session, office_id)], day)
        plan = calendar_of(tx.session, office_id, day).plan(day)
        wanted = _without_held(tx.session, _wanted(tx.session, office_id, plan), standing)
        sizes = {slot.id: slot.bookable for slot in standing.values()}
        for (pool_id, starts_at), (ends_at, places) in wanted.items():
            slot = standing.get((pool_id, starts_at))
            if slot is None:
                slot = Slot(uid=new_uid(now), pool_id=pool_id, business_date=day, starts_at=starts_at)
                slot.extra = slot.taken = slot.web_taken = slot.phone_taken = 0
                tx.session.add(slot)
            _resize(slot, ends_at, places)
        for key, slot in standing.items():
            slot.closed = key not in wanted
        not_offered = _not_offered(tx.session, office_id, standing.values(), plan)
        note_affected(tx, standing.values(), sizes, not_offered, now)
        return len(wanted.keys() - standing.keys())


def bookings_outside(session: Session, office_id: int, calendar: Calendar, now: datetime) -> dict[date, set[int]]:
    """Bookings (ids) by day that would lose their time under a calendar: those that `make_slots` puts on the work list,
    because their slot would be closed or does not do what they come for."""
    pools = [pool.id for pool in pools_of(session, office_id)]
    taken = select(Slot).where(Slot.pool_id.in_(pools), Slot.starts_at > now, Slot.taken > 0)
    by_day: dict[date, list[Slot]] = {}
    for slot in session.scalars(taken.order_by(Slot.business_date)):
        by_day.setdefault(slot.business_date, []).append(slot)
    found: dict[date, set[int]] = {}
    for day, slots in by_day.items():
        plan = calendar.plan(day)
        wanted, not_offered = _wanted(session, office_id, plan), _not_offered(session, office_id, slots, plan)
        gone = {slot.id for slot in slots if (slot.pool_id, slot.starts_at) not in wanted}
        for slot_id, uses in expecting(session, [slot.id for slot in slots]).items():
            lost = {booking for booking, _ in uses if slot_id in gone or booking in not_offered}
            if lost:
                found.setdefault(day, set()).update(lost)
    return found


def _not_offered(session: Session, office_id: int, slots: Iterable[Slot], plan: DayPlan) -> set[int]:
    """Bookings in slots whose session, or whose office on that day, does not do what one of their people comes for."""
    offered_here = and_(OfficeService.office_id == office_id, OfficeService.service_id == Service.id)
    rows = session.execute(
        select(Slot.starts_at, SlotUse.booking_id, Service.code, OfficeService)
        .join(SlotUse, SlotUse.slot_id == Slot.id)
        .join(BookingPerson, BookingPerson.booking_id == SlotUse.booking_id)
        .join(Service, Service.id == BookingPerson.service_id)
        .join(OfficeService, offered_here)
        .where(Slot.id.in_([slot.id for slot in slots if slot.taken]), BookingPerson.live)
    )
    return {
        booking
        for starts_at, booking, service, offer in rows
        if not offered_on(offer, plan.day)
        or ((running := plan.session_at(starts_at)) is not None and not running.offers(service))
    }


def _wanted(session: Session, office_id: int, plan: DayPlan) -> Wanted:
    """Every slot the office has on a day.

    Pools that a service uses together begin their slots together, or nobody could book in both: all take the longest
    length that one of them has for itself.
    """
    day = plan.day
    office = policy_on(session, office_id, day)
    values = {pool.id: pool_values_on(session, pool.id, day) for pool in pools_of(session, office_id)}
    lengths = {}
    for group in pools_used_together(session, office_id):
        own = [values[pool]["slot_minutes"] for pool in group if "slot_minutes" in values[pool]]
        lengths.update(dict.fromkeys(group, max(own, default=office.slot_minutes)))
    wanted = {}
    for pool in pools_of(session, office_id):
        policy = replace(policy_of(values[pool.id].items(), office), slot_minutes=lengths[pool.id])
        units, length = _units(session, pool, values[pool.id], day), timedelta(minutes=policy.slot_minutes)
        for starts_at in starts_of(plan.sessions, length):
            wanted[pool.id, starts_at] = starts_at + length, places_at(starts_at, units, policy)
    return wanted


def _without_held(session: Session, wanted: Wanted, standing: Mapping[Key, Slot]) -> Wanted:
    """The wanted slots, less the places that people of other slots hold at the same time: of slots that are closed, and
    of those that were longer when they were booked."""
    slots = {slot.id: slot for slot in standing.values() if slot.taken}
    held: dict[int, list[Room]] = {}
    longer: Counter[Key] = Counter()
    for slot_id, until, units in session.execute(_HOLDING, {"slots": list(slots), "states": list(LIVE_STATES)}):
        slot, key = slots[slot_id], (slots[slot_id].pool_id, slots[slot_id].starts_at)
        if key not in wanted or until > wanted[key][0]:
            held.setdefault(slot.pool_id, []).append(Room(slot.starts_at, until, 0, units))
            longer[key] += units
    for pool_id, stretches in held.items():
        keys = [key for key in wanted if key[0] == pool_id]
        taken = {key: standing[key].taken if key in standing else 0 for key in keys}
        fixed = {key: taken[key] - longer[key] for key in keys}
        rooms = [Room(key[1], wanted[key][0], wanted[key][1].bookable, fixed[key]) for key in keys]
        for key, kept in zip(keys, held_elsewhere(rooms, stretches), strict=True):
            ends_at, places = wanted[key]
            left = places.bookable - fixed[key] - kept
            wanted[key] = ends_at, replace(places, bookable=min(places.bookable, taken[key] + left))
    return wanted


_HOLDING = (
    select(SlotUse.slot_id, SlotUse.until, SlotUse.units)
    .join(Booking, Booking.id == SlotUse.booking_id)
    .where(
        SlotUse.slot_id.in_(bindparam("slots", expanding=True)),
        Booking.state.in_(bindparam("states", expanding=True)),
    )
)


def _units(session: Session, pool: Pool, values: dict[str, Any], day: date) -> int:
    """How many serve in a pool on a day: windows are counted where they stand, staff and terminals are said."""
    return windows_in_pool(session, pool.id, day) if pool.kind is PoolKind.WINDOWS else int(values.get("size", 0))


def _standing(tx: Transaction, pools: Iterable[int], day: date) -> dict[Key, Slot]:
    rows = tx.session.scalars(
        locked(select(Slot).where(Slot.pool_id.in_(pools), Slot.business_date == day).order_by(Slot.id))
    )
    return {(slot.pool_id, slot.starts_at): slot for slot in rows}


def _resize(slot: Slot, ends_at: datetime, places: Places) -> None:
    """Nobody who has a place loses it: what is taken beyond the new size is `extra`, and no maximum is below it."""
    slot.ends_at, slot.bookable, slot.walk_in, slot.closed = ends_at, places.bookable, places.walk_in, False
    slot.extra = max(slot.extra, slot.taken - places.bookable)
    slot.web_max = None if places.web_max is None else max(places.web_max, slot.web_taken)
    slot.phone_max = None if places.phone_max is None else max(places.phone_max, slot.phone_taken)
