"""The dialogue with a visitor (pure): event in → actions out.

It touches no device, no network and no clock; `now` is seconds of any steady clock. Who calls carries the actions
out and brings what comes of them as the next events (kiosk/run.py; in the tests, a table).

Rules that hold everywhere:
* The first thing that looks at a scan is the 12-digit rule, over bytes that are then wiped.
* From a good scan until the outcome of its paper the kiosk is *busy*; scans in between are dropped, so that a code
  held too long never makes two papers. A new scan is asked again at once: the server knows what was printed.
* The outcome of a paper is reported before anything else is asked.
"""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final
from uuid import UUID

from kiosk.devices.ports import Paper, PrinterStatus
from kiosk.dialogue import (
    Action,
    Answered,
    AskCheckIn,
    AskWalkIn,
    CallStaff,
    Choice,
    Event,
    Note,
    Page,
    Print,
    Printed,
    Refused,
    Report,
    ReportTest,
    Scanned,
    ScannerSeen,
    ScanWasLost,
    ServerAway,
    Show,
    StaffCalled,
    StateSeen,
    StatusSeen,
    StrangerSeen,
    Tick,
    Touched,
    Unreachable,
)
from kiosk.messages import Say, Tone, say_closed, say_refusal, telling
from kiosk.scans import ScannerSetup, typed_otherwise, why_unread
from kiosk.self_test import finding, told
from madoguchi import codes, mynumber
from madoguchi.wire import CONTRACT, CheckInAnswer, KioskState, Outcome, RefusalView, Result, ScannerFinding

NUMBER_S: Final = 8.0
MESSAGE_S: Final = 20.0
CHOICE_S: Final = 45.0
WARNING_S: Final = 10.0
IN_A_ROW_S: Final = 60.0
STUCK_S: Final = 60.0
SILENT_POLLS: Final = 3
ODD_IN_A_ROW: Final = 6
ODD_S: Final = 600.0

OFFERED_SERVICES: Final = 12


@dataclass(frozen=True)
class Paperwork:
    """A paper in the printer: of a visitor who stands here, or (without an answer) one that staff asked for."""

    job: UUID
    answer: CheckInAnswer | None = None


