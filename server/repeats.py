"""Asking twice is harmless: the first answer to a request id is kept, in the same transaction, and given again.

Refusals are not kept: who was refused may ask again with the same id.
"""

import hashlib
import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, TypeVar

from sqlalchemy import JSON, String, bindparam, delete, update
from sqlalchemy.orm import Mapped, mapped_column

from madoguchi.wire import Message
from server.db import Base, Transaction
from server.errors import Invalid, RepeatedWithOtherBody

KEPT = timedelta(days=7)


class Request(Base):
    """The first answer to a request id."""

    __tablename__ = "requests"

    actor: Mapped[str] = mapped_column(String(80), primary_key=True)
    request_id: Mapped[str] = mapped_column(String(64), primary_key=True)
    entry_point: Mapped[str] = mapped_column(String(60))
    body_hash: Mapped[str] = mapped_column(String(64))
    answer: Mapped[Any] = mapped_column(JSON)
    at: Mapped[datetime] = mapped_column(index=True)


class BadRequestId(Invalid):
    """A request id is 8 to 64 letters, digits and hyphens, and no number: that could be somebody's."""

    code = "bad_request_id"


@dataclass(frozen=True)
class Caller:
    """Who asks (`staff:3`, `device:7`, `notice:12`, `timetable`), and the id of this one asking."""

    actor: str
    request_id: str

    def __post_init__(self) -> None:
        """Ids come from outside: their shape is checked before anything is done."""
        shape = self.request_id.replace("-", "")
        if not (8 <= len(self.request_id) <= 64 and shape.isascii() and shape.isalnum()) or shape.isdecimal():
            raise BadRequestId


AnswerT = TypeVar("AnswerT", bound=Message)


@dataclass
class Repeat:
    """One asking: `answer` is the first answer if this is a repetition, else None."""

    tx: Transaction
    caller: Caller
    answer: dict[str, Any] | None

    def keep(self, answer: AnswerT) -> AnswerT:
        """Keep the first answer with what it describes."""
        row = {"of": self.caller.actor, "id": self.caller.request_id, "given": answer.to_json()}
        self.tx.session.execute(_KEEP, row, execution_options={"synchronize_session": False})
        return answer


_KEEP = (
    update(Request)
    .where(Request.actor == bindparam("of"), Request.request_id == bindparam("id"))
    .values(answer=bindparam("given"))
)


def repeat_of(tx: Transaction, caller: Caller, entry_point: str, body: dict[str, Any], now: datetime) -> Repeat:
    """Claim the request id, or find its first answer. To be called before any lock is taken.

    The claim is an insert: of two askings at once the second waits for the first to end.
    Raises RepeatedWithOtherBody if the id stands for something else.
    """
    body_hash = hashlib.sha256(json.dumps([entry_point, body], sort_keys=True, default=str).encode()).hexdigest()
    key = {"actor": caller.actor, "request_id": caller.request_id}
    values = {**key, "entry_point": entry_point, "body_hash": body_hash, "answer": None, "at": now}
    if tx.insert_or_ignore(Request, values):
        return Repeat(tx, caller, None)
    row = tx.session.get_one(Request, (caller.actor, caller.request_id), populate_existing=True)
    if row.body_hash != body_hash:
        raise RepeatedWithOtherBody
    return Repeat(tx, caller, row.answer)


def forget_old(tx: Transaction, now: datetime) -> None:
    """Drop answers nobody will ask for again (sweep)."""
    tx.session.execute(delete(Request).where(Request.at < now - KEPT))
