"""What carries the dialogue's orders out: one thread that asks the server, one that prints, one that listens.

Each brings what came of it back as an event. Whatever goes wrong inside a thread becomes an event too: a visitor
never waits for an answer that nobody will give.
"""

import hashlib
import logging
import queue
import threading
from collections import deque
from collections.abc import Callable, Collection
from dataclasses import replace
from typing import Final, Protocol
from uuid import UUID

from kiosk.devices.ports import Printer, ScanLost, Scanner
from kiosk.dialogue import (
    Answered,
    AskCheckIn,
    AskWalkIn,
    CallStaff,
    Event,
    Print,
    Printed,
    Refused,
    Report,
    ReportTest,
    Scanned,
    ScannerSeen,
    ScanWasLost,
    ServerAway,
    StaffCalled,
    StateSeen,
    StatusSeen,
    StrangerSeen,
    Unreachable,
)
from kiosk.job import Job
from kiosk.printer_profile import PrinterProfile
from kiosk.printing import make_job, send
from kiosk.raster import Press
from kiosk.reception_client import PATIENCE_S, Away, ReceptionClient
from kiosk.slip import VOID_IN, Say, compose, void_mark
from madoguchi.wire import (
    CheckInAnswer,
    CheckInRequest,
    KioskState,
    Outcome,
    PrintReport,
    RefusalView,
    ScannerTest,
    StaffCall,
    WalkInRequest,
)

PRINT_DEADLINE_S: Final = 10.0
STATUS_EVERY_S: Final = 10.0
STATE_EVERY_S: Final = 3.0
AGAIN_S: Final = 1.0
LOOK_EVERY_S: Final = 0.5
UNREPORTED_MAX: Final = 500

log = logging.getLogger(__name__)

Post = Callable[[Event], None]
Order = AskCheckIn | AskWalkIn | Report | ReportTest | CallStaff


class Guard(Protocol):
    """Who holds what is none of ours."""

    def look(self) -> Collection[object]:
        """What is new since the last look."""

    def close(self) -> None:
        """Let go of everything."""


class Worker:
    """A thread with an inbox; orders are carried out one after another."""

    def __init__(self, name: str) -> None:
        self.inbox: queue.SimpleQueue[Order | Print | None] = queue.SimpleQueue()
        self.thread = threading.Thread(target=self.run, name=name, daemon=True)

    def run(self) -> None:
        """Work until None comes."""
        raise NotImplementedError

    def start(self) -> None:
        """Begin."""
        self.thread.start()

    def stop(self, timeout: float) -> None:
        """Finish what is in the inbox and end."""
        self.inbox.put(None)
        self.thread.join(timeout)


class Asker(Worker):
    """Asks the server. What became of a paper is reported before anything else is asked."""

    def __init__(self, client: ReceptionClient, post: Post) -> None:
        super().__init__("asker")
        self._client = client
        self._post = post
        self._unreported: deque[Report | ReportTest] = deque(maxlen=UNREPORTED_MAX)
        self.server_is_away = False
        """Set by the heartbeat: nobody waits long for a server that is known to be away."""

    def run(self) -> None:
        """Ask; in between report what could not be reported."""
        while True:
            try:
                order = self.inbox.get(timeout=AGAIN_S if self._unreported else None)
            except queue.Empty:
                self._report_all(0.0)
                continue
            if order is None:
                self._report_all(0.0)
                return
            self._carry_out(order)

    def _carry_out(self, order: Order | Print) -> None:
        try:
            match order:
                case Report() | ReportTest():
                    self._unreported.append(order)
                    self._report_all(self._patience)
                case AskCheckIn() | AskWalkIn():
                    self._report_all(self._patience)
                    self._post(self._asked(order))
                case CallStaff(request_id, reason):
                    reply = self._client.call_staff(StaffCall(request_id, reason), self._patience)
                    self._post(StaffCalled(request_id, reached=not isinstance(reply, Away | RefusalView)))
        except Exception:
            log.exception("asking the server failed")
            self._post_failure(order)

    @property
    def _patience(self) -> float:
        return 0.0 if self.server_is_away else PATIENCE_S

    def _asked(self, order: AskCheckIn | AskWalkIn) -> Event:
        request_id = order.request_id
        if isinstance(order, AskCheckIn):
            reply = self._client.check_in(CheckInRequest(request_id, order.text), self._patience)
        else:
            asked = WalkInRequest(request_id, order.service, order.party)
            reply = self._client.walk_in(asked, self._patience)
        if isinstance(reply, CheckInAnswer):
            return Answered(request_id, reply)
        if isinstance(reply, RefusalView):
            return Refused(request_id, reply)
        log.warning("no answer from the server (%s)", reply.reason)
        return Unreachable(request_id)

    def _report_all(self, patience_s: float) -> None:
        while self._unreported:
            report = self._unreported[0]
            reply = self._reported(report, patience_s)
            if isinstance(reply, Away):
                return
            if isinstance(reply, RefusalView):
                about = f"job {report.job}" if isinstance(report, Report) else "the scanner's test"
                log.error("the server does not take the report of %s: %s", about, reply.code)
            self._unreported.popleft()

    def _reported(self, report: Report | ReportTest, patience_s: float) -> object:
        if isinstance(report, ReportTest):
            return self._client.report_test(ScannerTest(report.request_id, report.finding), patience_s)
        return self._client.report(report.job, PrintReport(report.sha256, report.outcome), patience_s)

    def _post_failure(self, order: Order | Print) -> None:
        if isinstance(order, AskCheckIn | AskWalkIn):
            self._post(Unreachable(order.request_id))
        elif isinstance(order, CallStaff):
            self._post(StaffCalled(order.request_id, reached=False))


