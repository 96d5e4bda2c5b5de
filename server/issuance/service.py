"""Entry points and steps for notices."""

import re
import secrets
import unicodedata
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Self
from uuid import UUID

from sqlalchemy import bindparam, delete, select
from sqlalchemy.orm import Session

from madoguchi import codes
from madoguchi.wire import Message
from server.audit import record
from server.auth.attempts import check_open, settle
from server.auth.rules import SignInFailed
from server.db import Transaction, locked, new_uid, read_session, transaction
from server.errors import Conflict, Invalid, NotFound, NotNow
from server.issuance.models import Mark, Notice, NoticeMark, NoticeState
from server.issuance.notice_codes import notice_number, plain, refuse_my_number
from server.keys import Keyring, sticker_word
from server.offices.queries import office_by_code, service_by_code
from server.repeats import Caller, repeat_of

ID_LENGTH, PASSWORD_LENGTH = 6, 8
MARK = re.compile(r"[^\s、,;/=+@-][^\s、,;/]{0,19}")
_LIKE_A_NUMBER = re.compile(r"[0-9]*E?[0-9]*")  # a spreadsheet makes 4E+05 of 4E5: such an id is drawn again


class NoticeNotFound(NotFound):
    """No notice of this number, or none that may be spoken of."""

    code = "notice_not_found"


class NoticeNotReady(NotNow):
    """The card is still being prepared, stopped, or handed over already."""

    code = "notice_not_ready"


class AssignedUnusable(Invalid):
    """Days that end before they begin, or days and a moment at once."""

    code = "assigned_unusable"


class MarkUnusable(Invalid):
    """A mark is 1 to 20 characters without spaces, commas, slashes and semicolons, and no formula."""

    code = "mark_unusable"


class MarkInUse(Conflict):
    """A mark that stands on a notice stays in the set."""

    code = "mark_in_use"


@dataclass(frozen=True)
class Sticker:
    """What is printed on a notice's sticker. The only moment at which password and scan code are known."""

    number: str
    credential_id: str
    password: str
    scan_code: str

    @classmethod
    def draw(cls, number: str) -> Self:
        """New words for the notice of this number, by chance."""
        ident = sticker_word(ID_LENGTH)
        while _LIKE_A_NUMBER.fullmatch(ident):
            ident = sticker_word(ID_LENGTH)
        scan_code = codes.new(codes.Kind.NOTICE, secrets.token_bytes).text
        return cls(number, ident, sticker_word(PASSWORD_LENGTH), scan_code)

    def keys(self, keyring: Keyring) -> dict[str, Any]:
        """What the database may know of it, by column."""
        return {
            "scan_key": keyring.key("scan", self.scan_code),
            "credential_id": self.credential_id,
            "secret_key": keyring.key(f"notice-password/{self.credential_id}", self.password),
            "key_id": keyring.key_id,
        }


def register_notice(
    keyring: Keyring, office_code: str, service_code: str, number: str, by: str, now: datetime
) -> Sticker:
    """Write down a notice whose card is ready and draw the words of its sticker.

    Raises NoticeNumberUnreadable, UnknownOffice, UnknownService, ChangedMeanwhile (number known already).
    """
    sticker = Sticker.draw(notice_number(number))
    with transaction() as tx:
        office = office_by_code(tx.session, office_code)
        notice = Notice(
            uid=new_uid(now),
            office_id=office.id,
            service_id=service_by_code(tx.session, office.id, service_code).id,
            number=sticker.number,
            number_key=keyring.key("notice-number", sticker.number),
            state=NoticeState.READY,
            **sticker.keys(keyring),
        )
        tx.session.add(notice)
        record(tx, now, by, "notice.register", notice.uid)
    return sticker


def sign_in(keyring: Keyring, credential_id: str, password: str, now: datetime) -> int:
    """The id of the notice whose booking id and password these are.

    The same answer, after the same work, for an unknown id and a wrong password, and five of them close either.
    Raises SignInFailed, Locked, MyNumberRefused. A right password at the first try only reads.
    """
    ident, word = plain(credential_id), plain(password)
    key = keyring.key("attempts/notice", ident)
    failed_before = check_open(key, now)
    row = read_session().execute(
        select(Notice.id, Notice.uid, Notice.secret_key).where(
            Notice.credential_id == ident, Notice.restricted.is_(False)
        )
    )
    found = row.one_or_none()
    secret = keyring.key(f"notice-password/{ident}", word)
    right = secrets.compare_digest(found.secret_key if found is not None else "", secret)
    if failed_before or not right:
        with transaction() as tx:
            if settle(tx, key, now, right=right):
                record(tx, now, "web", "notice.locked", found.uid if found else None)
    if found is None or not right:
        raise SignInFailed
    return int(found.id)


