"""What is known of places and bookings; never writes."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cache
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Executable, and_, bindparam, case, func, or_, select
from sqlalchemy.orm import Session

from server.booking.models import Booking, BookingPerson, Channel, Slot, SlotUse
from server.booking.rules import LIVE_STATES, BookingState, has_lapsed, way_out, web_closes_at
from server.clock import business_date
from server.issuance.models import Notice
from server.offices.models import Office, Pool, Service, ServiceUse
from server.offices.opening_rules import Calendar
from server.offices.policy import OfficePolicy
from server.offices.queries import calendar_of, list_made_at

FEW = 2


@dataclass(frozen=True)
class DayPlaces:
    """One day as the calendar shows it: `free` places, or the reason why it is not offered."""

    day: date
    free: int
    reason: str | None


@dataclass(frozen=True)
class TimePlaces:
    """One time of a day: free places of the slot whose uid is `slot`."""

    slot: UUID
    starts_at: datetime
    free: int


@dataclass(frozen=True)
class PlacesOfDay:
    """How full a pool is on one day."""

    pool: str
    places: int
    taken: int
    free: int


# What every resident's page asks is written once: putting a statement together takes longer than carrying it out.
_UNITS = (
    select(ServiceUse.pool_id, ServiceUse.units)
    .where(ServiceUse.office_id == bindparam("office"), ServiceUse.service_id == bindparam("service"))
    .order_by(ServiceUse.pool_id)
)


def units_by_pool(session: Session, office_id: int, service_id: int) -> dict[int, int]:
    """What one person of a service takes: pool id → units. The first pool is the one whose slots are shown."""
    rows = session.execute(_UNITS, {"office": office_id, "service": service_id})
    return {row.pool_id: row.units for row in rows}


def _free(channel: Channel) -> ColumnElement[int]:
    """Places of a slot still to be had on a channel."""
    own = {Channel.WEB: (Slot.web_max, Slot.web_taken), Channel.PHONE: (Slot.phone_max, Slot.phone_taken)}
    free = Slot.bookable - Slot.taken
    if channel not in own:
        return case((Slot.closed, 0), else_=free)
    most, taken = own[channel]
    return case((Slot.closed, 0), (and_(most.is_not(None), most - taken < free), most - taken), else_=free)


def open_days(
    session: Session, office_id: int, service_id: int, channel: Channel, policy: OfficePolicy, now: datetime
) -> list[DayPlaces]:
    """Each day from today to the end of the booking period, with its free places or the reason why it is closed."""
    pools = units_by_pool(session, office_id, service_id)
    first = business_date(now)
    last = first + timedelta(days=policy.open_days_before)
    asked = {"pool": next(iter(pools), None), "first": first, "last": last, "now": now}
    found = {day: int(places) for day, places in session.execute(_days_with_places(channel), asked)}
    days = (first + timedelta(days=n) for n in range((last - first).days + 1))
    calendar = calendar_of(session, office_id, first) if policy.closes_with_list else None
    return [_day(session, office_id, day, found.get(day), channel, policy, calendar, now) for day in days]


@cache
def _days_with_places(channel: Channel) -> Executable:
    free = _free(channel)
    return (
        select(Slot.business_date, func.sum(case((free > 0, free), else_=0)))
        .where(
            Slot.pool_id == bindparam("pool"),
            Slot.business_date.between(bindparam("first"), bindparam("last")),
            Slot.starts_at > bindparam("now"),
            Slot.closed.is_(False),
        )
        .group_by(Slot.business_date)
    )


def _day(
    session: Session,
    office_id: int,
    day: date,
    free: int | None,
    channel: Channel,
    policy: OfficePolicy,
    calendar: Calendar | None,
    now: datetime,
) -> DayPlaces:
    if free is None:
        return DayPlaces(day, 0, "closed")
    if channel is Channel.WEB and policy.closes_with_list and (day - business_date(now)).days < 14:
        # Only near days can be closed by the list: it is made on the open day before.
        made = list_made_at(session, office_id, day, policy, calendar)
        if made is not None and now >= made:
            return DayPlaces(day, 0, "over")
    return DayPlaces(day, free, None if free else "full")


def open_times(
    session: Session,
    office_id: int,
    service_id: int,
    day: date,
    channel: Channel,
    policy: OfficePolicy,
    now: datetime,
) -> list[TimePlaces]:
    """The times of one day that are still to come, full ones too; lapsed holds count as free."""
    pools = units_by_pool(session, office_id, service_id)
    asked = {"pool": next(iter(pools), None), "day": day, "now": now}
    # Sorted here: asked to sort, SQLite reads all days' slots in their order instead of finding this day's.
    slots: Sequence[Any] = sorted(session.execute(_slots_of_day(channel), asked), key=lambda slot: slot.starts_at)
    made = list_made_at(session, office_id, day, policy) if slots and policy.closes_with_list else None
    times = []
    for slot in slots:
        until = web_closes_at(slot, policy, made) if channel is Channel.WEB else slot.ends_at
        if now < until and now < slot.ends_at:
            times.append(TimePlaces(slot.uid, slot.starts_at, max(slot.free + slot.lapsed, 0)))
    return times


@cache
def _slots_of_day(channel: Channel) -> Executable:
    lapsed = (
        select(SlotUse.slot_id, func.sum(SlotUse.units).label("units"))
        .join(Booking, Booking.id == SlotUse.booking_id)
        .where(Booking.state == BookingState.HELD, Booking.hold_until <= bindparam("now"))
        .group_by(SlotUse.slot_id)
        .subquery()
    )
    free = _free(channel).label("free")
    return (
        select(Slot.uid, Slot.starts_at, Slot.ends_at, free, func.coalesce(lapsed.c.units, 0).label("lapsed"))
        .outerjoin(lapsed, lapsed.c.slot_id == Slot.id)
        .where(Slot.pool_id == bindparam("pool"), Slot.business_date == bindparam("day"), Slot.closed.is_(False))
    )


def places_of_day(session: Session, office_id: int, day: date) -> list[PlacesOfDay]:
    """How full an office is on a day, pool by pool."""
    rows = session.execute(
        select(
            Pool.name,
            func.coalesce(func.sum(Slot.bookable + Slot.extra), 0),
            func.coalesce(func.sum(Slot.taken), 0),
            func.coalesce(func.sum(case((Slot.taken < Slot.bookable, Slot.bookable - Slot.taken), else_=0)), 0),
        )
        .outerjoin(Slot, and_(Slot.pool_id == Pool.id, Slot.business_date == day, Slot.closed.is_(False)))
        .where(Pool.office_id == office_id)
        .group_by(Pool.id, Pool.name)
        .order_by(Pool.id)
    )
    return [PlacesOfDay(name, int(places), int(taken), int(free)) for name, places, taken, free in rows]


_LIVE_BOOKING = (
    select(Booking)
    .join(BookingPerson)
    .where(BookingPerson.notice_id == bindparam("notice"), BookingPerson.live, Booking.state.in_(LIVE_STATES))
)


def live_booking_of(session: Session, notice_id: int, now: datetime) -> Booking | None:
    """The notice's booking that holds or claims a place; a lapsed hold is none, nor is what a past day left open."""
    return _live(session.scalar(_LIVE_BOOKING, {"notice": notice_id}), now)


