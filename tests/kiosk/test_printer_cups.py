"""A queue of CUPS: what it takes, what it says, and that nothing comes out of it later for somebody else."""

import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from kiosk.devices.ipp import read_answer, request
from kiosk.devices.ports import SILENT, Cover, Line, Paper, PrinterStatus
from kiosk.devices.printer_cups import CupsPrinter
from kiosk.printer_profile import load_profile
from madoguchi.wire import Outcome
from tests.kiosk.twins import job, wanted

JOB = job(load_profile("virtual-80mm"), 100)
HEAD = b"\x01\x01\x00\x00\x00\x00\x00\x01"


def attribute(tag: int, name: str, value: bytes) -> bytes:
    return bytes((tag,)) + len(name).to_bytes(2, "big") + name.encode() + len(value).to_bytes(2, "big") + value


def number(name: str, value: int) -> bytes:
    return attribute(0x23, name, value.to_bytes(4, "big"))


@dataclass
class Queue:
    """A queue that answers in the bytes of RFC 8010. `states` are those of the job, one for each time it is asked."""

    url: str = ""
    reasons: tuple[str, ...] = ("none",)
    printer_state: int = 3
    states: list[int] = field(default_factory=lambda: [5, 9])
    refuses: bool = False
    asked: list[int] = field(default_factory=list)
    documents: list[bytes] = field(default_factory=list)

    def answer(self, body: bytes) -> bytes:
        operation = int.from_bytes(body[2:4], "big")
        self.asked.append(operation)
        if operation == 2:
            if self.refuses:
                return b"\x01\x01\x04\x01\x00\x00\x00\x01\x03"
            self.documents.append(body[body.index(b"application/vnd.cups-raw") + 25 :])
            return HEAD + b"\x02" + number("job-id", 62) + number("job-state", 3) + b"\x03"
        if operation == 9:
            state = self.states.pop(0) if len(self.states) > 1 else self.states[0]
            return HEAD + b"\x02" + number("job-state", state) + b"\x03"
        if operation == 8:
            return HEAD + b"\x03"
        first, *more = self.reasons
        reasons = attribute(0x44, "printer-state-reasons", first.encode())
        reasons += b"".join(attribute(0x44, "", one.encode()) for one in more)
        return HEAD + b"\x04" + number("printer-state", self.printer_state) + reasons + b"\x03"


@pytest.fixture
def queue() -> Iterator[Queue]:
    made = Queue()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            answer = made.answer(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(200)
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_: Any) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    made.url = f"http://127.0.0.1:{server.server_port}/printers/kiosk"
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    yield made
    server.shutdown()
    thread.join()
    server.server_close()


def test_the_queue_gets_the_job_byte_for_byte_and_nobody_knows_of_the_paper(queue: Queue) -> None:
    assert CupsPrinter(queue.url).print(JOB, 5.0, wanted) is Outcome.UNKNOWN
    assert queue.documents == [JOB.data]


def test_a_job_that_waits_in_the_queue_is_taken_back(queue: Queue) -> None:
    queue.states = [3]

    assert CupsPrinter(queue.url).print(JOB, 0.5, wanted) is Outcome.NOT_PRINTED
    assert queue.asked[-1] == 8


def test_a_job_that_is_under_way_at_its_deadline_may_have_come_out(queue: Queue) -> None:
    queue.states = [5]

    assert CupsPrinter(queue.url).print(JOB, 0.5, wanted) is Outcome.UNKNOWN
    assert queue.asked[-1] == 8


def test_a_job_that_is_refused_or_nobodys_is_not_printed(queue: Queue) -> None:
    assert CupsPrinter(queue.url).print(JOB, 5.0, lambda: False) is Outcome.NOT_PRINTED
    queue.refuses = True
    assert CupsPrinter(queue.url).print(JOB, 5.0, wanted) is Outcome.NOT_PRINTED
    assert queue.documents == []


@pytest.mark.parametrize(
    ("reasons", "state", "status"),
    [
        (("none",), 3, SILENT),
        (("media-low-warning",), 3, PrinterStatus(paper=Paper.NEAR_END)),
        (("spool-area-full", "media-empty-error"), 3, PrinterStatus(paper=Paper.OUT)),
        (("cover-open",), 3, PrinterStatus(cover=Cover.OPEN)),
        (("offline-report",), 3, PrinterStatus(line=Line.OFFLINE)),
        (("paused",), 5, PrinterStatus(line=Line.OFFLINE)),
    ],
)
def test_what_the_queue_says_against_its_printer_is_heard(
    queue: Queue, reasons: tuple[str, ...], state: int, status: PrinterStatus
) -> None:
    queue.reasons, queue.printer_state = reasons, state

    assert CupsPrinter(queue.url).status() == status
    if status.fault:
        assert CupsPrinter(queue.url).print(JOB, 5.0, wanted) is Outcome.NOT_PRINTED
        assert queue.documents == []


def test_a_queue_that_is_not_there_has_not_printed() -> None:
    printer = CupsPrinter("http://127.0.0.1:1/printers/kiosk")

    assert printer.status() == PrinterStatus(line=Line.OFFLINE)
    assert printer.print(JOB, 5.0, wanted) is Outcome.NOT_PRINTED
    printer.close()


def test_requests_are_those_of_the_standard() -> None:
    asked = request(0x000B, [(0x45, "printer-uri", "ipp://a/printers/b")])

    assert asked.startswith(
        b"\x01\x01\x00\x0b\x00\x00\x00\x01\x01\x47\x00\x12attributes-charset\x00\x05utf-8\x48\x00\x1b"
    )
    assert asked.endswith(b"\x45\x00\x0bprinter-uri\x00\x12ipp://a/printers/b\x03")


@pytest.mark.parametrize("garbage", [b"", b"HTML", HEAD + b"\x01\x47\x00\xffx"])
def test_what_is_no_answer_is_not_read_as_one(garbage: bytes) -> None:
    with pytest.raises(ValueError, match="IPP answer"):
        read_answer(garbage)
