"""A strict reader of ESC/POS: the bytes that went to a printer → the papers that come out.

It does what a printer does, and says what a printer does not say: where a job was cut short, where a byte of a
picture was lost so that commands became dots and dots commands, where something would come out too wide or not at
all. It reads a stream: feed it pieces of any size; what is not whole yet waits for the next piece.
"""

from dataclasses import dataclass, replace
from typing import Final

from PIL import Image

from kiosk.devices.escpos_commands import (
    CUTS,
    INCOMPLETE,
    INTRODUCERS,
    RASTER,
    REAL_TIME_STATUS,
    STATUS_COMMANDS,
    UNKNOWN,
    Fault,
    FaultKind,
    StatusRequest,
    byte_was_lost,
    name_of,
    size_of,
)
from kiosk.devices.escpos_machine import Machine

__all__ = ["HEAD", "Fault", "FaultKind", "Paper", "Reader", "StatusRequest", "read_job"]

HEAD: Final = 576
"""Dots of a print head for 80 mm paper."""


@dataclass(frozen=True)
class Paper:
    """What came out up to a cut, or up to the end where there was none.

    `image` is as wide as the head, black and white. `data` are the bytes without the questions in between
    (DLE EOT), which are no part of a job.
    """

    image: Image.Image
    cut: bool
    faults: tuple[Fault, ...]
    commands: tuple[str, ...]
    data: bytes


def read_job(data: bytes, width: int = HEAD) -> list[Paper]:
    """The papers of bytes that are all there."""
    reader = Reader(width)
    return [*reader.feed(data), *reader.close()]


class Reader:
    """Reads a stream. `status_requests` are the questions met so far; who answers takes them out."""

    def __init__(self, width: int = HEAD) -> None:
        self.status_requests: list[StatusRequest] = []
        self._machine = Machine(width, self._complain)
        self._waiting = bytearray()
        self._at = 0  # what of `_waiting` is read already
        self._picture_end = b""
        self._begin_job()

    def feed(self, data: bytes) -> list[Paper]:
        """Take the next bytes; give the papers that were cut by them."""
        self._waiting += data
        papers: list[Paper] = []
        while self._at < len(self._waiting):
            length = self._step(papers)
            if length == 0:
                break
            self._at += length
        del self._waiting[: self._at]
        self._at = 0
        return papers

    def close(self) -> list[Paper]:
        """No more bytes will come: give what hangs out of the printer, if anything does."""
        rest = bytes(self._waiting)
        self._waiting.clear()
        self._check_picture_end(b"")
        if rest:
            self._complain(FaultKind.TRUNCATED, name_of(rest) if len(rest) > 1 else rest.hex())
            if rest[:2] == RASTER:
                self._machine.raster_in_part(rest)
            self._data += rest
        if not rest and not self._machine.canvas.used:
            return []
        self._complain(FaultKind.NO_CUT)
        self._machine.canvas.end_line(0)
        return [self._paper(cut=False)]

    @property
    def received(self) -> int:
        """How many bytes of a job that is not cut yet have come. A question alone begins none."""
        begun = self._data or self._waiting[:1] not in (b"", REAL_TIME_STATUS[:1])
        return len(self._data) + len(self._waiting) if begun else 0

    def _begin_job(self) -> None:
        self._data = bytearray()
        self._faults: list[Fault] = []
        self._commands: list[str] = []

    def _step(self, papers: list[Paper]) -> int:
        """Read one character or command; how many bytes it took, 0 when it is not whole yet."""
        byte = self._waiting[self._at]
        if byte in INTRODUCERS:
            return self._command(papers)
        self._check_picture_end(bytes((byte,)))
        length = 1
        if self._machine.takes_two_bytes(byte):
            if len(self._waiting) - self._at < 2:
                return 0
            length = 2
            self._machine.kanji()
        elif byte < 0x20 or byte == 0x7F:
            self._machine.control(byte)
        else:
            self._machine.text(byte)
        self._data += self._waiting[self._at : self._at + length]
        return length

    def _command(self, papers: list[Paper]) -> int:
        head = bytes(self._waiting[self._at : self._at + 48])
        size = size_of(head)
        if size == INCOMPLETE:
            size = size_of(bytes(self._waiting[self._at :]))
        if size == INCOMPLETE or size > len(self._waiting) - self._at:
            return 0
        self._check_picture_end(head[:1])
        if size == UNKNOWN:
            self._complain(FaultKind.UNKNOWN, head[:2].hex(" "))
            self._data += head[:2]
            return 2
        command = bytes(self._waiting[self._at : self._at + size])
        self._obey(command, papers)
        return size

    def _obey(self, command: bytes, papers: list[Paper]) -> None:
        head = command[:2]
        if head in STATUS_COMMANDS:
            self.status_requests.append(StatusRequest(STATUS_COMMANDS[head], command[2]))
        if head == REAL_TIME_STATUS:
            return
        self._commands.append(name_of(command))
        if head not in STATUS_COMMANDS:
            self._machine.run(command)
        self._data += command
        if head == RASTER:
            self._picture_end = command[8:][-8:]
        if head in CUTS:
            papers.append(self._paper(cut=True))

    def _paper(self, *, cut: bool) -> Paper:
        if self._machine.canvas.too_long:
            self._complain(FaultKind.TOO_LONG)
        paper = Paper(self._machine.canvas.cut(), cut, tuple(self._faults), tuple(self._commands), bytes(self._data))
        self._begin_job()
        return paper

    def _check_picture_end(self, following: bytes) -> None:
        """What follows a picture shows whether the picture took bytes that were not its own."""
        end, self._picture_end = self._picture_end, b""
        if end and byte_was_lost(end, following):
            self._complain(FaultKind.LOST_BYTE, end.hex(" "))

    def _complain(self, kind: FaultKind, detail: str = "") -> None:
        at = len(self._data)
        last = self._faults[-1] if self._faults else None
        if last and last.kind is kind and kind in _ONE_BY_ONE and last.at + last.count == at:
            self._faults[-1] = replace(last, count=last.count + 1)
        else:
            self._faults.append(Fault(kind, at, detail))


_ONE_BY_ONE: Final = (FaultKind.STRAY_BYTE, FaultKind.HIGH_BYTE)
"""Faults of single bytes; many in a row are told as one."""
