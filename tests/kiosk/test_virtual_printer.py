"""The virtual printer: its tray, its answers and its troubles, as a kiosk meets them over TCP."""

import hashlib
import json
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image

from kiosk.devices.escpos_reader import FaultKind, read_job
from kiosk.devices.virtual_printer import PrinterState, VirtualPrinterFolder, VirtualPrinterServer

ROWS = 300
PICTURE = b"\x1dv0\x00\x48\x00" + ROWS.to_bytes(2, "little") + b"\x00\x18" * 36 * ROWS
JOB = b"\x1b@" + PICTURE + b"\x1bd\x06\x1dV\x00"
SECOND = b"\x1b@62\n\x1bd\x06\x1dV\x00"
SOON = 5.0


@pytest.fixture
def printer(tmp_path: Path) -> Iterator[VirtualPrinterServer]:
    with VirtualPrinterServer(tmp_path / "tray") as printer:
        yield printer


def connect(printer: VirtualPrinterServer) -> socket.socket:
    return socket.create_connection(("127.0.0.1", printer.port), SOON)


def send(printer: VirtualPrinterServer, data: bytes) -> None:
    with connect(printer) as connection:
        connection.sendall(data)


def ask(connection: socket.socket, question: bytes, wait: float = SOON) -> bytes:
    """The answer, or nothing when none came in time."""
    connection.settimeout(wait)
    connection.sendall(question)
    try:
        return connection.recv(64)
    except TimeoutError:
        return b""


def hung_up(connection: socket.socket) -> bool:
    """Whether the printer closes the connection."""
    connection.settimeout(SOON)
    try:
        return connection.recv(64) == b""
    except ConnectionResetError:
        return True


def bits(printer: VirtualPrinterServer) -> list[str]:
    with connect(printer) as connection:
        return [f"{ask(connection, bytes((0x10, 4, n)))[0]:08b}" for n in (1, 2, 3, 4)]


class TestTray:
    def test_a_job_leaves_its_bytes_its_faults_and_its_picture(
        self, printer: VirtualPrinterServer, tmp_path: Path
    ) -> None:
        send(printer, JOB)
        (printed,) = printer.wait_for_papers(1, SOON)
        tray = tmp_path / "tray"
        assert sorted(path.name for path in tray.iterdir()) == ["0001.bin", "0001.json", "0001.png"]
        assert (tray / "0001.bin").read_bytes() == printed.paper.data == JOB
        with Image.open(tray / "0001.png") as picture:
            assert (picture.mode, picture.tobytes()) == ("1", read_job(JOB)[0].image.tobytes())

    def test_the_description_names_the_job_by_its_hash_and_lists_its_faults(self, tmp_path: Path) -> None:
        damaged = JOB[:100] + JOB[101:]
        VirtualPrinterFolder(tmp_path).keep(read_job(damaged)[0])
        told = json.loads((tmp_path / "0001.json").read_text())
        assert told["sha256"] == hashlib.sha256(damaged).hexdigest()
        assert FaultKind.LOST_BYTE in [fault["kind"] for fault in told["faults"]]
        assert (told["cut"], told["width"]) == (True, 576)

    def test_numbers_go_on_after_a_restart(self, tmp_path: Path) -> None:
        for _ in range(2):
            with VirtualPrinterServer(tmp_path) as printer:
                send(printer, JOB + JOB)
                printer.wait_for_papers(2, SOON)
        assert sorted(path.name for path in tmp_path.glob("*.png")) == [f"000{n}.png" for n in (1, 2, 3, 4)]

    def test_questions_are_no_part_of_the_job(self, printer: VirtualPrinterServer) -> None:
        with connect(printer) as connection:
            ask(connection, b"\x10\x04\x01")
            connection.sendall(JOB)
            ask(connection, b"\x10\x04\x04")
            connection.sendall(SECOND)
            papers = printer.wait_for_papers(2, SOON)
        assert [printed.paper.data for printed in papers] == [JOB, SECOND]

    def test_two_kiosks_do_not_get_into_each_others_papers(self, printer: VirtualPrinterServer) -> None:
        with connect(printer) as one, connect(printer) as other:
            one.sendall(JOB[:5000])
            other.sendall(SECOND[:4])
            one.sendall(JOB[5000:])
            other.sendall(SECOND[4:])
            papers = printer.wait_for_papers(2, SOON)
        assert sorted(printed.paper.data for printed in papers) == sorted([JOB, SECOND])

    def test_what_was_not_cut_hangs_out_when_the_sender_goes(self, printer: VirtualPrinterServer) -> None:
        send(printer, JOB[:9000])
        (printed,) = printer.wait_for_papers(1, SOON)
        assert not printed.paper.cut
        assert FaultKind.TRUNCATED in [fault.kind for fault in printed.paper.faults]

    def test_waiting_for_papers_that_do_not_come_ends(self, printer: VirtualPrinterServer) -> None:
        with pytest.raises(TimeoutError, match="0 papers"):
            printer.wait_for_papers(1, 0.01)