@dataclass(frozen=True)
class Assigned(Message):
    """When the holder of a notice is asked to come; all None: whenever there is a place."""

    first: str | None
    last: str | None
    at: datetime | None


def assign(
    caller: Caller, notice: UUID, first: date | None, last: date | None, at: datetime | None, now: datetime
) -> None:
    """Ask the holder of a notice to come on the days from–to, or at one moment; all None: whenever they like.

    A booking that stands is not moved by it. Raises NoticeNotFound, AssignedUnusable.
    """
    if (first and last and last < first) or ((first or last) and at):
        raise AssignedUnusable
    with transaction() as tx:
        asked = Assigned(first.isoformat() if first else None, last.isoformat() if last else None, at)
        body = {"notice": str(notice), **asked.to_json()}
        repeat = repeat_of(tx, caller, "notice.assign", body, now)
        if repeat.answer is not None:
            return
        row = tx.session.scalar(locked(select(Notice).where(Notice.uid == notice, Notice.restricted.is_(False))))
        if row is None:
            raise NoticeNotFound
        row.assigned_from, row.assigned_to, row.assigned_at = first, last, at
        record(tx, now, caller.actor, "notice.assign", row.uid, **asked.to_json())
        repeat.keep(asked)


def change_marks(change: str | None, words: Sequence[str], by: str, now: datetime) -> Sequence[str]:
    """Add marks to the set, or remove them from it (`add`, `remove`, or nothing). Gives the set as it is then.

    Raises MarkUnusable, MarkInUse, MyNumberRefused.
    """
    words = [unicodedata.normalize("NFKC", word).strip() for word in words]
    refuse_my_number(*words)
    if not all(MARK.fullmatch(word) and word.isprintable() for word in words):
        raise MarkUnusable
    with transaction() as tx:
        for word in words if change == "add" else ():
            tx.insert_or_ignore(Mark, {"word": word})
        if change == "remove":
            used = tx.session.scalars(select(NoticeMark.word).where(NoticeMark.word.in_(words)).distinct()).all()
            if used:
                raise MarkInUse(words=", ".join(sorted(used)))
            tx.session.execute(delete(Mark).where(Mark.word.in_(words)))
        if change is not None:
            record(tx, now, by, f"marks.{change}", None, words=words)
        return tx.session.scalars(select(Mark.word).order_by(Mark.word)).all()


_LOCK = locked(select(Notice).where(Notice.id.in_(bindparam("ids", expanding=True))).order_by(Notice.id))


def locked_notices(tx: Transaction, notice_ids: Collection[int]) -> Sequence[Notice]:
    """The notices' rows, locked by id and fresh. Notices are locked before everything else. Raises NoticeNotFound."""
    notices = tx.session.scalars(_LOCK, {"ids": list(notice_ids)}).all()
    if len(notices) != len(set(notice_ids)):
        raise NoticeNotFound
    return notices


def notices_for(tx: Transaction, notice_ids: Collection[int]) -> Sequence[Notice]:
    """The notices, locked, if their cards may be booked for. Raises NoticeNotFound, NoticeNotReady."""
    notices = locked_notices(tx, notice_ids)
    if any(notice.restricted for notice in notices):
        raise NoticeNotFound
    if any(notice.state is not NoticeState.READY for notice in notices):
        raise NoticeNotReady
    return notices


def find_by_number(keyring: Keyring, session: Session, number: str) -> Notice:
    """The notice of a printed number. Raises NoticeNumberUnreadable, MyNumberRefused, NoticeNotFound."""
    key = keyring.key("notice-number", notice_number(number))
    notice = session.scalar(select(Notice).where(Notice.number_key == key, Notice.restricted.is_(False)))
    if notice is None:
        raise NoticeNotFound
    return notice


def find_by_uid(session: Session, uid: UUID) -> Notice:
    """The notice a page speaks of. Raises NoticeNotFound."""
    notice = session.scalar(select(Notice).where(Notice.uid == uid, Notice.restricted.is_(False)))
    if notice is None:
        raise NoticeNotFound
    return notice


_BY_IDS = select(Notice).where(Notice.id.in_(bindparam("ids", expanding=True)))


def find_by_ids(session: Session, notice_ids: Sequence[int]) -> list[Notice]:
    """These notices in this order. Raises NoticeNotFound."""
    found = {notice.id: notice for notice in session.scalars(_BY_IDS, {"ids": list(notice_ids)})}
    if len(found) != len(set(notice_ids)):
        raise NoticeNotFound
    return [found[notice_id] for notice_id in notice_ids]


def find_by_scan_code(keyring: Keyring, session: Session, code: codes.Code) -> Notice | None:
    """The notice a scan code was printed for; a restricted one is not known."""
    key = keyring.key("scan", code.text)
    return session.scalar(select(Notice).where(Notice.scan_key == key, Notice.restricted.is_(False)))
