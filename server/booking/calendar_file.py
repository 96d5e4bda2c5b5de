"""A booking as a calendar file (pure): RFC 5545, in the office's time zone, with nothing personal in it."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

LINE_OCTETS = 75  # without the line's end (RFC 5545, 3.1)

# Japan has had no summer time since 1951: one rule tells the zone for every year a booking may lie in.
ZONE = (
    "BEGIN:VTIMEZONE",
    "TZID:Asia/Tokyo",
    "BEGIN:STANDARD",
    "DTSTART:19700101T000000",
    "TZOFFSETFROM:+0900",
    "TZOFFSETTO:+0900",
    "TZNAME:JST",
    "END:STANDARD",
    "END:VTIMEZONE",
)


@dataclass(frozen=True)
class CalendarEntry:
    """What a calendar is told. `starts_at` and `ends_at` are on the office's clock; `uid` stays when it is moved."""

    uid: str
    starts_at: datetime
    ends_at: datetime
    written_at: datetime
    title: str
    place: str
    notes: str
    language: str


def calendar_file(entry: CalendarEntry) -> bytes:
    """The file: one event, and a reminder on the day before."""
    lines = (
        "BEGIN:VCALENDAR",
        "VERSION:2.0",
        f"PRODID:-//Madoguchi//Booking//{entry.language.upper()}",
        "CALSCALE:GREGORIAN",
        "METHOD:PUBLISH",
        *ZONE,
        "BEGIN:VEVENT",
        f"UID:{_escaped(entry.uid)}",
        f"DTSTAMP:{entry.written_at.astimezone(UTC):%Y%m%dT%H%M%SZ}",
        f"DTSTART;TZID=Asia/Tokyo:{entry.starts_at:%Y%m%dT%H%M%S}",
        f"DTEND;TZID=Asia/Tokyo:{entry.ends_at:%Y%m%dT%H%M%S}",
        f"SUMMARY:{_escaped(entry.title)}",
        f"LOCATION:{_escaped(entry.place)}",
        f"DESCRIPTION:{_escaped(entry.notes)}",
        "BEGIN:VALARM",
        "ACTION:DISPLAY",
        "TRIGGER:-P1D",
        f"DESCRIPTION:{_escaped(entry.title)}",
        "END:VALARM",
        "END:VEVENT",
        "END:VCALENDAR",
    )
    return b"".join(part + b"\r\n" for line in lines for part in _folded(line))


def _escaped(text: str) -> str:
    """Text as a value: backslash, semicolon, comma and new line are escaped, other control characters left out."""
    text = re.sub(r"([\\;,])", r"\\\1", text.replace("\r\n", "\n"))
    return "".join(c for c in text.replace("\n", "\\n") if c >= " " and c != "\x7f")


def _folded(line: str) -> Iterator[bytes]:
    """Parts of at most 75 octets; the following ones begin with a space. No character is cut in two."""
    part = bytearray()
    for character in line:
        octets = character.encode()
        if len(part) + len(octets) > LINE_OCTETS:
            yield bytes(part)
            part = bytearray(b" ")
        part += octets
    yield bytes(part)
