"""The fake server from the test's side: start it, call numbers, and break it in every way a line can break."""

import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Final

from tests.display.office import BOARD, Json, Office
from tests.ports import free_port

IN_GOOD_ORDER: Final = {"heartbeats": True, "websockets": True, "pictures": True}
ROOT: Final = Path(__file__).resolve().parents[2]


class OfficeProcess:
    """The office's server as a process. The truth stays here, so that it outlives every crash."""

    def __init__(self, folder: Path) -> None:
        self.office = Office()
        self.port = free_port()
        self.address = f"http://127.0.0.1:{self.port}"
        self.board = f"{self.address}/boards/{BOARD}"
        self._flags = dict(IN_GOOD_ORDER)
        self._file = folder / "office.json"
        self._process: subprocess.Popen[bytes] | None = None
        self._write()

    def set(self, **flags: bool) -> None:
        """`heartbeats`, `websockets`, `pictures`: whether it sends, admits, answers them."""
        self._flags |= flags
        self._write()

    def begin_the_day(self) -> None:
        """Nobody called yet, everything in good order, whatever the test before has done."""
        self.office = Office()
        self.set(**IN_GOOD_ORDER)
        if self._process is None:
            self.start()
        else:
            self.thaw()

    def start(self) -> float:
        """Start it (again, on the same port); returns the moment it answered."""
        command = [sys.executable, "-m", "tests.display.office_server", str(self.port), str(self._file)]
        self._process = subprocess.Popen(  # noqa: S603 – our own server
            command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        while not self._answers():
            time.sleep(0.02)
        return time.time()

    def stop(self) -> None:
        """Gone at once, as when the power fails."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def freeze(self) -> None:
        """Alive for the network – the socket stays open – but it says nothing more."""
        self._signal(signal.SIGSTOP)

    def thaw(self) -> float:
        """It goes on; returns the moment."""
        self._signal(signal.SIGCONT)
        return time.time()

    def call(self, number: int, window: int, kind: str = "call", *, lost: bool = False, ago: float = 0) -> int:
        """Call a number: committed, then sent, unless the message is lost. Returns its sequence."""
        message = self.office.call(number, window, kind, ago)
        self._write()
        if not lost and self._process is not None:
            self.send("call", message)
        return self.office.sequence

    def send(self, event: str, message: object) -> None:
        """Emit whatever it is to all boards."""
        body = json.dumps(message).encode()
        headers = {"Content-Type": "application/json"}
        request = urllib.request.Request(f"{self.address}/test/emit/{event}", body, headers)  # noqa: S310 – http
        urllib.request.urlopen(request, timeout=5).close()  # noqa: S310 – the same

    def _write(self) -> None:
        state: Json = {**self._flags, "picture": self.office.picture()}
        written = self._file.with_suffix(".new")
        written.write_text(json.dumps(state), encoding="utf-8")
        written.replace(self._file)

    def _answers(self) -> bool:
        try:
            urllib.request.urlopen(f"{self.address}/healthz", timeout=1).close()  # noqa: S310 – http
        except (urllib.error.URLError, OSError):
            return False
        return True

    def _signal(self, number: int) -> None:
        assert self._process is not None, "start the office first"
        os.kill(self._process.pid, number)
