"""Who is in the line and who is still to come; never writes."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import groupby

from sqlalchemy import select
from sqlalchemy.orm import Session, selectinload

from server.auth.models import Device
from server.clock import business_date, office_time
from server.daylist.queries import day_picture, next_day
from server.daylist.rules import Line, Order, Presence, in_order
from server.emergency.models import EmergencyList
from server.emergency.rules import is_too_old
from server.issuance.models import Notice
from server.offices.models import Lane, Office, Series, Service
from server.offices.queries import all_offices, calendar_of
from server.queueing.models import Ticket, TicketState, Visit, VisitStep
from server.queueing.rules import OPEN_STATES, StepClass, StepState

TO_COME = (Presence.EXPECTED, Presence.TO_CONFIRM)


@dataclass(frozen=True)
class Party:
    """Who comes, or is here: `number` and `state` only of who is here; `notices` are (number's last digits, storage
    place)."""

    time: datetime
    number: int | None
    state: StepState | None
    notices: tuple[tuple[str, str], ...]
    services: tuple[str, ...]
    people: int
    language: str
    first: bool  # 配慮: goes before others


@dataclass(frozen=True)
class EmergencyPicture:
    """The rest of today, and the next open day (None: there is none)."""

    here: tuple[Party, ...]
    today: tuple[Party, ...]
    next_day: date | None
    next: tuple[Party, ...]


def emergency_picture(session: Session, office_id: int, now: datetime) -> EmergencyPicture:
    """What an office needs to go on by hand. Restricted people are not in it but by the number they wait with."""
    following = next_day(session, office_id, now)
    return EmergencyPicture(
        tuple(_here(session, office_id, now)),
        _to_come(session, office_id, business_date(now), now),
        following,
        () if following is None else _to_come(session, office_id, following, now),
    )


def _to_come(session: Session, office_id: int, day: date, now: datetime) -> tuple[Party, ...]:
    lines = in_order(day_picture(session, office_id, day, now).lines, Order.TIME)
    coming = [line for line in lines if not line.gone and line.person.presence in TO_COME]
    return tuple(_party(list(party)) for _, party in groupby(coming, lambda line: line.person.key.booking))


def _party(lines: Sequence[Line]) -> Party:
    people = [line.person for line in lines]
    notices = tuple((person.number[-3:], person.storage_place) for person in people if person.number)
    services = tuple(dict.fromkeys(person.service for person in people))
    return Party(people[0].starts_at, None, None, notices, services, len(people), people[0].language, False)


def _here(session: Session, office_id: int, now: datetime) -> list[Party]:
    rows = session.execute(
        select(Visit, VisitStep, Ticket.number)
        .join(VisitStep, VisitStep.visit_id == Visit.id)
        .join(Ticket, Ticket.visit_id == Visit.id)
        .options(selectinload(Visit.people))
        .where(
            Visit.office_id == office_id,
            Visit.business_date == business_date(now),
            VisitStep.state.in_(OPEN_STATES),
            Ticket.state == TicketState.LIVE,
        )
        .order_by(VisitStep.due_at, VisitStep.id, Ticket.id)
    ).all()
    firsts = [next(tickets) for _, tickets in groupby(rows, lambda row: row[0].id)]
    ids = [p.notice_id for visit, _, _ in firsts for p in visit.people if p.notice_id is not None]
    known = select(Notice).where(Notice.id.in_(ids), Notice.restricted.is_(False))
    notices = {notice.id: notice for notice in session.scalars(known)}
    services = {row.id: row.short_ja for row in session.execute(select(Service.id, Service.short_ja))}
    found = []
    for visit, step, number in firsts:
        people = [person for person in visit.people if person.live]
        folders = [notices[p.notice_id] for p in people if p.notice_id in notices]
        found.append(
            Party(
                office_time(visit.booked_at or visit.arrived_at),
                number,
                step.state,
                tuple(((folder.number or "")[-3:], folder.storage_place) for folder in folders),
                tuple(dict.fromkeys(services[person.service_id] for person in people)),
                sum(person.further_of is None for person in people),
                "ja",
                step.step_class is StepClass.ACCOMMODATION,
            )
        )
    return found


def state_of(session: Session, office_id: int) -> EmergencyList | None:
    """What has become of an office's lists; None: none was ever tried."""
    return session.get(EmergencyList, office_id)


def offices_without(session: Session, now: datetime) -> list[Office]:
    """Offices that are open, or will be soon, and have no list to go on with."""
    day = business_date(now)
    return [
        office
        for office in all_offices(session)
        if is_too_old(calendar_of(session, office.id, day).plan(day).sessions, state_of(session, office.id), now)
    ]


def ranges_given_out(session: Session, office_id: int) -> list[tuple[int, int]]:
    """The numbers that lanes and kiosks of an office give out by themselves."""
    lanes = select(Series.first, Series.last).join(Lane).where(Lane.office_id == office_id)
    kiosks = select(Device.range_from, Device.range_to).where(Device.office_id == office_id)
    found = [(row[0], row[1]) for rows in (lanes, kiosks) for row in session.execute(rows)]
    return [(first, last) for first, last in found if first is not None and last is not None]
