"""Step: a visit with its ticket. The number is committed before anything is printed."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import select, update

from server.clock import business_date
from server.db import Transaction, new_uid
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
    series = tx.session.scalars(select(Series).where(Series.lane_id == lane_id, Series.device_id.is_(None))).one()
    tx.insert_or_ignore(NumberDay, {"series_id": series.id, "business_date": day, "next": series.first})
    following = tx.session.execute(
        update(NumberDay)
        .where(NumberDay.series_id == series.id, NumberDay.business_date == day)
        .values(next=NumberDay.next + 1)
        .returning(NumberDay.next)
        .execution_options(synchronize_session=False)
    ).scalar_one()
    if following - 1 > series.last:
        raise NumbersUsedUp(lane=lane_id)
    return series.id, following - 1
