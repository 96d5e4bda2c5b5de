"""A small office server for the kiosk's tests: it speaks real HTTP and keeps what it was told."""

import json
import threading
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

from madoguchi import codes
from madoguchi.wire import CONTRACT, CheckInAnswer, KioskState, RefusalView, Result, ServiceView, TicketView

JST = timezone(timedelta(hours=9))
NOW = datetime(2026, 11, 30, 9, 52, tzinfo=JST)
OFFICE = {"ja": "見本市役所 本庁", "en": "Mihon City Hall"}
PICKUP = {"ja": "カードの受け取り", "en": "Card pick-up"}
RENEWAL = {"ja": "電子証明書の更新", "en": "Certificate renewal"}
TOKEN = "kiosk-1-token"  # noqa: S105 - of an office that is not there
BOOKED = codes.from_bits(codes.Kind.BOOKING, bytes(range(5))).text
NOTICE = codes.from_bits(codes.Kind.NOTICE, bytes(range(7))).text


def ticket(number: int = 62, **changes: Any) -> TicketView:
    """The ticket of somebody booked for 10:00 who came at 9:52."""
    values: dict[str, Any] = {
        "uid": uuid.UUID(int=number),
        "number": number,
        "lane": {"ja": "受取", "en": "Pick-up"},
        "service": PICKUP,
        "party": 1,
        "booked_at": NOW.replace(hour=10, minute=0),
        "issued_at": NOW,
        "people_waiting": 5,
        "office": OFFICE,
        "reprint_of": None,
    }
    return TicketView(**{**values, **changes})


def granted(number: int = 62, job: uuid.UUID | None = None, **changes: Any) -> CheckInAnswer:
    """A ticket with a paper to print."""
    return CheckInAnswer(Result.TICKET, True, False, job or uuid.uuid4(), ticket(number, **changes))


def state(**changes: Any) -> KioskState:
    """The office in the middle of the morning."""
    values: dict[str, Any] = {
        "contract": CONTRACT,
        "office": OFFICE,
        "now": NOW,
        "open": True,
        "walk_ins": True,
        "next_opening": None,
        "tel": "050-0000-0062",
        "services": (ServiceView("pickup", PICKUP, "card"), ServiceView("renewal", RENEWAL, "certificate")),
        "hosts": ("madoguchi.example",),
    }
    return KioskState(**{**values, **changes})


@dataclass
class Office:
    """What the office knows and what it was asked. `before_answer` may sleep, or break the line."""

    state: KioskState = field(default_factory=state)
    refusals: dict[str, RefusalView] = field(default_factory=dict)
    before_answer: Callable[[str], None] = lambda _: None
    asked: list[tuple[str, str, Any]] = field(default_factory=list)
    answers: dict[str, dict[str, Any]] = field(default_factory=dict)
    papers: dict[str, str] = field(default_factory=dict)
    numbers: dict[str, int] = field(default_factory=dict)
    staff_calls: list[str] = field(default_factory=list)

    def answer(self, method: str, path: str, body: Any, authorized: bool) -> tuple[int, dict[str, Any] | None]:
        """Status and body of the answer."""
        if not authorized:
            return 401, RefusalView("not_paired", {}).to_json()
        self.asked.append((method, path, body))
        verb = path.rsplit("/", 1)[-1]
        if method == "PUT":
            self.papers[verb] = body["outcome"]
            return 204, None
        if verb == "state":
            return 200, self.state.to_json()
        if verb == "staff-calls":
            self.staff_calls.append(body["reason"])
            return 204, None
        if body["request_id"] not in self.answers:
            subject = body.get("text") or body["request_id"]
            if subject in self.refusals:
                return 409, self.refusals[subject].to_json()
            self.answers[body["request_id"]] = self._ticket(subject).to_json()
        return 200, self.answers[body["request_id"]]

    def _ticket(self, subject: str) -> CheckInAnswer:
        number = self.numbers.setdefault(subject, 61 + len(self.numbers) + 1)
        jobs = [job for job, whose in self._jobs.items() if whose == subject]
        if jobs and self.papers.get(jobs[-1]) == "printed":
            return CheckInAnswer(Result.ALREADY, True, False, None, ticket(number))
        job = uuid.uuid4()
        self._jobs[str(job)] = subject
        return granted(number, job, reprint_of=NOW if jobs else None)

    _jobs: dict[str, str] = field(default_factory=dict)


class OfficeServer:
    """Serves an office on a free port, or on one it had before."""

    def __init__(self, office: Office, port: int = 0) -> None:
        self.office = office
        self._server = ThreadingHTTPServer(("127.0.0.1", port), _handler(office))
        self._server.daemon_threads = True
        self.port = self._server.server_address[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(timeout=5)


def _handler(office: Office) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def do_any(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            body = json.loads(self.rfile.read(length)) if length else None
            authorized = self.headers.get("Authorization") == f"Bearer {TOKEN}"
            status, answer = office.answer(self.command, self.path, body, authorized)
            try:
                office.before_answer(self.path)
            except ConnectionError:
                self.close_connection = True
                return  # the answer is lost on its way
            data = b"" if answer is None else json.dumps(answer).encode()
            head = f"HTTP/1.1 {status} x\r\nContent-Type: application/json\r\nContent-Length: {len(data)}\r\n\r\n"
            self.wfile.write(head.encode() + data)

        do_GET = do_POST = do_PUT = do_any

        def log_message(self, format: str, *args: Any) -> None:
            pass

    return Handler
