"""The slip: ticket → lines with their sizes in millimetres (pure).

Never on the slip: name, birth date, address, notice number, booking code, telephone number. What stands here is
the number, what it is for, what to do meanwhile and how the office calls; a 二次元コード by which kiosk and windows
know the ticket again when somebody comes back; and, for whoever checks papers against the database, the end of the
print job's uid. On a slip in another language the Japanese stands under each part, smaller: staff read it, and it
prevails.
"""

import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, Final
from uuid import UUID

from madoguchi import codes
from madoguchi.languages import language_of
from madoguchi.ruby import kana
from madoguchi.texts import name_in
from madoguchi.wire import Task, TicketView

NUMBER_MM: Final = 21.0
"""Height of the digits themselves: read at arm's length without glasses (at least 20 mm)."""

CODE_MM: Final = 19.0
"""Room for the code with its quiet zone."""

SIDE_MM: Final = 1.0
"""Kept free at both edges: printers of one model differ by some dots."""

_NOT_FIRST = frozenset("、。，．・：；！？」』）】〕〉》ーっゃゅょァィゥェォッャュョ々〜％")
_NOT_LAST = frozenset("「『（【〔〈《")

_LEFT_OVER: Final = 4
"""Columns of a last line that is too short to stand alone: 「い。」."""

Say = Callable[..., str]
"""`Texts.say`: key, language, facts → text."""


@dataclass(frozen=True)
class TextLine:
    """One line of text; `mm` is the height of a full-width character, `above` the space over it, `indent` that on its
    left, in which a `box` to be ticked may stand.
    """

    text: str
    mm: float
    bold: bool = False
    center: bool = False
    above: float = 1.0
    indent: float = 0.0
    box: bool = False


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
    mm: float = CODE_MM


Element = TextLine | NumberLine | Rule | CodeBlock
Slip = tuple[Element, ...]

SMALL_MM: Final = 2.8
"""Height of the Japanese under another language."""

BOX_MM: Final = 4.6
"""Room for a box to be ticked."""


VOID_IN: Final = ("ja", "en")
"""Said in two languages only: the mark has to be large, and short of paper."""

NOTES: Final = ("ticket.wait", "ticket.notinorder", "ticket.away")


def compose(ticket: TicketView, job: UUID, language: str, texts_say: Say, width_mm: float) -> Slip:
    """The slip of a ticket, for a paper of which `width_mm` can be printed on.

    Readings stand in place of their kanji: above them they would be too small, and the Japanese stands beneath.
    """

    def say(key: str, lang: str, **facts: object) -> str:
        return kana(texts_say(key, lang, **facts))

    typed = _Typesetter(language, say, width_mm)
    head: list[Element] = [
        *typed.lines(kana(name_in(ticket.office, language)), 4.5, bold=True, center=True),
        *typed.lines(say("ticket.number", language), 4.0, center=True),
        NumberLine(str(ticket.number), NUMBER_MM),
        *typed.lines(kana(name_in(ticket.service, language)), 5.5, bold=True, center=True),
    ]
    facts = list(_facts(ticket))
    for key, values, bold in facts:
        text = say(key, language, **values)
        head += typed.lines(text, typed.fitting(text, 4.5, 3.2), bold=bold, center=True)
    if language != "ja":
        told = [ticket.service["ja"], *(say(key, "ja", **values) for key, values, _ in facts)]
        head += [line for text in typed.packed(told) for line in typed.lines(text, SMALL_MM, center=True)]
    notes = [line for key in NOTES for line in typed.paragraph(key, 3.6)]
    if language_of(language).reference:
        notes += typed.lines(say("mark.reference", language), SMALL_MM)
    return (*head, Rule(), *typed.tasks(ticket), *notes, Rule(), _foot(ticket, job, language, say, width_mm))


def _facts(ticket: TicketView) -> Iterator[tuple[str, dict[str, object], bool]]:
    """What is told of this ticket: the text, its facts, and whether in bold."""
    if ticket.booked_at is not None:
        yield "ticket.booked", {"time": ticket.booked_at}, True
    if ticket.party > 1:
        yield "ticket.party", {"n": ticket.party}, True
    yield "ticket.waiting", {"n": ticket.people_waiting}, False
    if (wait := ticket.wait) is not None:
        yield wait.key("ticket.wait."), {"min": wait.minutes, "least": wait.least, "most": wait.most}, True


