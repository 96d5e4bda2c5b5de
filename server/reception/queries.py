"""Papers of today and the kiosks that can print them; never writes."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from madoguchi.wire import Outcome
from server.auth.models import Device, DeviceKind
from server.clock import at_minute, business_date
from server.queueing.models import Ticket, TicketState, Visit
from server.reception.models import PrintJob

FETCHED_WITHIN: Final = timedelta(minutes=2)
"""A kiosk asks every few seconds; a paper that comes out much later nobody waits for."""


@dataclass(frozen=True)
class Doubt:
    """A ticket whose last paper is not known to be printed."""

    ticket: UUID
    number: int
    outcome: Outcome
    at: datetime
    kiosk: UUID
    kiosk_name: str


def kiosks_of(session: Session, office_id: int) -> Sequence[Device]:
    """The paired kiosks of an office, by name."""
    return session.scalars(
        select(Device)
        .where(Device.office_id == office_id, Device.kind == DeviceKind.KIOSK, Device.active)
        .order_by(Device.name, Device.id)
    ).all()


def live_ticket(session: Session, office_id: int, ticket: UUID, now: datetime) -> Ticket | None:
    """A ticket of today that still counts."""
    return session.scalar(_live(office_id, now).where(Ticket.uid == ticket))


def live_tickets_of_number(session: Session, office_id: int, number: int, now: datetime) -> Sequence[Ticket]:
    """Today's tickets with this number; more than one only where series of an office overlap."""
    return session.scalars(_live(office_id, now).where(Ticket.number == number).order_by(Ticket.id)).all()


def papers_in_doubt(session: Session, office_id: int, now: datetime) -> list[Doubt]:
    """Today's live tickets whose last paper was not printed or may not have been, the oldest first."""
    last = (
        select(func.max(PrintJob.id))
        .where(PrintJob.at >= at_minute(business_date(now), 0))
        .group_by(PrintJob.ticket_id)
        .scalar_subquery()
    )
    rows = session.execute(
        select(Ticket.uid, Ticket.number, PrintJob.outcome, PrintJob.at, Device.uid, Device.name)
        .join(PrintJob, PrintJob.ticket_id == Ticket.id)
        .join(Device, Device.id == PrintJob.kiosk_id)
        .join(Visit, Visit.id == Ticket.visit_id)
        .where(
            Visit.office_id == office_id,
            Visit.live,
            Ticket.business_date == business_date(now),
            Ticket.state == TicketState.LIVE,
            PrintJob.outcome != Outcome.PRINTED,
            PrintJob.id.in_(last),
        )
        .order_by(PrintJob.id)
    )
    return [Doubt(*row) for row in rows]


def reprints_asked(session: Session, kiosk_id: int, now: datetime) -> list[tuple[UUID, Ticket]]:
    """Papers that staff want of a kiosk and of which it has not reported, with their tickets."""
    rows = session.execute(
        select(PrintJob.uid, Ticket)
        .join(Ticket, Ticket.id == PrintJob.ticket_id)
        .where(
            PrintJob.kiosk_id == kiosk_id,
            PrintJob.at > now - FETCHED_WITHIN,
            PrintJob.by_staff,
            PrintJob.sha256.is_(None),
            Ticket.state == TicketState.LIVE,
        )
        .order_by(PrintJob.id)
    )
    return [(uid, ticket) for uid, ticket in rows]


def _live(office_id: int, now: datetime) -> Select[Ticket]:
    return (
        select(Ticket)
        .join(Visit, Visit.id == Ticket.visit_id)
        .where(
            Visit.office_id == office_id,
            Ticket.business_date == business_date(now),
            Ticket.state == TicketState.LIVE,
        )
    )
