"""How staff and boards read the state of receiving people without a booking."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from weakref import WeakKeyDictionary

from sqlalchemy.orm import Session

from server.clock import office_time
from server.intake.queries import Intake, intake_of
from server.intake.rules import Choice, in_force

CHOICES = {Choice.OPEN: "受け付ける", Choice.CLOSED: "終了する", Choice.BY_ITSELF: "自動にする"}
WHY = {Choice.OPEN: "職員が再開", Choice.CLOSED: "職員が終了", Choice.BY_ITSELF: "自動"}
KEPT = timedelta(seconds=3)
"""So old what desks and boards show may be: they ask every few seconds, each of them, and after every press."""


@dataclass(frozen=True)
class Shown:
    """What is shown where nothing is decided by it."""

    ended: bool
    line: str


# By the address of the database: tests run several in one process.
_memory: "WeakKeyDictionary[object, dict[int, tuple[datetime, Shown]]]" = WeakKeyDictionary()


def forget() -> None:
    """Nothing is known any more: for whoever puts another database under a running program."""
    _memory.clear()


def shown(session: Session, office_id: int, now: datetime) -> Shown:
    """The state for desks and boards, a few seconds old at the most."""
    memory = _memory.setdefault(session.get_bind(), {})
    kept = memory.get(office_id)
    if kept is None or not kept[0] <= now < kept[0] + KEPT:
        intake = intake_of(session, office_id, now)
        kept = memory[office_id] = (now, Shown(intake.ended, state_line(intake, now)))
    return kept[1]


def state_line(intake: Intake, now: datetime) -> str:
    """One line: received or not, why, and when somebody who comes now would be served."""
    if intake.closing is None:
        return "受付時間外"
    state = "受付中" if intake.received else "終了"
    if intake.last_walk_in is not None and now > intake.last_walk_in:
        return f"{state}（最終受付 {_hm(intake.last_walk_in)}）"
    why = WHY[in_force(intake.decision, None)]
    end = "" if intake.end is None else f"　いま来た方が終わる見込み {_hm(intake.end)}"
    return f"{state}（{why}）{end}"


def _hm(moment: datetime) -> str:
    return f"{office_time(moment):%H:%M}"
