"""The calendar file: what calendars accept (RFC 5545), and nothing that should not be in a calendar."""

from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.booking.calendar_file import CalendarEntry, calendar_file
from server.clock import OFFICE_ZONE

TEN = datetime(2026, 12, 1, 10, 15, tzinfo=OFFICE_ZONE)


def entry(title: str = "窓口の予約（カードの受け取り）", place: str = "見本市 本庁", notes: str = "") -> CalendarEntry:
    """A booking of the sample city."""
    end = TEN + timedelta(minutes=30)
    return CalendarEntry("0193@127.0.0.1:8000", TEN, end, TEN - timedelta(days=1), title, place, notes, "ja")


def unfolded(file: bytes) -> list[str]:
    """The file's content lines, as a calendar puts them together again."""
    return file.replace(b"\r\n ", b"").decode().removesuffix("\r\n").split("\r\n")


def test_times_are_on_the_clock_of_tokyo_whose_rule_comes_with_them() -> None:
    lines = unfolded(calendar_file(entry()))
    assert "DTSTART;TZID=Asia/Tokyo:20261201T101500" in lines
    assert "DTEND;TZID=Asia/Tokyo:20261201T104500" in lines
    assert "DTSTAMP:20261130T011500Z" in lines
    assert lines.index("TZID:Asia/Tokyo") < lines.index("BEGIN:VEVENT")


def test_everything_that_begins_ends() -> None:
    lines = unfolded(calendar_file(entry()))
    begun = [line.partition(":")[2] for line in lines if line.startswith("BEGIN:")]
    ended = [line.partition(":")[2] for line in lines if line.startswith("END:")]
    assert sorted(begun) == sorted(ended) == ["STANDARD", "VALARM", "VCALENDAR", "VEVENT", "VTIMEZONE"]


def test_the_calendar_reminds_on_the_day_before() -> None:
    lines = unfolded(calendar_file(entry()))
    alarm = lines[lines.index("BEGIN:VALARM") : lines.index("END:VALARM")]
    assert alarm[1:] == ["ACTION:DISPLAY", "TRIGGER:-P1D", "DESCRIPTION:窓口の予約（カードの受け取り）"]


@pytest.mark.parametrize(
    ("place", "line"),
    [
        ("本庁; 1階, 受付", "LOCATION:本庁\\; 1階\\, 受付"),
        ("本庁\\受付", "LOCATION:本庁\\\\受付"),
        ("本庁\r\nBEGIN:VEVENT", "LOCATION:本庁\\nBEGIN:VEVENT"),
        ("本\x00\x0b庁\r", "LOCATION:本庁"),
    ],
)
def test_words_cannot_become_lines_of_their_own(place: str, line: str) -> None:
    assert line in unfolded(calendar_file(entry(place=place)))


@given(st.text(max_size=300))
def test_every_line_is_short_whole_and_comes_back(text: str) -> None:
    file = calendar_file(entry(notes=text.encode(errors="ignore").decode()))
    lines = file.split(b"\r\n")
    assert lines[-1] == b""
    assert all(len(line) <= 75 and line.decode() is not None for line in lines)
    shown = next(line for line in unfolded(file) if line.startswith("DESCRIPTION:"))
    kept = "".join(c for c in text.replace("\r\n", "\n") if (c >= " " and c != "\x7f") or c == "\n")
    spoken = shown.removeprefix("DESCRIPTION:").replace("\\\\", "\0").replace("\\n", "\n").replace("\\", "")
    assert spoken.replace("\0", "\\") == kept.encode(errors="ignore").decode()