class PrintRoom(Worker):
    """Makes slips and prints them; asks the printer how it is while nothing is to be printed."""

    def __init__(
        self,
        printer: Printer,
        profile: PrinterProfile,
        press: Press,
        say: Say,
        post: Post,
        wanted: Callable[[], UUID | None],
    ) -> None:
        super().__init__("print-room")
        self._printer = printer
        self._profile = profile
        self._press = press
        self._say = say
        self._post = post
        self._wanted = wanted
        self._void = press.draw(void_mark(say, VOID_IN, profile.width_mm))

    def run(self) -> None:
        """Print; in between look after the printer."""
        while True:
            try:
                order = self.inbox.get(timeout=STATUS_EVERY_S)
            except queue.Empty:
                self.look()
                continue
            if order is None:
                return
            if isinstance(order, Print):
                self._post(self._printed(order))

    def look(self) -> None:
        """Ask the printer how it is."""
        if not self._profile.status_replies:
            return
        try:
            self._post(StatusSeen(self._printer.status()))
        except Exception:
            log.exception("asking the printer failed")

    def make(self, order: Print) -> Job:
        """Ticket → slip → picture → bytes."""
        names = self._press.fonts.names
        ticket = replace(order.ticket, office=names(order.ticket.office), service=names(order.ticket.service))
        slip = compose(ticket, order.job, order.language, self._say, self._profile.width_mm)
        return make_job(order.job, self._press.draw(slip), self._void, self._profile)

    def _printed(self, order: Print) -> Printed:
        sha256 = hashlib.sha256(b"").hexdigest()
        try:
            job = self.make(order)
            sha256 = job.sha256
            outcome = send(job, self._printer, PRINT_DEADLINE_S, self._wanted)
        except Exception:
            # A fault of ours in drawing or sending: no slip that anybody can use, and the number stands.
            log.exception("printing job %s failed", order.job)
            outcome = Outcome.NOT_PRINTED
        log.info("job %s: %s", order.job, outcome.value)
        return Printed(order.job, sha256, outcome)


class Ear(threading.Thread):
    """Reads the scanner and nothing else, so that no scan waits."""

    def __init__(self, scanner: Scanner, post: Post, stopping: threading.Event) -> None:
        super().__init__(name="ear", daemon=True)
        self._scanner = scanner
        self._post = post
        self._stopping = stopping

    def run(self) -> None:
        """Read until the kiosk stops."""
        seen = True
        while not self._stopping.is_set():
            try:
                scan = self._scanner.read(timeout=0.2)
                connected = self._scanner.connected()
            except Exception:
                log.exception("reading the scanner failed")
                scan, connected = None, False
                self._stopping.wait(AGAIN_S)
            if connected != seen:
                seen = connected
                self._post(ScannerSeen(connected))
            if isinstance(scan, ScanLost):
                log.warning("a scan was lost: %s", scan.reason)
                self._post(ScanWasLost())
            elif scan is not None:
                self._post(Scanned(scan, scan.ended))


class Watchman(threading.Thread):
    """Looks what else is plugged in."""

    def __init__(self, guard: Guard, post: Post, stopping: threading.Event) -> None:
        super().__init__(name="watchman", daemon=True)
        self._guard = guard
        self._post = post
        self._stopping = stopping

    def run(self) -> None:
        """Look until the kiosk stops."""
        while not self._stopping.wait(LOOK_EVERY_S):
            try:
                for _ in self._guard.look():
                    self._post(StrangerSeen())
            except Exception:
                log.exception("looking for input devices failed")
        self._guard.close()


class Heartbeat(threading.Thread):
    """Asks the server every few seconds how things stand."""

    def __init__(self, client: ReceptionClient, asker: Asker, post: Post, stopping: threading.Event) -> None:
        super().__init__(name="heartbeat", daemon=True)
        self._client = client
        self._asker = asker
        self._post = post
        self._stopping = stopping

    def run(self) -> None:
        """Ask until the kiosk stops. One answer that is missing is bad luck, two are a server that is away."""
        missing = 0
        while not self._stopping.is_set():
            event = self._ask()
            missing = 0 if isinstance(event, StateSeen) else missing + 1
            refused = isinstance(event, ServerAway) and event.refusal is not None
            if missing != 1 or refused:
                self._tell(event)
            self._stopping.wait(AGAIN_S if missing else STATE_EVERY_S)

    def _ask(self) -> StateSeen | ServerAway:
        try:
            reply = self._client.state()
        except Exception:
            log.exception("asking for the state failed")
            return ServerAway()
        if isinstance(reply, KioskState):
            return StateSeen(reply)
        return ServerAway(reply if isinstance(reply, RefusalView) else None)

    def _tell(self, event: StateSeen | ServerAway) -> None:
        away = isinstance(event, ServerAway)
        if away != self._asker.server_is_away:
            log.warning("the server is away") if away else log.info("the server is here")
        self._asker.server_is_away = away
        self._post(event)
