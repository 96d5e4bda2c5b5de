"""A day list as a paper and as an Excel file."""

from server.daylist.queries import DayPicture
from server.daylist.rules import Order, in_order
from server.daylist.words import ORDERS, as_of, cells, columns, totals
from server.pdf import List, Row, list_pdf
from server.spreadsheets import excel_file


def paper(picture: DayPicture, order: Order, heading: str, foot: str) -> bytes:
    """An A4 list with a box before each line, to be ticked when the folder lies ready."""
    lines = in_order(picture.lines, order)
    rows = [Row(["" if line.gone else "□", *cells(line, order)], struck=line.gone) for line in lines]
    notes = [as_of(picture), totals(picture)]
    return list_pdf([List(f"{heading}　{ORDERS[order]}", notes, [("", 0.6), *columns(order)], rows)], foot)


def file(picture: DayPicture, heading: str) -> bytes:
    """A sheet for each order, under one that says of what and as of when."""
    sheets: dict[str, list[list[str]]] = {"概要": [[heading], [as_of(picture)], [totals(picture)]]}
    for order in Order:
        heads = [head for head, _ in columns(order)]
        sheets[ORDERS[order]] = [heads, *(cells(line, order) for line in in_order(picture.lines, order))]
    return excel_file(sheets)
