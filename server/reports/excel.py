"""The report as an Excel file: values only, no formula, and no text that could become one."""

from collections.abc import Sequence
from io import BytesIO
from typing import Any

from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.styles import Font
from openpyxl.utils import get_column_letter

from server.reports.queries import WaitReport
from server.reports.words import COLUMNS, DEFINITION, Sheet, cells, heading, outcome_rows, sentences, sheets, within
from server.spreadsheets import safe_cell

BOLD = Font(bold=True)
WIDE, NARROW = 22, 13


def workbook(report: WaitReport) -> bytes:
    """The whole report: a first sheet with what the tables rest on, then one sheet for each table."""
    book = Workbook(write_only=True)
    first = book.create_sheet("概要")
    first.column_dimensions["A"].width = 60
    _write(first, [heading(report)], bold=True)
    for sentence in (DEFINITION, within(report), *sentences(report)):
        _write(first, [sentence])
    _write(first, [])
    _write(first, ["結果", "人数"], bold=True)
    for text, people in outcome_rows(report):
        _write(first, [text, people])
    for sheet in sheets(report):
        _table(book.create_sheet(sheet.title), sheet)
    file = BytesIO()
    book.save(file)
    return file.getvalue()


def _table(page: Any, sheet: Sheet) -> None:
    page.freeze_panes = "A2"
    heads = (*sheet.heads, *COLUMNS)
    for n in range(1, len(heads) + 1):
        page.column_dimensions[get_column_letter(n)].width = WIDE if n <= len(sheet.heads) else NARROW
    _write(page, heads, bold=True)
    for line in sheet.lines:
        _write(page, (*line.of, *cells(line)))


def _write(page: Any, values: Sequence[str | float], bold: bool = False) -> None:
    row = []
    for value in values:
        cell = WriteOnlyCell(page, safe_cell(value) if isinstance(value, str) else value)
        if bold:
            cell.font = BOLD
        row.append(cell)
    page.append(row)
