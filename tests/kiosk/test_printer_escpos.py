"""Our driver in trouble, on every way to a printer: each trouble has its outcome, and silence is none of them."""

import os
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Literal

import pytest

from kiosk.devices.ports import SILENT, Cover, Line, Paper, PrinterStatus
from kiosk.devices.printer_escpos import EscposPrinter
from kiosk.devices.printer_file import FilePrinter
from kiosk.devices.printer_status import QUESTIONS, question, read_status, valid
from kiosk.devices.transport import Transport
from kiosk.devices.transport_serial import SerialTransport
from kiosk.devices.transport_tcp import TcpTransport
from kiosk.devices.transport_usb import UsbTransport
from kiosk.devices.transport_usblp import UsblpTransport, read_port_status
from kiosk.devices.virtual_printer import VirtualPrinterServer
from kiosk.devices.virtual_printer_state import PrinterState, automatic_status
from kiosk.printer_profile import load_profile
from madoguchi.wire import Outcome
from tests.kiosk.twins import PRODUCT, SERIAL, VENDOR, WAYS, Bus, job, wait_for, wanted

PROFILE = load_profile("virtual-80mm")
JOB = job(PROFILE)
TALL = job(PROFILE, 9000)
"""More than all the buffers on the way can hold."""


@dataclass
class Way:
    """A printer, and the machine at the other end."""

    server: VirtualPrinterServer
    transport: Transport
    printer: EscposPrinter


@pytest.fixture(params=list(WAYS))
def line(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Way]:
    with VirtualPrinterServer(tmp_path / "tray") as server, WAYS[request.param](server, tmp_path) as transport:
        yield Way(server, transport, EscposPrinter(transport, answer_s=0.5))