def _live(booking: Booking | None, now: datetime) -> Booking | None:
    if booking is None or has_lapsed(booking, now):
        return None
    return booking if booking.state is BookingState.HELD or way_out(booking, now) is None else None


_STANDING = (
    select(Notice, Office, Service, Booking)
    .join(Office, Office.id == Notice.office_id)
    .join(Service, Service.id == Notice.service_id)
    .outerjoin(BookingPerson, and_(BookingPerson.notice_id == Notice.id, BookingPerson.live))
    .outerjoin(Booking, and_(Booking.id == BookingPerson.booking_id, Booking.state.in_(LIVE_STATES)))
    .where(Notice.id == bindparam("notice"))
)


def standing_of(
    session: Session, notice_id: int | None, now: datetime
) -> tuple[Notice, Office, Service, Booking | None] | None:
    """A notice with its office, its service and its live booking, asked for at once: each page of a resident does."""
    row = session.execute(_STANDING, {"notice": notice_id}).one_or_none()
    return None if row is None else (row[0], row[1], row[2], _live(row[3], now))


def newest_booking_of(session: Session, notice_id: int) -> Booking | None:
    """The newest booking a notice ever stood in, whatever became of it."""
    return session.scalar(
        select(Booking)
        .join(BookingPerson)
        .where(BookingPerson.notice_id == notice_id)
        .order_by(Booking.id.desc())
        .limit(1)
    )


_BY_UID = select(Booking).where(Booking.uid == bindparam("uid"))


def booking_by_uid(session: Session, uid: UUID) -> Booking | None:
    """A booking by its uid."""
    return session.scalar(_BY_UID, {"uid": uid})


def booking_by_code_key(session: Session, code_key: str) -> Booking | None:
    """A booking by the key of its code."""
    return session.scalar(select(Booking).where(Booking.code_key == code_key))


def counters_that_differ(session: Session) -> Sequence[tuple[int, int, int]]:
    """(slot id, taken, sum of its uses) wherever the two differ: must be empty, always."""
    used = func.coalesce(func.sum(SlotUse.units), 0)
    web = func.coalesce(func.sum(case((SlotUse.channel == Channel.WEB, SlotUse.units), else_=0)), 0)
    rows = session.execute(
        select(Slot.id, Slot.taken, used)
        .outerjoin(SlotUse, SlotUse.slot_id == Slot.id)
        .group_by(Slot.id, Slot.taken, Slot.web_taken)
        .having(or_(Slot.taken != used, Slot.web_taken != web))
    )
    return [(slot, taken, int(total)) for slot, taken, total in rows]
