"""Tables for the office's spreadsheet (pure)."""

import csv
from collections.abc import Iterable, Mapping, Sequence
from io import BytesIO, StringIO

EXCEL = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
WIDEST = 60


def safe_cell(text: str) -> str:
    """A text that no spreadsheet takes for a formula, also when the table is saved as CSV and opened again."""
    return f"'{text}" if text[:1] in ("=", "+", "-", "@", "\t", "\r", "\n") else text


def csv_file(rows: Iterable[Sequence[str]]) -> bytes:
    """A table as Excel opens it in Japan: UTF-8 with its mark, no text that could become a formula."""
    text = StringIO(newline="")
    csv.writer(text).writerows([safe_cell(cell) for cell in row] for row in rows)
    return text.getvalue().encode("utf-8-sig")


def excel_file(sheets: Mapping[str, Sequence[Sequence[str]]]) -> bytes:
    """An Excel file: values only; of each sheet the first row is its heads."""
    from openpyxl import Workbook  # heavy, and seldom needed
    from openpyxl.cell import WriteOnlyCell
    from openpyxl.styles import Font
    from openpyxl.utils import get_column_letter

    book, bold = Workbook(write_only=True), Font(bold=True)
    for title, rows in sheets.items():
        sheet = book.create_sheet(title)
        sheet.freeze_panes = "A2"
        for n in range(len(rows[0])):
            widest = max(len(row[n]) for row in rows if n < len(row))
            sheet.column_dimensions[get_column_letter(n + 1)].width = min(2 * widest + 2, WIDEST)
        for row in rows:
            cells = [WriteOnlyCell(sheet, safe_cell(text) or None) for text in row]
            for cell in cells if row is rows[0] else ():
                cell.font = bold
            sheet.append(cells)
    file = BytesIO()
    book.save(file)
    return file.getvalue()
