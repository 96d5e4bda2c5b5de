"""`madoguchi demo` as a newcomer starts it: in a folder of theirs, twice, at odd times, and ended without a word."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.databases import wait_until
from tests.ports import free_port

pytestmark = pytest.mark.journey
CLOSED, OPEN = "2026-12-06T10:00+09:00", "2026-12-07T10:00+09:00"  # a Sunday and a Monday


def command(*words: str) -> list[str]:
    """The command that set-up has installed."""
    return [str(Path(sys.executable).with_name("madoguchi")), "demo", *words]


@contextmanager
def demonstration(folder: Path, at: str) -> "Iterator[tuple[subprocess.Popen[str], dict[str, Any]]]":
    """The running demonstration and the line of JSON that it has printed."""
    # A folder of the newcomer's own, with modules in it that have our names.
    for name in ("kiosk.py", "server.py", "logging.py"):
        (folder / name).write_text("raise SystemExit('not ours')\n", encoding="utf-8")
    words = command("--json", "--data", "office", "--at", at, "--port", str(free_port(2)))
    process = subprocess.Popen(  # noqa: S603 - our own words
        words, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stderr is not None
    try:
        line = process.stdout.readline()
        assert line, process.stderr.read()
        yield process, json.loads(line)
    finally:
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=30)


def parts_of(parent: int) -> list[int]:
    """The processes that a demonstration has started."""
    return [int(word) for word in Path(f"/proc/{parent}/task/{parent}/children").read_text("utf-8").split()]


def runs(process: int) -> bool:
    """Whether a process is there and no mere entry of one that has ended."""
    try:
        return "\nState:\tZ" not in Path(f"/proc/{process}/status").read_text("utf-8")
    except OSError:
        return False


def test_notes_say_what_is_booked_and_a_second_demonstration_keeps_out(tmp_path: Path) -> None:
    with demonstration(tmp_path, OPEN) as (_, office):
        first = {notice["note"]: notice["booked_for"] for notice in office["notices"]}
        assert first["booked for now"] == "2026-12-07T10:15:00+09:00"
        assert first["booked for today"] == "2026-12-07T10:45:00+09:00"
        assert first["booked for another day"] == "2026-12-08T09:00:00+09:00"
        assert first["not booked"] is first["booked and cancelled"] is None

        began = (tmp_path / "office" / "keys.json").stat().st_mtime_ns
        again = command("--data", str(tmp_path / "office"), "--port", str(free_port(2)))
        done = subprocess.run(again, capture_output=True, text=True, check=False, timeout=20)  # noqa: S603 - our own
        assert (done.returncode, done.stdout) == (1, "")
        assert done.stderr.startswith("madoguchi demo: another demonstration runs in ")
        assert (tmp_path / "office" / "keys.json").stat().st_mtime_ns == began

    with demonstration(tmp_path, CLOSED) as (process, office):
        notes = [notice["note"] for notice in office["notices"] if notice["booked_for"] is None]
        assert notes.count("not booked: the office is closed at this time") == 3
        assert "booked for now" not in {notice["note"] for notice in office["notices"]}

        parts = parts_of(process.pid)
        assert len(parts) == 2
        os.kill(process.pid, signal.SIGKILL)
        wait_until(lambda: not any(map(runs, parts)), 20, "the end of server and kiosk")


def test_a_demonstration_that_fails_keeps_its_logs_and_says_where(tmp_path: Path) -> None:
    # A server that is given a setting nobody knows ends by itself.
    strange = {**os.environ, "MADOGUCHI_NO_SUCH_SETTING": "1", "TMPDIR": str(tmp_path)}
    done = subprocess.run(  # noqa: S603 - our own words
        command("--json", "--port", str(free_port(2))),
        env=strange,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    (folder,) = tmp_path.iterdir()
    assert done.returncode == 1
    assert f"the logs stay in {folder}" in done.stderr
    assert "MADOGUCHI_NO_SUCH_SETTING" in (folder / "server.log").read_text("utf-8")
