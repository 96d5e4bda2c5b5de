"""Who is expected on a day, and the list that was made of it; never writes."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import and_, or_, select
from sqlalchemy.orm import Session

from server.booking.models import Booking, BookingPerson
from server.booking.rules import BookingState
from server.clock import at_minute, business_date, office_time
from server.daylist.models import DayList, DayListEntry
from server.daylist.rules import Change, DayUnusable, Kept, Key, Line, Person, Presence, compare
from server.issuance.models import Notice, NoticeMark, NoticeState
from server.issuance.notice_codes import shown_number
from server.offices.models import Service
from server.offices.queries import calendar_of, list_made_at, policy_on

PRESENCE = {
    BookingState.TO_CONFIRM: Presence.TO_CONFIRM,
    BookingState.CONFIRMED: Presence.EXPECTED,
    BookingState.CHECKED_IN: Presence.HERE,
    BookingState.DONE: Presence.DONE,
    BookingState.NO_SHOW: Presence.STAYED_AWAY,
}
ENDED = (BookingState.DONE, BookingState.NO_SHOW)


@dataclass(frozen=True)
class DayPicture:
    """A day's list as it stands: `made_at` is as of when, None while it is not made; `due_at` when it is to be made
    (None: at once, there is no open day before)."""

    day: date
    made_at: datetime | None
    due_at: datetime | None
    restricted: bool
    lines: tuple[Line, ...]


def next_day(session: Session, office_id: int, now: datetime) -> date | None:
    """The next open day after today; None if there is none within a year."""
    opening = calendar_of(session, office_id, business_date(now)).next_opening(at_minute(business_date(now), 1440 - 1))
    return None if opening is None else business_date(opening)


def days_due(session: Session, office_id: int, now: datetime) -> list[date]:
    """Days whose list is to be made by now and is not: of today and the next open day."""
    today = business_date(now)
    calendar, policy = calendar_of(session, office_id, today), policy_on(session, office_id, today)
    days = [day for day in (today, next_day(session, office_id, now)) if day and calendar.plan(day).sessions]
    due = [d for d in days if (list_made_at(session, office_id, d, policy, calendar) or now) <= now]
    made = session.scalars(select(DayList.day).where(DayList.office_id == office_id, DayList.day.in_(due))).all()
    return [day for day in due if day not in made]


def check_day(session: Session, office_id: int, day: date, now: datetime) -> None:
    """Raise DayUnusable unless there can be a list of a day: of today or a later one in the booking period."""
    today = business_date(now)
    if not today <= day <= today + timedelta(days=policy_on(session, office_id, today).open_days_before):
        raise DayUnusable


def day_picture(session: Session, office_id: int, day: date, now: datetime, *, restricted: bool = False) -> DayPicture:
    """A day's list: without restricted people and who comes with them, or (`restricted`) these alone."""
    made = session.scalar(select(DayList).where(DayList.office_id == office_id, DayList.day == day))
    kept = None if made is None else _kept(session, made.id)
    policy = policy_on(session, office_id, business_date(now))
    people = _people(session, office_id, day, kept or (), restricted)
    return DayPicture(
        day,
        None if made is None else office_time(made.made_at),
        list_made_at(session, office_id, day, policy),
        restricted,
        tuple(compare(people, kept)),
    )


def _kept(session: Session, list_id: int) -> dict[Key, Kept]:
    rows = session.scalars(select(DayListEntry).where(DayListEntry.list_id == list_id))
    return {Key(row.booking_id, row.position): Kept(office_time(row.starts_at), row.storage_place) for row in rows}


def expected(session: Session, office_id: int, day: date) -> list[Person]:
    """Everybody expected on a day, restricted or not."""
    people = [p for hidden in (False, True) for p in _people(session, office_id, day, (), hidden)]
    return [person for person in people if person.gone is None]


def _people(session: Session, office_id: int, day: date, kept: Iterable[Key], restricted: bool) -> list[Person]:
    """The people of a day's bookings, and those the list of it has kept, wherever they are now.

    A booking with one restricted person in it is restricted as a whole, as everywhere.
    """
    on_list = {key.booking for key in kept}
    opens, closes = at_minute(day, 0), at_minute(day, 1440)
    that_day = and_(Booking.starts_at >= opens, Booking.starts_at < closes, Booking.state.in_(PRESENCE))
    rows: Sequence[Any] = session.execute(
        select(Booking, BookingPerson, Notice, Service.short_ja)
        .join(BookingPerson, BookingPerson.booking_id == Booking.id)
        .outerjoin(Notice, Notice.id == BookingPerson.notice_id)
        .join(Service, Service.id == BookingPerson.service_id)
        .where(Booking.office_id == office_id, or_(that_day, Booking.id.in_(on_list)))
        .order_by(Booking.id, BookingPerson.position)
    ).all()
    hidden = {booking.id for booking, _, notice, _ in rows if notice is not None and notice.restricted}
    marks = _marks(session, [notice.id for _, _, notice, _ in rows if notice is not None])
    known, found = set(kept), list[Person]()
    shown = [row for row in rows if row[1].live or Key(row[0].id, row[1].position) in known]
    together = Counter(booking.id for booking, person, _, _ in shown if person.live)
    for booking, person, notice, service in shown:
        if (booking.id in hidden) is not restricted:
            continue
        found.append(
            Person(
                Key(booking.id, person.position),
                office_time(booking.starts_at),
                together[booking.id],
                "" if notice is None or notice.number is None else shown_number(notice.number),
                "" if notice is None else notice.storage_place,
                service,
                marks[notice.id] if notice is not None else (),
                booking.language,
                PRESENCE.get(booking.state, Presence.EXPECTED),
                _gone(booking, person, notice, opens, closes),
            )
        )
    return found


def _gone(
    booking: Booking, person: BookingPerson, notice: Notice | None, opens: datetime, closes: datetime
) -> Change | None:
    if notice is not None and notice.state is NoticeState.STOPPED:
        return Change.STOPPED
    if booking.state not in PRESENCE or not (person.live or booking.state in ENDED):
        return Change.CANCELLED
    return None if opens <= booking.starts_at < closes else Change.OTHER_DAY


def _marks(session: Session, notices: list[int]) -> Any:
    found: defaultdict[int, tuple[str, ...]] = defaultdict(tuple)
    rows = session.execute(
        select(NoticeMark.notice_id, NoticeMark.word).where(NoticeMark.notice_id.in_(notices)).order_by(NoticeMark.word)
    )
    for notice, word in rows:
        found[notice] += (word,)
    return found
