"""What is known of places and bookings; never writes."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from functools import cache
from itertools import groupby
from typing import Any, Protocol
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Executable,
    Integer,
    and_,
    bindparam,
    case,
    func,
    or_,
    select,
)
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.orm import Session, aliased, contains_eager, outerjoin
from sqlalchemy.sql.functions import FunctionElement

from server.booking.models import Booking, BookingPerson, Channel, Slot, SlotUse
from server.booking.rules import (
    LIVE_STATES,
    BookingState,
    InvitedLike,
    Units,
    has_lapsed,
    invited_days,
    needs_of,
    way_out,
    web_closes_at,
)
from server.clock import business_date
from server.issuance.models import Notice
from server.offices.models import Office, OfficeService, Pool, Service, ServiceUse
from server.offices.opening_rules import Calendar, OpenSession, RuleKind
from server.offices.policy import OfficePolicy
from server.offices.queries import calendar_of, list_made_at, policy_on, value_on_days
from server.offices.service_rules import offered_on


@dataclass(frozen=True)
class Wish:
    """Who looks for places: people of these services at one office, all at once, on the days to which the office has
    asked them, or at the very time."""

    office_id: int
    services: tuple[int, ...]
    channel: Channel
    first: date = date.min
    last: date = date.max
    at: datetime | None = None


class WishingLike(InvitedLike, Protocol):
    """What is needed of a notice to look for places."""

    service_id: int


_SAID = {RuleKind.HOLIDAY: "holiday", RuleKind.CLOSURE: "closure", RuleKind.OUTAGE: "outage"}


@dataclass(frozen=True)
class DayPlaces:
    """One day as the calendar shows it: how often the party fits, or the reason why it is not offered.

    `closed`, `over` (the list is made), `period` (outside the days the office has given), `full`, `together` (places
    are left, but too few side by side), `service` (not offered then).
    """

    day: date
    free: int
    reason: str | None
    calendar: Calendar | None = field(default=None, repr=False, compare=False)

    @property
    def why(self) -> str | None:
        """The reason as it is shown: of a closed day, where the calendar knows it, `holiday`, `closure` or `outage`.
        Most who ask for days show no closed ones, and the calendar's plan of a day is dear."""
        if self.reason != "closed" or self.calendar is None:
            return self.reason
        plan = self.calendar.plan(self.day)
        return "closed" if plan.sessions or plan.rule is None else _SAID.get(plan.rule.kind, "closed")


@dataclass(frozen=True)
class TimePlaces:
    """One time of a day: how often the party fits from the slot whose uid is `slot` on."""

    slot: UUID
    starts_at: datetime
    ends_at: datetime
    free: int

    def holds(self, moment: datetime) -> bool:
        """Whether somebody who is asked to come at that moment comes to this slot."""
        return self.starts_at <= moment < self.ends_at


@dataclass(frozen=True)
class Difference:
    """A slot whose counters (all, web, phone) differ from the units that bookings use."""

    slot: int
    starts_at: datetime
    counted: tuple[int, ...]
    used: tuple[int, ...]


@dataclass(frozen=True)
class PlacesOfDay:
    """How full a pool is on one day."""

    pool_id: int
    pool: str
    places: int
    taken: int
    free: int


# What every resident's page asks is written once: putting a statement together takes longer than carrying it out.
_OFFER = (
    select(OfficeService, ServiceUse.pool_id, ServiceUse.units)
    .join(
        ServiceUse,
        and_(ServiceUse.office_id == OfficeService.office_id, ServiceUse.service_id == OfficeService.service_id),
    )
    .where(OfficeService.office_id == bindparam("office"), OfficeService.service_id == bindparam("service"))
    .order_by(ServiceUse.pool_id)
)


def _offer_with_units(session: Session, office_id: int, service_id: int) -> tuple[OfficeService | None, Units]:
    rows = session.execute(_OFFER, {"office": office_id, "service": service_id}).all()
    return (rows[0][0] if rows else None), {pool_id: units for _, pool_id, units in rows}


def units_by_pool(session: Session, office_id: int, service_id: int) -> Units:
    """What one person of a service takes: pool id → units. The first pool is the one whose slots are shown."""
    return _offer_with_units(session, office_id, service_id)[1]


def needs_at(
    session: Session, office_id: int, services: Sequence[int], party_in: str
) -> tuple[list[OfficeService], Sequence[Units]]:
    """How an office offers these services, and what people of them take, slot by slot (`needs_of`)."""
    found = {service: _offer_with_units(session, office_id, service) for service in set(services)}
    offers = [offer for offer, _ in found.values() if offer is not None]
    return offers, needs_of([found[service][1] for service in services], party_in)


