"""What residents' forms and addresses say, read strictly: what cannot be meant never reaches an entry point."""

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from server.auth.rules import SignInFailed
from server.booking.rules import BookingNotFound, UnknownSlot
from server.clock import OFFICE_ZONE
from server.errors import NotFound
from server.issuance.notice_codes import refuse_my_number
from server.offices.opening_changes import FIRST_YEAR, LAST_YEAR

LONGEST_WORD = 40  # eight characters in groups, full width, with room for what people type beside them


@dataclass(frozen=True)
class StickerWords:
    """Booking id and password as they were typed."""

    credential_id: str
    password: str


def sticker_words(form: Mapping[str, str]) -> StickerWords:
    """Booking id and password. Raises MyNumberRefused, SignInFailed (too long, or no words at all)."""
    words = StickerWords(form.get("credential_id", ""), form.get("password", ""))
    refuse_my_number(words.credential_id, words.password)
    if not (_is_word(words.credential_id) and _is_word(words.password)):
        raise SignInFailed
    return words


def _is_word(text: str) -> bool:
    # A NUL would be a fault in PostgreSQL; pasted line ends and tabs are meant by nobody either.
    return 0 < len(text) <= LONGEST_WORD and not any(unicodedata.category(c) in ("Cc", "Cs") for c in text)


def read_assigned(form: Mapping[str, str]) -> tuple[date | None, date | None, datetime | None]:
    """First and last day, and moment, of a form; an empty field is none. Raises ValueError."""
    first, last, at = (form.get(name, "").strip() for name in ("first", "last", "at"))
    moment = datetime.fromisoformat(at).replace(second=0, microsecond=0) if at else None
    if moment is not None and moment.tzinfo is not None:
        raise ValueError
    days = [date.fromisoformat(day) if day else None for day in (first, last)]
    if not all(FIRST_YEAR <= day.year <= LAST_YEAR for day in (*days, moment) if day is not None):
        raise ValueError
    return days[0], days[1], None if moment is None else moment.replace(tzinfo=OFFICE_ZONE)


def day_of(text: str) -> date:
    """The day an address names. Raises NotFound."""
    try:
        day = date.fromisoformat(text)
    except ValueError:
        raise NotFound from None
    if day.isoformat() != text:  # Python reads 20261130 and 2026-W49-1, too; one day has one address
        raise NotFound
    return day


def slot_of(form: Mapping[str, str]) -> UUID:
    """The place that was chosen. Raises UnknownSlot."""
    try:
        return UUID(form.get("slot", ""))
    except ValueError:
        raise UnknownSlot from None


def booking_of(text: str) -> UUID:
    """The booking a form or an address names. Raises BookingNotFound."""
    try:
        return UUID(text)
    except ValueError:
        raise BookingNotFound from None


def own_path(text: str) -> str:
    """A path of ours to go back to; the first page for everything else."""
    ours = text.startswith("/") and not text.startswith("//") and "\\" not in text and text.isprintable()
    return text if ours and len(text) <= 200 else "/"
