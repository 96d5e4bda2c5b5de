"""Entry points for the stock of places: make the places of the coming days, and keep them. Slots are locked by id."""

from collections.abc import Iterable, Sequence
from datetime import date, datetime, timedelta

from sqlalchemy import func, select

from server.booking.models import Slot
from server.clock import business_date
from server.db import Transaction, locked, new_uid, read_session, transaction
from server.offices.opening_rules import OpenSession, RuleLike, places_of_hour, sessions_on
from server.offices.queries import policy_on, pools_of, rules_of, windows_in_pool


def make_slots(office_id: int, first: date, last: date, now: datetime) -> int:
    """Make or adjust the places of an office's days. Gives the number of places made anew.

    A slot that shrinks below what is taken keeps its people: the surplus becomes `extra`. A slot outside the opening
    hours is closed, never deleted.
    """
    with transaction() as tx:
        rules = list(rules_of(tx.session, office_id))
        made = 0
        for pool in pools_of(tx.session, office_id):
            standing = _standing(tx, pool.id, first, last)
            for n in range((last - first).days + 1):
                made += _make_day(tx, pool.id, office_id, first + timedelta(days=n), rules, standing, now)
        return made


def extend_slots(office_id: int, now: datetime) -> int:
    """Make the places up to the end of the booking period, if they do not stand yet (sweep)."""
    session = read_session()
    last = business_date(now) + timedelta(days=policy_on(session, office_id, business_date(now)).open_days_before + 1)
    pools = [pool.id for pool in pools_of(session, office_id)]
    newest = session.scalar(select(func.max(Slot.business_date)).where(Slot.pool_id.in_(pools)))
    if newest is not None and newest >= last:
        return 0
    return make_slots(office_id, max(business_date(now), newest or date.min), last, now)


def _standing(tx: Transaction, pool_id: int, first: date, last: date) -> dict[datetime, Slot]:
    rows = tx.session.scalars(
        locked(select(Slot).where(Slot.pool_id == pool_id, Slot.business_date.between(first, last)).order_by(Slot.id))
    )
    return {slot.starts_at: slot for slot in rows}


def _make_day(
    tx: Transaction,
    pool_id: int,
    office_id: int,
    day: date,
    rules: Sequence[RuleLike],
    standing: dict[datetime, Slot],
    now: datetime,
) -> int:
    policy = policy_on(tx.session, office_id, day)
    places = places_of_hour(
        windows_in_pool(tx.session, pool_id, day),
        policy.rate_per_hour,
        policy.slot_minutes,
        policy.walk_in_percent,
    )
    length = timedelta(minutes=policy.slot_minutes)
    made = 0
    wanted = set()
    for starts_at in _starts(sessions_on(day, rules), length):
        bookable, walk_in = places[starts_at.minute // policy.slot_minutes]
        wanted.add(starts_at)
        if (slot := standing.get(starts_at)) is not None:
            slot.bookable, slot.walk_in, slot.closed = bookable, walk_in, False
            slot.extra = max(slot.extra, slot.taken - bookable)
            continue
        made += 1
        tx.session.add(
            Slot(
                uid=new_uid(now),
                pool_id=pool_id,
                business_date=day,
                starts_at=starts_at,
                ends_at=starts_at + length,
                bookable=bookable,
                walk_in=walk_in,
            )
        )
    for slot in standing.values():
        if slot.business_date == day and slot.starts_at not in wanted:
            slot.closed = True
    return made


def _starts(sessions: Iterable[OpenSession], length: timedelta) -> Iterable[datetime]:
    """Slots that fit whole into a session and begin no later than its last reception of booked people."""
    for session in sessions:
        start = session.opens
        while start + length <= session.closes and start <= session.last_booked:
            yield start
            start += length
