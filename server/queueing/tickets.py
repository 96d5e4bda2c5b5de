"""Step: a visit with its ticket. The number is committed before anything is printed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache
from uuid import UUID

from sqlalchemy import bindparam, select
from sqlalchemy.sql.dml import ReturningInsert

from server.clock import business_date
from server.db import Transaction, insert_into, new_uid
from server.events import QueueChanged
from server.offices.models import Series, ServiceStep
from server.offices.queries import UnknownService
from server.queueing.models import NumberDay, Ticket, Visit, VisitPerson, VisitStep
from server.queueing.queries import waiting_before
from server.queueing.rules import NumbersUsedUp, Stand, StepClass, next_stand


@dataclass(frozen=True)
class Comer:
    """One person of a party: what for, and with which notice."""

    service_id: int
    notice_id: int | None = None


@dataclass(frozen=True)
class Arrival:
    """One party that has come: who, where they stand in the line, and why. `stops` are those of all their services."""

    office_id: int
    people: Sequence[Comer]
    stops: Mapping[int, Sequence[ServiceStep]]
    step_class: StepClass
    due_at: datetime
    origin: str
    kiosk_id: int | None = None
    booking_id: int | None = None
    booked_at: datetime | None = None


@dataclass(frozen=True)
class Issued:
    """A ticket that was issued."""

    ticket_id: int
    uid: UUID
    number: int
    step: VisitStep
    stop: ServiceStep
    people_waiting: int


def issue(tx: Transaction, arrival: Arrival, now: datetime) -> Issued:
    """Write down the visit and draw the next number of its lane. Raises NumbersUsedUp."""
    visit = Visit(
        uid=new_uid(now),
        office_id=arrival.office_id,
        business_date=business_date(now),
        booking_id=arrival.booking_id,
        booked_at=arrival.booked_at,
        arrived_at=now,
        received_at=now,
        origin=arrival.origin,
    )
    visit.people = [
        VisitPerson(
            position=n,
            notice_id=comer.notice_id,
            service_id=comer.service_id,
            stops_done=0,
            live=True,
            booking_person=n if arrival.booking_id else None,
        )
        for n, comer in enumerate(arrival.people, start=1)
    ]
    stand = next_stand(visit.people, arrival.stops)
    if stand is None:
        raise UnknownService
    tx.session.add(visit)
    tx.session.flush()  # visits before numbers: the order of locks
    series_id, number = next_number(tx, stand.lane_id, visit.business_date)
    ticket = Ticket(
        uid=new_uid(now),
        visit_id=visit.id,
        series_id=series_id,
        business_date=visit.business_date,
        number=number,
        issued_at=now,
        kiosk_id=arrival.kiosk_id,
    )
    line = enter(visit, 1, stand, arrival.step_class, arrival.due_at, now)
    tx.session.add_all([ticket, line])
    tx.session.flush()
    tx.publish(QueueChanged(arrival.office_id))
    stop = arrival.stops[stand.service_id][0]
    return Issued(ticket.id, ticket.uid, number, line, stop, waiting_before(tx.session, line, now))


def enter(
    visit: Visit,
    position: int,
    stand: Stand,
    step_class: StepClass,
    due_at: datetime,
    now: datetime,
) -> VisitStep:
    """The visit's step in the line of a stand; not added to the session yet."""
    return VisitStep(
        visit_id=visit.id,
        position=position,
        lane_id=stand.lane_id,
        service_id=stand.service_id,
        terminal_kind=stand.terminal_kind,
        ready=not stand.ready_first,
        step_class=step_class,
        entered_at=now,
        due_at=due_at,
    )


def next_number(tx: Transaction, lane_id: int, day: date) -> tuple[int, int]:
    """(series, number): the lane's next number of the day, locked until the commit. Raises NumbersUsedUp."""
    series = tx.session.scalars(_SERIES, {"lane": lane_id}).one()
    row = {"series_id": series.id, "business_date": day, "next": series.first + 1}
    following = tx.session.scalars(_draw(tx.dialect), row).one()
    if following - 1 > series.last:
        raise NumbersUsedUp(lane=lane_id)
    return series.id, following - 1


_SERIES = select(Series).where(Series.lane_id == bindparam("lane"), Series.device_id.is_(None))


@cache
def _draw(dialect: str) -> ReturningInsert[int]:
    """The day's row is made by whoever draws first; everybody after counts on."""
    key = (NumberDay.series_id, NumberDay.business_date)
    return (
        insert_into(NumberDay, dialect)
        .on_conflict_do_update(index_elements=key, set_={"next": NumberDay.next + 1})
        .returning(NumberDay.next)
    )
