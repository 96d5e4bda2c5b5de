"""The paper of the virtual printer: text cells, bit images and feeds, drawn dot by dot.

One dot of the head is one pixel, black is 0. A line of text is collected and printed as a whole, its cells
standing on one base line, as the printers do.
"""

from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final

from PIL import Image, ImageChops, ImageDraw, ImageFont

WHITE: Final = 255
BLACK: Final = 0
LINE_SPACING: Final = 30
LONGEST: Final = 16_000
"""Rows of one paper, two metres: a feed gone wild must not take the machine's memory."""

FONT_A: Final = (12, 24)
FONT_B: Final = (9, 17)
KANJI: Final = (24, 24)


@dataclass
class Style:
    """How the next character looks."""

    font: tuple[int, int] = FONT_A
    wide: int = 1
    high: int = 1
    bold: bool = False
    underline: int = 0
    inverted: bool = False
    spacing: int = 0


@dataclass
class Canvas:
    """A roll of paper, `width` dots wide. `left` and `area` are the margin and what may be printed beside it."""

    width: int
    align: int = 0
    left: int = 0
    area: int = 0
    x: int = 0
    _y: int = 0
    _line: list[tuple[int, Image.Image]] = field(default_factory=list)
    _printed: list[tuple[int, int, Image.Image]] = field(default_factory=list)

    def __post_init__(self) -> None:
        """The whole width is printed on until a margin is set."""
        self.area = self.area or self.width

    @property
    def used(self) -> bool:
        """Whether paper has moved or something waits to be printed."""
        return bool(self._y or self._line)

    @property
    def line_begun(self) -> bool:
        """Whether something waits in the line buffer."""
        return bool(self._line)

    @property
    def too_long(self) -> bool:
        """Whether more has moved than is drawn."""
        return self._y > LONGEST

    def fits(self, width: int) -> bool:
        """Whether so much more has room in this line."""
        return self.x + width <= self.area

    def add(self, piece: Image.Image, spacing: int = 0) -> None:
        """Put a piece into the line."""
        self._line.append((self.x, piece))
        self.x += piece.width + spacing

    def forget_line(self) -> None:
        """Clear the line buffer: what was in it is never printed."""
        self._line.clear()
        self.x = 0

    def end_line(self, feed: int) -> None:
        """Print the line; the paper moves on by `feed`, but never by less than the line is high."""
        height = max((piece.height for _, piece in self._line), default=0)
        if self._line:
            shift = self._shift(max(x + piece.width for x, piece in self._line))
            for x, piece in self._line:
                self._printed.append((shift + x, self._y + height - piece.height, piece))
        self.forget_line()
        self._y += max(feed, height)

    def block(self, picture: Image.Image) -> None:
        """Print a picture that fills its own rows."""
        self._printed.append((self._shift(picture.width), self._y, picture))
        self._y += picture.height

    def cut(self) -> Image.Image:
        """What came out since the last cut; an empty paper is one row high, for no picture has none."""
        paper = Image.new("1", (self.width, min(max(1, self._y), LONGEST)), WHITE)
        for x, y, piece in self._printed:
            paper.paste(BLACK, (x, y), ImageChops.invert(piece))
        self._printed.clear()
        self._y = 0
        return paper

    def _shift(self, width: int) -> int:
        return self.left + max(0, self.area - width) * self.align // 2


def from_rows(data: bytes, width_bytes: int) -> Image.Image:
    """Raster data, most significant bit left, a set bit black. Rows that are not whole are left out."""
    height = len(data) // width_bytes
    return Image.frombytes("1", (width_bytes * 8, height), data[: height * width_bytes], "raw", "1;I")


def from_columns(data: bytes, column_bytes: int) -> Image.Image:
    """Column data, most significant bit on top, a set bit black."""
    sideways = from_rows(data, column_bytes)
    return sideways.transpose(Image.Transpose.TRANSPOSE)


def scaled(picture: Image.Image, wide: int, high: int) -> Image.Image:
    """Each dot as a block of dots."""
    if wide == high == 1:
        return picture
    return picture.resize((picture.width * wide, picture.height * high), Image.Resampling.NEAREST)


def character(letter: str, style: Style) -> Image.Image:
    """An ASCII character in its cell."""
    cell = scaled(_glyph(letter, style.font, style.bold), style.wide, style.high).copy()
    if style.underline:
        ImageDraw.Draw(cell).rectangle((0, cell.height - style.underline, cell.width, cell.height), fill=BLACK)
    return ImageChops.invert(cell) if style.inverted else cell


def box(size: tuple[int, int], style: Style) -> Image.Image:
    """An empty frame in the place of a character that only the printer's own fonts have."""
    cell = Image.new("1", size, WHITE)
    ImageDraw.Draw(cell).rectangle((1, 1, size[0] - 2, size[1] - 2), outline=BLACK)
    return scaled(cell, style.wide, style.high)


def beside(pieces: list[Image.Image]) -> Image.Image:
    """Pieces of the same height in a row."""
    row = Image.new("1", (sum(piece.width for piece in pieces), pieces[0].height if pieces else 0), WHITE)
    x = 0
    for piece in pieces:
        row.paste(piece, (x, 0))
        x += piece.width
    return row


def stacked(pieces: list[Image.Image]) -> Image.Image:
    """Pieces one under the other, each in the middle."""
    width = max(piece.width for piece in pieces)
    pile = Image.new("1", (width, sum(piece.height for piece in pieces)), WHITE)
    y = 0
    for piece in pieces:
        pile.paste(piece, ((width - piece.width) // 2, y))
        y += piece.height
    return pile


@lru_cache(maxsize=512)
def _glyph(letter: str, size: tuple[int, int], bold: bool) -> Image.Image:
    font = ImageFont.load_default_imagefont()
    small = Image.new("1", (6, 11), WHITE)
    ImageDraw.Draw(small).text((0, 0), letter, fill=BLACK, font=font)
    cell = small.resize(size, Image.Resampling.NEAREST)
    return ImageChops.logical_and(cell, ImageChops.offset(cell, 1, 0)) if bold else cell
