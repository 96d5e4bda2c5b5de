"""Real server processes for tests: `madoguchi serve` as an office runs it, several on one database.

A process can be killed as a power cut would do it, and started again on the same port.
"""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import httpx

from server.settings import Settings
from tests.conftest import environment_for
from tests.databases import wait_until
from tests.fakes import MONDAY_NINE
from tests.ports import free_port

ROOT = Path(__file__).parent.parent
START_S, END_S = 60.0, 20.0
FAULT = re.compile(r"\b(ERROR|CRITICAL)\b|Traceback")


@dataclass
class Server:
    """One `madoguchi serve` on a port of its own; its office's clock shows `begins` when it is first started."""

    settings: Settings
    log: Path
    begins: datetime = MONDAY_NINE
    port: int = field(default_factory=free_port)
    process: "subprocess.Popen[bytes] | None" = None

    def __post_init__(self) -> None:
        """The clock runs on while the process is down, as clocks do."""
        self._offset = (self.begins - datetime.now(UTC)).total_seconds()

    @property
    def url(self) -> str:
        """Where it is asked."""
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Start, without waiting until it answers."""
        environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("MADOGUCHI_")},
            **environment_for(self.settings),
            "MADOGUCHI_RATE_LIMITS": "0",
            "MADOGUCHI_CLOCK_OFFSET_S": str(self._offset),
        }
        command = [sys.executable, "-m", "madoguchi.cli", "serve", "--listen", f"127.0.0.1:{self.port}"]
        with self.log.open("ab") as log:
            # A session of its own: gunicorn's worker dies with it, and nobody else does.
            self.process = subprocess.Popen(  # noqa: S603 - our own words
                command, cwd=ROOT, env=environment, stdout=log, stderr=log, start_new_session=True
            )

    def wait_ready(self) -> None:
        """Wait until it says that it is ready. Raises with its log if it ends or does not become so."""
        try:
            wait_until(self._is_ready, START_S, f"readiness of {self.url}")
        except TimeoutError as error:
            raise RuntimeError(f"{error}\n{self.log_text()}") from error

    def kill(self) -> None:
        """Gone at once, as when the power fails."""
        if self.process is not None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait(END_S)
            self.process = None

    def stop(self) -> int:
        """Ask it to end, as systemd does; gives its exit code."""
        assert self.process is not None
        self.process.terminate()
        try:
            code = self.process.wait(END_S)
        except subprocess.TimeoutExpired:
            self.kill()
            raise
        self.process = None
        return code

    def log_text(self) -> str:
        """What it has said so far."""
        return f"--- log of {self.url}\n{self.log.read_text(encoding='utf-8')}"

    def _is_ready(self) -> bool:
        if self.process is None or self.process.poll() is not None:
            raise RuntimeError(f"the server has ended by itself\n{self.log_text()}")
        try:
            return httpx.get(f"{self.url}/readyz", timeout=5, trust_env=False).status_code == 200
        except httpx.TransportError:
            return False


@contextmanager
def serving(settings: Settings, folder: Path, count: int = 1, begins: datetime = MONDAY_NINE) -> Iterator[list[Server]]:
    """Servers on one database, ready; ended afterwards. A failure shows their logs, and a fault in a log is one."""
    servers = [Server(settings, folder / f"server-{n}.log", begins) for n in range(1, count + 1)]
    with ExitStack() as ending:
        for server in servers:
            ending.callback(server.kill)
            server.start()
        try:
            for server in servers:
                server.wait_ready()
            yield servers
        except BaseException as error:
            for server in servers:
                error.add_note(server.log_text())
            raise
    faults = [server.log_text() for server in servers if FAULT.search(server.log.read_text(encoding="utf-8"))]
    assert not faults, "\n".join(faults)
