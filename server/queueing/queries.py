"""What is known of the line; never writes."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any
from uuid import UUID

from sqlalchemy import Row, Select, and_, bindparam, func, or_, select, tuple_, union_all
from sqlalchemy.orm import Session, joinedload

from madoguchi import codes
from madoguchi.wire import CallKind
from server.clock import at_minute, business_date
from server.offices.models import Feed, Terminal, Window
from server.offices.policy import OfficePolicy
from server.offices.queries import lanes_of_window, terminal_kinds
from server.queueing.models import Call, Ticket, TicketState, Visit, VisitStep
from server.queueing.rules import AT_WINDOW, BEFORE_ALL, StepClass, StepState, counts_as_ready_since

HEADS = 3


def _today(now: datetime) -> datetime:
    """Steps of today are due after its midnight: what was left over from another day is not in the line."""
    return at_minute(business_date(now), 0)


_WAITING = select(func.count()).where(
    VisitStep.lane_id == bindparam("lane"),
    VisitStep.state == StepState.WAITING,
    VisitStep.due_at >= bindparam("today"),
)


def waiting_in_lane(session: Session, lane_id: int, now: datetime) -> int:
    """How many visits wait in a lane."""
    return session.scalar(_WAITING, {"lane": lane_id, "today": _today(now)}) or 0


def waiting_before(session: Session, step: VisitStep, now: datetime) -> int:
    """How many wait in a step's lane and stand before it, as if all were due and ready: of the same rank those due
    first, then those who came first."""
    if step.state is not StepState.WAITING:
        return 0
    rank = BEFORE_ALL.index(step.step_class) if step.step_class in BEFORE_ALL else len(BEFORE_ALL)
    alike = (step.step_class,) if rank < len(BEFORE_ALL) else (*set(StepClass) - set(BEFORE_ALL),)
    place = tuple_(VisitStep.due_at, VisitStep.entered_at, VisitStep.id)
    earlier = and_(
        VisitStep.step_class.in_(alike),
        VisitStep.due_at <= step.due_at,
        place < (step.due_at, step.entered_at, step.id),
    )
    before = (
        VisitStep.lane_id == step.lane_id,
        VisitStep.state == StepState.WAITING,
        VisitStep.due_at >= _today(now),
        or_(VisitStep.step_class.in_(BEFORE_ALL[:rank]), earlier),
    )
    return session.scalar(select(func.count()).where(*before)) or 0


@dataclass(frozen=True)
class Line:
    """Steps that a window can serve now: of one lane, and of one kind of terminal or none (empty)."""

    lane_id: int
    terminal_kind: str


def lines_of_window(session: Session, window: Window, now: datetime) -> list[Line]:
    """The lines from which a window can call now: of its lanes, without those whose terminals are all in use."""
    free = {"", *(terminal.kind for terminal in session.scalars(free_terminals(window.office_id, now)))}
    kinds = terminal_kinds(session, window.office_id)
    return [
        Line(lane, kind)
        for lane in lanes_of_window(session, window.id, window.office_id)
        for kind in sorted(free & {"", *kinds.get(lane, ())})
    ]


def free_terminals(office_id: int, now: datetime) -> Select[Terminal]:
    """Terminals of an office at which nobody is served, and that work."""
    in_use = select(VisitStep.terminal_id).where(VisitStep.state.in_(AT_WINDOW), VisitStep.terminal_id.is_not(None))
    return _terminals(office_id, now).where(Terminal.is_down.is_(False), Terminal.id.not_in(in_use))


def terminals_of(session: Session, office_id: int, now: datetime) -> Sequence[Terminal]:
    """The office's terminals, also those that are down."""
    return session.scalars(_terminals(office_id, now)).all()


def _terminals(office_id: int, now: datetime) -> Select[Terminal]:
    there = or_(Terminal.valid_to.is_(None), Terminal.valid_to >= business_date(now))
    return select(Terminal).where(Terminal.office_id == office_id, there).order_by(Terminal.id)


# Of those who are not ready also the first who have been there so long that they count as ready: however many are due
# before, they are found. The index holds their entering, too, and passes over no more than have come since.
_READINESS = (
    (VisitStep.ready.is_(True),),
    (VisitStep.ready.is_(False),),
    (VisitStep.ready.is_(False), VisitStep.entered_at <= bindparam("long_ago")),
)


@cache
def _heads(lines: int) -> Select[VisitStep]:
    """The first few of each line, class and readiness in one statement: as many look-ups in the index, no sorting."""
    first = [
        select(
            select(VisitStep.id)
            .where(
                VisitStep.lane_id == bindparam(f"lane{n}"),
                VisitStep.state == StepState.WAITING,
                VisitStep.terminal_kind == bindparam(f"kind{n}"),
                *readiness,
                VisitStep.step_class == step_class,
                VisitStep.due_at >= bindparam("today"),
            )
            .order_by(VisitStep.due_at, VisitStep.entered_at, VisitStep.id)
            .limit(bindparam("first"))
            .subquery()
            .c.id
        )
        for n in range(lines)
        for readiness in _READINESS
        for step_class in StepClass
    ]
    found = select(VisitStep).where(VisitStep.id.in_(union_all(*first)))
    return found.execution_options(populate_existing=True)


