"""Processes of one figure: started in a folder of their own, ended by their pids, and what memory they hold."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

UP_TIMEOUT_S = 60.0
STOP_TIMEOUT_S = 15.0
Process = subprocess.Popen[str]


class Failed(RuntimeError):
    """A process did not come up or has ended; the text ends with the end of its log."""


class Processes:
    """What was started and is to be ended again."""

    def __init__(self, folder: Path) -> None:
        """Logs go to `folder`."""
        self.folder = folder
        self._running: list[tuple[str, Process]] = []

    def start(self, name: str, words: list[str], environment: Mapping[str, str] | None = None) -> Process:
        """Start `python -m …`; its standard input and output are pipes, its standard error is its log."""
        with self.log(name).open("ab") as log:
            process: Process = subprocess.Popen(  # noqa: S603 - our own program, no words from outside
                [sys.executable, "-m", *words],
                env={**os.environ, **(environment or {})},
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                start_new_session=True,  # Ctrl-C reaches this process alone, which ends the others in order
            )
        self._running.append((name, process))
        return process

    def log(self, name: str) -> Path:
        """Where a process writes its log."""
        return self.folder / f"{name}.log"

    def wait(self, process: Process, ready: Callable[[], bool], what: str) -> None:
        """Wait until something a process does is done. Raises Failed."""
        deadline = time.monotonic() + UP_TIMEOUT_S
        while not ready():
            if process.poll() is not None or time.monotonic() > deadline:
                name = next(name for name, known in self._running if known is process)
                end = "\n".join(self.log(name).read_text("utf-8", "replace").splitlines()[-12:])
                raise Failed(f"{what}: did not come about (exit code {process.poll()})\n{end}")
            time.sleep(0.02)

    def stop(self, process: Process) -> None:
        """End one process, as its administrator would."""
        self._running = [(name, known) for name, known in self._running if known is not process]
        _end([process])

    def stop_all(self) -> None:
        """End what is still running, the last started first."""
        _end([process for _, process in reversed(self._running)])
        self._running = []


def _end(processes: list[Process]) -> None:
    for process in processes:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
    for process in processes:
        try:
            process.communicate(timeout=STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()


@contextmanager
def processes_in(folder: Path) -> Iterator[Processes]:
    """Processes that end with the block."""
    running = Processes(folder)
    try:
        yield running
    finally:
        running.stop_all()


def line_of(process: Process) -> str:
    """The next line a process says. Raises Failed when it has ended."""
    assert process.stdout is not None
    line = process.stdout.readline()
    if not line:
        raise Failed(f"{process.args!r} has ended with exit code {process.wait(5)}")
    return line.rstrip("\n")


def tell_line(process: Process, line: str) -> None:
    """Say a line to a process."""
    assert process.stdin is not None
    process.stdin.write(line + "\n")
    process.stdin.flush()


def free_port() -> int:
    """A port nobody listens on at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def memory_of(process: Process) -> dict[str, Any]:
    """What a process and its children hold: PSS shares common pages out, `private` leaves them out. MiB."""
    pss = private = 0
    family = list(_family(process.pid))
    for pid in family:
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii").splitlines():
            name, _, rest = line.partition(":")
            if name == "Pss":
                pss += int(rest.split()[0])
            elif name in ("Private_Clean", "Private_Dirty"):
                private += int(rest.split()[0])
    return {"pss_mb": round(pss / 1024, 1), "private_mb": round(private / 1024, 1), "processes": len(family)}


def cpu_s_of(process: Process) -> float:
    """How long a process and its children have computed: a busy machine changes it less than the clock on the wall."""
    ticks = 0
    for pid in _family(process.pid):
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
        ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


def _family(pid: int) -> Iterator[int]:
    yield pid
    for thread in Path(f"/proc/{pid}/task").iterdir():
        for child in (thread / "children").read_text(encoding="ascii").split():
            yield from _family(int(child))
