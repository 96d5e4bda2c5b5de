"""Entry points of the emergency list: written into a folder of another machine, or looked at now."""

import logging
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from pathlib import Path

from sqlalchemy import select

from server.audit import record
from server.auth.passwords import Run
from server.clock import business_date, office_time
from server.db import locked, read_session, transaction
from server.emergency.models import EmergencyList
from server.emergency.queries import EmergencyPicture, emergency_picture, state_of
from server.emergency.rules import Failure, failure_of, is_due
from server.offices.models import Office
from server.offices.queries import all_offices, calendar_of

log = logging.getLogger(__name__)

WRITER = Path(__file__).with_name("writer.py")
NAME = "非常用一覧_"
KEEP = 2  # the newest and the one before
LONGEST_S = 20.0

Draw = Callable[[EmergencyPicture, str, datetime], bytes]
Write = Callable[[Path, str, bytes], Failure | None]


def write_file(folder: Path, name: str, data: bytes, longest_s: float = LONGEST_S) -> Failure | None:
    """Write a list beside the one before, in a process of its own. None if it is there, else why not."""
    words = [sys.executable, "-I", "-S", str(WRITER), str(folder), name, str(KEEP), NAME]
    writing = subprocess.Popen(words, stdin=subprocess.PIPE, stderr=subprocess.DEVNULL)  # noqa: S603 - our own words
    try:
        writing.communicate(data, timeout=longest_s)
    except subprocess.TimeoutExpired:
        writing.kill()
        with suppress(subprocess.TimeoutExpired):  # a share that hangs may hold even the dead
            writing.communicate(timeout=1)
        return Failure.SLOW
    return None if writing.returncode == 0 else failure_of(writing.returncode)


def write_emergency_lists(folder: Path, draw: Draw, run: Run, now: datetime, write: Write = write_file) -> int:
    """Sweep: the lists that are due are written, each into the folder named by its office's code. Gives how many.

    `draw` makes a paper of a picture, an office's name and now. Whatever goes wrong is written down and told to staff;
    nothing else waits for it.
    """
    day = business_date(now)
    written = 0
    for office_id, code, name in [(o.id, o.code, o.name_ja) for o in all_offices(read_session())]:
        sessions = calendar_of(read_session(), office_id, day).plan(day).sessions
        if not is_due(sessions, state_of(read_session(), office_id), now) or not _claim(office_id, now):
            continue
        picture = emergency_picture(read_session(), office_id, now)
        read_session().rollback()  # drawing and writing take their time, and nobody waits for our connection meanwhile
        made = run(draw, picture, name, now)
        failure = write(folder / code, f"{NAME}{office_time(now):%Y%m%d_%H%M}.pdf", made)
        if failure is not None:
            log.error("the emergency list of %s was not written: %s", code, failure.value)
        _settle(office_id, failure, now)
        written += failure is None
    return written


def _claim(office_id: int, now: datetime) -> bool:
    """One of several processes writes the list. False if another was first."""
    with transaction() as tx:
        if tx.insert_or_ignore(EmergencyList, {"office_id": office_id, "tried_at": now}):
            return True
        state = tx.session.scalars(locked(select(EmergencyList).where(EmergencyList.office_id == office_id))).one()
        if state.tried_at >= now:
            return False
        state.tried_at = now
        return True


def _settle(office_id: int, failure: Failure | None, now: datetime) -> None:
    with transaction() as tx:
        state = tx.session.get_one(EmergencyList, office_id)
        # Written down when it changes: a share that is away for a day is one row and not three hundred.
        if failure is not None and failure is not state.failure:
            record(tx, now, "timetable", "emergency.failed", None, office=office_id, reason=failure.value)
        state.failure = failure
        if failure is None:
            state.written_at = now
            record(tx, now, "timetable", "emergency.write", None, office=office_id)


def look_at_emergency_list(actor: str, office_id: int, now: datetime) -> tuple[EmergencyPicture, str]:
    """Somebody takes the list as it would be written now: picture, and the office's name. Written down."""
    with transaction() as tx:
        record(tx, now, actor, "emergency.look", None, office=office_id)
        return emergency_picture(tx.session, office_id, now), tx.session.get_one(Office, office_id).name_ja