def wish_of(notices: Sequence[WishingLike], channel: Channel) -> Wish:
    """What the holders of these notices may be offered: on the web only what the office has given them, by staff all
    that there is."""
    wish = Wish(notices[0].office_id, tuple(n.service_id for n in notices), channel)
    if channel is not Channel.WEB:
        return wish
    first, last = invited_days(notices)
    return replace(wish, first=first, last=last, at=next((n.assigned_at for n in notices if n.assigned_at), None))


def open_days(
    session: Session, wish: Wish, policy: OfficePolicy, now: datetime, calendar: Calendar | None = None
) -> list[DayPlaces]:
    """Each day from today to the end of the booking period, with its free places or the reason why it is closed.

    One question to the database, as dear as the days are many: a party's slots are found by their own index. How a
    party sits together is read as of each day: where that changes, there are two. Who asks for times, too, reads the
    office's `calendar` once.
    """
    first = business_date(now)
    last = first + timedelta(days=policy.open_days_before)
    days = [first + timedelta(days=n) for n in range((last - first).days + 1)]
    calendar = calendar or calendar_of(session, wish.office_id, first)
    limited = _limited(session, wish, calendar, days)
    found: dict[date, tuple[int, bool] | None] = {}
    for party_in, some in _days_by_party_in(session, wish, policy, days):
        offers, needs = needs_at(session, wish.office_id, wish.services, party_in)
        if not needs[0]:
            return [DayPlaces(day, 0, "service") for day in days]
        asked = {**_asked(needs), "first": some[0], "last": some[-1], "now": now}
        for day, fitting, most in session.execute(_days(wish.channel, _shape(needs)), asked):
            found[day] = (int(fitting), most > 0) if all(offered_on(offer, day) for offer in offers) else None
        if others := [day for day in some if day in limited]:
            starts = _starts(session, wish, needs, others, now)
            for day in others:
                own = [start for start in starts if start.business_date == day]
                fits = [start.fits for start in own if not _meets(start, needs, limited[day])]
                if found.get(day) is not None:
                    found[day] = (sum(fits), False) if fits else None
    places = [_day(session, wish, day, found, policy, calendar, now) for day in days]
    if wish.at is None:
        return places
    return [_at_its_time(session, wish, place, policy, now, calendar) for place in places]


def _days_by_party_in(
    session: Session, wish: Wish, policy: OfficePolicy, days: Sequence[date]
) -> Iterable[tuple[str, list[date]]]:
    """The days in their order, cut where the office changes how a party sits; for one person there is one way."""
    if len(wish.services) == 1:
        return [(policy.party_in, list(days))]
    ways = value_on_days(session, wish.office_id, "party_in", days)
    return [(way, list(some)) for way, some in groupby(days, ways.__getitem__)]


def _day(
    session: Session,
    wish: Wish,
    day: date,
    found: Mapping[date, tuple[int, bool] | None],
    policy: OfficePolicy,
    calendar: Calendar,
    now: datetime,
) -> DayPlaces:
    fits = found.get(day)
    if fits is None:
        return DayPlaces(day, 0, "service" if day in found else "closed", calendar)
    if not wish.first <= day <= wish.last:
        return DayPlaces(day, 0, "period")
    if wish.channel is Channel.WEB and policy.closes_with_list and (day - business_date(now)).days < 14:
        # Only near days can be closed by the list: it is made on the open day before.
        made = list_made_at(session, wish.office_id, day, policy, calendar)
        if made is not None and now >= made:
            return DayPlaces(day, 0, "over")
    free, any_left = fits
    return DayPlaces(day, free, None if free else "together" if any_left else "full")


def _limited(
    session: Session, wish: Wish, calendar: Calendar, days: Iterable[date]
) -> dict[date, Sequence[OpenSession]]:
    """The days with sessions in which a service that is wished for is not done, and these sessions."""
    if all(rule.services is None for rule in calendar.rules):
        return {}
    codes = session.scalars(select(Service.code).where(Service.id.in_(wish.services))).all()
    plans = [calendar.plan(day) for day in days]
    others = {p.day: [s for s in p.sessions if not all(map(s.offers, codes))] for p in plans}
    return {day: sessions for day, sessions in others.items() if sessions}


def _meets(start: Any, needs: Sequence[Units], sessions: Iterable[OpenSession]) -> bool:
    """Whether a party that begins here is still there in one of the sessions."""
    ends_at = start.starts_at + len(needs) * (start.ends_at - start.starts_at)
    return any(start.starts_at < s.closes and ends_at > s.opens for s in sessions)


