"""What stands in a file of notices (pure): its columns, and what may stand in their cells.

Nothing of a cell is ever told again: who wrote a My Number or a name into the wrong column will not find it in a log.
"""

import re
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time
from typing import Any

from server.clock import OFFICE_ZONE
from server.issuance.csv_lines import NoHeader, Row
from server.issuance.notice_codes import MyNumberRefused, NoticeNumberUnreadable, notice_number, refuse_my_number

LONGEST_CELL = 200
LONGEST_PLACE = 40

HEADERS: dict[str, tuple[str, ...]] = {
    "number": ("交付通知書の番号", "交付通知書番号", "通知書番号", "番号", "管理番号", "number", "notice number"),
    "office": ("庁舎", "庁舎・支所", "交付場所", "受取場所", "office"),
    "service": ("手続", "手続き", "業務", "service"),
    "storage_place": ("保管場所", "棚", "storage place", "storage"),
    "ready": ("準備", "準備済", "交付可", "ready"),
    "assigned_from": ("来庁期間開始", "来庁期間自", "期間開始", "window from", "from"),
    "assigned_to": ("来庁期間終了", "来庁期間至", "期間終了", "window to", "to"),
    "assigned_at": ("来庁日時", "指定日時", "exact time", "time"),
    "marks": ("付箋", "表示", "marks"),
    "restricted": ("支援措置", "非開示", "制限", "restricted"),
}
"""Each column and the names its header may have, the first one ours. Width, case and spaces do not matter."""
NEEDED = ("number", "office", "service")

FAULTS = {
    "my_number": ("it may hold a My Number (12 digits)", "take the number out of the file; it must not be kept here"),
    "quotes": ("its quotation marks are broken, or a cell goes over several lines", "save the file as CSV again"),
    "long_line": ("it is longer than any row of notices", "save the file as CSV again"),
    "cells": ("it has more or fewer cells than the header", "look for a comma or quotation mark too many"),
    "cell_long": ("the cell is longer than can be meant", "shorten it"),
    "control": ("the cell holds a control character", "type it again"),
    "formula": ("the cell begins as a spreadsheet's formula does (= + - @)", "write it as plain text"),
    "number": ("a notice number is 3 letters or digits and 6 digits", "copy it from the notice"),
    "twice": ("this number stands already further up in the file", "keep one of the two rows"),
    "office": ("there is no such office", "write its code or its name as `offices load` has it"),
    "service": ("the office has no such service", "write its code or its name as `offices load` has it"),
    "date": ("no date that can be meant", "write 2026-12-01, 2026/12/1 or 令和8年12月1日"),
    "moment": ("no date and time that can be meant", "write 2026-12-01 10:00 or 令和8年12月1日 10時00分"),
    "days": ("the days end before they begin", "put them in order"),
    "one_way": ("it has both days from–to and an exact time", "keep one of the two"),
    "yes_no": ("neither yes nor no", "write 1 or 0, はい or いいえ, yes or no"),
    "mark": ("the word is not among the marks", "add it: `madoguchi notices marks add WORD`, or take it out"),
    "booked": ("the notice is booked elsewhere or for another service", "cancel the booking first, at the phone desk"),
}
"""Why a row is refused, and what to do."""

_YES = frozenset(
    ["1", "yes", "y", "true", "はい", "有", "有り", "あり", "済", "済み", "可", "対象", "該当", "○", "〇", "◯"]
)
_NO = frozenset(
    ["0", "no", "n", "false", "いいえ", "無", "無し", "なし", "未", "不可", "対象外", "非該当", "×", "x", "-"]
)
_DATE = re.compile(
    r"(?:(?P<era>令和|r)\s*(?P<era_year>元|\d{1,2})|(?P<year>\d{4}))"
    r"(?:年\s*|[-/.])(?P<month>\d{1,2})(?:月\s*|[-/.])(?P<day>\d{1,2})日?(?:\([月火水木金土日]\))?"
)
_TIME = re.compile(r"(?P<hour>\d{1,2})(?:時|(?::|時\s*)(?P<minute>\d{1,2})(?::00|分)?)")
_BETWEEN_MARKS = re.compile(r"[\s、,;/]+")
_REIWA = 2018


@dataclass(frozen=True)
class Fault:
    """Why one row of a file was refused; `column` is the header's own name for it, or nothing."""

    line: int
    column: str
    reason: str

    def __str__(self) -> str:
        """The line, the reason and what to do; never what stood there."""
        why, advice = FAULTS[self.reason]
        column = f", {self.column}" if self.column else ""
        return f"line {self.line}{column}: {why}; {advice}"


@dataclass(frozen=True)
class NoticeRow:
    """One readable row. `values` holds what the file says, by column of HEADERS; what it does not say is not in it."""

    line: int
    number: str
    office_id: int
    service_id: int
    values: dict[str, Any]
    marks: frozenset[str] | None


@dataclass(frozen=True)
class Known:
    """What a row may speak of: offices by their names, their services by theirs, and the marks."""

    offices: dict[str, int]
    services: dict[int, dict[str, int]]
    marks: frozenset[str]


class _Refused(Exception):
    def __init__(self, reason: str, column: str = "") -> None:
        super().__init__(reason)
        self.reason, self.column = reason, column


