"""Entry point: staff decide whether people without a booking are received today."""

from dataclasses import dataclass
from datetime import datetime

from madoguchi.wire import Message
from server.audit import record
from server.clock import business_date
from server.db import transaction
from server.events import QueueChanged
from server.intake.models import IntakeDecision
from server.intake.rules import Choice
from server.offices.queries import service_by_code
from server.repeats import Caller, repeat_of


@dataclass(frozen=True)
class Decided(Message):
    """What was decided for today."""

    choice: str
    service: str


def decide(caller: Caller, office_id: int, service: str, choice: Choice, now: datetime) -> Decided:
    """For the rest of today people without a booking are received, or not, or as long as the line allows.

    `service` is a code, or empty for all that the office does. Holds until somebody decides again or the day ends; the
    last reception stays what it is. Raises UnknownService.
    """
    with transaction() as tx:
        repeat = repeat_of(tx, caller, "intake.decide", {"service": service, "choice": choice.value}, now)
        if repeat.answer is not None:
            return Decided.from_json(repeat.answer)
        chosen = service_by_code(tx.session, office_id, service) if service else None
        tx.session.add(
            IntakeDecision(
                office_id=office_id,
                business_date=business_date(now),
                service_id=None if chosen is None else chosen.id,
                choice=choice,
                by=caller.actor,
                at=now,
            )
        )
        facts = {"choice": choice.value, "service": service}
        record(tx, now, caller.actor, "intake.decide", None, office=office_id, **facts)
        tx.publish(QueueChanged(office_id))
        return repeat.keep(Decided(choice.value, service))
