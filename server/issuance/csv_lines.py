"""How a CSV file from somebody else's program is read (pure): which letters it is written in, and its lines.

Each line is a row of its own: a quotation mark that is never closed costs one row, not the rest of the file.
"""

import codecs
import csv
from collections.abc import Generator
from dataclasses import dataclass
from io import TextIOWrapper
from typing import BinaryIO

from server.errors import Invalid

LONGEST_LINE = 65_536
"""Characters. What is longer is no row of ours; no more than this is ever held of one line."""

_CHUNK = 1 << 20
# cp932 gives these for bytes that no Japanese text has: then the file is in some other encoding.
_NOT_JAPANESE = frozenset("\u0080\u00a0\uf8f0\uf8f1\uf8f2\uf8f3")
_NAMES = {"utf-8": "UTF-8", "utf-8-sig": "UTF-8 (BOM)", "cp932": "Shift_JIS"}


class FileNotReadable(Invalid):
    """Neither UTF-8 nor Shift_JIS: nothing is read, for what would be read might be wrong."""

    code = "file_encoding"


class NoHeader(Invalid):
    """The file is empty, or its first line does not name the columns that are needed."""

    code = "file_header"


@dataclass(frozen=True)
class Lettering:
    """What a file is written in, and how many lines it has."""

    encoding: str
    lines: int

    @property
    def name(self) -> str:
        """As people call it."""
        return _NAMES[self.encoding]


@dataclass(frozen=True)
class Row:
    """One line: its number, counted from 1, and its cells; or the reason why it has none."""

    line: int
    cells: tuple[str, ...]
    fault: str = ""


def lettering_of(file: BinaryIO) -> Lettering:
    """Read a file through once to know its encoding. UTF-8 goes first: Japanese in Shift_JIS is never valid UTF-8.
    Nor is it valid EUC-JP, unless all of it is in half-width katakana; what may be either is refused.

    Raises FileNotReadable.
    """
    file.seek(0)
    if file.read(2) in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE):
        raise FileNotReadable(found="UTF-16", wanted="UTF-8 or Shift_JIS")
    for encoding in ("utf-8", "euc_jp", "cp932"):
        lines = _lines_in(file, encoding)
        if lines is not None and encoding == "euc_jp":
            raise FileNotReadable(found="EUC-JP", wanted="UTF-8 or Shift_JIS")
        if lines is not None:
            file.seek(0)
            marked = encoding == "utf-8" and file.read(3) == codecs.BOM_UTF8
            return Lettering("utf-8-sig" if marked else encoding, lines)
    raise FileNotReadable(wanted="UTF-8 or Shift_JIS")


def _lines_in(file: BinaryIO, encoding: str) -> int | None:
    """The number of lines of a file in this encoding, or None if it is in another one."""
    file.seek(0)
    decoder = codecs.getincrementaldecoder(encoding)()
    lines, last = 0, "\n"
    try:
        while chunk := file.read(_CHUNK):
            text = decoder.decode(chunk)
            if encoding == "cp932" and not _NOT_JAPANESE.isdisjoint(text):
                return None
            lines, last = lines + text.count("\n"), text[-1:] or last
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return None
    return lines + (last != "\n")


def rows_of(file: BinaryIO, encoding: str) -> Generator[Row, None, None]:
    """The rows of a file, one by one; empty lines are passed over."""
    file.seek(0)
    text = TextIOWrapper(file, encoding=encoding, newline=None)
    try:
        number = 0
        while line := text.readline(LONGEST_LINE):
            number += 1
            if len(line) == LONGEST_LINE and not line.endswith("\n"):
                while (rest := text.readline(LONGEST_LINE)) and not rest.endswith("\n"):
                    pass
                yield Row(number, (), "long_line")
            elif line.strip(" ,\t\n\ufeff"):
                yield _row(number, line)
    finally:
        text.detach()


def _row(number: int, line: str) -> Row:
    try:
        [cells] = csv.reader([line.rstrip("\n")], strict=True)
    except csv.Error:
        return Row(number, (), "quotes")
    return Row(number, tuple(cells))