@dataclass
class Reader:
    """Reads the rows below one header."""

    header: Sequence[str]
    known: Known
    columns: dict[str, int] = field(init=False)
    _lines: dict[str, int] = field(default_factory=dict, init=False)

    def __post_init__(self) -> None:
        """Which column is which. Raises NoHeader with what is missing or stands twice, MyNumberRefused."""
        refuse_my_number(*self.header)
        self.columns = {}
        for at, name in enumerate(self.header):
            for column, names in HEADERS.items():
                if _bare(name) in {_bare(known) for known in names}:
                    if column in self.columns:
                        raise NoHeader(twice=HEADERS[column][0])
                    self.columns[column] = at
        missing = [f"{HEADERS[column][0]} ({column})" for column in NEEDED if column not in self.columns]
        if missing:
            raise NoHeader(missing=", ".join(missing))

    def read(self, row: Row) -> NoticeRow | Fault:
        """What a row says, or why it is refused."""
        try:
            return self._read(row)
        except _Refused as refused:
            named = self.header[self.columns[refused.column]] if refused.column else ""
            return Fault(row.line, named, refused.reason)

    def _read(self, row: Row) -> NoticeRow:
        if row.fault:
            raise _Refused(row.fault)
        _refuse_my_numbers(row.cells)
        if len(row.cells) != len(self.header):
            raise _Refused("cells")
        cells = {column: _cell(row.cells[at], column) for column, at in self.columns.items()}
        number = _number(cells["number"])
        if self._lines.setdefault(number, row.line) != row.line:
            raise _Refused("twice", "number")
        office_id = _one_of(self.known.offices, cells, "office")
        service_id = _one_of(self.known.services[office_id], cells, "service")
        values = {name: read(cells[name], name) for name, read in _READERS.items() if name in cells}
        values = {name: value for name, value in values.items() if value is not _UNSAID}
        _check_assigned(values)
        return NoticeRow(row.line, number, office_id, service_id, values, self._marks(cells))

    def _marks(self, cells: dict[str, str]) -> frozenset[str] | None:
        if "marks" not in cells:
            return None
        words = frozenset(word for word in _BETWEEN_MARKS.split(cells["marks"]) if word)
        if not words <= self.known.marks:
            raise _Refused("mark", "marks")
        return words


def name_key(name: str) -> str:
    """A name as it is compared: width, case and spaces do not matter."""
    return _bare(name)


def _bare(text: str) -> str:
    return re.sub(r"[\s_]+", "", unicodedata.normalize("NFKC", text)).casefold()


def _refuse_my_numbers(cells: Sequence[str]) -> None:
    """The whole row first: what may be a My Number is looked for before any cell is anything else."""
    try:
        refuse_my_number(*(cell for cell in cells if len(cell) >= 12))
    except MyNumberRefused:
        raise _Refused("my_number") from None


def _cell(text: str, column: str) -> str:
    if len(text) > LONGEST_CELL:
        raise _Refused("cell_long", column)
    plain = text.strip() if text.isascii() else unicodedata.normalize("NFKC", text).strip()
    if not plain.isprintable():
        raise _Refused("control", column)
    return plain


def _number(text: str) -> str:
    try:
        return notice_number(text)
    except (NoticeNumberUnreadable, MyNumberRefused):
        raise _Refused("number", "number") from None


def _one_of(known: dict[str, int], cells: dict[str, str], column: str) -> int:
    found = known.get(_bare(cells[column]))
    if found is None:
        raise _Refused(column, column)
    return found


_UNSAID = object()


def _yes_no(text: str, column: str) -> Any:
    """Yes or no. An empty cell says neither: nobody shall lose a protection by a column that was left empty."""
    word = text.casefold()
    if word and word not in _YES | _NO:
        raise _Refused("yes_no", column)
    return word in _YES if word else _UNSAID


def _place(text: str, column: str) -> str:
    if len(text) > LONGEST_PLACE:
        raise _Refused("cell_long", column)
    if text.startswith(("=", "+", "-", "@")):
        raise _Refused("formula", column)
    return text


def _date(text: str, column: str) -> date | None:
    if not text:
        return None
    found = _DATE.fullmatch(text.casefold())
    if found is None:
        raise _Refused("date", column)
    try:
        return _day(found)
    except ValueError:
        raise _Refused("date", column) from None


def _moment(text: str, column: str) -> datetime | None:
    if not text:
        return None
    lower = text.casefold()
    day = _DATE.match(lower)
    hour = _TIME.fullmatch(lower[day.end() :].lstrip(" t")) if day else None
    if day is None or hour is None:
        raise _Refused("moment", column)
    try:
        clock = time(int(hour["hour"]), int(hour["minute"] or 0))
        return datetime.combine(_day(day), clock, OFFICE_ZONE)
    except ValueError:
        raise _Refused("moment", column) from None


def _day(found: re.Match[str]) -> date:
    """The day of a match. Raises ValueError for one that no calendar or no office of ours has."""
    of_era = 1 if found["era_year"] == "元" else int(found["era_year"] or 0)
    year = _REIWA + of_era if found["era"] else int(found["year"])
    day = date(year, int(found["month"]), int(found["day"]))
    if not date(2019, 5, 1) <= day < date(2100, 1, 1):
        raise ValueError(day)
    return day


def _check_assigned(values: dict[str, Any]) -> None:
    first, last = values.get("assigned_from"), values.get("assigned_to")
    if first and last and last < first:
        raise _Refused("days", "assigned_to")
    if (first or last) and values.get("assigned_at"):
        raise _Refused("one_way", "assigned_at")


_READERS: dict[str, Callable[[str, str], Any]] = {
    "storage_place": _place,
    "ready": _yes_no,
    "assigned_from": _date,
    "assigned_to": _date,
    "assigned_at": _moment,
    "restricted": _yes_no,
}
