"""DLE EOT: the status bytes of an ESC/POS printer (pure).

python-escpos answers 0 both for "no paper" and for "no answer"; here a byte that is no valid answer stays unknown.
"""

from dataclasses import replace
from typing import Final

from kiosk.devices.ports import Cover, Line, Paper, PrinterStatus

PRINTER, OFFLINE_CAUSE, ERROR_CAUSE, PAPER = 1, 2, 3, 4
QUESTIONS: Final = (PRINTER, OFFLINE_CAUSE, ERROR_CAUSE, PAPER)


def question(n: int) -> bytes:
    """The bytes that ask for status n."""
    return bytes((0x10, 0x04, n))


def valid(answer: int) -> bool:
    """Whether a byte can be an answer to DLE EOT. An automatic status (ASB) begins with another pattern."""
    return answer & 0x93 == 0x12


def read_status(answers: dict[int, int]) -> PrinterStatus:
    """Put the answers together; what was not answered is unknown."""
    return PrinterStatus(_paper(answers), _cover(answers), _line(answers))


def with_faults_of(other: PrinterStatus, status: PrinterStatus) -> PrinterStatus:
    """A status that did not say everything, with what another source says against the printer."""
    if other.paper is Paper.OUT:
        status = replace(status, paper=Paper.OUT)
    return replace(status, line=Line.OFFLINE) if other.line is Line.OFFLINE else status


def _paper(answers: dict[int, int]) -> Paper:
    if answers.get(OFFLINE_CAUSE, 0) & 0x20:
        return Paper.OUT  # printing was stopped by the end of the paper
    answer = answers.get(PAPER)
    if answer is None:
        return Paper.UNKNOWN
    if answer & 0x60:
        return Paper.OUT
    return Paper.NEAR_END if answer & 0x0C else Paper.OK


def _cover(answers: dict[int, int]) -> Cover:
    answer = answers.get(OFFLINE_CAUSE)
    if answer is None:
        return Cover.UNKNOWN
    return Cover.OPEN if answer & 0x04 else Cover.CLOSED


def _line(answers: dict[int, int]) -> Line:
    # Cutter jammed, unrecoverable, waiting to recover: a printer with an error does not print.
    if answers.get(ERROR_CAUSE, 0) & 0x68 or answers.get(PRINTER, 0) & 0x08:
        return Line.OFFLINE
    return Line.ONLINE if PRINTER in answers and ERROR_CAUSE in answers else Line.UNKNOWN
