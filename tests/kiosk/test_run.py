"""The whole kiosk: scanner, dialogue, server, printer and panel together, as visitors meet them."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import zxingcpp

from madoguchi.codes import of_ticket
from madoguchi.wire import RefusalView
from tests.kiosk.entrance import Entrance, configured, entrance, office_and_entrance, scan, wait_for
from tests.kiosk.fake_office import BOOKED, NOTICE, Office, OfficeServer, state, ticket

pytestmark = pytest.mark.alone  # times what a device does

ROOT = Path(__file__).parents[2]


@pytest.fixture
def here(tmp_path: Path) -> Iterator[Entrance]:
    with office_and_entrance(tmp_path) as here:
        yield here


def paths_of(office: Office) -> list[tuple[str, str]]:
    """What was asked, without the heartbeats."""
    return [(method, path.split("/")[3]) for method, path, _ in office.asked if not path.endswith("/state")]


class TestVisitors:
    def test_a_booked_visitor_scans_and_gets_a_slip_with_her_number(self, here: Entrance) -> None:
        here.scan(BOOKED)

        (printed,) = here.printer.wait_for_papers(1, 10)
        shown = here.sees("number")
        wait_for(lambda: here.office.papers)
        (job,) = here.office.papers
        (code,) = zxingcpp.read_barcodes(np.array(printed.paper.image.convert("L")))

        assert (shown["number"], here.office.papers[job]) == (62, "printed")
        assert code.text == of_ticket(ticket().uid).text
        assert (printed.paper.faults, printed.paper.cut) == ((), True)

    def test_what_was_reported_is_the_hash_of_the_bytes_on_the_paper(self, here: Entrance) -> None:
        here.scan(BOOKED)
        here.printer.wait_for_papers(1, 10)
        wait_for(lambda: here.office.papers)

        (reported,) = [body["sha256"] for method, _, body in here.office.asked if method == "PUT"]
        written = json.loads((here.folder / "tickets" / "0001.json").read_text())

        assert written["sha256"] == reported

    def test_a_code_held_too_long_makes_one_paper(self, here: Entrance) -> None:
        here.scan(*[BOOKED] * 10)

        here.sees("number")
        wait_for(lambda: here.office.papers)
        time.sleep(0.3)

        assert len(here.printer.papers) == 1

    def test_who_scans_again_after_the_paper_is_told_that_it_is_done(self, here: Entrance) -> None:
        here.scan(BOOKED)
        wait_for(lambda: here.office.papers)
        here.sees("number")
        here.scan(BOOKED)

        wait_for(lambda: "受付はお済みです。" in here.screen["text"])
        assert len(here.printer.papers) == 1

    def test_after_new_paper_the_same_number_is_printed_as_a_reprint(self, here: Entrance) -> None:
        here.printer.set(paper="out")
        here.scan(BOOKED)
        here.sees("number")
        without_paper = here.screen
        wait_for(lambda: here.office.papers)
        here.printer.reset()
        here.scan(BOOKED)

        here.printer.wait_for_papers(1, 10)
        wait_for(lambda: len(here.office.papers) == 2)
        assert without_paper["number"] == 62
        assert list(here.office.papers.values()) == ["not_printed", "printed"]
        assert "printer" in here.office.staff_calls

    def test_a_walk_in_touches_and_gets_a_ticket(self, here: Entrance) -> None:
        here.touch("walkin")
        here.sees("services")
        here.touch("service", "renewal")

        here.printer.wait_for_papers(1, 10)
        assert here.sees("number")["number"] == 62

    def test_the_panel_changes_its_language_with_a_touch(self, here: Entrance) -> None:
        here.touch("language", "en")

        wait_for(lambda: here.screen["language"] == "en")
        assert here.screen["office"] == "Mihon City Hall"

    def test_the_offices_no_is_shown_with_its_facts(self, here: Entrance) -> None:
        here.office.refusals[BOOKED] = RefusalView("wrong_day", {"date": "2026-12-01"})

        here.scan(BOOKED)

        assert here.sees("message")["text"][0] == "ご予約の日は令和8年12月1日（火）です。"
        assert here.printer.papers == []

    def test_the_outcome_is_reported_before_the_next_visitor_is_asked_for(self, here: Entrance) -> None:
        for code in (BOOKED, NOTICE):
            here.scan(code)
            wait_for(lambda code=code: here.screen["page"] == "number" and code in here.office.numbers)  # type: ignore[misc]  # bound at once
        wait_for(lambda: len(here.office.papers) == 2)

        assert paths_of(here.office) == [("POST", "check-ins"), ("PUT", "print-jobs")] * 2

    def test_staff_are_called_by_the_button(self, here: Entrance) -> None:
        here.touch("staff")

        wait_for(lambda: here.office.staff_calls == ["button"])
        wait_for(lambda: "職員をお呼びしました。" in here.screen["text"])


class TestWhatIsNotOurs:
    @pytest.mark.parametrize(
        "scanned",
        [
            b"983205673214",
            "９８３２０５６７３２１４".encode(),
            b"https://madoguchi.example.invalid/b/N7K3F9QXM2PC",
            BOOKED[:-1].encode(),
            b"\x00\x01\xff\xfe",
            b"9" * 10_000,
            b"%00%0a<script>",
            BOOKED[:5].encode() + b"\x1b@" + BOOKED[5:].encode(),
        ],
        ids=["my number", "full width", "foreign link", "cut short", "binary", "endless", "signs", "printer command"],
    )
    def test_it_is_refused_here_and_the_next_visitor_is_served(
        self, here: Entrance, scanned: bytes, caplog: pytest.LogCaptureFixture
    ) -> None:
        with caplog.at_level("DEBUG"):
            here.scan(scanned)
            here.sees("message")
            asked = paths_of(here.office)
            here.scan(BOOKED)
            here.printer.wait_for_papers(1, 10)

        assert asked == []
        assert "9832" not in caplog.text
        assert scanned.decode("utf-8", "replace")[:12] not in caplog.text


class TestTheServer:
    def test_an_answer_lost_on_its_way_gives_one_ticket(self, here: Entrance) -> None:
        lost = iter([ConnectionError()])

        def lose_one(path: str) -> None:
            if path.endswith("check-ins") and (error := next(lost, None)):
                raise error

        here.office.before_answer = lose_one
        here.scan(BOOKED)

        here.printer.wait_for_papers(1, 10)
        ids = [body["request_id"] for _, path, body in here.office.asked if path.endswith("check-ins")]
        assert len(ids) == 2
        assert len(set(ids)) == 1

    def test_a_report_that_was_lost_is_made_before_the_next_question(self, here: Entrance) -> None:
        here.office.before_answer = lambda path: _break() if "print-jobs" in path else None
        here.scan(BOOKED)
        here.sees("number")
        here.office.before_answer = lambda _: None
        here.scan(NOTICE)

        wait_for(lambda: len(here.office.papers) == 2)
        assert list(here.office.papers.values()) == ["printed", "printed"]

    def test_without_the_server_the_panel_says_so_and_recovers_alone(self, tmp_path: Path) -> None:
        office = Office()
        with OfficeServer(office) as server:
            url, port = server.url, server.port
        with entrance(tmp_path, office, url) as here:
            away = here.sees("away")
            here.scan(BOOKED)
            told = here.sees("message")
            with OfficeServer(office, port):
                here.touch("restart")
                here.sees("idle")
                here.scan(BOOKED)
                here.printer.wait_for_papers(1, 10)

        assert (
            away["text"]
            == told["text"]
            == ["ただいま受付の機械がつながっていません。", "お近くの職員にお声がけください。"]
        )


def _break() -> None:
    raise ConnectionError


def test_from_scan_to_the_printers_first_byte_it_takes_no_time_that_a_visitor_notices(here: Entrance) -> None:
    took = []
    for n in range(20):
        here.office.numbers.clear()
        here.office._jobs.clear()
        began = time.monotonic()
        here.scan(BOOKED)
        papers = here.printer.wait_for_papers(n + 1, 10)
        took.append(papers[-1].first_byte_at - began)
        wait_for(lambda n=n: len(here.office.papers) == n + 1)  # type: ignore[misc]  # bound at once

    # 60 ms is what is promised; single ones may take longer here, where other tests share the processor.
    assert sorted(took)[len(took) // 2] < 0.06
    assert max(took) < 0.5


def test_a_name_that_no_font_can_print_is_told_once(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    office = Office(state(office={"ja": "本庁\U0001f600"}))
    with OfficeServer(office) as server, entrance(tmp_path, office, server.url) as here:
        here.sees("idle")

    assert caplog.text.count("no font has \U0001f600") == 1


def test_the_kiosk_starts_where_evdev_cannot_be_installed() -> None:
    program = "import sys, kiosk.run, kiosk.devices.evdev_scanner; sys.exit('evdev' in sys.modules)"

    assert subprocess.run([sys.executable, "-c", program], cwd=ROOT, check=False).returncode == 0  # noqa: S603 - our own words


class TestTheProgram:
    def start(self, folder: Path, url: str) -> subprocess.Popen[str]:
        printer = f'kind = "virtual"\nfolder = "{folder}/tickets"'
        program = "import sys, pathlib, kiosk.run; sys.exit(kiosk.run.main(pathlib.Path(sys.argv[1])))"
        return subprocess.Popen(  # noqa: S603 - our own words
            [sys.executable, "-c", program, str(configured(folder, url, printer))],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def test_it_says_when_it_is_ready_serves_and_ends_when_asked(self, tmp_path: Path) -> None:
        office = Office()
        with OfficeServer(office) as server, self.start(tmp_path, server.url) as kiosk:
            assert kiosk.stdout is not None
            ready = kiosk.stdout.readline()
            scan(tmp_path, BOOKED)
            wait_for(lambda: office.papers, 15)
            status = (Path("/proc") / str(kiosk.pid) / "status").read_text()
            kiosk.send_signal(signal.SIGTERM)
            said, logged = kiosk.communicate(timeout=20)

        memory = int(status.split("VmRSS:")[1].split()[0])
        assert ready.startswith("kiosk ready http://127.0.0.1:")
        assert (kiosk.returncode, said) == (0, "")
        assert memory < 120_000, f"{memory} kB"
        assert BOOKED not in logged
        assert not (tmp_path / "scan.sock").exists()

    def test_a_ticket_that_is_being_made_when_it_is_told_to_end_is_printed_and_reported(self, tmp_path: Path) -> None:
        office = Office(before_answer=lambda path: time.sleep(0.5) if path.endswith("check-ins") else None)
        with OfficeServer(office) as server, self.start(tmp_path, server.url) as kiosk:
            assert kiosk.stdout is not None
            kiosk.stdout.readline()
            scan(tmp_path, BOOKED)
            wait_for(lambda: office.answers, 15)
            kiosk.send_signal(signal.SIGTERM)
            kiosk.communicate(timeout=20)

        assert list(office.papers.values()) == ["printed"]

    def test_a_fault_in_its_settings_is_one_sentence(self, tmp_path: Path) -> None:
        with self.start(tmp_path, "ftp://office.example") as kiosk:
            said, logged = kiosk.communicate(timeout=20)

        assert (kiosk.returncode, said) == (1, "")
        assert logged.count("\n") == 1
        assert "[server] url" in logged

    def test_a_second_kiosk_on_the_same_scanner_does_not_start(self, tmp_path: Path) -> None:
        with OfficeServer(Office()) as server, self.start(tmp_path, server.url) as first:
            assert first.stdout is not None
            first.stdout.readline()
            with self.start(tmp_path, server.url) as second:
                _, logged = second.communicate(timeout=20)
            os.kill(first.pid, signal.SIGTERM)
            first.communicate(timeout=20)

        assert second.returncode == 1
        assert "another kiosk is listening" in logged