def _at_its_time(
    session: Session, wish: Wish, place: DayPlaces, policy: OfficePolicy, now: datetime, calendar: Calendar
) -> DayPlaces:
    """A day as somebody sees it who was given one time: only that counts."""
    if place.reason is not None:
        return place
    free = sum(time.free for time in open_times(session, wish, place.day, policy, now, calendar))
    return DayPlaces(place.day, free, None if free else "full")


def open_times(
    session: Session,
    wish: Wish,
    day: date,
    policy: OfficePolicy,
    now: datetime,
    calendar: Calendar | None = None,
) -> list[TimePlaces]:
    """The times of one day that are still to come, full ones too; lapsed holds count as free."""
    party_in = policy.party_in if len(wish.services) == 1 else policy_on(session, wish.office_id, day).party_in
    offers, needs = needs_at(session, wish.office_id, wish.services, party_in)
    offered = all(offered_on(offer, day) for offer in offers)
    if not needs[0] or not offered or not wish.first <= day <= wish.last:
        return []
    slots = _starts(session, wish, needs, [day], now)
    if not slots:
        return []
    calendar = calendar or calendar_of(session, wish.office_id, day)
    made = list_made_at(session, wish.office_id, day, policy, calendar) if policy.closes_with_list else None
    others = _limited(session, wish, calendar, [day]).get(day, ())
    times = []
    for slot in slots:
        until = web_closes_at(slot, policy, made) if wish.channel is Channel.WEB else slot.ends_at
        if now < until and now < slot.ends_at and not _meets(slot, needs, others):
            times.append(TimePlaces(slot.uid, slot.starts_at, slot.ends_at, slot.fits))
    return times if wish.at is None else [t for t in times if t.holds(wish.at)]


def _starts(session: Session, wish: Wish, needs: Sequence[Units], days: list[date], now: datetime) -> Sequence[Any]:
    """The slots of these days in their order, each with how often the party fits from it on."""
    asked = {**_asked(needs), "days": days, "now": now}
    # Sorted here: asked to sort, SQLite reads all days' slots in their order instead of finding these days'.
    found = session.execute(_times(wish.channel, _shape(needs)), asked)
    return sorted(found, key=lambda slot: slot.starts_at)


# Each slot a party needs is a table of its own in the question, joined by pool and start: `needs` says, slot by slot,
# what is taken of which pools, and its shape (so many pools of each slot) makes the statement, once.
Shape = tuple[int, ...]


def _shape(needs: Sequence[Units]) -> Shape:
    return tuple(len(need) for need in needs)


def _asked(needs: Sequence[Units]) -> dict[str, Any]:
    pools = [(f"{k}_{n}", *taken) for k, need in enumerate(needs) for n, taken in enumerate(need.items())]
    return {f"pool_{at}": pool for at, pool, _ in pools} | {f"units_{at}": units for at, _, units in pools}


@cache
def _days(channel: Channel, shape: Shape) -> Executable:
    slots, joined = _joined(shape)
    first = slots[0][0]
    fits = _fits(slots, channel, None)
    return (
        select(first.business_date, func.sum(fits), func.max(_free(first, channel)))
        .select_from(joined)
        .where(
            first.pool_id == bindparam("pool_0_0"),
            first.business_date.between(bindparam("first"), bindparam("last")),
            first.starts_at > bindparam("now"),
            first.closed.is_(False),
        )
        .group_by(first.business_date)
    )


@cache
def _times(channel: Channel, shape: Shape) -> Executable:
    slots, joined = _joined(shape)
    first = slots[0][0]
    lapsed = (
        select(
            SlotUse.slot_id,
            func.sum(SlotUse.units).label("units"),
            func.sum(case((SlotUse.channel == channel, SlotUse.units), else_=0)).label("own"),
        )
        .join(Booking, Booking.id == SlotUse.booking_id)
        .where(Booking.state == BookingState.HELD, Booking.hold_until <= bindparam("now"))
        .group_by(SlotUse.slot_id)
        .cte("lapsed")
    )
    lapsed_of = {slot: lapsed.alias() for row in slots for slot in row}
    for slot, gone in lapsed_of.items():
        joined = outerjoin(joined, gone, gone.c.slot_id == slot.id)
    return (
        select(
            first.uid,
            first.business_date,
            first.starts_at,
            first.ends_at,
            _fits(slots, channel, lapsed_of).label("fits"),
        )
        .select_from(joined)
        .where(
            first.pool_id == bindparam("pool_0_0"),
            first.business_date.in_(bindparam("days", expanding=True)),
            first.closed.is_(False),
        )
    )