class TestAnswers:
    @pytest.mark.parametrize(
        ("state", "answers"),
        [
            (PrinterState(), ["00010010", "00010010", "00010010", "00010010"]),
            (PrinterState(paper="near"), ["00010010", "00010010", "00010010", "00011110"]),
            (PrinterState(paper="out"), ["00011010", "00110010", "00010010", "01111110"]),
            (PrinterState(cover=True), ["00011010", "00010110", "00010010", "00010010"]),
            (PrinterState(offline=True), ["00011010", "00010010", "00010010", "00010010"]),
            (PrinterState(error=True), ["00011010", "01010010", "00011010", "00010010"]),
        ],
        ids=["well", "near end", "no paper", "cover open", "off line", "cutter jammed"],
    )
    def test_it_says_how_it_is(self, tmp_path: Path, state: PrinterState, answers: list[str]) -> None:
        with VirtualPrinterServer(tmp_path, state=state) as printer:
            assert bits(printer) == answers

    def test_it_answers_between_and_after_commands(self, printer: VirtualPrinterServer) -> None:
        with connect(printer) as connection:
            assert ask(connection, b"\x1b@62\n\x10\x04\x01") == b"\x12"
            assert ask(connection, JOB + b"\x10\x04\x04") == b"\x12"

    def test_a_question_inside_a_picture_is_dots(self, printer: VirtualPrinterServer) -> None:
        with connect(printer) as connection:
            assert ask(connection, JOB[:5000] + b"\x10\x04\x01", wait=0.1) == b""
            assert ask(connection, JOB[5003:] + b"\x10\x04\x01") == b"\x12"
        assert printer.papers[0].paper.faults == ()

    @pytest.mark.parametrize(("paper", "said"), [("ok", 0x00), ("near", 0x03), ("out", 0x0F)])
    def test_it_answers_the_question_in_turn_too(self, printer: VirtualPrinterServer, paper: str, said: int) -> None:
        printer.set(paper=paper)
        with connect(printer) as connection:
            assert ask(connection, b"\x1dr\x01") == bytes([said])

    def test_it_tells_changes_by_itself_when_asked_to(self, printer: VirtualPrinterServer) -> None:
        with connect(printer) as connection:
            assert ask(connection, b"\x1da\xff") == b"\x10\x00\x00\x00"
            printer.set(paper="out", cover=True)
            assert connection.recv(64) == b"\x38\x00\x0f\x00"
            assert ask(connection, b"\x1da\x00", wait=0.1) == b""
            printer.reset()
            assert ask(connection, b"\x10\x04\x01") == b"\x12"

    def test_a_question_that_no_printer_knows_gets_no_answer(self, printer: VirtualPrinterServer) -> None:
        with connect(printer) as connection:
            assert ask(connection, b"\x10\x04\x63\x1dr\x07\x10\x04\x04") == b"\x12"


