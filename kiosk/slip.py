"""The slip: ticket → lines with their sizes in millimetres (pure).

Never on the slip: name, birth date, address, notice number, booking code, telephone number. What stands here is
the number, what it is for, and how the office calls; a 二次元コード by which kiosk and windows know the ticket again
when somebody comes back; and, for whoever checks papers against the database, the print job.
"""

import re
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Final
from uuid import UUID

from madoguchi import codes
from madoguchi.wire import Names, TicketView

NUMBER_MM: Final = 21.0
"""Height of the digits themselves: read at arm's length without glasses (at least 20 mm)."""

SIDE_MM: Final = 1.0
"""Kept free at both edges: printers of one model differ by some dots."""

_NOT_FIRST = frozenset("、。，．・：；！？」』）】〕〉》ーっゃゅょァィゥェォッャュョ々〜％")
_NOT_LAST = frozenset("「『（【〔〈《")

Say = Callable[..., str]
"""`Texts.say`: key, language, facts → text."""


@dataclass(frozen=True)
class TextLine:
    """One line of text; `mm` is the height of a full-width character, `above` the space over it."""

    text: str
    mm: float
    bold: bool = False
    center: bool = False
    above: float = 1.0


@dataclass(frozen=True)
class NumberLine:
    """The number, alone in its line; `mm` is the height of the digits."""

    text: str
    mm: float


@dataclass(frozen=True)
class Rule:
    """A thin line from edge to edge."""


@dataclass(frozen=True)
class CodeBlock:
    """A 二次元コード with lines of text beside it."""

    payload: str
    beside: tuple[TextLine, ...]


Element = TextLine | NumberLine | Rule | CodeBlock
Slip = tuple[Element, ...]


CODE_MM: Final = 19.0
"""Room for the code with its quiet zone."""


def compose(ticket: TicketView, job: UUID, language: str, say: Say, width_mm: float) -> Slip:
    """The slip of a ticket, for a paper of which `width_mm` can be printed on."""

    def lines(text: str, mm: float, **look: bool) -> list[TextLine]:
        return [TextLine(part, mm, **look) for part in wrap(text, width_mm, mm)]

    def told(key: str, **facts: object) -> str:
        return say(key, language, **facts)

    head: list[Element] = [
        *lines(name_in(ticket.office, language), 4.5, bold=True, center=True),
        *lines(told("ticket.number"), 4.5, center=True),
        NumberLine(str(ticket.number), NUMBER_MM),
        *lines(name_in(ticket.service, language), 5.0, bold=True, center=True),
    ]
    if ticket.party > 1:
        head += lines(told("ticket.party", n=ticket.party), 5.0, bold=True, center=True)
    if ticket.booked_at is not None:
        head += lines(told("ticket.booked", time=ticket.booked_at), 5.0, bold=True, center=True)
    head += lines(told("ticket.waiting", n=ticket.people_waiting), 4.5, center=True)
    if (wait := ticket.wait) is not None:
        facts = {"min": wait.minutes, "least": wait.least, "most": wait.most}
        head += lines(told(wait.key("ticket.wait."), **facts), 4.5, bold=True, center=True)
    notes = []
    for key in ("ticket.wait", "ticket.notinorder", "ticket.away"):
        first, *others = lines(told(key), 3.6)
        notes += [replace(first, above=1.8), *others]
    return (*head, Rule(), *notes, Rule(), _foot(ticket, job, language, say, width_mm))


def name_in(names: Names, language: str) -> str:
    """A name in this language; Japanese always is there."""
    return names.get(language) or names["ja"]


def _foot(ticket: TicketView, job: UUID, language: str, say: Say, width_mm: float) -> CodeBlock:
    beside_mm = width_mm - CODE_MM

    def lines(text: str, mm: float) -> list[TextLine]:
        return [TextLine(part, mm) for part in wrap(text, beside_mm, mm)]

    first = ticket.reprint_of or ticket.issued_at
    beside = lines(say("ticket.issued", language, date=first.date(), time=first), 2.8)
    if ticket.reprint_of is not None:
        # issued_at is when this paper was made. The first paper stays good: the number is the same.
        beside = [*lines(say("ticket.reprint", language, time=ticket.issued_at), 4.0), *beside]
    uid = str(job)
    beside += [TextLine(uid[:18], 2.2), TextLine(uid[18:].removeprefix("-"), 2.2, above=0.3)]
    if ticket.page is not None:
        beside = [*lines(say("ticket.page", language), 3.2), *beside]
    return CodeBlock(ticket.page or codes.of_ticket(ticket.uid).text, tuple(beside))


def wrap(text: str, width_mm: float, mm: float) -> list[str]:
    """Break a text into lines, after a 、 or 。 where that is enough, else between any two characters.

    Latin words stay whole, 、 and 」 do not begin a line, 「 does not end one.
    """
    room = int((width_mm - 2 * SIDE_MM) / mm * 2)
    if columns(text) <= room:
        return [text]
    lines = [""]
    for phrase in _phrases(text):
        pieces = [phrase] if columns(phrase.strip()) <= room else _pieces(phrase)
        for part in (part for piece in pieces for part in _cut(piece, room)):
            if lines[-1] and columns((lines[-1] + part).rstrip()) > room:
                lines.append("")
            lines[-1] += part if lines[-1] else part.lstrip()
    return [line.rstrip() for line in lines]


def columns(text: str) -> int:
    """The width of a text in half-width columns."""
    return sum(2 if unicodedata.east_asian_width(char) in "WFA" else 1 for char in text)


def _phrases(text: str) -> list[str]:
    """Clauses of Japanese, sentences of English."""
    return [part for part in re.split(r"(?<=[、。])(?![」』）])|(?<=\. )", text) if part]


def _pieces(text: str) -> Iterator[str]:
    """What a line may not be broken inside of."""
    piece = ""
    for char in text:
        if piece and _may_break(piece[-1], char):
            yield piece
            piece = ""
        piece += char
    if piece:
        yield piece


def _may_break(before: str, after: str) -> bool:
    if after in _NOT_FIRST or before in _NOT_LAST or after == " ":
        return False
    return before == " " or columns(before) == 2 or columns(after) == 2


def _cut(piece: str, room: int) -> Iterator[str]:
    """A piece that is longer than a line, by force."""
    while columns(piece.rstrip()) > room:
        length = next(n for n in range(len(piece), 0, -1) if columns(piece[:n]) <= room or n == 1)
        yield piece[:length]
        piece = piece[length:]
    yield piece