@dataclass(frozen=True)
class _Typesetter:
    """Texts to lines, in one language on one width of paper."""

    language: str
    say: Say
    width_mm: float

    def lines(self, text: str, mm: float, **look: Any) -> list[TextLine]:
        return [TextLine(part, mm, **look) for part in wrap(text, self.width_mm - look.get("indent", 0.0), mm)]

    def fitting(self, text: str, mm: float, least: float) -> float:
        """The size in which a text stands in one line; the least where it does in none."""
        return max(least, min(mm, (self.width_mm - 2 * SIDE_MM) * 2 / columns(text) // 0.1 / 10))

    def packed(self, texts: Sequence[str]) -> list[str]:
        """Texts side by side, as many in a line as fit."""
        room = _room(self.width_mm, SMALL_MM)
        lines = [texts[0]]
        for text in texts[1:]:
            beside = f"{lines[-1]}　{text}"
            lines[-1:] = [beside] if columns(beside) <= room else [lines[-1], text]
        return lines

    def paragraph(self, key: str, mm: float, **look: Any) -> list[TextLine]:
        """A sentence, set off from what stands over it."""
        first, *others = self.lines(self.say(key, self.language), mm, **look)
        said = [replace(first, above=1.8, box="indent" in look), *others]
        return said if self.language == "ja" else [*said, *self.lines(self.say(key, "ja"), SMALL_MM, **look)]

    def tasks(self, ticket: TicketView) -> Slip:
        """What to do until the number is called, each thing with a box to be ticked."""
        known = [task for task in Task if task in ticket.tasks]
        if not known:
            return ()
        lines = [line for task in known for line in self.paragraph(f"ticket.task.{task}", 3.4, indent=BOX_MM)]
        return (*self.lines(self.say("ticket.tasks", self.language), 4.0, bold=True), *lines, Rule())


def void_mark(say: Say, languages: Iterable[str], width_mm: float) -> Slip:
    """What ends a slip that is nobody's any more, so that nobody takes it for theirs."""
    lines: list[TextLine] = []
    for language in languages:
        why = wrap(say("ticket.void.why", language), width_mm, 3.6)
        lines.append(TextLine(say("ticket.void", language), 10, bold=True, center=True))
        lines += [TextLine(part, 3.6, center=True) for part in why]
    return (Rule(), *lines, Rule())


def _foot(ticket: TicketView, job: UUID, language: str, say: Say, width_mm: float) -> CodeBlock:
    beside_mm = width_mm - CODE_MM

    def lines(text: str, mm: float) -> list[TextLine]:
        return [TextLine(part, mm) for part in wrap(kana(text), beside_mm, mm)]

    first = ticket.reprint_of or ticket.issued_at
    beside = lines(say("ticket.issued", language, date=first.date(), time=first), 2.8)
    if ticket.reprint_of is not None:
        # issued_at is when this paper was made. The first paper stays good: the number is the same.
        beside = [*lines(say("ticket.reprint", language, time=ticket.issued_at), 4.0), *beside]
    # The last eight characters of the uid: enough to find the job among an office's, and nobody reads it out.
    beside.append(TextLine(f"job {job.hex[-8:-4]}-{job.hex[-4:]}", 2.4))
    if ticket.page is not None:
        beside = [*lines(say("ticket.page", language), 3.2), *beside]
    return CodeBlock(_page(ticket.page, language) or codes.of_ticket(ticket.uid).text, tuple(beside))


def _page(page: str | None, language: str) -> str:
    """The ticket's page, which opens in the language of the paper."""
    return f"{page}?lang={language}" if page and language != "ja" else page or ""


@lru_cache(maxsize=512)
def wrap(text: str, width_mm: float, mm: float) -> tuple[str, ...]:
    """Break a text into lines, after a 、 or 。 where that is enough, else between any two characters.

    Latin words stay whole, 、 and 」 do not begin a line, 「 does not end one, and no syllable is left over for the
    last.
    """
    room = _room(width_mm, mm)
    lines = broken = _broken(text, room)
    while len(broken) == len(lines) and _leaves_over(broken) and room > 3 * _LEFT_OVER:
        room -= 1
        broken = _broken(text, room)
    return tuple(broken if len(broken) == len(lines) else lines)


def _leaves_over(lines: list[str]) -> bool:
    return len(lines) > 1 and columns(lines[-1]) <= _LEFT_OVER and lines[-2][-1:] not in ("、", "。")


def _room(width_mm: float, mm: float) -> int:
    """How many columns there are in a line."""
    return int((width_mm - 2 * SIDE_MM) / mm * 2)


def _broken(text: str, room: int) -> list[str]:
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
    if "가" <= before <= "힣" and "가" <= after <= "힣":
        return False  # Korean has words
    return before == " " or columns(before) == 2 or columns(after) == 2


def _cut(piece: str, room: int) -> Iterator[str]:
    """A piece that is longer than a line, by force."""
    while columns(piece.rstrip()) > room:
        length = next(n for n in range(len(piece), 0, -1) if columns(piece[:n]) <= room or n == 1)
        yield piece[:length]
        piece = piece[length:]
    yield piece
