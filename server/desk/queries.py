"""What the screen of a window shows; never writes."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from madoguchi.wire import WaitView
from server.assistance.queries import open_calls
from server.clock import business_date, office_time
from server.issuance.models import Notice
from server.offices.models import Service, Terminal, Window
from server.offices.queries import (
    calendar_of,
    lanes_of,
    lanes_of_window,
    offers_to_walk_ins,
    services_by_notice,
    stops_of,
)
from server.offices.service_rules import CASES
from server.outlook.queries import newcomers_are_told
from server.queueing.models import Ticket, Undoable, Visit, VisitPerson, VisitStep
from server.queueing.queries import (
    Aside,
    last_call_of,
    number_of,
    set_aside,
    step_at_window,
    terminals_of,
    ticket_of,
    waiting_in_lane,
)
from server.queueing.rules import Outcome, can_undo, has_further, outcome_of


@dataclass(frozen=True)
class PersonAt:
    """One person of the visit at a window, in one procedure. `served_as` is how serving them ends, None before the
    last stop; `person` is the same in all procedures of one person."""

    position: int
    person: int
    notice: str | None
    notice_uid: UUID | None
    service: str
    outcome: Outcome | None
    has_card: bool
    served_as: Outcome | None


@dataclass(frozen=True)
class AtWindow:
    """Who is called to or served at a window. `passes_on`: somebody of the party has a further stop; `to_be_ready`:
    somebody will stand where those who are ready go first, and is not."""

    ticket: UUID
    number: int
    service: str
    stop: str
    terminal: str
    people: tuple[PersonAt, ...]
    passes_on: bool
    to_be_ready: bool
    arrived_at: datetime
    booked_at: datetime | None
    called_at: datetime
    calls: int
    reason: str


@dataclass(frozen=True)
class TerminalAt:
    """A shared terminal of the office."""

    id: int
    name: str
    is_down: bool


@dataclass(frozen=True)
class Asking:
    """A kiosk that asks for staff."""

    call: UUID
    kiosk: str
    reason: str
    at: datetime


@dataclass(frozen=True)
class DeskPicture:
    """All a window's screen shows: `waiting` are name and people of each lane, with what a newcomer would be told;
    `undo` is the act that can be undone now, and when it was done, or empty; `procedures` are code and name of what can
    be added to a visit; `lanes` are those from which the window calls."""

    window: int
    is_open: bool
    clerk_id: int | None
    at_window: AtWindow | None
    waiting: tuple[tuple[str, int, WaitView | None], ...]
    aside: tuple[Aside, ...]
    terminals: tuple[TerminalAt, ...]
    procedures: tuple[tuple[str, str], ...]
    undo: tuple[str, str]
    lanes: frozenset[int]
    asking: tuple[Asking, ...]


def desk_picture(session: Session, window: Window, now: datetime, *, at_once: bool = True) -> DeskPicture:
    """The window, who is at it, who waits, who was missed and which kiosk asks for staff; `at_once` with the wait of
    newcomers as it was reckoned last."""
    waits = newcomers_are_told(session, window.office_id, now, at_once=at_once)
    lanes, here = lanes_of(session, window.office_id), step_at_window(session, window.id)
    return DeskPicture(
        window.number,
        window.is_open,
        window.clerk_id,
        None if here is None else _at_window(session, here),
        tuple((lane.name_ja, waiting_in_lane(session, lane.id, now), waits.get(lane.id)) for lane in lanes),
        tuple(set_aside(session, window.office_id, now)),
        tuple(TerminalAt(t.id, t.name, t.is_down) for t in terminals_of(session, window.office_id, now)),
        _procedures(session, window.office_id, now),
        _undo(session, window, here, now),
        frozenset(lanes_of_window(session, window.id, window.office_id)),
        tuple(
            Asking(call.uid, call.kiosk.name, call.reason, office_time(call.at))
            for call in open_calls(session, window.office_id, now)
        ),
    )


def _at_window(session: Session, step: VisitStep) -> AtWindow:
    call = last_call_of(session, step.id)
    people = _people(session, step)
    visit = step.visit
    return AtWindow(
        ticket=ticket_of(session, step.visit_id),
        number=number_of(session, step.visit_id),
        service=_name_of(session.get_one(Service, step.service_id)),
        stop=step.lane.name_ja,
        terminal="" if step.terminal_id is None else session.get_one(Terminal, step.terminal_id).name,
        people=people,
        passes_on=any(person.outcome is None and person.served_as is None for person in people),
        to_be_ready=step.ready_at is None and _has_ready_first(session, step),
        arrived_at=office_time(visit.arrived_at),
        booked_at=None if visit.booked_at is None else office_time(visit.booked_at),
        called_at=office_time(step.called_at or visit.arrived_at),
        calls=step.calls,
        reason=reason_text(call.reason) if call is not None else "",
    )


def _name_of(service: Service) -> str:
    return service.name_ja + ("（法定の期限あり）" if service.legal_deadline else "")


def _people(session: Session, step: VisitStep) -> tuple[PersonAt, ...]:
    rows = session.execute(
        select(VisitPerson, Notice.number, Notice.uid, Notice.restricted, Service.short_ja)
        .outerjoin(Notice, Notice.id == VisitPerson.notice_id)
        .join(Service, Service.id == VisitPerson.service_id)
        .where(VisitPerson.visit_id == step.visit_id)
        .order_by(VisitPerson.position)
    ).all()
    office_id = step.visit.office_id
    stops = stops_of(session, office_id, {person.service_id for person, *_ in rows})
    by_notice = services_by_notice(session, office_id)
    found = []
    for person, number, uid, restricted, service in rows:
        has_card = person.notice_id is not None or person.service_id in by_notice
        further = has_further(person, stops, step.lane_id)
        served = None if further else outcome_of(Outcome.DONE, has_card)
        who = person.further_of or person.position
        known = None if restricted else uid  # the phone desk, to which it leads, knows no restricted one
        found.append(PersonAt(person.position, who, number, known, service, person.outcome, has_card, served))
    return tuple(found)


def _has_ready_first(session: Session, step: VisitStep) -> bool:
    people = [person for person in step.visit.people if person.live]
    stops = stops_of(session, step.visit.office_id, {person.service_id for person in people})
    ahead = (stop for person in people for stop in stops[person.service_id][person.stops_done :])
    return any(stop.ready_first for stop in ahead if stop.lane_id != step.lane_id)


def _procedures(session: Session, office_id: int, now: datetime) -> tuple[tuple[str, str], ...]:
    offers = offers_to_walk_ins(session, office_id, business_date(now))
    return tuple((offer.service.code, offer.service.short_ja) for offer in offers)


def _undo(session: Session, window: Window, here: VisitStep | None, now: datetime) -> tuple[str, str]:
    row = session.get(Undoable, window.id, populate_existing=True)
    if row is None or not can_undo(f"staff:{window.clerk_id}", now, row.actor, row.at):
        return "", ""
    # Others of a party whose first has ended may still be there.
    can = here is None or (row.act == "finish" and row.step_id == here.id)
    return (row.act, row.at.isoformat()) if can else ("", "")


def open_elsewhere(session: Session, clerk_id: int, office_id: int, now: datetime) -> Window | None:
    """A window that a clerk has open today at another office."""
    return session.scalar(
        select(Window)
        .where(
            Window.clerk_id == clerk_id,
            Window.is_open,
            Window.opened_on == business_date(now),
            Window.office_id != office_id,
        )
        .limit(1)
    )


@dataclass(frozen=True)
class PapersOf:
    """A visit whose papers are asked for: what its services want, each sentence with the key by which it is ticked."""

    number: int
    ticket: UUID
    closes: datetime | None
    papers: tuple[tuple[str, str, dict[str, str]], ...]


def papers_of(session: Session, office_id: int, ticket: UUID, now: datetime) -> PapersOf | None:
    """What can be missing of a visit: (key, case, sentence by language) of the services of those who have not ended.

    None if there is no such visit here today.
    """
    found = session.scalar(
        select(Ticket)
        .join(Visit, Visit.id == Ticket.visit_id)
        .where(Ticket.uid == ticket, Visit.office_id == office_id, Ticket.business_date == business_date(now))
    )
    if found is None:
        return None
    wanted = {person.service_id for person in found.visit.people if person.live}
    papers = [
        (f"{service.code}.{case}.{n}", case, sentence)
        for service in session.scalars(select(Service).where(Service.id.in_(wanted)).order_by(Service.id))
        for case in CASES
        for n, sentence in enumerate(service.documents.get(case, ()))
    ]
    running = calendar_of(session, office_id, business_date(now)).session_at(now)
    closes = None if running is None else office_time(running.last_booked)
    return PapersOf(number_of(session, found.visit_id), ticket, closes, tuple(papers))


def reason_text(reason: dict[str, Any]) -> str:
    """The reason of a call as it is read to a visitor who asks "why that number before me?"."""
    arrived, due = (datetime.fromisoformat(reason[key]).strftime("%H:%M") for key in ("arrived", "due"))
    words = REASONS.get(reason["code"], REASONS["by_hand"]).format(arrived=arrived, due=due)
    return f"{words}準備のできた方を先にお呼びしています。" if reason.get("ready_first") else words


# One sentence for each code of `choose_next` and of what clerks do by hand.
REASONS = {
    "papers": "書類をそろえて戻られました（到着 {arrived}）。次にお呼びするお約束です。",
    "accommodation": "職員の判断で先にご案内しています（到着 {arrived}）。",
    "booked": "予約 {due}・到着 {arrived}。予約の時刻になりました。",
    "booked_early": "予約 {due}・到着 {arrived}。窓口があいたので、予約の時刻より早くお呼びしました。",
    "late": "予約に遅れて到着 {arrived}。順番の時刻は {due} です（同じころ予約なしで来た方より先）。",
    "walk_in": "予約なし・到着 {arrived}。順番の時刻は {due} です（来た順）。",
    "waited_long": "到着 {arrived}。順番の時刻 {due} から長くお待ちなので、予約の方より先です。",
    "returned": "一度お呼びした方が戻られました。もとの順番の時刻 {due} のままです。",
    "transferred": "ほかの窓口から移られました。もとの順番の時刻 {due} のままです。",
    "recall": "再呼出・到着 {arrived}。",
    "missed": "不在・到着 {arrived}。",
    "by_hand": "職員が番号を選んで呼びました（到着 {arrived}）。",
}
