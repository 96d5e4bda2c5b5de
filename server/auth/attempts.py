"""Counting of wrong passwords, alike for notices and staff, for those that exist and those that do not.

What was typed is known only as a key, so the count neither tells whether a name exists nor keeps a mistyped secret.
"""

from datetime import datetime

from sqlalchemy import delete, or_, select

from server.auth.models import Attempts
from server.auth.rules import LOCK, check_not_locked, count_failure
from server.db import Transaction, locked, read_session


def check_open(key: str, now: datetime) -> bool:
    """Whether wrong passwords stand against this key. Raises Locked while the lock lasts."""
    standing = read_session().get(Attempts, key)
    if standing is not None:
        check_not_locked(standing, now)
    return standing is not None


def settle(tx: Transaction, key: str, now: datetime, *, right: bool) -> bool:
    """Step: count a wrong password, or end the counting after a right one. True if this closed the key.

    Raises Locked if others have closed it meanwhile: of many tries at once no more than five are heard.
    """
    if not right:
        tx.insert_or_ignore(Attempts, {"key": key, "failed": 0, "at": now})
    standing = tx.session.scalar(locked(select(Attempts).where(Attempts.key == key)))
    if standing is None:
        return False
    check_not_locked(standing, now)
    if standing.locked_until is not None:
        # A lock that has ended begins the counting anew: else one try each quarter of an hour would keep it closed.
        standing.failed, standing.locked_until = 0, None
    if right:
        tx.session.delete(standing)
        return False
    standing.at = now
    return count_failure(standing, now)


def forget_old_attempts(tx: Transaction, now: datetime) -> None:
    """Sweep: a day later, or when its lock has ended for as long as it lasted, a count stands no more."""
    ended = Attempts.locked_until < now - LOCK
    tx.session.execute(delete(Attempts).where(or_(ended, Attempts.at < now - 96 * LOCK)))