def _joined(shape: Shape) -> tuple[list[list[Any]], Any]:
    """The slots of a party's places, row by row, and their join: each row begins where the one before ends."""
    slots: list[list[Any]] = [[aliased(Slot) for _ in range(pools)] for pools in shape]
    first = slots[0][0]
    joined: Any = first
    for k, row in enumerate(slots):
        begins = first.starts_at if k == 0 else slots[k - 1][0].ends_at
        for n, slot in enumerate(row):
            if slot is not first:
                there = (slot.pool_id == bindparam(f"pool_{k}_{n}"), slot.starts_at == begins)
                joined = outerjoin(
                    joined, slot, and_(*there, slot.business_date == first.business_date, slot.closed.is_(False))
                )
    return slots, joined


class _Least(FunctionElement[int]):
    """The least of some values, none of which is NULL."""

    name, on_sqlite = "least", "min"
    inherit_cache = True
    type = Integer()


class _Greatest(FunctionElement[int]):
    """The greatest of some values, none of which is NULL."""

    name, on_sqlite = "greatest", "max"
    inherit_cache = True
    type = Integer()


@compiles(_Least)
@compiles(_Greatest)
def _called(of: _Least | _Greatest, compiler: Any, **how: Any) -> str:
    name = of.on_sqlite if compiler.dialect.name == "sqlite" else of.name
    return f"{name}({compiler.process(of.clauses, **how)})"


