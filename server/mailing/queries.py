"""Which cards are to be sent; never writes."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from server.clock import office_time
from server.issuance.models import Notice
from server.issuance.notice_codes import shown_number
from server.mailing.models import Mailing
from server.mailing.rules import MailingState
from server.offices.models import Service
from server.queueing.models import Ticket, TicketState, VisitPerson

SENT_SHOWN = timedelta(days=31)


@dataclass(frozen=True)
class Letter:
    """One card as the back room finds it: by notice and storage place, else by that day's ticket."""

    uid: UUID
    promised_at: datetime
    consented: bool
    ticket: int
    person: int
    notice: str
    storage_place: str
    restricted: bool
    service: str
    sent_at: datetime | None
    letter: str


def to_send(session: Session, office_id: int) -> Sequence[Letter]:
    """Cards of an office that are still to be sent, the longest promised first."""
    return _letters(session, office_id, MailingState.TO_SEND)


def sent(session: Session, office_id: int, now: datetime) -> Sequence[Letter]:
    """Cards of an office that were sent in the last month, the newest first."""
    found = _letters(session, office_id, MailingState.SENT)
    return sorted(
        (one for one in found if one.sent_at is not None and one.sent_at > now - SENT_SHOWN),
        key=lambda one: one.sent_at or now,
        reverse=True,
    )


_NUMBER = (
    select(Ticket.number)
    .where(Ticket.visit_id == Mailing.visit_id, Ticket.state == TicketState.LIVE)
    .order_by(Ticket.id)
    .limit(1)
    .scalar_subquery()
)


def _letters(session: Session, office_id: int, state: MailingState) -> list[Letter]:
    rows = session.execute(
        select(Mailing, VisitPerson, Notice, Service.name_ja, _NUMBER)
        .join(VisitPerson, (VisitPerson.visit_id == Mailing.visit_id) & (VisitPerson.position == Mailing.position))
        .join(Service, Service.id == VisitPerson.service_id)
        .outerjoin(Notice, Notice.id == Mailing.notice_id)
        .where(Mailing.office_id == office_id, Mailing.state == state)
        .order_by(Mailing.id)
    )
    return [
        Letter(
            mailing.uid,
            office_time(mailing.promised_at),
            mailing.consented,
            number,
            person.further_of or person.position,
            "" if notice is None or notice.number is None else shown_number(notice.number),
            "" if notice is None else notice.storage_place,
            notice is not None and notice.restricted,
            service,
            None if mailing.sent_at is None else office_time(mailing.sent_at),
            mailing.letter,
        )
        for mailing, person, notice, service, number in rows
    ]
