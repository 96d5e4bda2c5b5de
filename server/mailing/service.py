"""Entry points of cards that are sent: what becomes of them in the back room; and the steps of the window."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select

from madoguchi.wire import Message
from server.audit import record
from server.db import Transaction, locked, new_uid, transaction
from server.issuance.models import NoticeState
from server.issuance.notice_codes import plain
from server.issuance.service import locked_notices
from server.mailing.models import Mailing
from server.mailing.rules import MailingMoved, MailingState, UnknownMailing, check_move, letter_number
from server.repeats import Caller, repeat_of


@dataclass(frozen=True)
class Moved(Message):
    """Where a mailing stands now."""

    mailing: UUID
    state: str


def promise(
    tx: Transaction, caller: Caller, office_id: int, visit_id: int, people: Mapping[int, int | None], now: datetime
) -> None:
    """Step: these people of a visit (position → notice, which is locked) have agreed that their cards are sent."""
    for position, notice_id in people.items():
        mailing = Mailing(
            uid=new_uid(now),
            office_id=office_id,
            visit_id=visit_id,
            position=position,
            notice_id=notice_id,
            promised_at=now,
            consented=True,
        )
        tx.session.add(mailing)
        record(tx, now, caller.actor, "mailing.promise", mailing.uid, people=[position])


def take_back(tx: Transaction, visit_id: int, positions: Collection[int]) -> bool:
    """Step: it was a slip of the hand that cards of these people are sent. False, and nothing is changed, if one has
    been sent or given back meanwhile."""
    rows = tx.session.scalars(
        locked(
            select(Mailing).where(Mailing.visit_id == visit_id, Mailing.position.in_(positions)).order_by(Mailing.id)
        )
    ).all()
    if any(row.state is not MailingState.TO_SEND for row in rows):
        return False
    for row in rows:
        tx.session.delete(row)
    return True


def move(caller: Caller, office_id: int, mailing: UUID, wanted: MailingState, now: datetime, letter: str = "") -> Moved:
    """A card was sent (`letter`: number of the registered letter, may be empty), was not sent after all, or came back.

    What came back, or is not sent, can be booked for again. Raises UnknownMailing, MailingMoved, LetterUnreadable,
    MyNumberRefused.
    """
    number = letter_number(plain(letter)) if wanted is MailingState.SENT else ""
    with transaction() as tx:
        body = {"mailing": str(mailing), "state": wanted.value, "letter": number}
        repeat = repeat_of(tx, caller, "mailing.move", body, now)
        if repeat.answer is not None:
            return Moved.from_json(repeat.answer)
        seen = tx.session.execute(
            select(Mailing.id, Mailing.notice_id).where(Mailing.uid == mailing, Mailing.office_id == office_id)
        ).one_or_none()
        if seen is None:
            raise UnknownMailing
        notices = locked_notices(tx, [] if seen.notice_id is None else [seen.notice_id])
        row = tx.session.scalar(locked(select(Mailing).where(Mailing.id == seen.id)))
        if row is None:  # undone at the window since
            raise MailingMoved
        check_move(row.state, wanted)
        row.state, row.letter = wanted, number
        row.sent_at = now if wanted is MailingState.SENT else None
        for notice in notices:
            if wanted is MailingState.RETURNED and notice.state is NoticeState.BY_MAIL:
                notice.state = NoticeState.READY
        record(tx, now, caller.actor, f"mailing.{wanted.value}", row.uid)
        return repeat.keep(Moved(row.uid, wanted.value))
