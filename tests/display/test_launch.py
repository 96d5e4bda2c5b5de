"""Keeping the board on the television: how the browser is started, started again, and ended."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from display.launch import (
    NoBrowser,
    Pauses,
    answers,
    command_line,
    find_browser,
    keep_running,
    prepare_profile,
    wait_until_answered,
)
from tests.display.office_process import ROOT
from tests.ports import free_port

URL = "http://office.mihon:8000/boards/0193b2a4"
QUICK = Pauses(first=0.01, longest=0.01)


class OfficePage(BaseHTTPRequestHandler):
    """A server that knows no board, but is there."""

    def do_GET(self) -> None:
        self.send_error(503 if self.path == "/starting" else 401)

    def log_message(self, format: str, *args: object) -> None:
        """Nothing on the terminal."""


@pytest.fixture
def address() -> Iterator[str]:
    """Where that server is."""
    with HTTPServer(("127.0.0.1", 0), OfficePage) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.fixture
def fake_browser(tmp_path: Path) -> Path:
    """A browser that writes down how it was started and dies at once; told to stay, it stays."""
    script = tmp_path / "chromium"
    script.write_text(f'#!/bin/sh\necho "$@" >> {tmp_path}/starts\n[ -e {tmp_path}/stay ] && sleep 60\nexit 1\n')
    script.chmod(0o755)
    return script


class TestCommandLine:
    def test_chromium_is_full_screen_may_sound_and_calls_nobody(self) -> None:
        words = command_line(Path("/usr/bin/chromium"), URL, Path("/var/lib/board/profile"))
        assert words[0] == "/usr/bin/chromium"
        assert words[-2:] == ["--user-data-dir=/var/lib/board/profile", URL]
        wanted = {"--kiosk", "--autoplay-policy=no-user-gesture-required", "--disable-background-networking"}
        assert wanted <= set(words)

    def test_chromium_keeps_its_sandbox_unless_root_runs_it(self) -> None:
        by_board, by_root = (
            command_line(Path("chromium"), URL, Path("profile"), as_root=as_root) for as_root in (False, True)
        )
        assert "--no-sandbox" not in by_board
        assert set(by_root) - set(by_board) == {"--no-sandbox"}

    def test_firefox_is_told_the_same_in_its_own_words(self, tmp_path: Path) -> None:
        words = command_line(Path("/usr/bin/firefox-esr"), URL, tmp_path)
        prepare_profile(Path("/usr/bin/firefox-esr"), tmp_path)
        settings = (tmp_path / "user.js").read_text("utf-8")
        assert words == ["/usr/bin/firefox-esr", "--kiosk", "--no-remote", "--profile", str(tmp_path), URL]
        assert 'user_pref("media.autoplay.default", 0);\n' in settings
        assert 'user_pref("app.update.enabled", false);\n' in settings


class TestFindingABrowser:
    def test_chromium_comes_before_firefox(self) -> None:
        here = {"firefox": "/usr/bin/firefox", "chromium-browser": "/usr/bin/chromium-browser"}
        assert find_browser(here.get) == Path("/usr/bin/chromium-browser")

    def test_without_any_the_answer_says_which_were_looked_for(self) -> None:
        with pytest.raises(NoBrowser, match=r"chromium, .* firefox-esr"):
            find_browser(lambda _name: None)


class TestProfile:
    def test_locks_left_by_a_power_cut_are_taken_away(self, tmp_path: Path) -> None:
        (tmp_path / "SingletonLock").symlink_to("television-4711")
        prepare_profile(Path("chromium"), tmp_path)
        assert list(tmp_path.iterdir()) == []

    def test_the_folder_is_made_and_belongs_to_the_board_alone(self, tmp_path: Path) -> None:
        prepare_profile(Path("chromium"), tmp_path / "state" / "board")
        assert (tmp_path / "state" / "board").stat().st_mode & 0o777 == 0o700


class TestWaitingForTheServer:
    def test_any_answer_of_its_own_will_do(self, address: str) -> None:
        assert answers(f"{address}/boards/0193b2a4") is True

    def test_a_server_that_is_starting_or_away_does_not_count(self, address: str) -> None:
        assert answers(f"{address}/starting") is False
        assert answers(f"http://127.0.0.1:{free_port()}/") is False

    def test_waiting_ends_when_the_program_is_told_to(self) -> None:
        stop = threading.Event()
        threading.Timer(0.05, stop.set).start()
        assert wait_until_answered(f"http://127.0.0.1:{free_port()}/", stop, pause=0.01) is False


class TestStartingAgain:
    @pytest.mark.parametrize(
        ("ran", "before", "pause"),
        [
            pytest.param(0.5, 0, 1, id="the first time after a second"),
            pytest.param(0.5, 1, 2, id="then after twice as long"),
            pytest.param(59, 16, 30, id="half a minute at most"),
            pytest.param(60, 30, 1, id="at once again after a minute of health"),
        ],
    )
    def test_the_pause_grows_while_the_browser_keeps_dying(self, ran: float, before: float, pause: float) -> None:
        assert Pauses().after(ran, before) == pause

    def test_a_browser_that_dies_is_started_again(self, fake_browser: Path) -> None:
        lives = iter([True, True, True, False])
        starts = keep_running([str(fake_browser), URL], lambda: next(lives), threading.Event(), QUICK)
        assert starts == 3
        assert (fake_browser.parent / "starts").read_text() == f"{URL}\n" * 3

    def test_a_browser_that_cannot_be_started_is_tried_again_all_the_same(self, tmp_path: Path) -> None:
        lives = iter([True, True, False])
        starts = keep_running([str(tmp_path / "nothing")], lambda: next(lives), threading.Event(), QUICK)
        assert starts == 2

    def test_sigterm_ends_the_browser_and_the_program(self, fake_browser: Path, address: str, tmp_path: Path) -> None:
        (tmp_path / "stay").touch()
        script = "import sys; from display.launch import main; sys.exit(main(*sys.argv[1:]))"
        command = [sys.executable, "-c", script, address, str(fake_browser), str(tmp_path / "profile")]
        with subprocess.Popen(command, cwd=ROOT) as running:  # noqa: S603 - our own program
            wait_for(tmp_path / "starts")
            began = time.monotonic()
            os.kill(running.pid, signal.SIGTERM)
            assert running.wait(5) == 0
        assert time.monotonic() - began < 2
        assert address in (tmp_path / "starts").read_text()


def wait_for(file: Path) -> None:
    """Until it is there, five seconds at most."""
    deadline = time.monotonic() + 5
    while not file.exists():
        assert time.monotonic() < deadline, f"{file.name} never came"
        time.sleep(0.02)
