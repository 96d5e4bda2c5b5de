"""How the virtual printer is, and what it answers to the questions of ESC/POS (pure).

The other side of printer_status.py, which reads these answers.
"""

from dataclasses import dataclass
from typing import Literal

from kiosk.devices.escpos_commands import StatusRequest


@dataclass(frozen=True)
class PrinterState:
    """How the printer is. `after`: all this begins only once so many bytes of one job have come."""

    paper: Literal["ok", "near", "out"] = "ok"
    cover: bool = False
    """Open."""
    offline: bool = False
    error: bool = False
    """The cutter is jammed."""
    mute: bool = False
    """It prints, and answers nothing."""
    stall: bool = False
    """It takes no more bytes."""
    drop: bool = False
    """It hangs up at the next bytes."""
    after: int = 0

    def __post_init__(self) -> None:
        """A test that misspells the trouble must not pass for want of it."""
        if self.paper not in ("ok", "near", "out"):
            raise ValueError(f"paper is ok, near or out, not {self.paper!r}")

    @property
    def prints(self) -> bool:
        """Whether paper comes out."""
        return not (self.paper == "out" or self.cover or self.offline or self.error)


def answer(state: PrinterState, request: StatusRequest) -> bytes:
    """What the printer answers; nothing to a question that it does not know."""
    if state.mute:
        return b""
    if request.command == "DLE EOT":
        return _real_time_status(state, request.n)
    if request.command == "GS a":
        return automatic_status(state) if request.n else b""
    if request.n in (1, 49):
        return bytes(({"ok": 0x00, "near": 0x03, "out": 0x0F}[state.paper],))
    return b"\x00" if request.n in (2, 50) else b""


def automatic_status(state: PrinterState) -> bytes:
    """The four bytes that a printer sends by itself when something changes (GS a)."""
    first = 0x10 | (0 if state.prints else 0x08) | (0x20 if state.cover else 0)
    paper = {"ok": 0x00, "near": 0x03, "out": 0x0F}[state.paper]
    return bytes((first, 0x08 if state.error else 0x00, paper, 0x00))


def _real_time_status(state: PrinterState, n: int) -> bytes:
    if n == 1:
        return bytes((0x12 | (0 if state.prints else 0x08),))
    if n == 2:
        cause = (0x04 if state.cover else 0) | (0x20 if state.paper == "out" else 0) | (0x40 if state.error else 0)
        return bytes((0x12 | cause,))
    if n == 3:
        return bytes((0x12 | (0x08 if state.error else 0),))
    return bytes((0x12 | {"ok": 0x00, "near": 0x0C, "out": 0x6C}[state.paper],)) if n == 4 else b""
