"""Who may do what (pure)."""

from datetime import datetime, timedelta
from enum import Enum
from typing import Protocol

from server.errors import Invalid, NotAllowed, NotNow


class Role(Enum):
    """What somebody is at the office."""

    OPERATOR = "operator"
    CLERK = "clerk"
    SUPERVISOR = "supervisor"
    ADMIN = "admin"


class Right(Enum):
    """What a page or an action asks for."""

    PHONE = "phone"
    OVERBOOK = "overbook"  # places beyond the bookable ones: an official decides, no contractor
    ASSIGN = "assign"  # the days or the time at which somebody is asked to come: an official decides, likewise
    DESK = "desk"
    LISTS = "lists"  # whose cards are laid out, and where they lie: no call centre
    RESTRICTED = "restricted"  # people under 支援措置: one named role
    REPORTS = "reports"
    ADMIN = "admin"


RIGHTS: dict[Role, frozenset[Right]] = {
    Role.OPERATOR: frozenset({Right.PHONE}),
    Role.CLERK: frozenset({Right.PHONE, Right.OVERBOOK, Right.ASSIGN, Right.DESK, Right.LISTS}),
    Role.SUPERVISOR: frozenset(
        {Right.PHONE, Right.OVERBOOK, Right.ASSIGN, Right.DESK, Right.LISTS, Right.RESTRICTED, Right.REPORTS}
    ),
    Role.ADMIN: frozenset({Right.ADMIN, Right.REPORTS}),
}

ATTEMPTS = 5
LOCK = timedelta(minutes=15)


class NameUnusable(Invalid):
    """A name is one line of at most 40 characters, and no My Number."""

    code = "name_unusable"


class SignInFailed(NotAllowed):
    """Name or password is wrong; which of them is not said."""

    code = "sign_in_failed"


class Locked(NotNow):
    """Too many wrong passwords: closed until the time given."""

    code = "locked"


class NotPaired(NotAllowed):
    """The device is unknown or no longer paired."""

    code = "not_paired"


class Lockable(Protocol):
    """Anything that counts wrong passwords."""

    failed: int
    locked_until: datetime | None


def check_not_locked(account: Lockable, now: datetime) -> None:
    """Raise Locked while the lock lasts."""
    if account.locked_until is not None and now < account.locked_until:
        raise Locked(until=account.locked_until.isoformat())


def count_failure(account: Lockable, now: datetime) -> bool:
    """Five wrong passwords in a row close the account for a quarter of an hour.

    True if it is closed now.
    """
    account.failed += 1
    if account.failed < ATTEMPTS:
        return False
    account.locked_until = now + LOCK
    return True
