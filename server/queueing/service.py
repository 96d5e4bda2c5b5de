"""Entry points of the line: open a window, call next, call again, missed; and the steps that end a visit.

Locks, always in this order: visits by id, number_days, visit_steps by id, windows, feeds (docs/concurrency.md).
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, time
from functools import partial
from typing import Any
from uuid import UUID

from sqlalchemy import select, update

from madoguchi.wire import CallKind, Message
from server.audit import record
from server.clock import business_date
from server.db import Transaction, locked, read_session, transaction
from server.events import QueueChanged, TicketCalled
from server.offices.models import Feed, Lane, Terminal, Window
from server.offices.policy import OfficePolicy
from server.offices.queries import lanes_of_window, policy_on, service_for_walk_ins, stops_of
from server.queueing.models import Call, Ticket, Undoable, Visit, VisitPerson, VisitStep
from server.queueing.queries import (
    Line,
    first_due,
    free_terminals,
    heads,
    lines_of_window,
    number_of,
    step_at_window,
    ticket_of,
)
from server.queueing.rules import (
    AT_WINDOW,
    OPEN_STATES,
    ChangedSince,
    LastStop,
    NobodyAtWindow,
    NobodyWaiting,
    NoTerminalFree,
    NothingToUndo,
    NotPossible,
    OfAnotherDay,
    OtherVisitor,
    Outcome,
    ParkedFor,
    Reason,
    StepAction,
    StepLike,
    StepState,
    UnknownTerminal,
    UnknownWindow,
    WindowClosed,
    WindowOccupied,
    WrongWindow,
    after,
    back,
    can_undo,
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
        policy = policy_on(tx.session, window.office_id, business_date(now))
        while True:
            step, reason = _claim(tx, partial(_choose, tx, lines, policy, now))
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
    NoTerminalFree, OfAnotherDay, WrongWindow."""
    with transaction() as tx:
        repeat = repeat_of(tx, caller, "queue.call_ticket", {"window": window_id, "ticket": str(ticket)}, now)
        if repeat.answer is not None:
            return Called.from_json(repeat.answer)
        window = _ready_window(tx, window_id)
        step = locked_step_of(tx, _visit_of(tx, window.office_id, ticket, now))
        if step.lane_id not in lanes_of_window(tx.session, window.id, window.office_id):
            raise WrongWindow
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

    Raises NobodyAtWindow, OtherVisitor, NotPossible (already served), OfAnotherDay.
    """
    with transaction() as tx:
        repeat = repeat_of(tx, caller, "queue.recall", {"window": window_id, "number": number}, now)
        if repeat.answer is not None:
            return Called.from_json(repeat.answer)
        step = _step_of_today_at(tx, window_id, number, now)
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
        remember(tx, caller, window_id, "missed", step, now)
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
        step = locked_step_of(tx, seen.visit_id)
    except NotPossible:
        raise NobodyAtWindow from None
    if step.window_id != window_id:
        raise NobodyAtWindow
    if number not in (None, number_of(tx.session, step.visit_id)):
        raise OtherVisitor
    return step


def _step_of_today_at(tx: Transaction, window_id: int, number: int | None, now: datetime) -> VisitStep:
    """As `locked_step_at`, of whom more is wanted than to end: raises OfAnotherDay for who was left there overnight."""
    step = locked_step_at(tx, window_id, number)
    if step.visit.business_date != business_date(now):
        raise OfAnotherDay
    return step


@dataclass(frozen=True)
class Rested(Message):
    """A visit that was set aside, came back or was changed, and the ticket under which it is called."""

    visit: UUID
    number: int
    ticket: UUID


@dataclass(frozen=True)
class TerminalState(Message):
    """A terminal after it was reported down or back."""

    name: str
    is_down: bool


@dataclass(frozen=True)
class Passed(Message):
    """A visit that goes on to its next stop."""

    visit: UUID
    number: int
    lane: dict[str, str]


def pass_on(caller: Caller, window_id: int, now: datetime, number: int | None = None) -> Passed:
    """This stop is done: the visit waits for its next one, with its number and its place in the order.

    Raises NobodyAtWindow, OtherVisitor, LastStop, OfAnotherDay.
    """
    with transaction() as tx:
        repeat = repeat_of(tx, caller, "queue.pass_on", {"window": window_id, "number": number}, now)
        if repeat.answer is not None:
            return Passed.from_json(repeat.answer)
        step = _step_of_today_at(tx, window_id, number, now)
        done = {str(person.position): person.stops_done for person in people_of(tx, step.visit_id)}
        following = finish_stop(tx, step, now)
        if following is None:
            raise LastStop
        remember(tx, caller, window_id, "pass_on", step, now, stops_done=done, following=following.id)
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
    following.ready, following.ready_at = following.ready or step.ready_at is not None, step.ready_at
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


def park(
    caller: Caller,
    window_id: int,
    why: ParkedFor,
    now: datetime,
    number: int | None = None,
    missing: Sequence[str] = (),
    until: time | None = None,
) -> Rested:
    """保留: the visit at a window rests and the window is free; `missing` names the papers that are fetched, `until` is
    the hour that was said: both stand in the audit.

    Raises NobodyAtWindow, OtherVisitor, OfAnotherDay.
    """
    with transaction() as tx:
        body = {"window": window_id, "why": why.value, "number": number}
        repeat = repeat_of(tx, caller, "queue.park", body, now)
        if repeat.answer is not None:
            return Rested.from_json(repeat.answer)
        step = _step_of_today_at(tx, window_id, number, now)
        remember(tx, caller, window_id, "park", step, now)
        step.state, step.parked_for = after(step.state, StepAction.PARK), why
        _leave_window(step)
        visit, shown = step.visit, number_of(tx.session, step.visit_id)
        facts: dict[str, Any] = {"missing": list(missing)} if missing else {}
        if until is not None:
            facts["until"] = f"{until:%H:%M}"
        record(tx, now, caller.actor, "visit.park", visit.uid, number=shown, reason=why.value, **facts)
        tx.publish(QueueChanged(visit.office_id))
        return repeat.keep(Rested(visit.uid, shown, ticket_of(tx.session, step.visit_id)))


def come_back(caller: Caller, office_id: int, ticket: UUID, now: datetime) -> Rested:
    """戻った: somebody who rested or was missed waits again. Raises NotPossible (waits, is served, or has ended),
    OfAnotherDay."""
    with transaction() as tx:
        repeat = repeat_of(tx, caller, "queue.come_back", {"ticket": str(ticket)}, now)
        if repeat.answer is not None:
            return Rested.from_json(repeat.answer)
        step = locked_step_of(tx, _visit_of(tx, office_id, ticket, now))
        bring_back(tx, caller, step, now)
        return repeat.keep(Rested(step.visit.uid, number_of(tx.session, step.visit_id), ticket))


def bring_back(tx: Transaction, caller: Caller, step: VisitStep, now: datetime) -> None:
    """Step, on the locked step of somebody who was away: it is in the line again. Raises NotPossible."""
    visit, action = step.visit, StepAction.RESUME if step.state is StepState.PARKED else StepAction.RETURN
    calls = policy_on(tx.session, visit.office_id, visit.business_date).missed_return_calls
    first = first_due(tx.session, step.lane_id, now, calls)
    step.step_class, step.due_at = back(step, first)
    step.state, step.parked_for = after(step.state, action), None
    record(tx, now, caller.actor, "visit.come_back", visit.uid, number=number_of(tx.session, step.visit_id))
    tx.publish(QueueChanged(visit.office_id))


def make_ready(caller: Caller, office_id: int, ticket: UUID, now: datetime) -> Rested:
    """暗証番号決定済: a visit is ready, at its stop or for a later one.

    Raises NotPossible (has ended), OfAnotherDay.
    """
    with transaction() as tx:
        repeat = repeat_of(tx, caller, "queue.make_ready", {"ticket": str(ticket)}, now)
        if repeat.answer is not None:
            return Rested.from_json(repeat.answer)
        step = locked_step_of(tx, _visit_of(tx, office_id, ticket, now))
        step.ready, step.ready_at = True, step.ready_at or now
        number = number_of(tx.session, step.visit_id)
        record(tx, now, caller.actor, "visit.ready", step.visit.uid, number=number)
        tx.publish(QueueChanged(office_id))
        return repeat.keep(Rested(step.visit.uid, number, ticket))


def add_procedure(
    caller: Caller, window_id: int, position: int, service: str, now: datetime, number: int | None = None
) -> Rested:
    """手続の追加: the person at `position` of the visit at a window also wants this (a service's code), which is done
    in the same visit, with its number and its place in the order.

    Raises NobodyAtWindow, OtherVisitor, UnknownService, NotPossible (no such person, or has ended), OfAnotherDay.
    """
    with transaction() as tx:
        body = {"window": window_id, "position": position, "service": service, "number": number}
        repeat = repeat_of(tx, caller, "queue.add_procedure", body, now)
        if repeat.answer is not None:
            return Rested.from_json(repeat.answer)
        step = _step_of_today_at(tx, window_id, number, now)
        people = people_of(tx, step.visit_id)
        person = next((p for p in people if p.live and p.position == position), None)
        if person is None:
            raise NotPossible
        visit = step.visit
        wanted = service_for_walk_ins(tx.session, visit.office_id, service, visit.business_date)
        stops_of(tx.session, visit.office_id, [wanted.id])  # an office that has no stop for it cannot do it
        tx.session.add(
            VisitPerson(
                visit_id=visit.id,
                position=people[-1].position + 1,
                further_of=person.further_of or person.position,
                service_id=wanted.id,
                case=person.case,
                stops_done=0,
                live=True,
            )
        )
        shown = number_of(tx.session, step.visit_id)
        record(tx, now, caller.actor, "visit.add_procedure", visit.uid, number=shown, service=service)
        tx.publish(QueueChanged(visit.office_id))
        return repeat.keep(Rested(visit.uid, shown, ticket_of(tx.session, visit.id)))


def set_terminal(caller: Caller, office_id: int, terminal_id: int, now: datetime, *, is_down: bool) -> TerminalState:
    """故障・復旧: a terminal serves nobody new, or does again; whoever is at it stays. Raises UnknownTerminal."""
    with transaction() as tx:
        repeat = repeat_of(tx, caller, "terminal.set", {"terminal": terminal_id, "down": is_down}, now)
        if repeat.answer is not None:
            return TerminalState.from_json(repeat.answer)
        terminal = tx.session.scalar(
            locked(select(Terminal).where(Terminal.id == terminal_id, Terminal.office_id == office_id))
        )
        if terminal is None:
            raise UnknownTerminal
        terminal.is_down = is_down
        record(tx, now, caller.actor, "terminal.down" if is_down else "terminal.up", None, terminal=terminal.name)
        tx.publish(QueueChanged(office_id))
        return repeat.keep(TerminalState(terminal.name, is_down))


def remember(
    tx: Transaction, caller: Caller, window_id: int, act: str, step: VisitStep, now: datetime, **before: Any
) -> None:
    """Step: what was just done at a window can be undone for a minute; `before` as in `Undoable`."""
    kept = {**before, "terminal": step.terminal_id, "calls": step.calls}
    tx.session.merge(Undoable(window_id=window_id, act=act, actor=caller.actor, at=now, step_id=step.id, before=kept))


def undoable_at(tx: Transaction, caller: Caller, window_id: int, now: datetime) -> Undoable:
    """Step: what the caller may undo at a window. Raises NothingToUndo."""
    row = tx.session.get(Undoable, window_id, populate_existing=True)
    if row is None or not can_undo(caller.actor, now, row.actor, row.at):
        raise NothingToUndo
    return row


def undo_step(tx: Transaction, row: Undoable) -> VisitStep:
    """Step: the visit stands at the window again as before; its people too. `row` is used up.

    Raises ChangedSince, WindowClosed, WindowOccupied, NoTerminalFree.
    """
    step, before = tx.session.get_one(VisitStep, row.step_id), row.before
    visit = tx.session.scalars(locked(select(Visit).where(Visit.id == step.visit_id))).one()
    wanted = sorted(id_ for id_ in (step.id, before.get("following")) if id_ is not None)
    steps = {
        s.id: s
        for s in tx.session.scalars(locked(select(VisitStep).where(VisitStep.id.in_(wanted)).order_by(VisitStep.id)))
    }
    window = _locked_window(tx, row.window_id)
    if tx.session.scalar(select(Undoable.at).where(Undoable.window_id == window.id)) != row.at:
        raise ChangedSince
    people = people_of(tx, visit.id)
    ended = [person for person in people if person.position in before.get("ended", ())]
    if any(person.live for person in ended) or step.calls != before["calls"]:
        raise ChangedSince
    if row.act == "finish" and visit.live:  # others of the party are still at the window
        if step.window_id != window.id or step.state not in AT_WINDOW:
            raise ChangedSince
    else:
        _stand_again(tx, row, step, steps.get(before.get("following")), window)
    for person in ended:
        person.outcome, person.finished_at, person.live = None, None, True
    for person in people:
        person.stops_done = before.get("stops_done", {}).get(str(person.position), person.stops_done)
    visit.live = True
    tx.session.delete(row)
    return step


LEFT_AS = {"finish": StepState.DONE, "pass_on": StepState.DONE, "missed": StepState.MISSED, "park": StepState.PARKED}


def _stand_again(tx: Transaction, row: Undoable, step: VisitStep, following: VisitStep | None, window: Window) -> None:
    if step.state is not LEFT_AS[row.act]:
        raise ChangedSince
    if row.act == "pass_on":
        if following is None or following.state is not StepState.WAITING or following.calls:
            raise ChangedSince
        step.ready, step.ready_at = step.ready or following.ready_at is not None, following.ready_at
        tx.session.delete(following)
        tx.session.flush()  # one open step for each visit
    _check_ready(tx, window)
    terminal_id = row.before["terminal"]
    if terminal_id is not None:
        tx.session.scalars(locked(select(Terminal).where(Terminal.id == terminal_id))).one()
        at_it = select(VisitStep.id).where(VisitStep.terminal_id == terminal_id, VisitStep.state.in_(AT_WINDOW))
        if tx.session.scalar(at_it.limit(1)) is not None:
            raise NoTerminalFree
    step.state, step.parked_for, step.ended_at = after(step.state, StepAction.UNDO), None, None
    step.window_id, step.terminal_id = window.id, terminal_id


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
    step = locked_step_of(tx, visit_id)
    outcome = Outcome.PAPERS_MISSING if step.parked_for is ParkedFor.PAPERS else Outcome.LEFT
    # From every open state there is a way out at the end of a day, also from a window nobody cleared.
    step.state, step.parked_for = after(step.state, StepAction.END_OF_DAY), None
    _leave_window(step)
    end_people(tx, step, {person.position: outcome for person in people_of(tx, visit_id)}, now)


def people_of(tx: Transaction, visit_id: int) -> Sequence[VisitPerson]:
    """Step: the people of a visit, which is locked, read afresh."""
    return tx.session.scalars(
        select(VisitPerson)
        .where(VisitPerson.visit_id == visit_id)
        .order_by(VisitPerson.position)
        .execution_options(populate_existing=True)
    ).all()


def _choose(
    tx: Transaction, lines: Sequence[Line], policy: OfficePolicy, now: datetime, passed: Sequence[int]
) -> tuple[StepLike, Reason]:
    return choose_next(heads(tx.session, lines, now, policy, passed), now, policy)


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
                # Who was passed on by mistake does not stand here any more: that step is gone.
                there = tx.session.scalar(locked(select(VisitStep).where(VisitStep.id == step.id)))
                if there is not None and step.state is StepState.WAITING:
                    return step, reason
            passed.append(step.id)
        if not passed:
            break
    raise NobodyWaiting


def _take_to(tx: Transaction, step: VisitStep, window: Window, now: datetime) -> None:
    """The step is called to a window, which is locked, and has a terminal where it needs one.

    Raises NotPossible (also where no terminal is free either: waiting for one would not help), NoTerminalFree.
    """
    called = after(step.state, StepAction.CALL)
    if step.terminal_kind:
        free = free_terminals(window.office_id, now).where(Terminal.kind == step.terminal_kind)
        terminal = tx.session.scalar(locked(free.limit(1), skip=True))
        if terminal is None:
            raise NoTerminalFree
        step.terminal_id = terminal.id
    step.state = called
    step.window_id, step.called_at, step.calls = window.id, now, step.calls + 1
    step.first_called_at = step.first_called_at or now


def _leave_window(step: VisitStep) -> None:
    step.window_id = step.terminal_id = None


def _visit_of(tx: Transaction, office_id: int, ticket: UUID, now: datetime) -> int:
    found = tx.session.execute(
        select(Visit.id, Visit.business_date).join(Ticket).where(Ticket.uid == ticket, Visit.office_id == office_id)
    ).one_or_none()
    if found is None:
        raise NotPossible
    if found.business_date != business_date(now):
        raise OfAnotherDay
    return int(found.id)


def locked_step_of(tx: Transaction, visit_id: int) -> VisitStep:
    """Step: the visit's open step; the visit is locked first. Raises NotPossible if the visit has ended."""
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
