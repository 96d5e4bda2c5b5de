"""Entry points of the line: open a window, call next, call again, missed; and the steps that end a visit.

Locks, always in this order: visits by id, number_days, visit_steps by id, windows, feeds (docs/concurrency.md).
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from uuid import UUID

from sqlalchemy import select, update

from madoguchi.wire import CallKind, Message
from server.audit import record
from server.clock import business_date
from server.db import Transaction, locked, read_session, transaction
from server.events import QueueChanged, TicketCalled
from server.offices.models import Feed, Lane, Terminal, Window
from server.offices.queries import stops_of
from server.queueing.models import Call, Ticket, Visit, VisitPerson, VisitStep
from server.queueing.queries import Line, free_terminals, heads, lines_of_window, number_of, step_at_window
from server.queueing.rules import (
    AT_WINDOW,
    OPEN_STATES,
    LastStop,
    NobodyAtWindow,
    NobodyWaiting,
    NoTerminalFree,
    NotPossible,
    OtherVisitor,
    Outcome,
    Reason,
    StepAction,
    StepLike,
    StepState,
    UnknownWindow,
    WindowClosed,
    WindowOccupied,
    after,
    choose_next,
    next_stand,
)
from server.queueing.tickets import enter
from server.repeats import Caller, repeat_of

TRIES = 5


@dataclass(frozen=True)
class Called(Message):
    """One calling, as desk and board show it."""

    sequence: int
    kind: str
    number: int
    window: int
    visit: UUID
    reason: str
    at: datetime


@dataclass(frozen=True)
class WindowState(Message):
    """A window after it was opened or closed."""

    window: int
    number: int
    is_open: bool


def open_window(
    caller: Caller, window_id: int, clerk_id: int, now: datetime, *, may_take_over: bool = False
) -> WindowState:
    """A clerk takes a window; who may take over also takes one that a colleague has left open, with its visitor.

    Raises UnknownWindow, WindowOccupied (somebody else has worked there since this morning).
    """
    with transaction() as tx:
        repeat = repeat_of(tx, caller, "window.open", {"window": window_id}, now)
        if repeat.answer is not None:
            return WindowState.from_json(repeat.answer)
        window = _locked_window(tx, window_id)
        today = business_date(now)
        others = window.is_open and window.opened_on == today and window.clerk_id != clerk_id
        if others and not may_take_over:
            raise WindowOccupied(window=window.number)
        window.is_open, window.opened_on, window.clerk_id = True, today, clerk_id
        record(tx, now, caller.actor, "window.take_over" if others else "window.open", None, window=window.id)
        return repeat.keep(WindowState(window.id, window.number, True))


def close_window(caller: Caller, window_id: int, now: datetime) -> WindowState:
    """The window calls nobody any more. Raises WindowOccupied while somebody is called or served there."""
    with transaction() as tx:
        repeat = repeat_of(tx, caller, "window.close", {"window": window_id}, now)
        if repeat.answer is not None:
            return WindowState.from_json(repeat.answer)
        window = _locked_window(tx, window_id)
        if step_at_window(tx.session, window_id) is not None:
            raise WindowOccupied(window=window.number)
        window.is_open, window.clerk_id = False, None
        record(tx, now, caller.actor, "window.close", None, window=window.id)
        return repeat.keep(WindowState(window.id, window.number, False))


def call_next(caller: Caller, window_id: int, now: datetime) -> Called:
    """Call whoever is next in the window's lanes.

    Raises NobodyWaiting, WindowClosed, WindowOccupied (finish the visit at the window first), UnknownWindow.
    """
    with transaction() as tx:
        repeat = repeat_of(tx, caller, "queue.call_next", {"window": window_id}, now)
        if repeat.answer is not None:
            return Called.from_json(repeat.answer)
        window = _ready_window(tx, window_id)
        lines = lines_of_window(tx.session, window, now)
        while True:
            step, reason = _claim(tx, partial(_choose, tx, lines, now))
            _check_ready(tx, _locked_window(tx, window_id))
            try:
                _take_to(tx, step, window, now)
            except NoTerminalFree:  # somebody has taken the last one since we looked: all others can still be called
                lines = [line for line in lines if line.terminal_kind != step.terminal_kind]
                continue
            break
        called = _announce(tx, step, window, CallKind.CALL, reason, now)
        record(tx, now, caller.actor, "ticket.call", called.visit, number=called.number, window=window.number)
        tx.publish(QueueChanged(window.office_id))
        return repeat.keep(called)


def call_ticket(caller: Caller, window_id: int, ticket: UUID, now: datetime) -> Called:
    """Call one ticket by itself: somebody who was missed has come. Raises as `call_next`, and NotPossible,
    NoTerminalFree."""
    with transaction() as tx:
        repeat = repeat_of(tx, caller, "queue.call_ticket", {"window": window_id, "ticket": str(ticket)}, now)
        if repeat.answer is not None:
            return Called.from_json(repeat.answer)
        window = _ready_window(tx, window_id)
        visit_id = tx.session.scalar(
            select(Visit.id).join(Ticket).where(Ticket.uid == ticket, Visit.office_id == window.office_id)
        )
        if visit_id is None:
            raise NotPossible
        step = _locked_step_of(tx, visit_id)
        _check_ready(tx, _locked_window(tx, window_id))
        _take_to(tx, step, window, now)
        called = _announce(tx, step, window, CallKind.CALL, Reason("by_hand", step.due_at, step.entered_at), now)
        record(
            tx,
            now,
            caller.actor,
            "ticket.call_by_hand",
            called.visit,
            number=called.number,
            window=window.number,
        )
        tx.publish(QueueChanged(window.office_id))
        return repeat.keep(called)


def recall(caller: Caller, window_id: int, now: datetime, number: int | None = None) -> Called:
    """Call the same ticket to the same window again; `number` is the one the clerk sees.

    Raises NobodyAtWindow, OtherVisitor, NotPossible (already served).
    """
    with transaction() as tx:
        repeat = repeat_of(tx, caller, "queue.recall", {"window": window_id, "number": number}, now)
        if repeat.answer is not None:
            return Called.from_json(repeat.answer)
        step = locked_step_at(tx, window_id, number)
        step.state = after(step.state, StepAction.RECALL)
        step.called_at, step.calls = now, step.calls + 1
        called = _announce(
            tx,
            step,
            _window(tx, window_id),
            CallKind.RECALL,
            Reason("recall", step.due_at, step.entered_at),
            now,
        )
        record(tx, now, caller.actor, "ticket.recall", called.visit, number=called.number)
        return repeat.keep(called)


def missed(caller: Caller, window_id: int, now: datetime, number: int | None = None) -> Called:
    """The person called did not come: the number, which is the one the clerk sees, goes to the absent list.

    Raises NobodyAtWindow, OtherVisitor, NotPossible.
    """
    with transaction() as tx:
        repeat = repeat_of(tx, caller, "queue.missed", {"window": window_id, "number": number}, now)
        if repeat.answer is not None:
            return Called.from_json(repeat.answer)
        step = locked_step_at(tx, window_id, number)
        step.state = after(step.state, StepAction.MISS)
        _leave_window(step)
        called = _announce(
            tx,
            step,
            _window(tx, window_id),
            CallKind.MISSED,
            Reason("missed", step.due_at, step.entered_at),
            now,
        )
        record(tx, now, caller.actor, "ticket.missed", called.visit, number=called.number)
        return repeat.keep(called)


def locked_step_at(tx: Transaction, window_id: int, number: int | None = None) -> VisitStep:
    """Step: the open step at a window, visit locked first. Raises NobodyAtWindow; OtherVisitor if the clerk sees
    another `number`."""
    seen = step_at_window(tx.session, window_id)
    if seen is None:
        raise NobodyAtWindow
    try:
        step = _locked_step_of(tx, seen.visit_id)
    except NotPossible:
        raise NobodyAtWindow from None
    if step.window_id != window_id:
        raise NobodyAtWindow
    if number not in (None, number_of(tx.session, step.visit_id)):
        raise OtherVisitor
    return step


@dataclass(frozen=True)
class Passed(Message):
    """A visit that goes on to its next stop."""

    visit: UUID
    number: int
    lane: dict[str, str]


def pass_on(caller: Caller, window_id: int, now: datetime, number: int | None = None) -> Passed:
    """This stop is done: the visit waits for its next one, with its number and its place in the order.

    Raises NobodyAtWindow, OtherVisitor, LastStop.
    """
    with transaction() as tx:
        repeat = repeat_of(tx, caller, "queue.pass_on", {"window": window_id, "number": number}, now)
        if repeat.answer is not None:
            return Passed.from_json(repeat.answer)
        step = locked_step_at(tx, window_id, number)
        following = finish_stop(tx, step, now)
        if following is None:
            raise LastStop
        visit, called = step.visit, number_of(tx.session, step.visit_id)
        record(tx, now, caller.actor, "visit.pass_on", visit.uid, number=called, stop=following.position)
        tx.publish(QueueChanged(visit.office_id))
        return repeat.keep(Passed(visit.uid, called, tx.session.get_one(Lane, following.lane_id).names))


def finish_stop(tx: Transaction, step: VisitStep, now: datetime) -> VisitStep | None:
    """Step: what a stop is for is done for all who stand in it. Gives the step in which they wait now, if any."""
    visit = step.visit
    people = [person for person in people_of(tx, visit.id) if person.live]
    stops = stops_of(tx.session, visit.office_id, {person.service_id for person in people})
    for person in people:
        own = stops[person.service_id]
        if person.stops_done < len(own) and own[person.stops_done].lane_id == step.lane_id:
            person.stops_done += 1
    step.state, step.ended_at = after(step.state, StepAction.FINISH), now
    stand = next_stand(people, stops)
    if stand is None:
        return None
    tx.session.flush()  # one open step for each visit: the old one is closed first
    following = enter(visit, step.position + 1, stand, step.step_class, step.due_at, now)
    tx.session.add(following)
    tx.session.flush()
    return following


def end_people(tx: Transaction, step: VisitStep, outcomes: Mapping[int, Outcome], now: datetime) -> bool:
    """Step: people of a visit (by position) have ended, each with an outcome. Gives whether nobody of it is left: then
    it has ended, and its step with it."""
    people = people_of(tx, step.visit_id)
    for person in people:
        if person.live and person.position in outcomes:
            person.outcome, person.finished_at, person.live = outcomes[person.position], now, False
    if any(person.live for person in people):
        return False
    step.visit.live, step.ended_at = False, now
    if step.state in AT_WINDOW:
        step.state = after(step.state, StepAction.FINISH)
    return True


def close_past_days(now: datetime) -> int:
    """Sweep: what was left open on an earlier day is ended, visits as `left`, windows as closed. Gives the visits."""
    today = business_date(now)
    left_open = (
        select(VisitStep.visit_id)
        .join(Visit, Visit.id == VisitStep.visit_id)
        .where(Visit.business_date < today, VisitStep.state.in_(OPEN_STATES))
        .order_by(VisitStep.visit_id)
    )
    visits = read_session().scalars(left_open).all()
    windows = read_session().scalars(select(Window.id).where(Window.is_open, Window.opened_on < today)).all()
    if not visits and not windows:
        return 0
    with transaction() as tx:
        for visit_id in visits:
            _void(tx, visit_id, now)
        for window_id in sorted(windows):
            window = _locked_window(tx, window_id)
            if window.opened_on is not None and window.opened_on < today:
                window.is_open, window.clerk_id = False, None
        record(tx, now, "timetable", "queue.close_past_days", None, visits=len(visits), windows=len(windows))
    return len(visits)


def _void(tx: Transaction, visit_id: int, now: datetime) -> None:
    step = _locked_step_of(tx, visit_id)
    # From every open state there is a way out at the end of a day, also from a window nobody cleared.
    step.state, step.parked_for = after(step.state, StepAction.END_OF_DAY), None
    _leave_window(step)
    end_people(tx, step, {person.position: Outcome.LEFT for person in people_of(tx, visit_id)}, now)


def people_of(tx: Transaction, visit_id: int) -> Sequence[VisitPerson]:
    """Step: the people of a visit, which is locked, read afresh."""
    return tx.session.scalars(
        select(VisitPerson)
        .where(VisitPerson.visit_id == visit_id)
        .order_by(VisitPerson.position)
        .execution_options(populate_existing=True)
    ).all()


def _choose(tx: Transaction, lines: Sequence[Line], now: datetime, passed: Sequence[int]) -> tuple[StepLike, Reason]:
    return choose_next(heads(tx.session, lines, now, passed), now)


def _claim(tx: Transaction, choose: Callable[[list[int]], tuple[StepLike, Reason]]) -> tuple[VisitStep, Reason]:
    """Choose, and lock the chosen visit without waiting: two windows that choose the same person must not meet.

    A visit that somebody else has locked is passed over for this choice; if only such are left, the line is read
    again, for they may have been let go.
    """
    for _ in range(TRIES):
        passed: list[int] = []
        while True:
            try:
                chosen, reason = choose(passed)
            except NobodyWaiting:
                break
            step = tx.session.get_one(VisitStep, chosen.id)
            if tx.session.scalar(locked(select(Visit).where(Visit.id == step.visit_id), skip=True)) is not None:
                tx.session.scalars(locked(select(VisitStep).where(VisitStep.id == step.id))).one()
                if step.state is StepState.WAITING:
                    return step, reason
            passed.append(step.id)
        if not passed:
            break
    raise NobodyWaiting


def _take_to(tx: Transaction, step: VisitStep, window: Window, now: datetime) -> None:
    """The step is called to a window, which is locked, and has a terminal where it needs one. Raises NoTerminalFree."""
    if step.terminal_kind:
        free = free_terminals(window.office_id, now).where(Terminal.kind == step.terminal_kind)
        terminal = tx.session.scalar(locked(free.limit(1), skip=True))
        if terminal is None:
            raise NoTerminalFree
        step.terminal_id = terminal.id
    step.state = after(step.state, StepAction.CALL)
    step.window_id, step.called_at, step.calls = window.id, now, step.calls + 1
    step.first_called_at = step.first_called_at or now


def _leave_window(step: VisitStep) -> None:
    step.window_id = step.terminal_id = None


def _locked_step_of(tx: Transaction, visit_id: int) -> VisitStep:
    """The visit's open step; the visit is locked first. Raises NotPossible if the visit has ended."""
    tx.session.scalars(locked(select(Visit).where(Visit.id == visit_id))).one()
    step = tx.session.scalar(
        locked(select(VisitStep).where(VisitStep.visit_id == visit_id, VisitStep.state.in_(OPEN_STATES)))
    )
    if step is None:
        raise NotPossible
    return step


