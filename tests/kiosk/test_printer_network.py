"""The network printer in trouble: each trouble has its outcome, and silence is none of them."""

import os
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import UUID

import pytest
from PIL import Image

from kiosk.devices.ports import SILENT, Cover, Line, Paper, PrinterStatus
from kiosk.devices.printer_file import FilePrinter
from kiosk.devices.printer_network import NetworkPrinter
from kiosk.devices.printer_status import QUESTIONS, question, read_status, valid
from kiosk.devices.virtual_printer import VirtualPrinterServer
from kiosk.printer_profile import load_profile
from kiosk.printing import make_job
from madoguchi.wire import Outcome

PROFILE = load_profile("virtual-80mm")
SLIP = make_job(UUID(int=1), Image.new("1", (PROFILE.width_dots, 900), 1), PROFILE).data


@pytest.fixture
def server(tmp_path: Path) -> Iterator[VirtualPrinterServer]:
    with VirtualPrinterServer(tmp_path) as server:
        yield server


@pytest.fixture
def printer(server: VirtualPrinterServer) -> NetworkPrinter:
    return NetworkPrinter("127.0.0.1", server.port)


class TestTrouble:
    @pytest.mark.parametrize(
        "trouble", [{"paper": "out"}, {"cover": True}, {"offline": True}, {"error": True}], ids=str
    )
    def test_to_a_printer_that_cannot_print_nothing_is_sent(
        self, server: VirtualPrinterServer, printer: NetworkPrinter, trouble: dict[str, object]
    ) -> None:
        server.set(**trouble)

        assert printer.print(SLIP, 5.0) is Outcome.NOT_PRINTED
        assert (server.papers, server.lost) == ([], [])

    @pytest.mark.parametrize("trouble", [{"paper": "out"}, {"cover": True}], ids=str)
    def test_paper_that_ends_inside_a_slip_is_noticed(
        self, server: VirtualPrinterServer, printer: NetworkPrinter, trouble: dict[str, object]
    ) -> None:
        server.set(**trouble, after=len(SLIP) // 2)

        assert printer.print(SLIP, 5.0) is Outcome.NOT_PRINTED

    def test_paper_near_its_end_still_prints(self, server: VirtualPrinterServer, printer: NetworkPrinter) -> None:
        server.set(paper="near")

        assert printer.status().paper is Paper.NEAR_END
        assert printer.print(SLIP, 5.0) is Outcome.PRINTED

    def test_a_mute_printer_prints_and_nobody_can_say_so(
        self, server: VirtualPrinterServer, printer: NetworkPrinter
    ) -> None:
        server.set(mute=True)

        assert printer.status() == SILENT
        assert printer.print(SLIP, 5.0) is Outcome.UNKNOWN
        assert len(server.wait_for_papers(1, 5.0)) == 1

    def test_a_model_that_does_not_reply_is_not_asked(self, server: VirtualPrinterServer) -> None:
        printer = NetworkPrinter("127.0.0.1", server.port, replies=False)
        began = time.monotonic()

        assert printer.status() == SILENT
        assert printer.print(SLIP, 5.0) is Outcome.UNKNOWN
        assert time.monotonic() - began < 1.0

    def test_a_printer_that_takes_nothing_more_does_not_hold_the_kiosk(
        self, server: VirtualPrinterServer, printer: NetworkPrinter
    ) -> None:
        server.set(stall=True, after=5000)
        began = time.monotonic()

        # More than all the buffers on the way can hold: the cut cannot have left us.
        outcome = printer.print(SLIP * 300, 1.0)

        assert outcome is Outcome.NOT_PRINTED
        assert time.monotonic() - began < 2.0

    def test_a_slip_that_fits_the_buffers_of_a_stalled_printer_may_come_out_later(
        self, server: VirtualPrinterServer, printer: NetworkPrinter
    ) -> None:
        server.set(stall=True, after=5000)

        assert printer.print(SLIP, 1.5) is Outcome.UNKNOWN

    def test_a_printer_that_hangs_up_has_not_printed_as_far_as_anybody_knows(
        self, server: VirtualPrinterServer, printer: NetworkPrinter
    ) -> None:
        server.set(drop=True, after=5000)

        assert printer.print(SLIP, 5.0) in (Outcome.NOT_PRINTED, Outcome.UNKNOWN)
        assert not any(printed.paper.cut for printed in server.papers)

    def test_a_printer_that_is_switched_off_has_not_printed(self, tmp_path: Path) -> None:
        with VirtualPrinterServer(tmp_path) as server:
            port = server.port
        printer = NetworkPrinter("127.0.0.1", port)

        assert printer.status() == PrinterStatus(line=Line.OFFLINE)
        assert printer.print(SLIP, 5.0) is Outcome.NOT_PRINTED

    def test_the_printer_is_asked_until_the_slip_must_be_out(self, server: VirtualPrinterServer) -> None:
        printer = NetworkPrinter("127.0.0.1", server.port, paper_s=0.5)
        ends = threading.Timer(0.2, lambda: server.set(paper="out"))
        ends.start()

        assert printer.print(SLIP, 5.0) is Outcome.NOT_PRINTED


@contextmanager
def answering(answer: Callable[[bytes], bytes]) -> Iterator[NetworkPrinter]:
    """A printer with answers of its own."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            connection, _ = listener.accept()
            with connection:
                while data := connection.recv(65536):
                    connection.sendall(answer(data))

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield NetworkPrinter("127.0.0.1", listener.getsockname()[1])
        thread.join(timeout=5)


class TestAnswers:
    @pytest.mark.parametrize("garbage", [b"\x00", b"\x10\x00\x00\x00", b"\xff", b"OK\r\n"])
    def test_a_byte_that_is_no_answer_is_not_taken_for_one(self, garbage: bytes) -> None:
        with answering(lambda _: garbage) as printer:
            assert printer.status() == SILENT

    def test_an_automatic_status_before_the_answer_is_passed_over(self) -> None:
        with answering(lambda _: b"\x10\x00\x00\x00\x12") as printer:
            assert printer.status() == PrinterStatus(Paper.OK, Cover.CLOSED, Line.ONLINE)

    @pytest.mark.parametrize(
        ("answers", "status"),
        [
            ({}, SILENT),
            ({1: 0x12}, SILENT),
            ({1: 0x12, 2: 0x12, 3: 0x12, 4: 0x12}, PrinterStatus(Paper.OK, Cover.CLOSED, Line.ONLINE)),
            ({4: 0x1E}, PrinterStatus(paper=Paper.NEAR_END)),
            ({4: 0x7E}, PrinterStatus(paper=Paper.OUT)),
            ({2: 0x32}, PrinterStatus(Paper.OUT, Cover.CLOSED, Line.UNKNOWN)),
            ({2: 0x16}, PrinterStatus(cover=Cover.OPEN)),
            ({1: 0x1A}, PrinterStatus(line=Line.OFFLINE)),
            ({3: 0x1A}, PrinterStatus(line=Line.OFFLINE)),
        ],
    )
    def test_each_bit_says_its_own_and_what_was_not_said_is_unknown(
        self, answers: dict[int, int], status: PrinterStatus
    ) -> None:
        assert read_status(answers) == status

    def test_questions_and_answers_are_those_of_the_manual(self) -> None:
        assert [question(n) for n in QUESTIONS] == [b"\x10\x04" + bytes((n,)) for n in (1, 2, 3, 4)]
        assert [byte for byte in (0x12, 0x1E, 0x10, 0x92, 0x13, 0x00) if valid(byte)] == [0x12, 0x1E]


class TestFilePrinter:
    def test_a_device_says_nothing_about_its_paper(self) -> None:
        printer = FilePrinter(Path("/dev/null"))

        assert printer.status() == SILENT
        assert printer.print(SLIP, 1.0) is Outcome.UNKNOWN

    def test_a_device_that_takes_nothing_does_not_hold_the_kiosk(self, tmp_path: Path) -> None:
        pipe = tmp_path / "lp0"
        os.mkfifo(pipe)
        reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
        began = time.monotonic()

        outcome = FilePrinter(pipe).print(SLIP * 10, 0.3)

        os.close(reader)
        assert outcome is Outcome.NOT_PRINTED
        assert time.monotonic() - began < 1.0

    def test_a_device_that_is_unplugged_has_not_printed(self, tmp_path: Path) -> None:
        outcome = FilePrinter(tmp_path / "nowhere" / "lp0").print(SLIP, 1.0)

        assert outcome is Outcome.NOT_PRINTED
