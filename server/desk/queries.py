"""What the screen of a window shows; never writes."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from server.assistance.queries import open_calls
from server.clock import office_time
from server.issuance.models import Notice
from server.offices.models import Service, Terminal, Window
from server.offices.queries import lanes_of, services_by_notice, stops_of
from server.queueing.models import Ticket, TicketState, VisitPerson, VisitStep
from server.queueing.queries import last_call_of, missed_tickets, number_of, step_at_window, waiting_in_lane
from server.queueing.rules import Outcome, has_further, served_as


@dataclass(frozen=True)
class PersonAt:
    """One person of the visit at a window. `served_as` is how serving them ends, None before the last stop."""

    position: int
    notice: str | None
    service: str
    outcome: Outcome | None
    has_card: bool
    served_as: Outcome | None


@dataclass(frozen=True)
class AtWindow:
    """Who is called to or served at a window. `passes_on`: somebody of the party has a further stop."""

    number: int
    service: str
    stop: str
    terminal: str
    people: tuple[PersonAt, ...]
    passes_on: bool
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
    people = _people(session, step)
    visit = step.visit
    return AtWindow(
        number=number_of(session, step.visit_id),
        service=session.get_one(Service, step.service_id).name_ja,
        stop=step.lane.name_ja,
        terminal="" if step.terminal_id is None else session.get_one(Terminal, step.terminal_id).name,
        people=people,
        passes_on=any(person.outcome is None and person.served_as is None for person in people),
        arrived_at=office_time(visit.arrived_at),
        booked_at=None if visit.booked_at is None else office_time(visit.booked_at),
        called_at=office_time(step.called_at or visit.arrived_at),
        calls=step.calls,
        reason=reason_text(call.reason) if call is not None else "",
    )


def _people(session: Session, step: VisitStep) -> tuple[PersonAt, ...]:
    rows = session.execute(
        select(VisitPerson, Notice.number, Service.short_ja)
        .outerjoin(Notice, Notice.id == VisitPerson.notice_id)
        .join(Service, Service.id == VisitPerson.service_id)
        .where(VisitPerson.visit_id == step.visit_id)
        .order_by(VisitPerson.position)
    ).all()
    office_id = step.visit.office_id
    stops = stops_of(session, office_id, {person.service_id for person, _, _ in rows})
    by_notice = services_by_notice(session, office_id)
    found = []
    for person, notice, service in rows:
        has_card = person.notice_id is not None or person.service_id in by_notice
        further = has_further(person, stops, step.lane_id)
        served = None if further else served_as(Outcome.DONE, has_card)
        found.append(PersonAt(person.position, notice, service, person.outcome, has_card, served))
    return tuple(found)


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
