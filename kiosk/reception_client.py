"""HTTP to the office's server.

An answer may get lost on the way back, so every question is asked again with the SAME request id: the server gives
its first answer again. Nothing here decides anything; what comes out is an answer, the office's no, or Away.
"""

import json
import logging
import ssl
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeVar
from uuid import UUID

import httpx

from madoguchi.wire import (
    AUTHORIZATION_HEADER,
    AUTHORIZATION_SCHEME,
    CONTRACT,
    CONTRACT_HEADER,
    CheckInAnswer,
    CheckInRequest,
    KioskState,
    Message,
    PrintReport,
    RefusalView,
    ScannerTest,
    StaffCall,
    WalkInRequest,
)

CONNECT_S: Final = 1.0
PATIENCE_S: Final = 6.0
"""How long a visitor waits for a server that may come back."""
PAUSES_S: Final = (0.0, 0.2, 0.5, 1.0)
"""Between two tries; the first at once, for a kept connection may simply have been closed meanwhile."""

log = logging.getLogger(__name__)

MessageT = TypeVar("MessageT", bound=Message)


@dataclass(frozen=True)
class Away:
    """No answer, or none that can be understood."""

    reason: str


@dataclass(frozen=True)
class Done:
    """It was taken down."""


class ReceptionClient:
    """Asks for one kiosk. May be used from several threads."""

    def __init__(
        self,
        url: str,
        token: str,
        timeout_s: float = 3.0,
        ca_file: Path | None = None,
        transport: httpx.BaseTransport | None = None,
        sleep: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._sleep = sleep
        self._clock = clock
        self._http = httpx.Client(
            base_url=url,
            headers={
                AUTHORIZATION_HEADER: f"{AUTHORIZATION_SCHEME} {token}",
                CONTRACT_HEADER: str(CONTRACT),
                "Accept": "application/json",
            },
            timeout=httpx.Timeout(timeout_s, connect=min(CONNECT_S, timeout_s)),
            limits=httpx.Limits(max_connections=4, keepalive_expiry=60),
            verify=ssl.create_default_context(cafile=ca_file) if url.startswith("https") else False,
            trust_env=False,  # no proxy of the environment stands between kiosk and server
            transport=transport,
        )

    def check_in(self, asked: CheckInRequest, patience_s: float = PATIENCE_S) -> CheckInAnswer | RefusalView | Away:
        """Check a code in."""
        reply = self._ask("POST", "/api/kiosk/check-ins", asked, patience_s)
        return _read(CheckInAnswer, reply)

    def walk_in(self, asked: WalkInRequest, patience_s: float = PATIENCE_S) -> CheckInAnswer | RefusalView | Away:
        """Give a ticket without a booking."""
        reply = self._ask("POST", "/api/kiosk/walk-ins", asked, patience_s)
        return _read(CheckInAnswer, reply)

    def report(self, job: UUID, report: PrintReport, patience_s: float = PATIENCE_S) -> Done | RefusalView | Away:
        """What became of a paper."""
        return _done(self._ask("PUT", f"/api/kiosk/print-jobs/{job}", report, patience_s))

    def call_staff(self, call: StaffCall, patience_s: float = PATIENCE_S) -> Done | RefusalView | Away:
        """Somebody at the kiosk needs a clerk."""
        return _done(self._ask("POST", "/api/kiosk/staff-calls", call, patience_s))

    def report_test(self, test: ScannerTest, patience_s: float = PATIENCE_S) -> Done | RefusalView | Away:
        """What the self-test card said of the scanner."""
        return _done(self._ask("POST", "/api/kiosk/scanner-tests", test, patience_s))

    def state(self) -> KioskState | RefusalView | Away:
        """How things stand; asked once, for it is asked again in a few seconds anyway."""
        return _read(KioskState, self._ask("GET", "/api/kiosk/state", None, 0.0))

    def close(self) -> None:
        """Close the kept connections."""
        self._http.close()

    def _ask(self, method: str, path: str, message: Message | None, patience_s: float) -> "_Reply | Away":
        """Ask until there is an answer, or patience is at its end."""
        until = self._clock() + patience_s
        tries = 0
        while True:
            reply = self._ask_once(method, path, message)
            if isinstance(reply, _Reply) and not reply.passing:
                return reply
            pause = PAUSES_S[min(tries, len(PAUSES_S) - 1)]
            if self._clock() + pause >= until:
                return reply
            self._sleep(pause)
            tries += 1

    def _ask_once(self, method: str, path: str, message: Message | None) -> "_Reply | Away":
        try:
            response = self._http.request(method, path, json=message.to_json() if message else None)
        except httpx.HTTPError as error:
            return Away(type(error).__name__)
        try:
            body = response.json() if response.content else None
        except (json.JSONDecodeError, UnicodeDecodeError):
            body = None
        return _Reply(response.status_code, body)


@dataclass(frozen=True)
class _Reply:
    """Status and JSON of an answer."""

    status: int
    body: Any

    @property
    def passing(self) -> bool:
        """Whether asking again may help: busy, or something between us and the server is starting up."""
        return self.status >= 500


def _read(kind: type[MessageT], reply: _Reply | Away) -> MessageT | RefusalView | Away:
    if isinstance(reply, Away):
        return reply
    if not 200 <= reply.status < 300:
        return _no(reply)
    try:
        return kind.from_json(reply.body)
    except ValueError as error:
        # The field is named, its value is not.
        log.error("the server's %s cannot be understood: %s", kind.__name__, error)
        return Away("not understood")


def _done(reply: _Reply | Away) -> Done | RefusalView | Away:
    if isinstance(reply, Away):
        return reply
    return Done() if 200 <= reply.status < 300 else _no(reply)


def _no(reply: _Reply) -> RefusalView | Away:
    """The office's no; 401 without a word still says that we are not paired."""
    try:
        return RefusalView.from_json(reply.body)
    except ValueError:
        if reply.status == httpx.codes.UNAUTHORIZED:
            return RefusalView("not_paired", {})
        return Away(f"status {reply.status}")
