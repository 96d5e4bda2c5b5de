"""The only place that reads the wall clock. Everything else is given `now`."""

from datetime import UTC, date, datetime, timedelta
from typing import Protocol
from zoneinfo import ZoneInfo

OFFICE_ZONE = ZoneInfo("Asia/Tokyo")


class Clock(Protocol):
    """Tells the time, aware, in the office's zone."""

    def now(self) -> datetime:
        """The present moment."""
        ...


class WallClock:
    """The machine's clock, moved by a fixed offset where a trial asks for it."""

    def __init__(self, offset: timedelta = timedelta()) -> None:
        """`offset` is added to every reading; zero in service."""
        self._offset = offset

    def now(self) -> datetime:
        """The present moment in the office's zone."""
        return datetime.now(UTC).astimezone(OFFICE_ZONE) + self._offset


def office_time(moment: datetime) -> datetime:
    """The same moment on the office's clock."""
    return moment.astimezone(OFFICE_ZONE)


def business_date(moment: datetime) -> date:
    """The office's calendar day of a moment: numbers start again with it."""
    return moment.astimezone(OFFICE_ZONE).date()


def at_minute(day: date, minute: int) -> datetime:
    """The moment `minute` minutes after midnight of `day` on the office's clock (1440 = the next midnight)."""
    return datetime(day.year, day.month, day.day, tzinfo=OFFICE_ZONE) + timedelta(minutes=minute)


def minute_of_day(moment: datetime) -> float:
    """How many minutes of its day have passed on the office's clock at a moment."""
    return (moment - at_minute(business_date(moment), 0)) / timedelta(minutes=1)