def heads(
    session: Session, lines: Sequence[Line], now: datetime, policy: OfficePolicy, passed_over: Sequence[int] = ()
) -> list[VisitStep]:
    """The first few waiting steps of each class and readiness of these lines, each found by the index; those passed
    over do not count among them. Among them is whoever the rule would choose of all."""
    if not lines:
        return []
    long_ago = counts_as_ready_since(now, policy)
    asked: dict[str, Any] = {"today": _today(now), "first": HEADS + len(passed_over), "long_ago": long_ago}
    for n, line in enumerate(lines):
        asked |= {f"lane{n}": line.lane_id, f"kind{n}": line.terminal_kind}
    return [step for step in session.scalars(_heads(len(lines)), asked) if step.id not in passed_over]


def step_at_window(session: Session, window_id: int) -> VisitStep | None:
    """Who is called to or served at a window."""
    return session.scalar(
        select(VisitStep)
        .where(VisitStep.window_id == window_id, VisitStep.state.in_(AT_WINDOW))
        .options(joinedload(VisitStep.visit))
        .execution_options(populate_existing=True)
    )


def number_of(session: Session, visit_id: int) -> int:
    """The number under which a visit is called: that of its first live ticket."""
    _, number = _first_live(session, visit_id)
    return number


def ticket_of(session: Session, visit_id: int) -> UUID:
    """The ticket under which a visit is called: its first live one."""
    uid, _ = _first_live(session, visit_id)
    return uid


_FIRST_LIVE = (
    select(Ticket.uid, Ticket.number)
    .where(Ticket.visit_id == bindparam("visit"), Ticket.state == TicketState.LIVE)
    .order_by(Ticket.id)
    .limit(1)
)


def _first_live(session: Session, visit_id: int) -> Row[UUID, int]:
    return session.execute(_FIRST_LIVE, {"visit": visit_id}).one()


def missed_tickets(session: Session, office_id: int, now: datetime) -> Sequence[tuple[int, VisitStep]]:
    """(number, step) of those who were called today and did not come, the longest missed first."""
    rows = session.execute(
        select(Ticket.number, VisitStep)
        .join(Visit, Visit.id == VisitStep.visit_id)
        .join(Ticket, Ticket.visit_id == Visit.id)
        .where(
            Visit.office_id == office_id,
            Visit.business_date == business_date(now),
            VisitStep.state == StepState.MISSED,
            Ticket.state == TicketState.LIVE,
        )
        .order_by(VisitStep.called_at)
    )
    return [(number, step) for number, step in rows]


@dataclass(frozen=True)
class Aside:
    """A visit of today that is not just waiting: its ticket, number and open step."""

    ticket: UUID
    number: int
    step: VisitStep


def set_aside(session: Session, office_id: int, now: datetime) -> list[Aside]:
    """Who was missed or rests today, and who waits without being ready, the longest due first."""
    rows = session.execute(
        select(Ticket.uid, Ticket.number, VisitStep)
        .join(Visit, Visit.id == VisitStep.visit_id)
        .join(Ticket, Ticket.visit_id == Visit.id)
        .where(
            Visit.office_id == office_id,
            Visit.business_date == business_date(now),
            or_(
                VisitStep.state.in_((StepState.MISSED, StepState.PARKED)),
                and_(VisitStep.state == StepState.WAITING, VisitStep.ready.is_(False)),
            ),
            Ticket.state == TicketState.LIVE,
        )
        .order_by(VisitStep.due_at, VisitStep.id)
    )
    return [Aside(uid, number, step) for uid, number, step in rows]


def first_due(session: Session, lane_id: int, now: datetime, n: int) -> Sequence[datetime]:
    """When the first n who wait in a lane are due."""
    return session.scalars(
        select(VisitStep.due_at)
        .where(VisitStep.lane_id == lane_id, VisitStep.state == StepState.WAITING, VisitStep.due_at >= _today(now))
        .order_by(VisitStep.due_at, VisitStep.entered_at, VisitStep.id)
        .limit(n)
    ).all()


def ticket_by_code(session: Session, offices: Sequence[int], code: codes.Code, now: datetime) -> Ticket | None:
    """The ticket of today whose slip carries this code; a day has few enough to look at each."""
    today = session.execute(_OF_DAY, {"offices": offices, "day": business_date(now)})
    found = next((row.id for row in today if codes.of_ticket(row.uid) == code), None)
    return None if found is None else session.get_one(Ticket, found)


_OF_DAY = (
    select(Ticket.id, Ticket.uid)
    .join(Visit, Visit.id == Ticket.visit_id)
    .where(Visit.office_id.in_(bindparam("offices", expanding=True)), Visit.business_date == bindparam("day"))
)


def last_call_of(session: Session, step_id: int) -> Call | None:
    """The newest call of a step, with its reason."""
    return session.scalar(select(Call).where(Call.step_id == step_id).order_by(Call.sequence.desc()).limit(1))


def sequence_of(session: Session, office_id: int) -> int:
    """The office's committed board sequence."""
    return session.scalar(select(Feed.sequence).where(Feed.office_id == office_id)) or 0


def calls_of_today(session: Session, office_id: int, now: datetime, limit: int) -> Sequence[Call]:
    """The newest callings of today, newest first."""
    return session.scalars(
        select(Call)
        .where(Call.office_id == office_id, Call.at >= _today(now), Call.kind != CallKind.MISSED)
        .order_by(Call.sequence.desc())
        .limit(limit)
    ).all()
