"""What is known of the line; never writes."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import bindparam, func, select, tuple_
from sqlalchemy.orm import Session, joinedload

from madoguchi.wire import CallKind
from server.clock import at_minute, business_date
from server.offices.models import Feed
from server.queueing.models import Call, Ticket, TicketState, Visit, VisitStep
from server.queueing.rules import AT_WINDOW, StepClass, StepState

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
    """How many wait in a step's lane and stand before it; of those due at the same time, who came first."""
    if step.state is not StepState.WAITING:
        return 0
    before = tuple_(VisitStep.due_at, VisitStep.entered_at, VisitStep.id)
    return (
        session.scalar(
            select(func.count()).where(
                VisitStep.lane_id == step.lane_id,
                VisitStep.state == StepState.WAITING,
                VisitStep.due_at >= _today(now),
                VisitStep.due_at <= step.due_at,
                before < (step.due_at, step.entered_at, step.id),
            )
        )
        or 0
    )


_HEADS = (
    select(VisitStep)
    .where(
        VisitStep.lane_id == bindparam("lane"),
        VisitStep.state == StepState.WAITING,
        VisitStep.step_class == bindparam("class"),
        VisitStep.due_at >= bindparam("today"),
        VisitStep.id.not_in(bindparam("passed", expanding=True)),
    )
    .order_by(VisitStep.due_at, VisitStep.entered_at, VisitStep.id)
    .limit(HEADS)
    .execution_options(populate_existing=True)
)


def heads(session: Session, lanes: Sequence[int], now: datetime, passed_over: Sequence[int] = ()) -> list[VisitStep]:
    """The first few waiting steps of each class and lane, each found by the index."""
    found: list[VisitStep] = []
    for lane in lanes:
        for step_class in StepClass:
            asked = {"lane": lane, "class": step_class, "today": _today(now), "passed": list(passed_over)}
            found += session.scalars(_HEADS, asked)
    return found


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
    return session.scalars(
        select(Ticket.number)
        .where(Ticket.visit_id == visit_id, Ticket.state == TicketState.LIVE)
        .order_by(Ticket.id)
        .limit(1)
    ).one()


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