def _fits(slots: Sequence[Sequence[Any]], channel: Channel, lapsed: Mapping[Any, Any] | None) -> ColumnElement[int]:
    """How often what a party takes is still there, beginning with a slot of the first pool; a slot that is lacking
    has no place."""
    parts = []
    for k, row in enumerate(slots):
        for n, slot in enumerate(row):
            free = _free(slot, channel, None if lapsed is None else lapsed[slot])
            left = _Greatest(0, free) if (k, n) == (0, 0) else func.coalesce(_Greatest(0, free), 0)
            parts.append(left // bindparam(f"units_{k}_{n}", type_=Integer))
    return parts[0] if len(parts) == 1 else _Least(*parts)


def _free(slot: Any, channel: Channel, lapsed: Any = None) -> ColumnElement[int]:
    """Places of a slot still to be had on a channel; lapsed holds count as free where they are given."""
    free: ColumnElement[int] = slot.bookable - slot.taken
    if lapsed is not None:
        free = free + func.coalesce(lapsed.c.units, 0)
    limits = {Channel.WEB: (slot.web_max, slot.web_taken), Channel.PHONE: (slot.phone_max, slot.phone_taken)}
    if channel not in limits:
        return free
    most, taken = limits[channel]
    own = most - taken if lapsed is None else most - taken + func.coalesce(lapsed.c.own, 0)
    return _Least(free, func.coalesce(own, free))


def places_of_day(session: Session, office_id: int, day: date) -> list[PlacesOfDay]:
    """How full an office is on a day, pool by pool."""
    rows = session.execute(
        select(
            Pool.id,
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
    return [PlacesOfDay(pool, name, int(places), int(taken), int(free)) for pool, name, places, taken, free in rows]


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


def booked_among(session: Session, notice_ids: Sequence[int]) -> set[int]:
    """Which of these notices stand in a live booking."""
    people = select(BookingPerson.notice_id).where(BookingPerson.notice_id.in_(notice_ids), BookingPerson.live)
    return {notice for notice in session.scalars(people) if notice is not None}


_STANDING = (
    select(Notice, Office, OfficeService, Booking)
    .join(Office, Office.id == Notice.office_id)
    .join(
        OfficeService,
        and_(OfficeService.office_id == Notice.office_id, OfficeService.service_id == Notice.service_id),
    )
    .join(OfficeService.service)
    .options(contains_eager(OfficeService.service))
    .outerjoin(BookingPerson, and_(BookingPerson.notice_id == Notice.id, BookingPerson.live))
    .outerjoin(Booking, and_(Booking.id == BookingPerson.booking_id, Booking.state.in_(LIVE_STATES)))
    .where(Notice.id == bindparam("notice"), Notice.restricted.is_(False))
)


def standing_of(
    session: Session, notice_id: int | None, now: datetime
) -> tuple[Notice, Office, OfficeService, Booking | None] | None:
    """A notice with its office, how this offers its service, and its live booking: each page of a resident asks."""
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


# Bookings of an office from one time to another whose people are not here yet, person by person.
STILL_TO_COME = (
    Booking.office_id == bindparam("office"),
    Booking.state == BookingState.CONFIRMED,
    Booking.starts_at >= bindparam("since"),
    Booking.starts_at < bindparam("until"),
    BookingPerson.live,
)

_BY_UID = select(Booking).where(Booking.uid == bindparam("uid"))


def booking_by_uid(session: Session, uid: UUID) -> Booking | None:
    """A booking by its uid."""
    return session.scalar(_BY_UID, {"uid": uid})


def booking_by_code_key(session: Session, code_key: str) -> Booking | None:
    """A booking by the key of its code; one with a restricted notice in it is not known."""
    restricted = select(Notice.id).join(BookingPerson, BookingPerson.notice_id == Notice.id)
    hidden = restricted.where(BookingPerson.booking_id == Booking.id, Notice.restricted).exists()
    return session.scalar(select(Booking).where(Booking.code_key == code_key, ~hidden))


def differences(session: Session, pool_id: int) -> list[Difference]:
    """The slots of a pool whose counters differ from what bookings use: must be none, always. One question, one sight
    of the database, so that nothing is found that is only on its way."""
    return [_difference(row) for row in session.execute(_DIFFERENCES, {"pool": pool_id})]


def _used(channel: Channel | None = None) -> Any:
    units = SlotUse.units if channel is None else case((SlotUse.channel == channel, SlotUse.units), else_=0)
    return func.coalesce(func.sum(units), 0)


_COUNTERS = (Slot.taken, Slot.web_taken, Slot.phone_taken)
_USED = (_used(), _used(Channel.WEB), _used(Channel.PHONE))
_DIFFERENCES = (
    select(Slot.id, Slot.starts_at, *_COUNTERS, *_USED)
    .outerjoin(SlotUse, SlotUse.slot_id == Slot.id)
    .where(Slot.pool_id == bindparam("pool"))
    .group_by(Slot.id, Slot.starts_at, *_COUNTERS)
    .having(or_(*(counter != used for counter, used in zip(_COUNTERS, _USED, strict=True))))
    .order_by(Slot.id)
)


def _difference(row: Any) -> Difference:
    slot, starts_at, *counts = row
    return Difference(slot, starts_at, tuple(counts[:3]), tuple(int(used) for used in counts[3:]))


def bookings_out_of_place(session: Session, office_id: int) -> list[UUID]:
    """Bookings that claim a place and use none, or use one and claim none (any more): must be none, always."""
    uses = select(SlotUse.booking_id).where(SlotUse.booking_id == Booking.id).exists()
    claims = Booking.state.in_((*LIVE_STATES, BookingState.DONE))
    wrong = or_(and_(Booking.state.in_(LIVE_STATES), ~uses), and_(~claims, uses))
    found = select(Booking.uid).where(Booking.office_id == office_id, wrong).order_by(Booking.id)
    return list(session.scalars(found))


def walk_in_places(session: Session, office_id: int, now: datetime) -> dict[int, int]:
    """How many people without a booking find a place in what is left of the day: pool id → places.

    Of each slot that has not ended its walk-in share and what was not sold. Cancelled and lapsed places were given
    back; a hold whose minutes are over and a booking whose people are later than the grace count as given back, too.
    """
    grace = timedelta(minutes=policy_on(session, office_id, business_date(now)).late_grace_minutes)
    rows = session.execute(_WALK_INS, {"office": office_id, "day": business_date(now), "now": now, "late": now - grace})
    return {pool: int(places) for pool, places in rows}


_GIVEN_BACK = (
    select(SlotUse.slot_id, func.sum(SlotUse.units).label("units"))
    .join(Booking, Booking.id == SlotUse.booking_id)
    .join(Slot, Slot.id == SlotUse.slot_id)
    .where(
        Slot.business_date == bindparam("day"),
        or_(
            and_(Booking.state == BookingState.HELD, Booking.hold_until <= bindparam("now")),
            and_(Booking.state == BookingState.CONFIRMED, Booking.starts_at < bindparam("late")),
        ),
    )
    .group_by(SlotUse.slot_id)
    .cte("given_back")
)
_UNSOLD = Slot.bookable - Slot.taken + func.coalesce(_GIVEN_BACK.c.units, 0)
_WALK_INS = (
    select(Slot.pool_id, func.sum(Slot.walk_in + case((_UNSOLD > 0, _UNSOLD), else_=0)))
    .join(Pool, Pool.id == Slot.pool_id)
    .outerjoin(_GIVEN_BACK, _GIVEN_BACK.c.slot_id == Slot.id)
    .where(
        Pool.office_id == bindparam("office"),
        Slot.business_date == bindparam("day"),
        Slot.ends_at > bindparam("now"),
        Slot.closed.is_(False),
    )
    .group_by(Slot.pool_id)
    .order_by(Slot.pool_id)
)
