"""Entry points: the words of many stickers at once, written to one file for the printer and known nowhere else.

The file is whole before the database knows of it, and gets its name when both do: a passer-by never sees half of it,
and no sticker is printed whose words do not count.
"""

import csv
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from fcntl import LOCK_EX, LOCK_NB, flock
from itertools import islice
from pathlib import Path
from typing import IO, Any

from sqlalchemy import ColumnElement, func, select, update
from sqlalchemy.orm import Session

from madoguchi import codes
from server.audit import record
from server.db import locked, read_session, transaction
from server.errors import ChangedMeanwhile, Conflict
from server.issuance.models import Notice, NoticeState
from server.issuance.notice_codes import notice_number, plain, shown_number
from server.issuance.service import NoticeNotFound, Sticker
from server.keys import Keyring
from server.offices.models import Office, Service

HEADER = ("番号", "予約ID", "パスワード", "読取コード", "読取リンク", "庁舎", "手続", "秘密：印刷したら消去")
SECRET = "秘"  # noqa: S105 - the word that stands in the last column of each row
_CHUNK = 5000


class FileStands(Conflict):
    """A file of this name stands already: secrets are written once and over nothing."""

    code = "file_stands"


@dataclass(frozen=True)
class Printed:
    """What was written: stickers, and whether a file that an interrupted run had left was brought to its end."""

    stickers: int
    finished_former: bool = False


@dataclass(frozen=True)
class _Wanted:
    id: int
    number: str
    office: str
    service: str


def make_stickers(
    keyring: Keyring,
    base_url: str,
    path: Path,
    office_id: int | None,
    by: str,
    now: datetime,
    *,
    drawn: Callable[[int], object] = lambda _: None,
) -> Printed:
    """Stickers for all notices that have none, of one office or of all; without any, no file is made.

    Restricted notices get none. `drawn` hears how many more were drawn. Raises FileStands, ChangedMeanwhile (nothing
    was done; ask again).
    """
    if _finish_former(keyring, path):
        return Printed(0, finished_former=True)
    wanted = _wanted(read_session(), *_lacking(office_id))
    return _print(keyring, base_url, path, wanted, "notice.credentials", by, now, drawn)


def reissue_stickers(
    keyring: Keyring, base_url: str, path: Path, numbers: Iterable[str], by: str, now: datetime
) -> Printed:
    """New words for single notices; the old id, password and scan code stop working with the commit.

    Raises NoticeNumberUnreadable, MyNumberRefused, NoticeNotFound (also for restricted ones), FileStands,
    ChangedMeanwhile.
    """
    keys = {keyring.key("notice-number", notice_number(number)) for number in numbers}
    if _finish_former(keyring, path):
        return Printed(0, finished_former=True)
    wanted = _wanted(read_session(), Notice.number_key.in_(keys), Notice.restricted.is_(False))
    if len(wanted) != len(keys):
        raise NoticeNotFound
    return _print(keyring, base_url, path, wanted, "notice.reissue", by, now, lambda _: None)


def count_without_stickers(session: Session, office_id: int | None) -> int:
    """How many notices wait for their sticker, at one office or at all."""
    return session.scalar(select(func.count()).select_from(Notice).where(*_lacking(office_id))) or 0


def _lacking(office_id: int | None) -> list[ColumnElement[bool]]:
    lacking: list[ColumnElement[bool]] = [
        Notice.credential_id.is_(None),
        Notice.restricted.is_(False),
        Notice.number.is_not(None),
        Notice.state.in_((NoticeState.PREPARING, NoticeState.READY)),
    ]
    return lacking if office_id is None else [*lacking, Notice.office_id == office_id]


def _wanted(session: Session, *conditions: ColumnElement[bool]) -> list[_Wanted]:
    rows = session.execute(
        select(Notice.id, Notice.number, Office.name_ja, Service.name_ja)
        .join(Office, Office.id == Notice.office_id)
        .join(Service, Service.id == Notice.service_id)
        .where(*conditions)
        .order_by(Office.code, Notice.number)
    )
    return [_Wanted(row[0], str(row[1]), row[2], row[3]) for row in rows]


