"""What crosses the wire between server, kiosk and board (pure).

Every message is a frozen dataclass that reads itself from plain JSON values and writes itself back unchanged.
Reading is strict, so that a fault shows where it came in and not three calls later; keys we do not know are
left alone, so that a newer server may say more than an older kiosk understands.

The reviewed examples are `tests/contracts/examples/*.json`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from enum import Enum, StrEnum
from inspect import get_annotations
from types import UnionType
from typing import Any, Final, Self, TypeVar, get_args, get_origin
from uuid import UUID

CONTRACT: Final = 1
"""Devices and server must agree on this number; a mismatch is refused, not guessed at."""

CONTRACT_HEADER: Final = "X-Madoguchi-Contract"
AUTHORIZATION_HEADER: Final = "Authorization"
AUTHORIZATION_SCHEME: Final = "Bearer"

CALL_EVENT: Final = "call"
HEARTBEAT_EVENT: Final = "heartbeat"
WAITING_EVENT: Final = "waiting"

Names = dict[str, str]
"""A name in each language it has; Japanese is always among them."""

Facts = dict[str, Any]
"""JSON values that the text for a refusal may show; nothing personal."""


class Message:
    """What a dataclass needs to cross the wire."""

    def to_json(self) -> dict[str, Any]:
        """Plain JSON values, field by field."""
        return {name: _written(getattr(self, name)) for name in get_annotations(type(self))}

    @classmethod
    def from_json(cls, obj: object) -> Self:
        """The message that `to_json` wrote. Raises ValueError, which names the field at fault."""
        return _message(cls, obj, "")


MessageT = TypeVar("MessageT", bound=Message)


class Outcome(StrEnum):
    """What became of a paper. Unknown is a state of its own: no answer does not mean no paper."""

    PRINTED = "printed"
    NOT_PRINTED = "not_printed"
    UNKNOWN = "unknown"


class Result(StrEnum):
    """How a check-in ended: with a paper to print, or with the news that the paper is already there."""

    TICKET = "ticket"
    ALREADY = "already"


class ScannerFinding(StrEnum):
    """What the self-test card said of a kiosk's scanner: well, or what is set otherwise than the kiosk takes it for."""

    OK = "ok"
    LAYOUT = "layout"
    CASE = "case"
    CHARACTERS = "characters"
    SUFFIX = "suffix"


class Task(StrEnum):
    """What somebody can do while they wait, in the order in which it stands on the slip."""

    NOTICE = "notice"  # fill in the 交付通知書
    PIN = "pin"  # choose the PINs
    RETURN = "return"  # fill in the form for cards that are given back


class CallKind(StrEnum):
    """What a window announces about a number."""

    CALL = "call"
    RECALL = "recall"
    MISSED = "missed"


@dataclass(frozen=True)
class CheckInRequest(Message):
    """kiosk → server: somebody holds this code to the scanner."""

    request_id: str
    text: str


@dataclass(frozen=True)
class WalkInRequest(Message):
    """kiosk → server: somebody without a booking wants this service."""

    request_id: str
    service: str
    party: int


@dataclass(frozen=True)
class StaffCall(Message):
    """kiosk → server: somebody needs a clerk at the kiosk."""

    request_id: str
    reason: str


@dataclass(frozen=True)
class ScannerTest(Message):
    """kiosk → server: somebody held the self-test card to the scanner."""

    request_id: str
    finding: ScannerFinding


@dataclass(frozen=True)
class PrintReport(Message):
    """kiosk → server: what became of the paper whose bytes have this hash."""

    sha256: str
    outcome: Outcome

    def __post_init__(self) -> None:
        """The hash names the paper; half a hash names nothing."""
        if len(self.sha256) != 64 or set(self.sha256) - set("0123456789abcdef"):
            raise ValueError("sha256: expected 64 hex digits in lower case")


@dataclass(frozen=True)
class WaitView(Message):
    """How long somebody will wait, in minutes by fives: likely, and a range in which four of five are; 0 is "soon"."""

    minutes: int
    least: int
    most: int

    def key(self, kind: str) -> str:
        """Of the texts that begin so the one that says this wait: nobody reads "0 minutes"."""
        return f"{kind}{'soon' if not self.minutes else 'range' if self.least else 'within'}"


@dataclass(frozen=True)
class TicketView(Message):
    """server → kiosk: what stands on the slip. `people_waiting`: how many are before it in its lane.

    `wait` is None where nobody can tell, `page` (where a telephone sees how the ticket stands) where it is not public;
    `tasks` are those of `Task`, or ones of a newer server; `language` is that of the booking, if there is one.
    """

    uid: UUID
    number: int
    lane: Names
    service: Names
    party: int
    booked_at: datetime | None
    issued_at: datetime
    people_waiting: int
    office: Names
    reprint_of: datetime | None
    wait: WaitView | None = None
    page: str | None = None
    tasks: tuple[str, ...] = ()
    language: str | None = None


@dataclass(frozen=True)
class CheckInAnswer(Message):
    """server → kiosk: the ticket, and the print job under which its paper is reported."""

    result: Result
    early: bool
    late: bool
    job: UUID | None
    ticket: TicketView


@dataclass(frozen=True)
class ServiceView(Message):
    """A service that the kiosk may offer to walk-ins: its short name, and the name of its pictogram."""

    code: str
    name: Names
    picture: str


@dataclass(frozen=True)
class ReprintOrder(Message):
    """server → kiosk: staff want this ticket on paper once more."""

    job: UUID
    ticket: TicketView