class TestTroubles:
    @pytest.mark.parametrize("trouble", [{"paper": "out"}, {"cover": True}, {"offline": True}, {"error": True}])
    def test_what_ends_while_nothing_can_be_printed_is_lost(
        self, printer: VirtualPrinterServer, trouble: dict[str, object]
    ) -> None:
        printer.set(**trouble)
        with connect(printer) as connection:
            assert ask(connection, JOB + b"\x10\x04\x01") == b"\x1a"
            printer.reset()
            connection.sendall(SECOND)
            papers = printer.wait_for_papers(1, SOON)
        assert ([printed.paper.data for printed in papers], [lost.data for lost in printer.lost]) == ([SECOND], [JOB])

    def test_paper_can_end_inside_a_job(self, printer: VirtualPrinterServer) -> None:
        printer.set(paper="out", after=3000)
        with connect(printer) as connection:
            assert ask(connection, b"\x10\x04\x04") == b"\x12"
            assert ask(connection, JOB + b"\x10\x04\x04") == b"\x7e"
        assert (printer.papers, len(printer.lost)) == ([], 1)
        assert printer.state == PrinterState(paper="out")

    def test_a_shorter_job_comes_out_before_the_trouble(self, printer: VirtualPrinterServer) -> None:
        printer.set(paper="out", after=3000)
        send(printer, SECOND + SECOND)
        assert len(printer.wait_for_papers(2, SOON)) == 2

    def test_a_mute_printer_prints_and_says_nothing(self, printer: VirtualPrinterServer) -> None:
        printer.set(mute=True)
        with connect(printer) as connection:
            assert ask(connection, JOB + b"\x10\x04\x01\x1dr\x01\x1da\xff", wait=0.1) == b""
        assert len(printer.wait_for_papers(1, SOON)) == 1

    def test_a_stalled_printer_takes_nothing_until_it_is_well(self, printer: VirtualPrinterServer) -> None:
        printer.set(stall=True)
        with connect(printer) as connection:
            assert ask(connection, JOB + b"\x10\x04\x01", wait=0.1) == b""
            assert printer.first_byte_at is None
            printer.reset()
            assert connection.recv(64) or ask(connection, b"") == b"\x12"
        assert len(printer.wait_for_papers(1, SOON)) == 1

    def test_a_printer_can_stall_inside_a_job_until_the_sender_is_blocked(self, printer: VirtualPrinterServer) -> None:
        printer.set(stall=True, after=3000)
        with connect(printer) as connection:
            connection.settimeout(0.2)
            with pytest.raises(TimeoutError):
                connection.sendall(JOB * 1000)
        assert printer.first_byte_at is not None

    def test_a_printer_can_hang_up_inside_a_job(self, printer: VirtualPrinterServer) -> None:
        printer.set(drop=True, after=5000)
        with connect(printer) as connection:
            assert ask(connection, b"\x10\x04\x01") == b"\x12"
            connection.sendall(JOB[:5000])
            assert hung_up(connection)
        (printed,) = printer.wait_for_papers(1, SOON)
        assert (printed.paper.cut, printed.paper.data) == (False, JOB[:5000])

    def test_a_trouble_that_is_misspelt_is_refused(self, printer: VirtualPrinterServer) -> None:
        with pytest.raises(ValueError, match="ok, near or out"):
            printer.set(paper="empty")
        with pytest.raises(TypeError, match="papper"):
            printer.set(papper="out")


class TestTimes:
    def test_it_knows_when_a_jobs_first_byte_came(self, printer: VirtualPrinterServer) -> None:
        with connect(printer) as connection:
            ask(connection, b"\x10\x04\x01")
            assert printer.first_byte_at is None
            before = time.monotonic()
            connection.sendall(JOB[:100])
            ask(connection, b"", wait=0.05)
            between = time.monotonic()
            connection.sendall(JOB[100:])
            (printed,) = printer.wait_for_papers(1, SOON)
        assert before <= printed.first_byte_at <= between <= printed.cut_at <= time.monotonic()
        assert printer.first_byte_at == printed.first_byte_at

    def test_each_paper_has_its_own(self, printer: VirtualPrinterServer) -> None:
        send(printer, JOB + SECOND[:5])
        first, second = printer.wait_for_papers(2, SOON)
        assert first.first_byte_at <= first.cut_at <= second.first_byte_at + 0.001


class TestEnding:
    def test_leaving_hangs_up_on_everybody(self, tmp_path: Path) -> None:
        with VirtualPrinterServer(tmp_path) as printer:
            stalled, idle = connect(printer), connect(printer)
            ask(idle, b"\x10\x04\x01")
            printer.set(stall=True)
        with stalled, idle:
            assert hung_up(stalled)
            assert hung_up(idle)

    def test_the_command_prints_until_it_is_told_to_end(self, tmp_path: Path) -> None:
        program = "import sys, pathlib, kiosk.devices.virtual_printer as v; v.main(0, pathlib.Path(sys.argv[1]))"
        command = [sys.executable, "-c", program, str(tmp_path)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:  # noqa: S603 - our own program
            assert process.stdout is not None
            port = int(process.stdout.readline().split(":")[1].split(",")[0])
            with socket.create_connection(("127.0.0.1", port), SOON) as connection:
                assert ask(connection, JOB + b"\x10\x04\x01") == b"\x12"
            process.send_signal(signal.SIGTERM)
            assert process.wait(SOON) == 0
        assert (tmp_path / "0001.bin").read_bytes() == JOB
