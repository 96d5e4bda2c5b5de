"""Entry point: notices from a CSV file, batch by batch. Asked again with the same file it changes nothing."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, BinaryIO

from sqlalchemy import delete, insert, select, update
from sqlalchemy.orm import Session

from server.audit import record
from server.db import Transaction, locked, new_uid, read_session, transaction
from server.errors import Busy, ChangedMeanwhile
from server.issuance.csv_lines import Lettering, lettering_of, rows_of
from server.issuance.models import Mark, Notice, NoticeMark, NoticeState
from server.issuance.notice_file import Fault, Known, NoticeRow, Reader, name_key
from server.keys import Keyring
from server.offices.queries import all_offices, offers_of

BATCH = 1000
"""Rows of one commit: what is kept when the power fails is a whole number of these."""
TRIES = 5
ENDED = (NoticeState.STOPPED, NoticeState.HANDED_OVER, NoticeState.BY_MAIL)

Booked = Callable[[Session, Sequence[int]], set[int]]
"""Which of these notices stand in a live booking."""

_COLUMNS = (
    Notice.office_id,
    Notice.service_id,
    Notice.assigned_from,
    Notice.assigned_to,
    Notice.assigned_at,
    Notice.storage_place,
    Notice.restricted,
    Notice.state,
)
_NAMES = tuple(column.key for column in _COLUMNS)
_AT_FIRST: dict[str, Any] = {
    "assigned_from": None,
    "assigned_to": None,
    "assigned_at": None,
    "storage_place": "",
    "restricted": False,
    "state": NoticeState.READY,
}


@dataclass
class Imported:
    """What came of a file. `ended` counts, among the unchanged, notices that were handed over or stopped."""

    lettering: Lettering
    passed_over: Sequence[str]
    new: int = 0
    changed: int = 0
    unchanged: int = 0
    ended: int = 0
    refused: int = 0


@dataclass
class _Plan:
    """What one batch is about to do."""

    new: list[dict[str, Any]] = field(default_factory=list)
    changed: list[dict[str, Any]] = field(default_factory=list)
    marks: dict[str, frozenset[str]] = field(default_factory=dict)  # by number_key, of those that differ
    restricting: list[tuple[Any, bool]] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    unchanged: int = 0
    ended: int = 0
    marked_only: int = 0


def import_notices(
    keyring: Keyring,
    file: BinaryIO,
    booked: Booked,
    by: str,
    now: datetime,
    *,
    dry_run: bool = False,
    bytes_read: Callable[[int], object] = lambda _: None,
    refused: Callable[[Fault], object] = lambda _: None,
) -> Imported:
    """Write down the notices of a file and update those that are known; bad rows are told to `refused`, good ones kept.

    Each batch is a commit of its own. Notices that were handed over or stopped stay as they are; only a restriction
    still reaches them. `bytes_read` hears how many more bytes were read. With `dry_run` nothing is written.
    Raises FileNotReadable, NoHeader, MyNumberRefused (in the header), Busy.
    """
    lettering = lettering_of(file)
    with closing(rows_of(file, lettering.encoding)) as rows:
        first = next(rows, None)
        header = first.cells if first else ()
        reader = Reader(header, _known(read_session()))
        done = Imported(lettering, [name for at, name in enumerate(header) if at not in reader.columns.values()])
        at = 0
        for faults, batch in _batches(reader.read(row) for row in rows):
            plan = _carry_out(keyring, batch, booked, by, now, dry_run=dry_run)
            for fault in sorted([*faults, *plan.faults], key=lambda fault: fault.line):
                refused(fault)
                done.refused += 1
            done.new += len(plan.new)
            done.changed += len(plan.changed) + plan.marked_only
            done.unchanged += plan.unchanged
            done.ended += plan.ended
            bytes_read(file.tell() - at)
            at = file.tell()
        return done


def _known(session: Session) -> Known:
    offices, services = dict[str, int](), dict[int, dict[str, int]]()
    for office in all_offices(session):
        offices |= {name_key(name): office.id for name in (office.code, *office.names.values())}
        services[office.id] = {
            name_key(name): service.id
            for service in (offer.service for offer in offers_of(session, office.id))
            for name in (service.code, *service.names.values())
        }
    return Known(offices, services, frozenset(session.scalars(select(Mark.word))))


def _batches(read: Iterable[NoticeRow | Fault]) -> Iterator[tuple[list[Fault], list[NoticeRow]]]:
    """The bad and the good rows of one commit after the other."""
    faults, batch = list[Fault](), list[NoticeRow]()
    for found in read:
        if isinstance(found, Fault):
            faults.append(found)
        else:
            batch.append(found)
        if len(batch) == BATCH or len(faults) == BATCH:
            yield faults, batch
            faults, batch = [], []
    if faults or batch:
        yield faults, batch


def _carry_out(
    keyring: Keyring, batch: list[NoticeRow], booked: Booked, by: str, now: datetime, *, dry_run: bool
) -> _Plan:
    keyed = {keyring.key("notice-number", row.number): row for row in batch}
    if dry_run:
        try:
            return _plan(read_session(), keyring, keyed, booked, now, lock=False)
        finally:
            read_session().rollback()
    for last_try in (*[False] * (TRIES - 1), True):
        try:
            with transaction() as tx:
                plan = _plan(tx.session, keyring, keyed, booked, now, lock=True)
                _write(tx, plan, by, now)
        except (ChangedMeanwhile, Busy):
            # Somebody else has written the same numbers meanwhile, or works long: look again.
            if last_try:
                raise
        else:
            return plan
    raise AssertionError


def _plan(
    session: Session, keyring: Keyring, keyed: dict[str, NoticeRow], booked: Booked, now: datetime, *, lock: bool
) -> _Plan:
    plan = _Plan()
    columns = (Notice.id, Notice.uid, Notice.number_key, *_COLUMNS)
    wanted: Any = select(*columns).where(Notice.number_key.in_(keyed)).order_by(Notice.id)
    standing = {row.number_key: row for row in session.execute(locked(wanted) if lock else wanted)}
    marks: dict[int, set[str]] = {row.id: set() for row in standing.values()}
    for notice_id, word in session.execute(
        select(NoticeMark.notice_id, NoticeMark.word).where(NoticeMark.notice_id.in_(marks))
    ):
        marks[notice_id].add(word)
    moving = [
        row.id
        for key, row in standing.items()
        if (row.office_id, row.service_id) != (keyed[key].office_id, keyed[key].service_id)
    ]
    bound = booked(session, moving) if moving else set()
    # In the order of their keys: two files at once would else wait for each other's rows.
    for key, row in sorted(keyed.items()):
        here = standing.get(key)
        if here is None:
            _plan_new(plan, keyring, key, row, now)
        elif here.state not in ENDED and here.id in bound:
            plan.faults.append(Fault(row.line, "", "booked"))
        else:
            _plan_known(plan, key, here, row, marks[here.id])
    return plan


def _plan_new(plan: _Plan, keyring: Keyring, key: str, row: NoticeRow, now: datetime) -> None:
    values = {"uid": new_uid(now), "number": row.number, "number_key": key, "key_id": keyring.key_id}
    plan.new.append(values | _merged(_AT_FIRST, row))
    if row.marks:
        plan.marks[key] = row.marks
    if row.values.get("restricted"):
        plan.restricting.append((values["uid"], True))


def _plan_known(plan: _Plan, key: str, here: Any, row: NoticeRow, marks: set[str]) -> None:
    before = {name: getattr(here, name) for name in _NAMES}
    if here.state in ENDED:
        plan.ended += 1
        after = before | {"restricted": row.values.get("restricted", here.restricted)}
    else:
        after = _merged(before, row)
        if after["assigned_from"] and after["assigned_to"] and after["assigned_to"] < after["assigned_from"]:
            plan.faults.append(Fault(row.line, "", "days"))
            return
        if row.marks is not None and row.marks != marks:
            plan.marks[key] = row.marks
    if after["restricted"] != here.restricted:
        plan.restricting.append((here.uid, after["restricted"]))
    if after != before:
        plan.changed.append({"id": here.id, **after})
    elif key in plan.marks:
        plan.marked_only += 1
    else:
        plan.unchanged += 1


def _merged(before: dict[str, Any], row: NoticeRow) -> dict[str, Any]:
    """What a notice is to be: what the file does not say stays; days and an exact moment push each other out."""
    said = dict(row.values)
    ready = said.pop("ready", None)
    if said.get("assigned_at"):
        said |= {"assigned_from": None, "assigned_to": None}
    elif said.get("assigned_from") or said.get("assigned_to"):
        said["assigned_at"] = None
    if ready is not None:
        said["state"] = NoticeState.READY if ready else NoticeState.PREPARING
    return before | said | {"office_id": row.office_id, "service_id": row.service_id}


def _write(tx: Transaction, plan: _Plan, by: str, now: datetime) -> None:
    if plan.new:
        tx.session.execute(insert(Notice), plan.new)
    if plan.changed:
        tx.session.execute(update(Notice), plan.changed)
    if plan.marks:
        _write_marks(tx, plan.marks)
    for uid, restricted in plan.restricting:
        record(tx, now, by, "notice.restrict" if restricted else "notice.unrestrict", uid)
    if plan.new or plan.changed or plan.marks:
        record(tx, now, by, "notice.import", None, new=len(plan.new), changed=len(plan.changed) + plan.marked_only)


def _write_marks(tx: Transaction, marks: dict[str, frozenset[str]]) -> None:
    rows = tx.session.execute(select(Notice.id, Notice.number_key).where(Notice.number_key.in_(marks)))
    ids = {row.number_key: row.id for row in rows}
    tx.session.execute(delete(NoticeMark).where(NoticeMark.notice_id.in_(ids.values())))
    words = [{"notice_id": ids[key], "word": word} for key, chosen in marks.items() for word in sorted(chosen)]
    if words:
        tx.session.execute(insert(NoticeMark), words)
