"""The parts of an office as real processes on free ports: server, kiosk, boards; and a clerk at the desk."""

import http.client
import json
import socket
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from queue import Empty
from tempfile import TemporaryDirectory
from typing import Any
from urllib.parse import urlencode
from uuid import uuid4

from bench.browser import Unexpected, form_to, own_address
from bench.office import PASSWORD, Databases, Office, SqliteFolder
from bench.printer import Paper, Printer
from bench.processes import Process, Processes, free_port, line_of, processes_in
from madoguchi.wire import CONTRACT
from server.auth.guards import BOARD_COOKIE

PAPER_TIMEOUT_S = 10.0
KNOWS_SERVER_S = 1.0
"""After it is ready a kiosk asks the server for its state; until then it takes no links."""


@dataclass(frozen=True)
class Site:
    """A folder, databases of one kind, and the processes that run there."""

    folder: Path
    databases: Databases
    processes: Processes

    def serve(self, office: Office, name: str = "server") -> "Server":
        """Start the office's server as it is deployed."""
        port = free_port()
        environment = {**office.environment, "MADOGUCHI_BASE_URL": f"http://127.0.0.1:{port}"}
        words = ["madoguchi.cli", "serve", "--listen", f"127.0.0.1:{port}"]
        return Server(self._up(name, words, port, "/readyz", environment), port)

    def serve_bare(self) -> "Server":
        """Start the same server with a route that does nothing."""
        port = free_port()
        return Server(self._up("bare-server", ["bench.bare_server", str(port)], port, "/"), port)

    def boards(self, port: int, cookie: str, count: int) -> Process:
        """Open boards; gives their process when all have joined."""
        process = self.processes.start(f"boards-{port}-{count}", ["bench.boards", str(port), cookie, str(count)])
        said = line_of(process)
        assert said == "ready", said
        return process

    def kiosk(self, office: Office, server: "Server", printer: Printer) -> "Kiosk":
        """Start a kiosk with a simulated scanner and a printer in the network."""
        scan = self.folder / f"{uuid4().hex[:6]}.sock"
        config = self.folder / "kiosk.toml"
        config.write_text(_kiosk_config(office, server, printer, scan, free_port()), encoding="utf-8")
        process = self.processes.start("kiosk", ["madoguchi.cli", "kiosk", "--config", str(config)])
        while "kiosk ready" not in line_of(process):
            pass
        time.sleep(KNOWS_SERVER_S)
        return Kiosk(process, scan, printer)

    def _up(
        self, name: str, words: list[str], port: int, path: str, environment: dict[str, str] | None = None
    ) -> Process:
        process = self.processes.start(name, words, environment)
        self.processes.wait(process, lambda: _answers(port, path), f"{name} on port {port}")
        return process


@dataclass(frozen=True)
class Server:
    """A running server."""

    process: Process
    port: int

    def visitor(self) -> "Visitor":
        """Somebody with a connection that stays."""
        return Visitor(self.port)

    def board_cookie(self, office: Office) -> str:
        """The cookie of a browser that was paired."""
        visitor = self.visitor()
        visitor.ask("GET", f"/boards/pair/{office.pairing}", expect=303)
        return f"{BOARD_COOKIE}={visitor.cookies[BOARD_COOKIE]}"

    def kiosk_client(self, office: Office) -> "Visitor":
        """Somebody who speaks as a kiosk does."""
        visitor = self.visitor()
        visitor.headers = {"Authorization": f"Bearer {office.kiosk_token}", "X-Madoguchi-Contract": str(CONTRACT)}
        return visitor


