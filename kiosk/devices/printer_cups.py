"""A printer behind a raw queue of CUPS, on this machine or another.

The queue takes the whole job and says later that it passed it on, never that paper came out: so no outcome is better
than unknown. A job that still waits at its deadline is taken back, or it would come out before somebody else.
"""

import http.client
import logging
import time
from dataclasses import replace
from functools import partial
from typing import Final
from urllib.parse import urlsplit

from kiosk.devices.ipp import (
    CANCEL_JOB,
    GET_JOB,
    GET_PRINTER,
    INTEGER,
    MIME,
    NAME,
    PRINT_JOB,
    URI,
    Answer,
    Attribute,
    read_answer,
    request,
)
from kiosk.devices.ports import SILENT, Cover, Line, Paper, PrinterStatus, Still
from kiosk.devices.transport import left
from kiosk.job import Job
from madoguchi.wire import Outcome

ASK_S: Final = 1.0
AGAIN_S: Final = 0.2
_PENDING, _HELD, _CANCELED, _STOPPED = 3, 4, 7, 5  # states of a job, the last of a printer

log = logging.getLogger(__name__)


class CupsPrinter:
    """Prints to a queue by its address, such as http://127.0.0.1:631/printers/kiosk."""

    def __init__(self, url: str) -> None:
        split = urlsplit(url)
        kind = http.client.HTTPSConnection if split.scheme == "https" else http.client.HTTPConnection
        self._connect = partial(kind, split.hostname or "", split.port or 631)
        self._path = split.path
        self._uri = f"ipp://{split.netloc}{split.path}"

    def status(self) -> PrinterStatus:
        """What the queue knows against its printer; of most it knows nothing."""
        try:
            answer = self._ask(GET_PRINTER, [], time.monotonic() + ASK_S)
        except TimeoutError:
            return SILENT
        except OSError:
            return PrinterStatus(line=Line.OFFLINE)
        return _status(answer) if answer.ok else PrinterStatus(line=Line.OFFLINE)

    def print(self, job: Job, deadline_s: float, still: Still) -> Outcome:
        """Give it to the queue and wait until it is passed on, or take it back."""
        until = time.monotonic() + deadline_s
        # The queue prints all or nothing, so the paper must still be wanted before it is given away.
        if self.status().fault or not still():
            return Outcome.NOT_PRINTED
        named: list[Attribute] = [
            (NAME, "job-name", str(job.uid)),
            (MIME, "document-format", "application/vnd.cups-raw"),
        ]
        try:
            given = self._ask(PRINT_JOB, named, until, job.data)
        except OSError as error:
            log.warning("the queue did not say whether it took job %s: %s", job.uid, error)
            return Outcome.UNKNOWN
        if not given.ok:
            log.warning("the queue refused job %s: %04x", job.uid, given.status)
            return Outcome.NOT_PRINTED
        return self._passed_on(given.number("job-id"), until)

    def close(self) -> None:
        """Nothing is kept open between jobs."""

    def _passed_on(self, number: int, until: float) -> Outcome:
        job: list[Attribute] = [(INTEGER, "job-id", number)]
        state = _PENDING
        try:
            while left(until):
                state = self._ask(GET_JOB, job, until).number("job-state")
                if state >= _CANCELED:
                    return Outcome.UNKNOWN
                time.sleep(min(AGAIN_S, left(until)))
            taken_back = self._ask(CANCEL_JOB, job, time.monotonic() + ASK_S).ok
        except OSError as error:
            log.warning("nobody knows what became of job %d of the queue: %s", number, error)
            return Outcome.UNKNOWN
        return Outcome.NOT_PRINTED if taken_back and state in (_PENDING, _HELD) else Outcome.UNKNOWN

    def _ask(self, operation: int, more: list[Attribute], until: float, document: bytes = b"") -> Answer:
        """One request. OSError when there is no answer, or none that can be read."""
        body = request(operation, [(URI, "printer-uri", self._uri), *more], document)
        connection = self._connect(timeout=max(left(until), 0.05))
        try:
            connection.request("POST", self._path, body, {"Content-Type": "application/ipp"})
            return read_answer(connection.getresponse().read())
        except (http.client.HTTPException, ValueError) as error:
            raise OSError(f"no IPP answer: {error}") from error
        finally:
            connection.close()


def _status(answer: Answer) -> PrinterStatus:
    # Each reason may end in how bad it is: media-empty-error, media-low-warning.
    reasons = " ".join(answer.words("printer-state-reasons"))
    status = SILENT
    if "media-empty" in reasons or "media-needed" in reasons:
        status = replace(status, paper=Paper.OUT)
    elif "media-low" in reasons:
        status = replace(status, paper=Paper.NEAR_END)
    if "cover-open" in reasons or "door-open" in reasons:
        status = replace(status, cover=Cover.OPEN)
    if "offline" in reasons or answer.number("printer-state") == _STOPPED:
        status = replace(status, line=Line.OFFLINE)
    return status
