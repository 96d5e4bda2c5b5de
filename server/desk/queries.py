"""What the screen of a window shows; never writes."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from server.assistance.queries import open_calls
from server.clock import office_time
from server.issuance.models import Notice
from server.offices.models import Service, Window
from server.offices.queries import lanes_of
from server.queueing.models import Ticket, TicketState, VisitPerson
from server.queueing.queries import last_call_of, missed_tickets, number_of, step_at_window, waiting_in_lane


@dataclass(frozen=True)
class AtWindow:
    """Who is called to or served at a window."""

    number: int
    service: str
    party: int
    notices: tuple[str, ...]
    arrived_at: datetime
    booked_at: datetime | None
    called_at: datetime
    calls: int
    reason: str


@dataclass(frozen=True)
class Missed:
    """Somebody who was called and did not come."""

    ticket: UUID
    number: int


@dataclass(frozen=True)
class Asking:
    """A kiosk that asks for staff."""

    call: UUID
    kiosk: str
    reason: str
    at: datetime


@dataclass(frozen=True)
class DeskPicture:
    """All a window's screen shows."""

    window: int
    is_open: bool
    clerk_id: int | None
    at_window: AtWindow | None
    waiting: tuple[tuple[str, int], ...]
    missed: tuple[Missed, ...]
    asking: tuple[Asking, ...]


def desk_picture(session: Session, window: Window, now: datetime) -> DeskPicture:
    """The window, who is at it, who waits, who was missed and which kiosk asks for staff."""
    lanes = lanes_of(session, window.office_id)
    return DeskPicture(
        window.number,
        window.is_open,
        window.clerk_id,
        _at_window(session, window),
        tuple((lane.name_ja, waiting_in_lane(session, lane.id, now)) for lane in lanes),
        tuple(
            Missed(_ticket(session, step.visit_id), number)
            for number, step in missed_tickets(session, window.office_id, now)
        ),
        tuple(
            Asking(call.uid, call.kiosk.name, call.reason, office_time(call.at))
            for call in open_calls(session, window.office_id, now)
        ),
    )


def _at_window(session: Session, window: Window) -> AtWindow | None:
    step = step_at_window(session, window.id)
    if step is None:
        return None
    call = last_call_of(session, step.id)
    people = session.execute(
        select(VisitPerson.notice_id, Notice.number)
        .outerjoin(Notice, Notice.id == VisitPerson.notice_id)
        .where(VisitPerson.visit_id == step.visit_id)
        .order_by(VisitPerson.position)
    ).all()
    visit = step.visit
    return AtWindow(
        number=number_of(session, step.visit_id),
        service=session.get_one(Service, step.service_id).name_ja,
        party=len(people),
        notices=tuple(number for _, number in people if number),
        arrived_at=office_time(visit.arrived_at),
        booked_at=None if visit.booked_at is None else office_time(visit.booked_at),
        called_at=office_time(step.called_at or visit.arrived_at),
        calls=step.calls,
        reason=reason_text(call.reason) if call is not None else "",
    )


def reason_text(reason: dict[str, str]) -> str:
    """The reason of a call as it is read to a visitor who asks."""
    arrived = datetime.fromisoformat(reason["arrived"]).strftime("%H:%M")
    due = datetime.fromisoformat(reason["due"]).strftime("%H:%M")
    match reason["code"]:
        case "booked" | "booked_early":
            return f"予約 {due}・到着 {arrived}"
        case "walk_in":
            return f"予約なし・到着 {arrived}"
        case "recall":
            return f"再呼出・到着 {arrived}"
        case _:
            return f"職員の操作・到着 {arrived}"


def _ticket(session: Session, visit_id: int) -> UUID:
    return session.scalars(
        select(Ticket.uid)
        .where(Ticket.visit_id == visit_id, Ticket.state == TicketState.LIVE)
        .order_by(Ticket.id)
        .limit(1)
    ).one()
