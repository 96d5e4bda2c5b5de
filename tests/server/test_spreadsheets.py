"""Tables for the office's spreadsheet."""

import pytest

from server.spreadsheets import csv_file, safe_cell


@pytest.mark.parametrize("sign", ["=", "+", "-", "@", "\t", "\r"])
def test_no_text_begins_like_a_formula(sign: str) -> None:
    assert safe_cell(f"{sign}HYPERLINK()") == f"'{sign}HYPERLINK()"
    assert safe_cell("受取") == "受取"
    assert safe_cell("") == ""


def test_a_file_is_for_excel_in_japan() -> None:
    assert csv_file([("番号", "=1+1")]) == "\ufeff番号,'=1+1\r\n".encode()
