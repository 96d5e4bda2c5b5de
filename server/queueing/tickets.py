"""Step: a visit with its ticket. The number is committed before anything is printed."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache
from uuid import UUID

from sqlalchemy import bindparam, select
from sqlalchemy.sql.dml import ReturningInsert

from server.clock import business_date
from server.db import Transaction, insert_into, new_uid
from server.events import QueueChanged
from server.offices.models import Lane, Series, ServiceStep
from server.queueing.models import NumberDay, Ticket, Visit, VisitPerson, VisitStep
from server.queueing.queries import waiting_before
from server.queueing.rules import NumbersUsedUp, StepClass


@dataclass(frozen=True)
class Arrival:
    """One party that has come: where it stands in the line, and why."""

    office_id: int
    first_step: ServiceStep
    step_class: StepClass
    due_at: datetime
    origin: str
    kiosk_id: int | None = None
    booking_id: int | None = None
    booked_at: datetime | None = None
    notices: Sequence[int | None] = (None,)


@dataclass(frozen=True)
class Issued:
    """A ticket that was issued."""

    ticket_id: int
    uid: UUID
    number: int
    lane: Lane
    people_waiting: int


def issue(tx: Transaction, arrival: Arrival, now: datetime) -> Issued:
    """Write down the visit and draw the next number of its lane. Raises NumbersUsedUp."""
    step = arrival.first_step
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
            notice_id=notice,
            service_id=step.service_id,
            booking_person=n if arrival.booking_id else None,
        )
        for n, notice in enumerate(arrival.notices, start=1)
    ]
    tx.session.add(visit)
    tx.session.flush()  # visits before numbers: the order of locks
    series_id, number = next_number(tx, step.lane_id, visit.business_date)
    ticket = Ticket(
        uid=new_uid(now),
        visit_id=visit.id,
        series_id=series_id,
        business_date=visit.business_date,
        number=number,
        issued_at=now,
        kiosk_id=arrival.kiosk_id,
    )
    line = VisitStep(
        visit_id=visit.id,
        position=1,
        lane_id=step.lane_id,
        service_id=step.service_id,
        step_class=arrival.step_class,
        entered_at=now,
        due_at=arrival.due_at,
    )
    tx.session.add_all([ticket, line])
    tx.session.flush()
    tx.publish(QueueChanged(arrival.office_id))
    return Issued(ticket.id, ticket.uid, number, step.lane, waiting_before(tx.session, line, now))


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
