"""What the kiosk asks of its devices: three narrow protocols.

Every driver and its simulated twin passes the same contract tests (tests/kiosk/test_printer_contract.py,
test_scanner_contract.py). Trouble with a device is an answer, never an exception: the dialogue with the visitor
goes on. Unknown is an answer of its own; a device that says nothing has not said that anything is wrong.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from kiosk.job import Job
from madoguchi.wire import Outcome

MAX_SCAN = 4096
"""Bytes of one scan. Our longest code is a link of some 60; more than this is no code of ours."""


class Scan(bytearray):
    """The bytes of a scan; they belong to the reader alone, who may have to wipe them. `ended`: by `enter`, `tab`, or
    `none` (silence); empty where nobody can tell.
    """

    ended: str = ""

    @classmethod
    def of(cls, buffer: bytearray, length: int, ended: str = "") -> "Scan":
        """The first bytes of a buffer, copied once: what is copied twice would have to be wiped twice."""
        with memoryview(buffer) as view, view[:length] as first:
            scan = cls(first)
        scan.ended = ended
        return scan

    def __repr__(self) -> str:
        """Never what was scanned."""
        return f"<scan of {len(self)} bytes>"

    __str__ = __repr__


@dataclass(frozen=True)
class ScanLost:
    """A scan was begun and could not be kept whole: the visitor is asked to scan again."""

    reason: str


class Scanner(Protocol):
    """Something that reads codes."""

    def connected(self) -> bool:
        """Whether the device is there now."""

    def read(self, timeout: float) -> Scan | ScanLost | None:
        """The next scan, or None when there was none within `timeout` seconds."""

    def close(self) -> None:
        """Let go of the device; may be called again."""


class Paper(StrEnum):
    """What the printer says about its paper."""

    OK = "ok"
    NEAR_END = "near_end"
    OUT = "out"
    UNKNOWN = "unknown"


class Cover(StrEnum):
    """What the printer says about its cover."""

    CLOSED = "closed"
    OPEN = "open"
    UNKNOWN = "unknown"


class Line(StrEnum):
    """Whether the printer is ready to print. Off line is something that it says, not silence."""

    ONLINE = "online"
    OFFLINE = "offline"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class PrinterStatus:
    """What the printer said when it was asked; what it did not say is unknown."""

    paper: Paper = Paper.UNKNOWN
    cover: Cover = Cover.UNKNOWN
    line: Line = Line.UNKNOWN

    @property
    def fault(self) -> str | None:
        """Why no paper can come out, or None when nothing is known against it."""
        if self.paper is Paper.OUT:
            return "paper_out"
        if self.cover is Cover.OPEN:
            return "cover_open"
        return "printer_offline" if self.line is Line.OFFLINE else None

    @property
    def complete(self) -> bool:
        """Whether the printer answered everything that it was asked."""
        return not (self.paper is Paper.UNKNOWN or self.cover is Cover.UNKNOWN or self.line is Line.UNKNOWN)


READY = PrinterStatus(Paper.OK, Cover.CLOSED, Line.ONLINE)
SILENT = PrinterStatus()


Still = Callable[[], bool]
"""Whether a paper is still the one that is wanted; asked when only its cut is missing."""


class Printer(Protocol):
    """Something that puts a job on paper and cuts it."""

    def status(self) -> PrinterStatus:
        """What the printer says now. Asking changes nothing."""

    def print(self, job: Job, deadline_s: float, still: Still) -> Outcome:
        """Send one whole job, within `deadline_s` seconds. One that is not wanted any more comes out marked void.

        *not_printed*: no whole slip can have come out. *printed*: all was sent and the printer then said that it
        is well. *unknown*: all was sent and nobody can say.
        """

    def close(self) -> None:
        """Let go of the device; may be called again."""