def _window(tx: Transaction, window_id: int) -> Window:
    window = tx.session.get(Window, window_id)
    if window is None:
        raise UnknownWindow
    return window


def _locked_window(tx: Transaction, window_id: int) -> Window:
    window = tx.session.scalar(locked(select(Window).where(Window.id == window_id)))
    if window is None:
        raise UnknownWindow
    return window


def _ready_window(tx: Transaction, window_id: int) -> Window:
    """An open window with nobody at it. Visits are locked before windows, so it is locked, and checked again, later:
    whoever closes it or calls to it at this moment is before or after us, never beside us."""
    window = _window(tx, window_id)
    _check_ready(tx, window)
    return window


def _check_ready(tx: Transaction, window: Window) -> None:
    if not window.is_open:
        raise WindowClosed(window=window.number)
    if step_at_window(tx.session, window.id) is not None:
        raise WindowOccupied(window=window.number)


def _announce(
    tx: Transaction, step: VisitStep, window: Window, kind: CallKind, reason: Reason, now: datetime
) -> Called:
    """Write the call into the office's sequence; the feed's row is the last lock taken."""
    tx.session.flush()
    number = number_of(tx.session, step.visit_id)
    visit = step.visit.uid
    sequence = tx.session.execute(
        update(Feed)
        .where(Feed.office_id == window.office_id)
        .values(sequence=Feed.sequence + 1)
        .returning(Feed.sequence)
        .execution_options(synchronize_session=False)
    ).scalar_one()
    tx.session.add(
        Call(
            office_id=window.office_id,
            sequence=sequence,
            step_id=step.id,
            window_id=window.id,
            number=number,
            window_number=window.number,
            kind=kind,
            reason=reason.to_json(),
            at=now,
        )
    )
    tx.publish(TicketCalled(window.office_id, sequence, kind.value, number, window.number, now))
    return Called(sequence, kind.value, number, window.number, visit, reason.code, now)
