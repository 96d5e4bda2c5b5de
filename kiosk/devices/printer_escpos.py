"""A printer that speaks ESC/POS, whatever the way to it: ask, send, ask whether the last piece may go, send it, ask.

Python libraries decide none of this well: here writing has a deadline, silence is kept apart from "no paper", and
a paper that is nobody's any more is not cut off for anybody to take.
"""

import logging
import time
from contextlib import closing
from typing import Final

from kiosk.devices.ports import SILENT, Line, PrinterStatus, Still
from kiosk.devices.printer_status import QUESTIONS, question, read_status, valid, with_faults_of
from kiosk.devices.transport import Connection, Transport, write_all
from kiosk.job import BAND, Job
from madoguchi.wire import Outcome

OPEN_S: Final = 1.0
ANSWER_S: Final = 0.2
AGAIN_S: Final = 0.1
QUIET_S: Final = 0.05
_LONGEST_BAND: Final = BAND * 125  # of the widest head, 1000 dots

log = logging.getLogger(__name__)


class EscposPrinter:
    """Prints over a transport. `replies`: the model answers DLE EOT. `paper_s`: how long a slip takes to come out.
    `answer_s`: how long a printer may take to answer.
    """

    def __init__(
        self, transport: Transport, *, replies: bool = True, paper_s: float = 0.0, answer_s: float = ANSWER_S
    ) -> None:
        self._transport = transport
        self._answer_s = answer_s
        self._replies = replies
        self._paper_s = paper_s
        self._trouble = ""
        self._broke_off = 0
        self._owes = False

    def status(self) -> PrinterStatus:
        """Ask on a connection of its own. A refused connection is an answer, a silent one is not."""
        now = time.monotonic()
        try:
            with closing(self._open(now + OPEN_S)) as connection:
                return self._ask(connection, now + OPEN_S + len(QUESTIONS) * self._answer_s)
        except TimeoutError:
            return SILENT
        except OSError:
            return PrinterStatus(line=Line.OFFLINE)

    def print(self, job: Job, deadline_s: float, still: Still) -> Outcome:
        """Ask, send, ask again."""
        now = time.monotonic()
        until = now + deadline_s
        try:
            connection = self._open(min(until, now + OPEN_S))
        except OSError:
            return Outcome.NOT_PRINTED  # no connection, nothing was sent
        cut_sent = False
        with closing(connection):
            try:
                if self._ask(connection, until).fault or not self._send_picture(connection, job, until):
                    return Outcome.NOT_PRINTED  # the cut is the last piece: without it no whole slip comes out
                wanted = still()
                if not write_all(connection, job.cut if wanted else job.void, until):
                    return Outcome.NOT_PRINTED
                cut_sent = wanted
                if not connection.flush(until):
                    return Outcome.NOT_PRINTED
                self._broke_off = 0
                if not wanted:
                    log.error("job %s is nobody's any more: its paper is marked void", job.uid)
                    return Outcome.NOT_PRINTED
                return self._outcome(connection, until)
            except OSError as error:
                log.warning("the printer went away during job %s: %s", job.uid, error)
                return Outcome.UNKNOWN if cut_sent else Outcome.NOT_PRINTED

    def close(self) -> None:
        """Let go of the printer."""
        self._transport.close()

    def _open(self, until: float) -> Connection:
        try:
            connection = self._transport.open(until)
        except OSError as error:
            if str(error) != self._trouble:
                self._trouble = str(error)
                log.warning("the printer cannot be reached: %s", error)
            raise
        self._trouble = ""
        return connection

    def _ask(self, connection: Connection, until: float) -> PrinterStatus:
        """All four, one after another: some models want nothing else sent before an answer is in."""
        answers: dict[int, int] = {}
        for n in QUESTIONS if self._replies else ():
            _drain(connection)
            answer = self._answer(connection, n, min(until, time.monotonic() + self._answer_s))
            if answer is None:
                self._owes = True
                break  # a printer that is silent once is not asked three times more while somebody waits
            answers[n] = answer
        self._owes = self._owes and len(answers) < len(QUESTIONS)
        status = read_status(answers)
        return status if status.complete else with_faults_of(connection.said(), status)

    def _answer(self, connection: Connection, n: int, until: float) -> int | None:
        """The answer to status n, or None. Bytes that cannot be one (automatic status) are passed over.

        All four answers look alike. A printer that owes one may give it now: then the last one counts.
        """
        if not write_all(connection, question(n), until):
            return None
        answer = None
        while received := connection.read(until):
            answer = next((byte for byte in reversed(received) if valid(byte)), answer)
            if answer is not None and not self._owes:
                break
            if answer is not None:
                until = min(until, time.monotonic() + QUIET_S)
        return answer

    def _send_picture(self, connection: Connection, job: Job, until: float) -> bool:
        """Whether everything but the cut was taken in time."""
        # After a job that broke off the printer may still wait for the rest of a picture and would take the next for
        # it. White dots end it (outside a picture these bytes mean nothing), and what hangs out is marked and cut off.
        if self._broke_off and not write_all(connection, bytes(self._broke_off) + job.void, until):
            return False
        self._broke_off = min(len(job.picture), _LONGEST_BAND)
        return write_all(connection, job.picture, until)

    def _outcome(self, connection: Connection, until: float) -> Outcome:
        """Ask until the slip must be out: the printer notices the end of its paper only when it gets there."""
        out_by = min(time.monotonic() + self._paper_s, until)
        while True:
            status = self._ask(connection, until)
            if status.fault:
                return Outcome.NOT_PRINTED
            if not status.complete:
                return Outcome.UNKNOWN
            if time.monotonic() >= out_by:
                return Outcome.PRINTED
            time.sleep(AGAIN_S)


def _drain(connection: Connection) -> None:
    """Throw away what nobody asked for: 10 04 n is answered wherever it stands."""
    while connection.read(0.0):
        pass
