"""Entry points of the day list: made at its hour, kept as it was then; each look at it is written down."""

from datetime import date, datetime, timedelta
from enum import Enum

from sqlalchemy import delete, insert, select

from server.audit import record
from server.clock import business_date
from server.daylist.models import DayList, DayListEntry
from server.daylist.queries import DayPicture, check_day, day_picture, days_due, expected
from server.db import Transaction, read_session, transaction
from server.offices.queries import all_offices

KEPT = timedelta(days=7)


class Look(Enum):
    """How somebody has seen a list."""

    SCREEN = "screen"
    PAPER = "paper"
    FILE = "file"


def make_day_lists(now: datetime) -> int:
    """Sweep: the lists whose hour has come, and no others, are made as of now; those of a week ago are forgotten.

    Gives how many were made.
    """
    session = read_session()
    due = [(office.id, day) for office in all_offices(session) for day in days_due(session, office.id, now)]
    old = session.scalars(select(DayList.id).where(DayList.day < business_date(now) - KEPT)).all()
    if not due and not old:
        return 0
    with transaction() as tx:
        tx.session.execute(delete(DayListEntry).where(DayListEntry.list_id.in_(old)))
        tx.session.execute(delete(DayList).where(DayList.id.in_(old)))
        return sum(_make(tx, office_id, day, now) for office_id, day in due)


def _make(tx: Transaction, office_id: int, day: date, now: datetime) -> bool:
    """Step: keep who is expected on a day. False if somebody was first."""
    if not tx.insert_or_ignore(DayList, {"office_id": office_id, "day": day, "made_at": now}):
        return False
    made = tx.session.scalars(select(DayList.id).where(DayList.office_id == office_id, DayList.day == day)).one()
    people = expected(tx.session, office_id, day)
    rows = [
        {
            "list_id": made,
            "booking_id": person.key.booking,
            "position": person.key.position,
            "starts_at": person.starts_at,
            "storage_place": person.storage_place,
        }
        for person in people
    ]
    if rows:
        tx.session.execute(insert(DayListEntry), rows)
    record(tx, now, "timetable", "daylist.make", None, office=office_id, day=day.isoformat(), count=len(rows))
    return True


def look(actor: str, office_id: int, day: date, how: Look, now: datetime, *, restricted: bool = False) -> DayPicture:
    """Somebody looks at a day's list; if its hour has come and nobody has made it, it is made now. Raises DayUnusable.

    Who looked, at what and how is written down, each time.
    """
    check_day(read_session(), office_id, day, now)
    with transaction() as tx:
        if day in days_due(tx.session, office_id, now):
            _make(tx, office_id, day, now)
        picture = day_picture(tx.session, office_id, day, now, restricted=restricted)
        facts = {"day": day.isoformat(), "how": how.value, "count": len(picture.lines), "restricted": restricted}
        record(tx, now, actor, "daylist.look", None, office=office_id, **facts)
        return picture
