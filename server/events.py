"""What has happened, as frozen facts; and who is told.

Inside subscribers run in the same transaction (outbox); after subscribers run when it is committed, and their
failure is logged but never delays or fails the request.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from server.faults import way_of

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class BookingMade:
    """A hold became a booking."""

    booking: UUID
    office_id: int
    starts_at: datetime


@dataclass(frozen=True)
class BookingCancelled:
    """A booking was cancelled and its place given back."""

    booking: UUID
    office_id: int


@dataclass(frozen=True)
class OpeningChanged:
    """The opening hours of these days, or the services in them, may be others; `last_day` None: of all days to come."""

    office_id: int
    first_day: date
    last_day: date | None


@dataclass(frozen=True)
class PolicyChanged:
    """The office, or one of its pools, has another value from a day on."""

    office_id: int
    first_day: date


@dataclass(frozen=True)
class QueueChanged:
    """Somebody joined or left a queue: the number of people waiting is another one."""

    office_id: int


@dataclass(frozen=True)
class TicketCalled:
    """A ticket was called, recalled or found missing; `sequence` is the office's board sequence."""

    office_id: int
    sequence: int
    kind: str
    number: int
    window: int
    at: datetime


Event = BookingMade | BookingCancelled | OpeningChanged | PolicyChanged | QueueChanged | TicketCalled


class EventBus:
    """Hands events to those who asked for them."""

    def __init__(self) -> None:
        """Nobody listens yet."""
        self._inside: list[tuple[type[Any], Callable[[Any, Any], None]]] = []
        self._after: list[tuple[type[Any], Callable[[Any], None]]] = []

    def inside(self, kind: type[Any], subscriber: Callable[[Any, Any], None]) -> None:
        """Call `subscriber(tx, event)` in the same transaction; its failure undoes everything."""
        self._inside.append((kind, subscriber))

    def after(self, kind: type[Any], subscriber: Callable[[Any], None]) -> None:
        """Call `subscriber(event)` once the transaction is committed."""
        self._after.append((kind, subscriber))

    def tell_inside(self, tx: Any, event: Event) -> None:
        """Carry an event to the inside subscribers, now."""
        for kind, subscriber in self._inside:
            if isinstance(event, kind):
                subscriber(tx, event)

    def tell_after(self, events: list[Event]) -> None:
        """Carry committed events to the world; a failing subscriber harms nobody else."""
        for event in events:
            for kind, subscriber in self._after:
                if isinstance(event, kind):
                    try:
                        subscriber(event)
                    except Exception as error:
                        log.error("telling %s failed: %s", type(event).__name__, way_of(error))
