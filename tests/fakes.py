"""Fakes that are passed in: a clock that stands still, ids that are fresh."""

from datetime import datetime, timedelta
from uuid import uuid4

from server.clock import OFFICE_ZONE
from server.repeats import Caller

MONDAY_NINE = datetime(2026, 11, 30, 9, 0, tzinfo=OFFICE_ZONE)


class StandingClock:
    """A clock that moves only when it is told to."""

    def __init__(self, now: datetime = MONDAY_NINE) -> None:
        """Stands at `now`."""
        self._now = now

    def now(self) -> datetime:
        """The moment it stands at."""
        return self._now

    def forward(self, **length: float) -> datetime:
        """Move on, e.g. `forward(minutes=11)`."""
        self._now += timedelta(**length)
        return self._now

    def set(self, hour: int, minute: int = 0) -> datetime:
        """Another time of the same day."""
        self._now = self._now.replace(hour=hour, minute=minute)
        return self._now


def asked_by(actor: str) -> Caller:
    """A caller with a fresh request id."""
    return Caller(actor, str(uuid4()))
