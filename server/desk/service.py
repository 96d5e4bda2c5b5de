"""Entry points of the window that touch queue, booking and notice at once."""

from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from uuid import UUID

from madoguchi.wire import Message
from server.audit import record
from server.booking.service import finish_booking, locked_booking
from server.db import transaction
from server.events import QueueChanged
from server.issuance.service import hand_over
from server.queueing.queries import number_of, step_at_window
from server.queueing.rules import NobodyAtWindow, OtherVisitor
from server.queueing.service import end_people, locked_step_at
from server.repeats import Caller, repeat_of


class Outcome(Enum):
    """How a visit ended."""

    HANDED_OVER = "handed_over"
    NOT_HANDED_OVER = "not_handed_over"


@dataclass(frozen=True)
class Finished(Message):
    """A visit that has ended."""

    visit: UUID
    outcome: str


def finish(caller: Caller, window_id: int, outcome: Outcome, now: datetime, number: int | None = None) -> Finished:
    """The visit at a window ends: its booking is done, its notices are closed if the cards were handed over.

    `number` is the one the clerk sees. Raises NobodyAtWindow, OtherVisitor, NotPossible.
    """
    with transaction() as tx:
        repeat = repeat_of(tx, caller, "desk.finish", {"window": window_id, "outcome": outcome.value}, now)
        if repeat.answer is not None:
            return Finished.from_json(repeat.answer)
        seen = step_at_window(tx.session, window_id)
        if seen is None:
            raise NobodyAtWindow
        if number not in (None, number_of(tx.session, seen.visit_id)):
            raise OtherVisitor
        # Notices, then the booking, then the visit: what a visit hangs on never changes, so it may be read first.
        if outcome is Outcome.HANDED_OVER:
            hand_over(tx, sorted(person.notice_id for person in seen.visit.people if person.notice_id is not None))
        if seen.visit.booking_id is not None:
            locked_booking(tx, seen.visit.booking_id)
        step = locked_step_at(tx, window_id)
        if step.id != seen.id:
            raise NobodyAtWindow
        if seen.visit.booking_id is not None:
            finish_booking(tx, seen.visit.booking_id)
        end_people(tx, step, outcome.value, now)
        visit = step.visit
        record(tx, now, caller.actor, "visit.finish", visit.uid, outcome=outcome.value)
        tx.publish(QueueChanged(visit.office_id))
        return repeat.keep(Finished(visit.uid, outcome.value))