class Visitor:
    """Asks over one connection that stays: a kiosk's, or a desk's. Cookies are kept, redirects left to the caller."""

    def __init__(self, port: int) -> None:
        """To a server on this machine, from an address of one's own."""
        self._line = http.client.HTTPConnection("127.0.0.1", port, timeout=30, source_address=(own_address(), 0))
        self.cookies: dict[str, str] = {}
        self.headers: dict[str, str] = {}

    def ask(self, verb: str, path: str, body: bytes = b"", kind: str = "", expect: int = 200) -> bytes:
        """One request and its answer. Raises Unexpected for another status than expected."""
        headers = {**self.headers, **({"Content-Type": kind} if kind else {})}
        if self.cookies:
            headers["Cookie"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        self._line.request(verb, path, body or None, headers)
        answer = self._line.getresponse()
        said = answer.read()
        for cookie in answer.headers.get_all("Set-Cookie", ()):
            name, _, value = cookie.partition(";")[0].partition("=")
            self.cookies[name] = value
        if answer.status != expect:
            raise Unexpected(f"{verb} {path}: {answer.status}, not {expect}: {said[:400].decode()}")
        return said

    def send_json(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        """Send a device's message."""
        answer: dict[str, Any] = json.loads(self.ask("POST", path, json.dumps(body).encode(), "application/json"))
        return answer

    def send_form(self, path: str, values: Mapping[str, str], expect: int = 303) -> bytes:
        """Send a form."""
        return self.ask("POST", path, urlencode(values).encode(), "application/x-www-form-urlencoded", expect)


class Clerk:
    """Somebody at a window whose screen runs its script: every action answers with JSON."""

    def __init__(self, server: Server, office: Office, window: int) -> None:
        """Signs in and opens the window."""
        self._desk, self._path = server.visitor(), f"/desk/windows/{window}"
        page = self._desk.ask("GET", "/staff/sign-in").decode()
        form = form_to(page, "/staff/sign-in")
        self._desk.send_form(form.action, {**form.values, "name": office.clerk, "password": PASSWORD})
        token = form_to(self._desk.ask("GET", "/desk").decode(), f"{self._path}/open").values["csrf_token"]
        self._desk.send_form(f"{self._path}/open", {"csrf_token": token, "request_id": str(uuid4())})
        self._desk.headers = {"Accept": "application/json"}
        self._screen: dict[str, Any] = json.loads(self._desk.ask("GET", f"{self._path}/state"))

    def call_next(self) -> tuple[int, int]:
        """次を呼ぶ; when it was pressed and when the answer was there."""
        began = time.monotonic_ns()
        self._act("call-next")
        return began, time.monotonic_ns()

    def finish(self) -> None:
        """終了."""
        number = str(self._screen["picture"]["number"])
        self._act("finish", outcome="left", confirmed="1", number=number)

    def _act(self, action: str, **values: str) -> None:
        given = {key: self._screen[key] for key in ("csrf_token", "request_id")}
        self._screen = json.loads(self._desk.send_form(f"{self._path}/{action}", {**given, **values}, 200))


@dataclass(frozen=True)
class Kiosk:
    """A running kiosk."""

    process: Process
    scan_socket: Path
    printer: Printer

    def scan(self, text: str) -> tuple[int, Paper]:
        """Hold a code to the scanner: when, and the paper that came of it."""
        with socket.socket(socket.AF_UNIX) as wire:
            wire.connect(str(self.scan_socket))
            began = time.monotonic_ns()
            wire.sendall(text.encode() + b"\n")
            try:
                paper = self.printer.papers.get(timeout=PAPER_TIMEOUT_S)
            except Empty:
                raise Unexpected(f"no paper {PAPER_TIMEOUT_S:.0f} s after a scan") from None
        return began, paper


@contextmanager
def site(databases: Databases | None = None) -> Iterator[Site]:
    """A folder and processes that go away again; on SQLite files, or on the databases given."""
    with TemporaryDirectory(prefix="madoguchi-bench-") as name, processes_in(Path(name)) as processes:
        folder = Path(name)
        yield Site(folder, databases or SqliteFolder(folder), processes)


def _answers(port: int, path: str) -> bool:
    with suppress(OSError, http.client.HTTPException):
        line = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
        line.request("GET", path)
        return line.getresponse().status == 200
    return False


def _kiosk_config(office: Office, server: Server, printer: Printer, scan: Path, screen_port: int) -> str:
    return f"""
[server]
url = "http://127.0.0.1:{server.port}"
token = {json.dumps(office.kiosk_token)}

[scanner]
kind = "simulated"
socket = {json.dumps(str(scan))}

[printer]
kind = "network"
host = "127.0.0.1"
port = {printer.port}
profile = "virtual-80mm"

[screen]
host = "127.0.0.1"
port = {screen_port}
"""
