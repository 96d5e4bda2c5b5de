"""Tables for the office's spreadsheet (pure)."""

import csv
from collections.abc import Iterable, Sequence
from io import StringIO


def safe_cell(text: str) -> str:
    """A text that no spreadsheet takes for a formula, also when the table is saved as CSV and opened again."""
    return f"'{text}" if text[:1] in ("=", "+", "-", "@", "\t", "\r", "\n") else text


def csv_file(rows: Iterable[Sequence[str]]) -> bytes:
    """A table as Excel opens it in Japan: UTF-8 with its mark, no text that could become a formula."""
    text = StringIO(newline="")
    csv.writer(text).writerows([safe_cell(cell) for cell in row] for row in rows)
    return text.getvalue().encode("utf-8-sig")
