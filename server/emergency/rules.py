"""The rules of the emergency lists (pure): when one is written, when somebody must know, numbers written by hand."""

import errno
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from enum import Enum
from typing import Protocol

from server.errors import Invalid

BEFORE_OPENING = timedelta(minutes=60)
EVERY = timedelta(minutes=30)
AGAIN = timedelta(minutes=5)  # after a failure
TOO_OLD = timedelta(minutes=45)
BY_HAND = range(901, 1000)  # numbers that no lane and no kiosk gives out


class NumbersUnusable(Invalid):
    """Numbers by hand lie between 901 and 999, in order, and outside those of every lane."""

    code = "numbers_unusable"


class Failure(Enum):
    """Why a list could not be written."""

    MISSING = "missing"  # the folder is not there: the other machine's share is not mounted
    REFUSED = "refused"
    FULL = "full"
    SLOW = "slow"
    OTHER = "other"


_BY_ERRNO = {
    errno.ENOENT: Failure.MISSING,
    errno.ENOTDIR: Failure.MISSING,
    errno.EACCES: Failure.REFUSED,
    errno.EPERM: Failure.REFUSED,
    errno.EROFS: Failure.REFUSED,
    errno.ENOSPC: Failure.FULL,
    errno.EDQUOT: Failure.FULL,
}


def failure_of(number: int) -> Failure:
    """What an error of the system means for the list."""
    return _BY_ERRNO.get(number, Failure.OTHER)


class SessionLike(Protocol):
    """What the rules need of a session of opening hours."""

    @property
    def opens(self) -> datetime: ...
    @property
    def closes(self) -> datetime: ...


class StateLike(Protocol):
    """What the rules need of what has become of the lists."""

    written_at: datetime | None
    tried_at: datetime


def _is_time(sessions: Sequence[SessionLike], now: datetime) -> bool:
    return bool(sessions) and sessions[0].opens - BEFORE_OPENING <= now <= sessions[-1].closes


def is_due(sessions: Sequence[SessionLike], state: StateLike | None, now: datetime) -> bool:
    """Whether a list is to be written: from an hour before opening to closing, every half hour; after a failure again
    in five minutes."""
    if not _is_time(sessions, now):
        return False
    if state is None:
        return True
    if state.written_at == state.tried_at:
        return now - state.tried_at >= EVERY
    return now - state.tried_at >= AGAIN


def is_too_old(sessions: Sequence[SessionLike], state: StateLike | None, now: datetime) -> bool:
    """Whether somebody must know that there is no list to go on with."""
    if not _is_time(sessions, now) or now - (sessions[0].opens - BEFORE_OPENING) < AGAIN:
        return False
    return state is None or state.written_at is None or now - state.written_at > TOO_OLD


def numbers_by_hand(first: int, last: int, others: Iterable[tuple[int, int]]) -> list[int]:
    """The numbers of a sheet; `others` are the ranges that lanes and kiosks give out. Raises NumbersUnusable."""
    if first > last or first not in BY_HAND or last not in BY_HAND:
        raise NumbersUnusable
    if any(first <= end and begin <= last for begin, end in others):
        raise NumbersUnusable
    return list(range(first, last + 1))