class Agent:
    """The state of one kiosk's dialogue."""

    def __init__(
        self,
        new_id: Callable[[], str],
        language: str = "ja",
        languages: tuple[str, ...] = ("ja", "en"),
        one_way_printer: bool = False,
        scanner: ScannerSetup | None = None,
    ) -> None:
        self._new_id = new_id
        self._usual_language = self._language = language
        self._languages = languages
        self._chosen = False
        self._one_way_printer = one_way_printer
        self._setup = scanner or ScannerSetup()
        self._state: KioskState | None = None
        self._server: ServerAway | None = None
        self._scanner, self._scanner_told = True, False
        self._alarm: str | None = None
        self._silent_polls = 0
        self._asking: str | None = None
        self._came_back = False
        self._printing: Paperwork | None = None
        self._reprinted: deque[UUID] = deque(maxlen=100)
        self._busy_since = 0.0
        self._refused_in_row = 0
        self._refused_at = 0.0
        self._odd_in_row = 0
        self._odd_at = 0.0
        self._unheard: set[str] = set()
        self._calls: dict[str, str] = {}
        self._alarms: dict[str, str] = {}
        self._page = Page("starting")
        self._until: float | None = None

    @property
    def busy(self) -> bool:
        """Whether a visitor's ticket is being asked for or printed."""
        return self._asking is not None or self._printing is not None

    @property
    def printing(self) -> UUID | None:
        """The print job of the visitor who stands here; no other paper may come out. Read by any thread."""
        paperwork = self._printing
        return None if paperwork is None else paperwork.job

    @property
    def page(self) -> Page:
        """What is shown."""
        return self._page

    def start(self) -> list[Action]:
        """The first page, before anything is known."""
        return self._go_idle()

    def handle(self, event: Event, now: float) -> list[Action]:
        """Everything that follows from an event, in the order in which it is to be done."""
        match event:
            case Scanned(payload, ended):
                return self._scanned(payload, ended, now)
            case ScanWasLost():
                return [] if self.busy else self._lost(now)
            case Touched(button, value):
                return self._touched(button, value, now)
            case Answered(request_id, answer):
                return self._answered(request_id, answer, now)
            case Refused(request_id, refusal):
                return self._was_refused(request_id, refusal, now)
            case Unreachable(request_id):
                return self._unreachable(request_id, now)
            case Printed():
                return self._printed(event, now)
            case StaffCalled(request_id, reached):
                return self._staff_called(request_id, reached, now)
            case Tick():
                return self._tick(now)
            case _:
                return self._seen(event, now)

    # Scans

    def _scanned(self, payload: bytearray, ended: str, now: float) -> list[Action]:
        length = len(payload)
        if mynumber.may_be_my_number(payload):
            mynumber.wipe(payload)
            told = [] if self.busy else self._refuse(RefusalView("my_number", {}), now)
            return [Note("my_number", length), *told]
        if self.busy:
            mynumber.wipe(payload)
            return [Note("while_busy", length)]
        text = payload.decode("utf-8", "replace")
        mynumber.wipe(payload)
        if (found := finding(text, ended, self._setup)) is not None:
            return [Note("self_test", length), *self._tested(found, now)]
        hosts = self._state.hosts if self._state else ()
        read = codes.read(text, hosts)
        if read is codes.Unread.WRONG_CODE and self._state is None:
            # Until the server has said which hosts are ours, the link of a notice looks like any other.
            return [Note("too_soon", length), self._show(self._trouble_page(), now)]
        number = codes.notice_number(text) if self._state is not None and self._state.notice_numbers else None
        if number is not None:
            return self._check_in(Note("notice_number", length), number, now)
        if isinstance(read, codes.Unread):
            why = why_unread(text, read, hosts, self._setup)
            alarm = self._look_after_settings(typed_otherwise(text, hosts, self._setup.layout), now)
            return [Note(why, length), *self._refuse(RefusalView(why, {}), now), *alarm]
        return self._check_in(Note(f"code_{read.kind.name.lower()}", length), read.text, now, read.kind)

    def _check_in(self, note: Note, text: str, now: float, kind: codes.Kind | None = None) -> list[Action]:
        self._odd_in_row = 0
        request_id = self._ask(now)
        self._came_back = kind is codes.Kind.TICKET
        checking = self._show(Page("checking", Say("kiosk.scan.reading")), now)
        return [note, AskCheckIn(request_id, text), checking]

    def _tested(self, found: ScannerFinding, now: float) -> list[Action]:
        """Staff held the self-test card to the scanner: they see what it says, and the server keeps it with the day."""
        tone = Tone.DONE if found is ScannerFinding.OK else Tone.STAFF
        page = Page("message", told(found), tone=tone, seconds=MESSAGE_S)
        self._odd_in_row = self._refused_in_row = 0
        alarm = [] if found is ScannerFinding.OK else [self._raise_alarm("scanner_settings")]
        return [self._show(page, now), ReportTest(self._new_id(), found), *alarm]

    def _look_after_settings(self, surely: bool, now: float) -> list[Action]:
        """A scanner that somebody has set otherwise shows by a code of ours under another layout, or by many scans of
        which none is ours, from one visitor after another.
        """
        self._odd_in_row = self._odd_in_row + 1 if now - self._odd_at <= ODD_S else 1
        self._odd_at = now
        if not surely and self._odd_in_row < ODD_IN_A_ROW:
            return []
        self._odd_in_row = 0
        return [self._raise_alarm("scanner_settings")]

    def _ask(self, now: float) -> str:
        self._asking, self._came_back = self._new_id(), False
        self._busy_since = now
        if not self._chosen:
            self._language = self._usual_language  # that of the booking before goes with whoever had it
        return self._asking

    def _refuse(self, refusal: RefusalView, now: float) -> list[Action]:
        """Tell a no. Some bring staff at once, of others the second in a row."""
        row = telling(refusal)
        page = Page(
            "message",
            say_refusal(refusal, self._state),
            tone=row.tone,
            walk_in=row.walk_in and (self._state is None or self._state.walk_ins),
            picture=row.picture,
            seconds=MESSAGE_S,
        )
        shown = self._show(page, now)
        if row.calls:
            return [shown, self._call(row.calls)]
        if not row.counts:
            return [shown]
        self._refused_in_row = self._refused_in_row + 1 if now - self._refused_at <= IN_A_ROW_S else 1
        self._refused_at = now
        if self._refused_in_row < 2:
            return [shown]
        self._refused_in_row = 0
        return [shown, self._call("refused_twice")]

    def _lost(self, now: float) -> list[Action]:
        refused = self._refuse(RefusalView("unreadable", {}), now)
        return [Note("lost", 0), *refused, *self._look_after_settings(False, now)]

    # Answers of the server

    def _answered(self, request_id: str, answer: CheckInAnswer, now: float) -> list[Action]:
        if request_id != self._asking:
            return []
        self._asking = None
        self._refused_in_row = 0
        if not self._chosen and answer.ticket.language in self._languages:
            self._language = answer.ticket.language
        if answer.result is Result.ALREADY or answer.job is None:
            return [self._show(_already_page(answer, self._came_back), now)]
        self._printing = Paperwork(answer.job, answer)
        self._busy_since = now
        # The paper first: what is shown must not hold it up.
        return [
            Print(answer.ticket, answer.job, self._language),
            self._show(Page("printing", Say("kiosk.printing"), number=answer.ticket.number), now),
        ]

    def _was_refused(self, request_id: str, refusal: RefusalView, now: float) -> list[Action]:
        if request_id != self._asking:
            return []
        self._asking = None
        return self._refuse(refusal, now)

    def _unreachable(self, request_id: str, now: float) -> list[Action]:
        if request_id != self._asking:
            return []
        self._asking = None
        return [
            self._show(
                Page("message", Say("kiosk.server.away"), tone=Tone.STAFF, seconds=MESSAGE_S),
                now,
            )
        ]

    # Paper

    def _printed(self, event: Printed, now: float) -> list[Action]:
        report = Report(event.job, event.sha256, event.outcome)
        if self._printing is None or self._printing.job != event.job:
            return [report]
        answer, self._printing = self._printing.answer, None
        done = self._go_idle() if answer is None else [self._show(self._number_page(answer, event.outcome), now)]
        if event.outcome is Outcome.PRINTED or (event.outcome is Outcome.UNKNOWN and self._one_way_printer):
            return [report, *done]
        return [report, *done, self._call("printer")]

    def _number_page(self, answer: CheckInAnswer, outcome: Outcome) -> Page:
        number = answer.ticket.number
        if outcome is Outcome.PRINTED:
            text = Say("kiosk.take", {"number": number})
            return Page("number", text, _arrival_notes(answer), number, Tone.DONE, seconds=NUMBER_S)
        # Who has no paper in hand needs longer to remember the number, and nothing else to read.
        key = "kiosk.paperout" if outcome is Outcome.NOT_PRINTED else "kiosk.paper.unknown"
        return Page("number", Say(key, {"number": number}), (), number, Tone.STAFF, seconds=MESSAGE_S)

    def _seen(self, event: Event, now: float) -> list[Action]:
        """News of the devices and the server, which nobody here asked for."""
        match event:
            case StatusSeen(status):
                return self._status_seen(status)
            case StateSeen(state):
                self._state = state
                self._server = None if state.contract == CONTRACT else ServerAway(_MISMATCH)
                return [
                    *self._look_after_scanner(),
                    *self._raise_unheard(),
                    *self._refresh_idle(),
                    *self._reprint(state, now),
                ]
            case ServerAway():
                self._server = event
                return self._refresh_idle()
            case StrangerSeen():
                return [self._raise_alarm("input_device")]
            case ScannerSeen(connected):
                self._scanner = connected
                self._scanner_told = False
                return [*self._look_after_scanner(), *self._refresh_idle()]
        return []

    def _reprint(self, state: KioskState, now: float) -> list[Action]:
        """What staff asked for, one at a time and only while nobody stands here. It is told until it is reported."""
        new = [order for order in state.reprints if order.job not in self._reprinted]
        if not new or self._server is not None or self.busy or self._page.name not in _RESTING:
            return []
        order = new[0]
        self._reprinted.append(order.job)
        self._printing = Paperwork(order.job)
        self._busy_since = now
        booked_in = order.ticket.language
        return [
            Print(
                order.ticket,
                order.job,
                booked_in if booked_in and booked_in in self._languages else self._usual_language,
            ),
            self._show(Page("printing", Say("kiosk.printing")), now),
        ]

    def _look_after_scanner(self) -> list[Action]:
        if self._scanner or self._scanner_told or self._server is not None:
            return []
        self._scanner_told = True
        return [self._raise_alarm("scanner")]

    def _status_seen(self, status: PrinterStatus) -> list[Action]:
        """Tell staff once when something begins; visitors are not told, their number stands without paper."""
        self._silent_polls = 0 if status.complete or status.fault else self._silent_polls + 1
        alarm = status.fault
        if alarm is None and status.paper is Paper.NEAR_END:
            alarm = "paper_near_end"
        if alarm is None and self._silent_polls >= SILENT_POLLS:
            alarm = "printer_silent"
        begins, self._alarm = alarm is not None and alarm != self._alarm, alarm
        return [self._raise_alarm(alarm)] if begins and alarm is not None else []

    def _raise_alarm(self, reason: str) -> CallStaff:
        """A call of which no visitor here is told."""
        request_id = self._new_id()
        self._alarms[request_id] = reason
        return CallStaff(request_id, reason)

    def _raise_unheard(self) -> list[Action]:
        """What nobody heard while the server was away."""
        unheard, self._unheard = sorted(self._unheard), set()
        return [self._raise_alarm(reason) for reason in unheard]

    def _alarm_answered(self, request_id: str, reached: bool) -> list[Action]:
        """An alarm that did not reach anybody is raised again with the next news of the same trouble."""
        reason = self._alarms.pop(request_id, None)
        if not reached and reason == "scanner":
            self._scanner_told = False
        elif not reached and reason == self._alarm:
            self._alarm = None
        elif not reached and reason in _ONCE:
            self._unheard.add(reason)
        return []

    # Touches

    def _touched(self, button: str, value: str, now: float) -> list[Action]:
        if button == "staff":
            return self._button_staff(now)
        if button == "language":
            return self._button_language(value)
        if self.busy:
            return []
        match button:
            case "walkin" | "deadline":
                return self._button_walk_in(now)
            case "service":
                return self._button_service(value, now)
            case "restart":
                return self._go_idle()
            case "continue" if self._page.name == "warning":
                return self._button_walk_in(now)
        return []

    def _button_staff(self, now: float) -> list[Action]:
        if "button" in self._calls.values():
            return []  # pressed again while the first call is on its way
        call = self._call("button")
        if self.busy or self._page.name == "number":
            return [call]
        return [call, self._show(Page("checking", Say("kiosk.scan.reading")), now)]

    def _button_language(self, language: str) -> list[Action]:
        if language not in self._languages:
            return []
        self._language, self._chosen = language, True
        return [Show(self._page, self._language)]

    def _button_walk_in(self, now: float) -> list[Action]:
        state = self._state
        if state is None or self._server is not None:
            return [self._show(self._trouble_page(), now)]
        if not state.walk_ins and not (state.open and state.services):
            say = (
                Say("kiosk.walkin.closed", {"tel": state.tel}) if state.open else say_closed(state.next_opening, state)
            )
            return [self._show(Page("message", say, tone=Tone.WAIT, seconds=MESSAGE_S), now)]
        choices = tuple(Choice(s.code, s.name, s.picture) for s in state.services[:OFFERED_SERVICES])
        if not choices:
            say = Say("kiosk.walkin.none")
            return [self._show(Page("message", say, tone=Tone.STAFF, seconds=MESSAGE_S), now)]
        page = Page("services", Say("kiosk.walkin.title"), choices=choices, seconds=CHOICE_S)
        return [self._show(page, now)]

    def _button_service(self, code: str, now: float) -> list[Action]:
        if self._page.name != "services" or code not in {choice.code for choice in self._page.choices}:
            return []
        request_id = self._ask(now)
        return [
            AskWalkIn(request_id, code, party=1),
            self._show(Page("checking", Say("kiosk.scan.reading")), now),
        ]

    # Staff

    def _call(self, reason: str) -> CallStaff:
        """A call of which the visitor here is told."""
        request_id = self._new_id()
        self._calls[request_id] = reason
        return CallStaff(request_id, reason)

    def _staff_called(self, request_id: str, reached: bool, now: float) -> list[Action]:
        reason = self._calls.pop(request_id, None)
        if reason is None:
            return self._alarm_answered(request_id, reached)
        say = Say("kiosk.staffcoming") if reached else Say("kiosk.server.away")
        if reason == "button" and not self.busy and self._page.name != "number":
            return [
                self._show(
                    Page(
                        "message",
                        say,
                        tone=Tone.WAIT if reached else Tone.STAFF,
                        seconds=MESSAGE_S,
                    ),
                    now,
                )
            ]
        if self._page.name in _RESTING:
            return []  # the visitor has gone
        self._page = replace(self._page, notes=(*self._page.notes, say))
        return [Show(self._page, self._language)]

    # Pages and time

    def _show(self, page: Page, now: float) -> Show:
        self._page = page
        self._until = None if page.seconds is None else now + page.seconds
        return Show(page, self._language)

    def _tick(self, now: float) -> list[Action]:
        if self.busy and now - self._busy_since > STUCK_S:
            # Nothing came back, not even a failure: a fault of ours. The next visitor must not pay for it.
            self._asking = self._printing = None
            return self._refuse(RefusalView("stuck", {}), now)
        if self._until is None or now < self._until:
            return []
        if self._page.name == "services":
            # Nobody is sent away from a choice without a warning (WCAG 2.2.1).
            return [self._show(Page("warning", Say("kiosk.timeout"), seconds=WARNING_S), now)]
        return self._go_idle()

    def _go_idle(self) -> list[Action]:
        self._language, self._chosen = self._usual_language, False
        self._until = None
        self._page = self._idle_page()
        return [Show(self._page, self._language)]

    def _refresh_idle(self) -> list[Action]:
        """What the first page says may have changed; a visitor's page is left alone."""
        if self._page.name not in _RESTING or self._idle_page() == self._page:
            return []
        self._page = self._idle_page()
        return [Show(self._page, self._language)]

    def _trouble_page(self) -> Page:
        """To a visitor who wants something, what the first page says anyway: starting, or not connected."""
        return Page("message", self._idle_page().text, tone=Tone.STAFF, seconds=MESSAGE_S)

    def _idle_page(self) -> Page:
        if self._server is not None:
            away = Say("kiosk.server.away")
            say = away if self._server.refusal is None else say_refusal(self._server.refusal, self._state)
            return Page("away", say, tone=Tone.STAFF)
        if self._state is None:
            return Page("starting", Say("kiosk.starting"))
        if not self._state.open:
            return Page("closed", say_closed(self._state.next_opening, self._state))
        if not self._scanner:
            page = Page("idle", Say("kiosk.scanner.away"), tone=Tone.STAFF, walk_in=True)
        else:
            page = Page("idle", Say("kiosk.welcome.body" if self._state.walk_ins else "kiosk.onlybooked"), walk_in=True)
        return page if self._state.walk_ins else _without_walk_ins(page, self._state)


_ONCE: Final = frozenset({"input_device", "scanner_settings"})
"""Alarms about what is seen once and not again."""

_RESTING: Final = frozenset({"starting", "idle", "away", "closed"})
_MISMATCH: Final = RefusalView("contract_mismatch", {})


def _without_walk_ins(page: Page, state: KioskState) -> Page:
    """The first page when nobody without a booking is received: it says so, and where those go who must not wait."""
    note = Say("kiosk.onlybooked.deadline" if state.services else "kiosk.onlybooked.book", {"tel": state.tel})
    return replace(page, notes=(note,), walk_in=False, deadline=bool(state.services))


def _already_page(answer: CheckInAnswer, came_back: bool) -> Page:
    number = answer.ticket.number
    return Page(
        "number",
        Say("kiosk.back" if came_back else "kiosk.already", {"number": number}),
        number=number,
        tone=Tone.WAIT,
        seconds=MESSAGE_S,
    )


def _arrival_notes(answer: CheckInAnswer) -> tuple[Say, ...]:
    if answer.ticket.booked_at is None or not (answer.early or answer.late):
        return ()
    return (Say("kiosk.early" if answer.early else "kiosk.late", {"time": answer.ticket.booked_at}),)