class TestTrouble:
    @pytest.mark.parametrize(
        "trouble", [{"paper": "out"}, {"cover": True}, {"offline": True}, {"error": True}], ids=str
    )
    def test_to_a_printer_that_cannot_print_nothing_is_sent(self, line: Way, trouble: dict[str, object]) -> None:
        line.server.set(**trouble)

        assert line.printer.print(JOB, 5.0, wanted) is Outcome.NOT_PRINTED
        assert (line.server.papers, line.server.lost) == ([], [])

    @pytest.mark.parametrize("trouble", [{"paper": "out"}, {"cover": True}], ids=str)
    def test_paper_that_ends_inside_a_slip_is_noticed(self, line: Way, trouble: dict[str, object]) -> None:
        line.server.set(**trouble, after=len(JOB.data) // 2)

        assert line.printer.print(JOB, 5.0, wanted) is Outcome.NOT_PRINTED

    def test_paper_near_its_end_still_prints(self, line: Way) -> None:
        line.server.set(paper="near")
        printer = EscposPrinter(line.transport, answer_s=5.0)

        assert printer.status().paper is Paper.NEAR_END
        assert printer.print(JOB, 20.0, wanted) is Outcome.PRINTED

    def test_a_mute_printer_prints_and_nobody_can_say_so(self, line: Way) -> None:
        line.server.set(mute=True)

        assert line.printer.status() == SILENT
        assert line.printer.print(JOB, 5.0, wanted) is Outcome.UNKNOWN
        assert len(line.server.wait_for_papers(1, 5.0)) == 1

    def test_a_model_that_does_not_reply_is_not_asked(self, line: Way) -> None:
        printer = EscposPrinter(line.transport, replies=False)
        line.server.set(stall=True)
        began = time.monotonic()

        assert printer.status() == SILENT
        assert time.monotonic() - began < 0.2
        line.server.reset()
        assert printer.print(JOB, 5.0, wanted) is Outcome.UNKNOWN
        assert len(line.server.wait_for_papers(1, 5.0)) == 1

    def test_a_printer_that_takes_nothing_more_does_not_hold_the_kiosk(self, line: Way) -> None:
        line.server.set(stall=True, after=5000)
        began = time.monotonic()

        # The cut cannot have left us.
        outcome = line.printer.print(TALL, 1.0, wanted)

        assert outcome is Outcome.NOT_PRINTED
        assert time.monotonic() - began < 2.0

    def test_a_slip_that_fits_the_buffers_of_a_stalled_printer_may_come_out_later(self, line: Way) -> None:
        line.server.set(stall=True, after=5000)

        assert line.printer.print(job(PROFILE, 100), 1.5, wanted) is Outcome.UNKNOWN

    def test_a_printer_without_power_in_the_middle_has_not_printed_as_far_as_anybody_knows(self, line: Way) -> None:
        line.server.set(drop=True, after=5000)

        assert line.printer.print(JOB, 5.0, wanted) in (Outcome.NOT_PRINTED, Outcome.UNKNOWN)
        assert not any(printed.paper.cut for printed in line.server.papers)

    def test_the_printer_is_asked_until_the_slip_must_be_out(self, line: Way) -> None:
        printer = EscposPrinter(line.transport, paper_s=0.5, answer_s=5.0)
        ends = threading.Timer(0.2, lambda: line.server.set(paper="out"))
        ends.start()

        assert printer.print(JOB, 5.0, wanted) is Outcome.NOT_PRINTED

    def test_answers_that_nobody_waits_for_are_not_taken_for_others(self, line: Way) -> None:
        line.server.set(stall=True)
        assert line.printer.status() == SILENT

        line.server.set(stall=False, paper="out")
        wait_for(lambda: line.printer.status().paper is Paper.OUT)
        assert line.printer.print(JOB, 5.0, wanted) is Outcome.NOT_PRINTED


@pytest.mark.parametrize("way", ["serial", "usblp", "usb"])
def test_what_broke_off_is_marked_void_and_the_next_paper_is_whole(way: str, tmp_path: Path) -> None:
    with VirtualPrinterServer(tmp_path / "tray") as server, WAYS[way](server, tmp_path) as transport:
        printer = EscposPrinter(transport, answer_s=1.0)
        server.set(stall=True, after=5000)
        assert printer.print(TALL, 0.5, wanted) is Outcome.NOT_PRINTED
        server.reset()

        assert printer.print(JOB, 20.0, wanted) is Outcome.PRINTED
        assert printer.print(JOB, 20.0, wanted) is Outcome.PRINTED
        broken, *whole = [printed.paper for printed in server.papers]

    assert broken.cut
    assert broken.data.endswith(JOB.void)
    assert [(paper.data, paper.faults, paper.cut) for paper in whole] == [(JOB.data, (), True)] * 2


@pytest.mark.parametrize(
    "transport",
    [
        TcpTransport("127.0.0.1", 1),
        UsblpTransport(Path("/nowhere/lp0")),
        SerialTransport(Path("/nowhere/ttyUSB0"), "9600", "rtscts"),
        SerialTransport(Path("/dev/null"), "9600", "xonxoff"),
        UsbTransport(VENDOR, PRODUCT, backend=Bus(port=1, plugged=False)),
        UsbTransport(VENDOR, PRODUCT, "OTHER", backend=Bus(port=1)),
    ],
    ids=["network", "usblp", "serial", "no serial port", "usb", "another serial number"],
)
def test_a_printer_that_is_not_there_has_not_printed(transport: Transport) -> None:
    printer = EscposPrinter(transport)

    assert printer.status() == PrinterStatus(line=Line.OFFLINE)
    assert printer.print(JOB, 5.0, wanted) is Outcome.NOT_PRINTED
    printer.close()


class TestUsb:
    @pytest.fixture
    def server(self, tmp_path: Path) -> Iterator[VirtualPrinterServer]:
        with VirtualPrinterServer(tmp_path) as server:
            yield server

    def test_the_kernels_driver_has_the_printer_back_at_the_end(self, server: VirtualPrinterServer) -> None:
        bus = Bus(server.port)
        printer = EscposPrinter(UsbTransport(VENDOR, PRODUCT, SERIAL, backend=bus), answer_s=2.0)

        assert printer.print(JOB, 20.0, wanted) is Outcome.PRINTED
        assert not bus.kernel_driver
        printer.close()
        assert bus.kernel_driver

    def test_that_it_has_not_is_said_with_the_reason(
        self, server: VirtualPrinterServer, caplog: pytest.LogCaptureFixture
    ) -> None:
        bus = Bus(server.port, gives_back=False)
        printer = EscposPrinter(UsbTransport(VENDOR, PRODUCT, backend=bus), answer_s=2.0)
        printer.status()
        printer.close()

        assert "Resource busy" in caplog.text

    def test_a_printer_that_cannot_be_had_stays_the_kernels(self, server: VirtualPrinterServer) -> None:
        bus = Bus(server.port, refuses_to_claim=True)
        printer = EscposPrinter(UsbTransport(VENDOR, PRODUCT, backend=bus), answer_s=2.0)

        assert printer.status() == PrinterStatus(line=Line.OFFLINE)
        assert bus.kernel_driver

    def test_a_printer_of_a_class_of_its_own_without_answers_prints(self, server: VirtualPrinterServer) -> None:
        bus = Bus(server.port, interface_class=0xFF, endpoints=((0x02, 2),))
        printer = EscposPrinter(UsbTransport(VENDOR, PRODUCT, backend=bus), replies=False)

        assert printer.print(JOB, 5.0, wanted) is Outcome.UNKNOWN
        assert len(server.wait_for_papers(1, 5.0)) == 1
        printer.close()

    def test_a_device_without_anything_to_print_to_is_no_printer(self, server: VirtualPrinterServer) -> None:
        printer = EscposPrinter(UsbTransport(VENDOR, PRODUCT, backend=Bus(server.port, endpoints=((0x81, 3),))))

        assert printer.print(JOB, 5.0, wanted) is Outcome.NOT_PRINTED

    def test_unplugged_and_plugged_in_again_it_prints(self, server: VirtualPrinterServer) -> None:
        bus = Bus(server.port)
        printer = EscposPrinter(UsbTransport(VENDOR, PRODUCT, backend=bus), answer_s=2.0)
        assert printer.print(JOB, 20.0, wanted) is Outcome.PRINTED

        bus.plugged = False
        assert printer.print(JOB, 5.0, wanted) is Outcome.NOT_PRINTED
        bus.plugged = bus.kernel_driver = True
        assert printer.print(JOB, 20.0, wanted) is Outcome.PRINTED
        printer.close()

    def test_the_ports_status_speaks_where_the_printer_is_silent(self, server: VirtualPrinterServer) -> None:
        bus = Bus(server.port, port_status=0x38)
        server.set(mute=True)
        printer = EscposPrinter(UsbTransport(VENDOR, PRODUCT, backend=bus), answer_s=2.0)

        assert printer.status() == PrinterStatus(paper=Paper.OUT)
        assert printer.print(JOB, 5.0, wanted) is Outcome.NOT_PRINTED
        server.set(mute=False)  # many models never set the port's status: their own answer counts
        assert printer.print(JOB, 20.0, wanted) is Outcome.PRINTED
        printer.close()

    @pytest.mark.parametrize(
        ("byte", "status"),
        [
            (0x18, SILENT),
            (0x38, PrinterStatus(paper=Paper.OUT)),
            (0x10, PrinterStatus(line=Line.OFFLINE)),
            (0x08, SILENT),
            (0x00, SILENT),
        ],
    )
    def test_the_ports_status_says_only_what_is_wrong(self, byte: int, status: PrinterStatus) -> None:
        assert read_port_status(byte) == status


@contextmanager
def answering(answer: Callable[[bytes], bytes]) -> Iterator[EscposPrinter]:
    """A printer with answers of its own."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            connection, _ = listener.accept()
            with connection:
                while data := connection.recv(65536):
                    connection.sendall(answer(data))

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield EscposPrinter(TcpTransport("127.0.0.1", listener.getsockname()[1]))
        thread.join(timeout=5)


class TestAnswers:
    @pytest.mark.parametrize("garbage", [b"\x00", b"\x10\x00\x00\x00", b"\xff", b"OK\r\n"])
    def test_a_byte_that_is_no_answer_is_not_taken_for_one(self, garbage: bytes) -> None:
        with answering(lambda _: garbage) as printer:
            assert printer.status() == SILENT

    def test_an_automatic_status_before_the_answer_is_passed_over(self) -> None:
        with answering(lambda _: b"\x10\x00\x00\x00\x12") as printer:
            assert printer.status() == PrinterStatus(Paper.OK, Cover.CLOSED, Line.ONLINE)

    def test_no_byte_of_any_automatic_status_is_an_answer(self) -> None:
        papers: tuple[Literal["ok", "near", "out"], ...] = ("ok", "near", "out")
        for paper, cover, offline, error in product(papers, (False, True), (False, True), (False, True)):
            state = PrinterState(paper, cover, offline, error)
            assert [byte for byte in automatic_status(state) if valid(byte)] == []

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
        assert printer.print(JOB, 1.0, wanted) is Outcome.UNKNOWN

    def test_a_device_that_takes_nothing_does_not_hold_the_kiosk(self, tmp_path: Path) -> None:
        pipe = tmp_path / "lp0"
        os.mkfifo(pipe)
        reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
        began = time.monotonic()

        outcome = FilePrinter(pipe).print(TALL, 0.3, wanted)

        os.close(reader)
        assert outcome is Outcome.NOT_PRINTED
        assert time.monotonic() - began < 1.0

    def test_a_device_that_is_unplugged_has_not_printed(self, tmp_path: Path) -> None:
        outcome = FilePrinter(tmp_path / "nowhere" / "lp0").print(JOB, 1.0, wanted)

        assert outcome is Outcome.NOT_PRINTED