@dataclass(frozen=True)
class KioskState(Message):
    """server → kiosk: what the kiosk must know before anybody comes. Links to other hosts are refused.

    `services` may be asked for without a booking; while `walk_ins` are not received, only those with a legal deadline,
    which lead to staff. With `notice_numbers` the number that is printed on a notice may be sent, too.
    `reprints` are to be printed when nobody stands there; each is told until it is reported.
    """

    contract: int
    office: Names
    now: datetime
    open: bool
    walk_ins: bool
    next_opening: datetime | None
    tel: str
    services: tuple[ServiceView, ...]
    hosts: tuple[str, ...]
    notice_numbers: bool = False
    reprints: tuple[ReprintOrder, ...] = ()


@dataclass(frozen=True)
class RefusalView(Message):
    """server → kiosk: the office's own no. A kiosk must survive codes it does not know, so no enum."""

    code: str
    facts: Facts


@dataclass(frozen=True)
class CallMessage(Message):
    """server → board: this number to this window. `sequence` counts an office's calls without gaps."""

    sequence: int
    kind: CallKind
    number: int
    window: int
    at: datetime


@dataclass(frozen=True)
class LaneWaiting(Message):
    """How many wait in one lane, and how long somebody would who came now."""

    name: Names
    n: int
    wait: WaitView | None = None


@dataclass(frozen=True)
class Waiting(Message):
    """server → board: how many wait."""

    total: int
    lanes: tuple[LaneWaiting, ...]


@dataclass(frozen=True)
class Heartbeat(Message):
    """server → board, every two seconds: the last committed sequence, so that a lost last call shows.

    `walk_ins_ended`: the office is open, and people without a booking are not received (any more).
    """

    sequence: int
    now: datetime
    waiting: Waiting
    walk_ins_ended: bool


@dataclass(frozen=True)
class BoardPicture(Message):
    """server → board: the whole truth. Calls are newest first, one per number."""

    sequence: int
    now: datetime
    office: Names
    calls: tuple[CallMessage, ...]
    absent: tuple[int, ...]
    waiting: Waiting
    walk_ins_ended: bool


def _written(value: object) -> object:
    if isinstance(value, Message):
        return value.to_json()
    if isinstance(value, datetime):
        return _aware(value, "time").isoformat()
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, tuple):
        return [_written(item) for item in value]
    return str(value) if isinstance(value, UUID) else value


def _message(kind: type[MessageT], obj: object, path: str) -> MessageT:
    if not isinstance(obj, dict):
        raise _fault(path or kind.__name__, "an object")
    values: dict[str, Any] = {}
    for name, hint in get_annotations(kind).items():
        field = f"{path}.{name}" if path else name
        if name not in obj and hasattr(kind, name):
            continue  # said only by newer servers
        if name not in obj:
            raise ValueError(f"{field}: missing")
        values[name] = _value(hint, obj[name], field)
    return kind(**values)


def _value(hint: object, value: object, path: str) -> object:
    if isinstance(hint, UnionType):
        return None if value is None else _value(get_args(hint)[0], value, path)
    if get_origin(hint) is tuple:
        if not isinstance(value, list):
            raise _fault(path, "a list")
        return tuple(_value(get_args(hint)[0], item, f"{path}[{i}]") for i, item in enumerate(value))
    if hint in _READERS:
        return _READERS[hint](value, path)
    if isinstance(hint, type) and issubclass(hint, Message):
        return _message(hint, value, path)
    if isinstance(hint, type) and issubclass(hint, StrEnum):
        return _member(hint, value, path)
    raise TypeError(f"{path}: no rule how to read {hint}")


def _fault(path: str, expected: str) -> ValueError:
    # The value itself is not shown: it came from outside and may be what must not be logged.
    return ValueError(f"{path}: expected {expected}")


def _text(value: object, path: str) -> str:
    if not isinstance(value, str):
        raise _fault(path, "text")
    return value


def _member(kind: type[StrEnum], value: object, path: str) -> StrEnum:
    try:
        return kind(_text(value, path))
    except ValueError as error:
        raise _fault(path, f"one of {', '.join(kind)}") from error


def _truth(value: object, path: str) -> bool:
    if not isinstance(value, bool):
        raise _fault(path, "true or false")
    return value


def _whole_number(value: object, path: str) -> int:
    # True is an int in Python; and nothing that is counted here can be less than nothing.
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise _fault(path, "a whole number from 0")
    return value


def _moment(value: object, path: str) -> datetime:
    try:
        return _aware(datetime.fromisoformat(_text(value, path)), path)
    except ValueError as error:
        raise _fault(path, "an ISO time with offset") from error


def _aware(moment: datetime, path: str) -> datetime:
    if moment.utcoffset() is None:
        raise _fault(path, "an ISO time with offset")
    return moment


def _uid(value: object, path: str) -> UUID:
    text = _text(value, path)
    try:
        uid = UUID(text)
    except ValueError as error:
        raise _fault(path, "a uid") from error
    if str(uid) != text:  # UUID() also takes braces, urn: and upper case; one thing has one name
        raise _fault(path, "a uid")
    return uid


def _names(value: object, path: str) -> Names:
    if not isinstance(value, dict) or not isinstance(value.get("ja"), str):
        raise _fault(path, "a name in each language, among them ja")
    return {lang: _text(name, f"{path}.{lang}") for lang, name in value.items()}


def _facts(value: object, path: str) -> Facts:
    if not isinstance(value, dict):
        raise _fault(path, "an object")
    return dict(value)


_READERS: dict[object, Callable[[object, str], object]] = {
    str: _text,
    bool: _truth,
    int: _whole_number,
    datetime: _moment,
    UUID: _uid,
    Names: _names,
    Facts: _facts,
}
