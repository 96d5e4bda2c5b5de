"""What the dialogue hears and what it orders (pure): events, actions, pages."""

from dataclasses import dataclass
from uuid import UUID

from kiosk.devices.ports import PrinterStatus
from kiosk.messages import Say, Tone
from madoguchi.wire import CheckInAnswer, KioskState, Names, Outcome, RefusalView, ScannerFinding, TicketView

# Events


@dataclass(frozen=True)
class Scanned:
    """Somebody held something to the scanner."""

    payload: bytearray
    ended: str = ""


@dataclass(frozen=True)
class ScanWasLost:
    """A scan began and did not come over whole."""


@dataclass(frozen=True)
class ScannerSeen:
    """Whether the scanner is there."""

    connected: bool


@dataclass(frozen=True)
class StrangerSeen:
    """Somebody plugged in a keyboard or a mouse."""


@dataclass(frozen=True)
class Touched:
    """A button of the screen."""

    button: str
    value: str = ""


@dataclass(frozen=True)
class Answered:
    """The server gave a ticket."""

    request_id: str
    answer: CheckInAnswer


@dataclass(frozen=True)
class Refused:
    """The server said no."""

    request_id: str
    refusal: RefusalView


@dataclass(frozen=True)
class Unreachable:
    """The server gave no answer that could be understood, however often it was asked."""

    request_id: str


@dataclass(frozen=True)
class StaffCalled:
    """Whether a call for staff reached the server."""

    request_id: str
    reached: bool


@dataclass(frozen=True)
class StateSeen:
    """The server is there, and this is how things stand."""

    state: KioskState


@dataclass(frozen=True)
class ServerAway:
    """The server has not been answering, or (with a refusal) will not have us."""

    refusal: RefusalView | None = None


@dataclass(frozen=True)
class Printed:
    """What became of a paper."""

    job: UUID
    sha256: str
    outcome: Outcome


@dataclass(frozen=True)
class StatusSeen:
    """What the printer said when it was asked between two papers."""

    status: PrinterStatus


@dataclass(frozen=True)
class Tick:
    """Time passes."""


Event = (
    Scanned
    | ScanWasLost
    | ScannerSeen
    | StrangerSeen
    | Touched
    | Answered
    | Refused
    | Unreachable
    | StaffCalled
    | StateSeen
    | ServerAway
    | Printed
    | StatusSeen
    | Tick
)


# Actions


@dataclass(frozen=True)
class Choice:
    """One service to choose, with the name of its pictogram."""

    code: str
    name: Names
    picture: str


@dataclass(frozen=True)
class Page:
    """What the screen shows, in no language yet. `picture`: one of static/signs.svg in place of the sign; `seconds`:
    after how long the first page comes back.
    """

    name: str
    text: Say | None = None
    notes: tuple[Say, ...] = ()
    number: int | None = None
    tone: Tone = Tone.WAIT
    choices: tuple[Choice, ...] = ()
    walk_in: bool = False
    deadline: bool = False
    picture: str = ""
    seconds: float | None = None


@dataclass(frozen=True)
class AskCheckIn:
    """Ask the server to check this code in."""

    request_id: str
    text: str


@dataclass(frozen=True)
class AskWalkIn:
    """Ask the server for a ticket without a booking."""

    request_id: str
    service: str
    party: int


@dataclass(frozen=True)
class Print:
    """Put the ticket on paper."""

    ticket: TicketView
    job: UUID
    language: str


@dataclass(frozen=True)
class Report:
    """Tell the server what became of a paper."""

    job: UUID
    sha256: str
    outcome: Outcome


@dataclass(frozen=True)
class ReportTest:
    """Tell the server what the self-test card said of the scanner."""

    request_id: str
    finding: ScannerFinding


@dataclass(frozen=True)
class CallStaff:
    """Tell staff, through the server."""

    request_id: str
    reason: str


@dataclass(frozen=True)
class Show:
    """Show a page."""

    page: Page
    language: str


@dataclass(frozen=True)
class Note:
    """For the log: what kind of thing was scanned and how long it was. Never what it was."""

    kind: str
    length: int


Action = AskCheckIn | AskWalkIn | Print | Report | ReportTest | CallStaff | Show | Note
