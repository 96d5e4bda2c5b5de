"""Entry points of the window that touch queue, booking and notice at once."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from madoguchi.wire import Message
from server.audit import record
from server.booking.rules import BookingState
from server.booking.service import finish_booking, locked_booking, reopen_booking, stands_elsewhere
from server.db import Transaction, transaction
from server.events import QueueChanged
from server.issuance.models import NoticeState
from server.issuance.service import locked_notices
from server.mailing.rules import ConsentMissing
from server.mailing.service import promise, take_back
from server.offices.queries import services_by_notice, stops_of
from server.queueing.models import Undoable, Visit, VisitPerson, VisitStep
from server.queueing.queries import number_of, step_at_window
from server.queueing.rules import (
    OF_CARDS,
    SERVED,
    ChangedSince,
    MoreStops,
    NobodyAtWindow,
    NoCard,
    NotPossible,
    OtherVisitor,
    Outcome,
    has_further,
    outcome_of,
)
from server.queueing.service import end_people, locked_step_at, people_of, remember, undo_step, undoable_at
from server.repeats import Caller, repeat_of

# What an outcome makes of the card; after the others it can be booked for again.
CARDS = {
    Outcome.HANDED_OVER: NoticeState.HANDED_OVER,
    Outcome.LATER_BY_MAIL: NoticeState.BY_MAIL,
    Outcome.STOPPED: NoticeState.STOPPED,
}


@dataclass(frozen=True)
class Finished(Message):
    """People of a visit that have ended; `over` when nobody of it is left."""

    visit: UUID
    outcome: str
    over: bool


def finish(
    caller: Caller,
    window_id: int,
    outcome: Outcome,
    now: datetime,
    number: int | None = None,
    position: int | None = None,
    *,
    consent: bool = False,
) -> Finished:
    """People at a window end with an outcome: all of the party, or the one at `position`.

    What becomes of a card becomes of its own notice only; the booking is done when nobody of the visit is left.
    `number` is the one the clerk sees; `consent`: they agree that cards are sent. Raises NobodyAtWindow, OtherVisitor,
    NotPossible (has ended already), MoreStops, NoCard, ConsentMissing.
    """
    if outcome is Outcome.LATER_BY_MAIL and not consent:
        raise ConsentMissing
    with transaction() as tx:
        body = {"window": window_id, "outcome": outcome.value, "position": position, "number": number}
        repeat = repeat_of(tx, caller, "desk.finish", body, now)
        if repeat.answer is not None:
            return Finished.from_json(repeat.answer)
        seen = step_at_window(tx.session, window_id)
        if seen is None:
            raise NobodyAtWindow
        if number not in (None, number_of(tx.session, seen.visit_id)):
            raise OtherVisitor
        # Notices, then the booking, then the visit: what a visit hangs on never changes, so it may be read first.
        ending = _live(people_of(tx, seen.visit_id), position)
        notices = {n.id: n for n in locked_notices(tx, {p.notice_id for p in ending if p.notice_id is not None})}
        if seen.visit.booking_id is not None:
            locked_booking(tx, seen.visit.booking_id)
        step = locked_step_at(tx, window_id)
        if step.id != seen.id:
            raise NobodyAtWindow
        people = people_of(tx, step.visit_id)
        if [p.position for p in _live(people, position)] != [p.position for p in ending]:
            raise NotPossible
        outcomes = _outcomes(tx, step, ending, outcome)
        became: dict[str, list[str]] = {}
        for person in ending:
            if person.notice_id is not None:
                notice, was = notices[person.notice_id], notices[person.notice_id].state
                notice.state = CARDS.get(outcomes[person.position], was)
                became[str(notice.id)] = [was.value, notice.state.value]
        visit, over, booked = step.visit, end_people(tx, step, outcomes, now), None
        if over and visit.booking_id is not None:
            booked = finish_booking(tx, visit.booking_id)
        by_mail = {p.position: p.notice_id for p in ending if outcomes[p.position] is Outcome.LATER_BY_MAIL}
        promise(tx, caller, visit.office_id, visit.id, by_mail, now)
        kept = {"ended": list(outcomes), "notices": became, "booking_people": booked}
        remember(tx, caller, window_id, "finish", step, now, **kept)
        record(tx, now, caller.actor, "visit.finish", visit.uid, outcome=outcome.value, people=list(outcomes))
        tx.publish(QueueChanged(visit.office_id))
        return repeat.keep(Finished(visit.uid, outcome.value, over))


@dataclass(frozen=True)
class Undone(Message):
    """What was undone at a window: finish, pass_on, missed or park."""

    visit: UUID
    act: str


def undo(caller: Caller, window_id: int, now: datetime, of: str | None = None) -> Undone:
    """元に戻す: the newest act at the window is undone, by the same clerk within a minute; `of` is when the act that
    the clerk sees was done (ISO 8601, UTC).

    Raises NothingToUndo; and ChangedSince, WindowClosed, WindowOccupied, NoTerminalFree where it cannot be as before.
    """
    with transaction() as tx:
        repeat = repeat_of(tx, caller, "desk.undo", {"window": window_id, "of": of}, now)
        if repeat.answer is not None:
            return Undone.from_json(repeat.answer)
        row = undoable_at(tx, caller, window_id, now)
        if of not in (None, row.at.isoformat()):
            raise ChangedSince
        became = {int(notice): states for notice, states in row.before.get("notices", {}).items()}
        for notice in locked_notices(tx, became):
            was, is_now = became[notice.id]
            if notice.state is not NoticeState(is_now):
                raise ChangedSince
            notice.state = NoticeState(was)
        booking_id = _visit_of(tx, row).booking_id
        if stands_elsewhere(tx, booking_id, became):
            raise ChangedSince
        if row.before.get("booking_people") is not None and booking_id is not None:
            if locked_booking(tx, booking_id).state is not BookingState.DONE:
                raise ChangedSince
            reopen_booking(tx, booking_id, row.before["booking_people"])
        act, ended, step = row.act, row.before.get("ended", ()), undo_step(tx, row)
        visit = step.visit
        if not take_back(tx, visit.id, ended):
            raise ChangedSince
        record(tx, now, caller.actor, "visit.undo", visit.uid, number=number_of(tx.session, visit.id), act=act)
        tx.publish(QueueChanged(visit.office_id))
        return repeat.keep(Undone(visit.uid, act))


def _visit_of(tx: Transaction, row: Undoable) -> Visit:
    """The visit to which an act was done; what it hangs on never changes."""
    return tx.session.get_one(Visit, tx.session.get_one(VisitStep, row.step_id).visit_id)


def _live(people: Collection[VisitPerson], position: int | None) -> list[VisitPerson]:
    """Those whom an ending means. Raises NotPossible if there is none."""
    found = [person for person in people if person.live and position in (None, person.position)]
    if not found:
        raise NotPossible
    return found


def _outcomes(
    tx: Transaction, step: VisitStep, ending: Collection[VisitPerson], asked: Outcome
) -> Mapping[int, Outcome]:
    """Position → outcome. Raises MoreStops where somebody who is to be served has not been everywhere, NoCard."""
    office_id = step.visit.office_id
    by_notice = services_by_notice(tx.session, office_id)
    outcomes = {
        person.position: outcome_of(asked, person.notice_id is not None or person.service_id in by_notice)
        for person in ending
    }
    if asked in OF_CARDS and asked not in outcomes.values():
        raise NoCard
    stops = stops_of(tx.session, office_id, {person.service_id for person in ending})
    if any(outcomes[p.position] in SERVED and has_further(p, stops, step.lane_id) for p in ending):
        raise MoreStops
    return outcomes
