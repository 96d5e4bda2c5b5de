"""The office of 見本市 as the board sees it: the truth that the fake server serves."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from typing import Any, Final

BOARD: Final = "0193b2a4-7c10-7d2e-9f11-5a6b7c8d9e0f"
JST: Final = timezone(timedelta(hours=9))
OFFICE: Final = {"ja": "見本市役所 本庁舎1階", "en": "Mihon City Hall, main building 1F"}
PICKUP: Final = {"ja": "カードの受取", "en": "Card pick-up"}
RENEWAL: Final = {"ja": "更新・暗証番号", "en": "Renewal, PIN"}
TEN_FIFTEEN: Final = datetime(2026, 11, 30, 10, 15, tzinfo=JST)

Json = dict[str, Any]


def call(sequence: int, number: int = 62, window: int = 3, kind: str = "call", at: datetime = TEN_FIFTEEN) -> Json:
    """One call as it crosses the wire."""
    return {"sequence": sequence, "kind": kind, "number": number, "window": window, "at": at.isoformat()}


def waiting(pickup: int = 5, renewal: int = 2) -> Json:
    """How many wait."""
    lanes = [{"name": PICKUP, "n": pickup}, {"name": RENEWAL, "n": renewal}]
    return {"total": pickup + renewal, "lanes": lanes}


def heartbeat(sequence: int, now: datetime = TEN_FIFTEEN) -> Json:
    """The server's two-second word."""
    return {"sequence": sequence, "now": now.isoformat(), "waiting": waiting(), "walk_ins_ended": False}


def picture(sequence: int, *calls: Json, absent: tuple[int, ...] = (), now: datetime = TEN_FIFTEEN) -> Json:
    """The whole truth; calls newest first."""
    return {
        "sequence": sequence,
        "now": now.isoformat(),
        "office": OFFICE,
        "calls": list(calls),
        "absent": list(absent),
        "waiting": waiting(),
        "walk_ins_ended": False,
    }


@dataclass
class Office:
    """What has been called so far today."""

    sequence: int = 0
    calls: list[Json] = field(default_factory=list)
    absent: list[int] = field(default_factory=list)
    waiting: Json = field(default_factory=waiting)
    walk_ins_ended: bool = False

    def call(self, number: int, window: int, kind: str = "call", ago: float = 0) -> Json:
        """Call a number (or recall it, or mark it missed) and return the message."""
        self.sequence += 1
        message = call(self.sequence, number, window, kind, self.now() - timedelta(seconds=ago))
        others = [other for other in self.calls if other["number"] != number]
        self.absent = [other for other in self.absent if other != number]
        if kind == "missed":
            self.absent.append(number)
            self.calls = others
        else:
            self.calls = [message, *others]
        return message

    @staticmethod
    def now() -> datetime:
        """The office's time: ages of calls are told by it, so it must run as the test does."""
        return datetime.now(JST)

    def picture(self) -> Json:
        """What GET /api/boards/… answers."""
        shown = picture(self.sequence, *self.calls[:6], absent=tuple(self.absent), now=self.now())
        return {**shown, "waiting": self.waiting, "walk_ins_ended": self.walk_ins_ended}
