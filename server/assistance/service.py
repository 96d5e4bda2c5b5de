"""Entry points of calling staff to a kiosk."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select

from madoguchi.wire import Message
from server.assistance.models import StaffCall
from server.audit import record
from server.db import locked, new_uid, transaction
from server.errors import NotFound
from server.repeats import Caller, repeat_of


class UnknownCall(NotFound):
    """There is no such call in this office."""

    code = "unknown_call"


@dataclass(frozen=True)
class Calling(Message):
    """A call for staff, as it stands."""

    call: UUID


def call_staff(caller: Caller, office_id: int, kiosk_id: int, reason: str, now: datetime) -> Calling:
    """Somebody at a kiosk needs help, or the kiosk itself does: shown at every open window until somebody goes."""
    with transaction() as tx:
        repeat = repeat_of(tx, caller, "assistance.call_staff", {"reason": reason}, now)
        if repeat.answer is not None:
            return Calling.from_json(repeat.answer)
        call = tx.session.scalar(
            locked(
                select(StaffCall).where(
                    StaffCall.kiosk_id == kiosk_id, StaffCall.reason == reason, StaffCall.taken_at.is_(None)
                )
            )
        )
        if call is None:
            call = StaffCall(uid=new_uid(now), office_id=office_id, kiosk_id=kiosk_id, reason=reason)
            tx.session.add(call)
        call.at = now
        record(tx, now, caller.actor, "kiosk.staff_called", call.uid, reason=reason)
        return repeat.keep(Calling(call.uid))


def take_call(caller: Caller, office_id: int, call: UUID, now: datetime) -> Calling:
    """Somebody goes: the call ends at all windows. Taken already is as good. Raises UnknownCall."""
    with transaction() as tx:
        repeat = repeat_of(tx, caller, "assistance.take_call", {"call": str(call)}, now)
        if repeat.answer is not None:
            return Calling.from_json(repeat.answer)
        row = tx.session.scalar(locked(select(StaffCall).where(StaffCall.uid == call)))
        if row is None or row.office_id != office_id:
            raise UnknownCall
        if row.taken_at is None:
            row.taken_at, row.taken_by = now, caller.actor
            record(tx, now, caller.actor, "kiosk.staff_call_taken", row.uid, reason=row.reason)
        return repeat.keep(Calling(row.uid))
