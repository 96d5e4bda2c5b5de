"""Lists for paper: A4, Japanese letters that come with the program, drawn without a browser (pure)."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

FONT = Path(__file__).parent / "fonts" / "BIZUDGothic-Regular.ttf"
MARGIN_MM = 12.0
WIDTH_MM = 210 - 2 * MARGIN_MM
SIZE, LEADING, PADDING = 9.0, 1.35, 3.0  # points, of the letters in a list


@dataclass(frozen=True)
class Row:
    """One line of a list; a `struck` one is crossed out but for its last cell, which says why."""

    cells: Sequence[str]
    struck: bool = False


@dataclass(frozen=True)
class List:
    """A list as it is printed: heading and sentences above, columns with their shares of the width, rows."""

    heading: str
    notes: Sequence[str]
    columns: Sequence[tuple[str, float]]
    rows: Sequence[Row]


def list_pdf(lists: Iterable[List], foot: str) -> bytes:
    """Lists as A4 pages, each list on a page of its own; every page says `foot`, its number and how many there are."""
    # Heavy, and only needed where a paper is made.
    from reportlab.lib.pagesizes import A4
    from reportlab.lib.units import mm
    from reportlab.platypus import PageBreak, SimpleDocTemplate

    _know_letters()
    lists = list(lists)
    story: list[Any] = []
    for one in lists:
        story += [PageBreak()] * bool(story) + _story(one)
    file = BytesIO()
    margin = MARGIN_MM * mm
    sides: dict[str, Any] = {
        "leftMargin": margin,
        "rightMargin": margin,
        "topMargin": margin,
        "bottomMargin": margin + 6 * mm,
    }
    document = SimpleDocTemplate(file, pagesize=A4, invariant=1, **sides)
    document.title, document.lang = lists[0].heading, "ja"
    document.build(story, canvasmaker=_numbered(foot))
    return file.getvalue()


def cards_pdf(words: Sequence[str], above: str, below: str) -> bytes:
    """A4 sheets to be cut into eight cards, each with one word as large as it goes, and a line above and below it."""
    from reportlab.lib.pagesizes import A4
    from reportlab.lib.units import mm
    from reportlab.pdfgen.canvas import Canvas

    _know_letters()
    file = BytesIO()
    sheet = Canvas(file, pagesize=A4, invariant=1, lang="ja")
    sheet.setTitle(above)
    width, height = 105 * mm, 297 / 4 * mm
    for n, word in enumerate(words):
        at = n % 8
        if n and not at:
            sheet.showPage()
        left, bottom = at % 2 * width, (3 - at // 2) * height
        sheet.setDash(3, 3)
        sheet.rect(left, bottom, width, height)
        for text, size, y in ((above, 12, 0.83), (word, 110, 0.3), (below, 12, 0.1)):
            sheet.setFont("letters", size)
            sheet.drawCentredString(left + width / 2, bottom + y * height, text)
    sheet.save()
    return file.getvalue()


def _story(one: List) -> list[Any]:
    from reportlab.lib.colors import black, lightgrey
    from reportlab.lib.units import mm
    from reportlab.platypus import Paragraph, Spacer, Table

    shares = sum(share for _, share in one.columns)
    widths = [WIDTH_MM * mm * share / shares for _, share in one.columns]
    lines: list[list[Any]] = []
    for row in (Row([head for head, _ in one.columns]), *one.rows):
        # Wrapped here: a cell that is a paragraph of its own takes fifty times as long. Few are crossed out.
        cells = [_wrapped(text, width - 2 * PADDING) for text, width in zip(row.cells, widths, strict=True)]
        crossed = [Paragraph(_crossed(text), _style(SIZE)) for text in cells[:-1]]
        lines.append([*crossed, cells[-1]] if row.struck else cells)
    table = Table(lines, widths, repeatRows=1)
    table.setStyle(
        [
            ("FONT", (0, 0), (-1, -1), "letters", SIZE, SIZE * LEADING),
            ("GRID", (0, 0), (-1, -1), 0.4, black),
            ("BACKGROUND", (0, 0), (-1, 0), lightgrey),
            ("VALIGN", (0, 0), (-1, -1), "MIDDLE"),
            *((f"{side}PADDING", (0, 0), (-1, -1), PADDING) for side in ("TOP", "BOTTOM", "LEFT", "RIGHT")),
        ]
    )
    notes = [Paragraph(escape(text), _style(10)) for text in one.notes]
    return [Paragraph(escape(one.heading), _style(15)), *notes, Spacer(1, 3 * mm), table]


def _style(size: float) -> Any:
    from reportlab.lib.styles import ParagraphStyle

    return ParagraphStyle("letters", fontName="letters", fontSize=size, leading=size * LEADING, wordWrap="CJK")


def _wrapped(text: str, width: float) -> str:
    """A text, which may have lines of its own, in lines of this width; Japanese may be broken anywhere."""
    from reportlab.pdfbase.pdfmetrics import stringWidth

    lines, line, used = [], "", 0.0
    for letter in text:
        takes = stringWidth(letter, "letters", SIZE)
        if letter == "\n" or (line and used + takes > width):
            lines.append(line)
            line, used = "", 0.0
        if letter != "\n":
            line, used = line + letter, used + takes
    return "\n".join([*lines, line])


def _crossed(text: str) -> str:
    return "<br/>".join(f"<strike>{escape(line)}</strike>" for line in text.split("\n"))


@cache
def _know_letters() -> None:
    """Read the letters once; 0.1 s."""
    from reportlab.pdfbase import pdfmetrics
    from reportlab.pdfbase.ttfonts import TTFont

    pdfmetrics.registerFont(TTFont("letters", str(FONT)))


def _numbered(foot: str) -> Any:
    """How many pages there are is known only when all are drawn: each is kept until then."""
    from reportlab.lib.units import mm
    from reportlab.pdfgen.canvas import Canvas

    class Numbered(Canvas):
        def __init__(self, *args: Any, **kwargs: Any) -> None:
            super().__init__(*args, **kwargs)
            self._kept: list[dict[str, Any]] = []

        def showPage(self) -> None:
            self._kept.append(dict(self.__dict__))
            self._startPage()  # type: ignore[attr-defined]  # the library's own way, which its types do not tell

        def save(self) -> None:
            for n, page in enumerate(self._kept, start=1):
                self.__dict__.update(page)
                self.setFont("letters", 9)
                self.drawString(MARGIN_MM * mm, 8 * mm, foot)
                self.drawRightString((210 - MARGIN_MM) * mm, 8 * mm, f"{n} / {len(self._kept)}")
                super().showPage()
            super().save()

    return Numbered