def _print(
    keyring: Keyring,
    base_url: str,
    path: Path,
    wanted: Sequence[_Wanted],
    verb: str,
    by: str,
    now: datetime,
    drawn: Callable[[int], object],
) -> Printed:
    if not wanted:
        return Printed(0)
    rows, used = list[dict[str, Any]](), set[str]()
    with _secret_file(path) as file:
        writer = csv.writer(file)
        writer.writerow(HEADER)
        for chunk in _chunks(wanted):
            for notice, sticker in zip(chunk, _draw(read_session(), chunk, used), strict=True):
                writer.writerow(_line(sticker, notice, base_url))
                rows.append({"id": notice.id, **sticker.keys(keyring)})
            drawn(len(chunk))
        file.flush()
        os.fsync(file.fileno())
        _make_valid(rows, verb, by, now)
    return Printed(len(wanted))


def _make_valid(rows: list[dict[str, Any]], verb: str, by: str, now: datetime) -> None:
    """From this commit on the stickers count. Raises ChangedMeanwhile if a notice has got another one meanwhile."""
    with transaction() as tx:
        for chunk in _chunks(rows):
            ids = [row["id"] for row in chunk]
            free = [Notice.id.in_(ids), Notice.restricted.is_(False)]
            if verb == "notice.credentials":
                free.append(Notice.credential_id.is_(None))
            standing: Any = select(Notice.id, Notice.uid).where(*free).order_by(Notice.id)
            found = tx.session.execute(locked(standing)).all()
            if len(found) != len(ids):
                raise ChangedMeanwhile
            tx.session.execute(update(Notice), chunk)
            if verb == "notice.reissue":
                for notice in found:
                    record(tx, now, by, verb, notice.uid)
        if verb == "notice.credentials":
            record(tx, now, by, verb, None, stickers=len(rows))


def _draw(session: Session, wanted: Sequence[_Wanted], used: set[str]) -> list[Sticker]:
    """A sticker for each; an id that a notice has, or has just got, is drawn again."""
    drawn = dict[int, Sticker]()
    while lacking := [notice for notice in wanted if notice.id not in drawn]:
        tried = [Sticker.draw(notice.number) for notice in lacking]
        idents = [sticker.credential_id for sticker in tried]
        taken = session.scalars(select(Notice.credential_id).where(Notice.credential_id.in_(idents)))
        used.update(ident for ident in taken if ident is not None)
        for notice, sticker in zip(lacking, tried, strict=True):
            if sticker.credential_id not in used:
                used.add(sticker.credential_id)
                drawn[notice.id] = sticker
    return [drawn[notice.id] for notice in wanted]


def _line(sticker: Sticker, notice: _Wanted, base_url: str) -> tuple[str, ...]:
    code = codes.Code(codes.Kind.NOTICE, sticker.scan_code)
    password = f"{sticker.password[:4]}-{sticker.password[4:]}"
    link = f"{base_url}/b/{code.text}"
    number = shown_number(sticker.number)
    return (number, sticker.credential_id, password, code.grouped, link, notice.office, notice.service, SECRET)


def _chunks(things: Sequence[Any]) -> Iterator[list[Any]]:
    rest = iter(things)
    while chunk := list(islice(rest, _CHUNK)):
        yield chunk


def _part(path: Path) -> Path:
    return path.with_name(path.name + ".part")


@contextmanager
def _secret_file(path: Path) -> Iterator[IO[str]]:
    """A new file that only its owner reads; it gets its name when the block has ended well, and is gone when not."""
    if path.exists():
        raise FileStands(file=path.name)
    part = _part(path)
    number = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(number, "w", encoding="utf-8-sig", newline="") as file:
            flock(number, LOCK_EX | LOCK_NB)
            yield file
    except BaseException:
        part.unlink()
        raise
    _name(part, path)


def _name(part: Path, path: Path) -> None:
    """A link and not a rename: that would write over a file that came meanwhile. Raises FileStands."""
    try:
        path.hardlink_to(part)
    except FileExistsError:
        raise FileStands(file=path.name, kept=part.name) from None
    part.unlink()


def _finish_former(keyring: Keyring, path: Path) -> bool:
    """What a run that was cut off has left: if its stickers count, it gets its name, else it goes. True if they do.

    Raises FileStands if that run goes on still.
    """
    part = _part(path)
    if not part.exists():
        return False
    with part.open(encoding="utf-8-sig", newline="") as file:
        try:
            flock(file, LOCK_EX | LOCK_NB)
        except BlockingIOError:
            raise FileStands(file=part.name) from None
        first = next(islice(csv.reader(file), 1, None), None)
    if first is not None and len(first) == len(HEADER):
        ident = plain(first[1])
        key = read_session().scalar(select(Notice.secret_key).where(Notice.credential_id == ident))
        if key == keyring.key(f"notice-password/{ident}", plain(first[2])):
            _name(part, path)
            return True
    part.unlink()
    return False
