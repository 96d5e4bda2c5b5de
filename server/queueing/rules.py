"""The rules of the line (pure): states of a step, and who is next."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum
from typing import Any, Protocol

from server.clock import office_time
from server.errors import Conflict, NotFound, NotNow

UNDO_FOR = timedelta(seconds=60)


class StepState(Enum):
    """Where one stop of a visit stands."""

    WAITING = "waiting"
    CALLED = "called"
    SERVING = "serving"
    DONE = "done"
    MISSED = "missed"
    PARKED = "parked"
    VOID = "void"


OPEN_STATES = (StepState.WAITING, StepState.CALLED, StepState.SERVING, StepState.MISSED, StepState.PARKED)
AT_WINDOW = (StepState.CALLED, StepState.SERVING)
AWAY = (StepState.MISSED, StepState.PARKED)


class StepAction(Enum):
    """What can be done to a step."""

    CALL = "call"
    RECALL = "recall"
    SERVE = "serve"
    FINISH = "finish"
    MISS = "miss"
    RETURN = "return"
    PARK = "park"
    RESUME = "resume"
    UNDO = "undo"
    VOID = "void"
    END_OF_DAY = "end_of_day"


class StepClass(Enum):
    """Why somebody stands in the line."""

    BOOKED = "booked"
    LATE = "late"  # booked, and came later than the grace allows
    WALK_IN = "walk_in"
    ACCOMMODATION = "accommodation"  # 配慮: staff let somebody go before others
    RETURNED = "returned"  # was missed or parked, and is back
    PAPERS = "papers"  # was sent for missing papers, and is back with them
    TRANSFERRED = "transferred"  # comes from another lane


class ParkedFor(Enum):
    """Why a visit rests: it does not lose its place by it."""

    PAPERS = "papers"  # fetches what was missing
    CHOOSING = "choosing"  # thinks about a PIN
    OTHER = "other"


class Outcome(Enum):
    """How somebody's visit ended."""

    HANDED_OVER = "handed_over"
    DONE = "done"  # what they came for is done, and nothing is handed over in it
    PAPERS_MISSING = "papers_missing"
    LATER_BY_MAIL = "later_by_mail"
    STOPPED = "stopped"  # 交付取止め: the card is not handed over at all
    LEFT = "left"


SERVED = (Outcome.HANDED_OVER, Outcome.DONE)


_NEXT: dict[tuple[StepState, StepAction], StepState] = {
    (StepState.WAITING, StepAction.CALL): StepState.CALLED,
    (StepState.MISSED, StepAction.CALL): StepState.CALLED,
    (StepState.CALLED, StepAction.RECALL): StepState.CALLED,
    (StepState.CALLED, StepAction.SERVE): StepState.SERVING,
    (StepState.CALLED, StepAction.MISS): StepState.MISSED,
    (StepState.CALLED, StepAction.FINISH): StepState.DONE,
    (StepState.SERVING, StepAction.FINISH): StepState.DONE,
    (StepState.MISSED, StepAction.RETURN): StepState.WAITING,
    (StepState.WAITING, StepAction.PARK): StepState.PARKED,
    (StepState.CALLED, StepAction.PARK): StepState.PARKED,
    (StepState.SERVING, StepAction.PARK): StepState.PARKED,
    (StepState.PARKED, StepAction.RESUME): StepState.WAITING,
    **{(state, StepAction.UNDO): StepState.CALLED for state in (StepState.DONE, StepState.MISSED, StepState.PARKED)},
    **{(state, StepAction.VOID): StepState.VOID for state in (StepState.WAITING, StepState.MISSED, StepState.PARKED)},
    **{(state, StepAction.END_OF_DAY): StepState.VOID for state in OPEN_STATES},
}


class NobodyWaiting(NotNow):
    """There is nobody whom this window may call."""

    code = "nobody_waiting"


class WindowClosed(NotNow):
    """The window must be opened by somebody first."""

    code = "window_closed"


class WindowOccupied(Conflict):
    """Somebody else works at this window, or it still serves somebody."""

    code = "window_occupied"


class NobodyAtWindow(NotNow):
    """Nobody is called or served at this window."""

    code = "nobody_at_window"


class OtherVisitor(Conflict):
    """Somebody else is at the window than the screen shows: nothing happens to anybody by mistake."""

    code = "other_visitor"


class NotPossible(Conflict):
    """The action does not fit the step's state (any more)."""

    code = "step_state"


class UnknownWindow(NotFound):
    """There is no such window here."""

    code = "unknown_window"


class NoTerminalFree(NotNow):
    """The step needs a shared terminal and all are in use or down."""

    code = "no_terminal_free"


class LastStop(NotNow):
    """There is no further stop: the visit ends here, with an outcome."""

    code = "last_stop"


class MoreStops(NotNow):
    """There is a further stop: nothing is handed over before the last one."""

    code = "more_stops"


class UnknownTerminal(NotFound):
    """There is no such terminal here."""

    code = "unknown_terminal"


class NothingToUndo(NotNow):
    """At this window nothing was done in the last minute, by this clerk, that can be undone."""

    code = "nothing_to_undo"


class ChangedSince(Conflict):
    """Something has been done since, with the visit, its booking, a notice or the window: it is not undone."""

    code = "changed_since"


class NumbersUsedUp(Conflict):
    """The lane has given out its last number today."""

    code = "numbers_used_up"


class StepLike(Protocol):
    """What the rules need of a waiting step."""

    id: int
    step_class: StepClass
    due_at: datetime
    entered_at: datetime
    ready: bool


class StopLike(Protocol):
    """What the rules need of a stop of a service."""

    @property
    def position(self) -> int: ...
    @property
    def lane_id(self) -> int: ...
    @property
    def service_id(self) -> int: ...
    @property
    def terminal_kind(self) -> str | None: ...
    @property
    def ready_first(self) -> bool: ...


class PersonLike(Protocol):
    """What the rules need of a person of a visit."""

    @property
    def service_id(self) -> int: ...
    @property
    def stops_done(self) -> int: ...
    @property
    def live(self) -> bool: ...


@dataclass(frozen=True)
class Stand:
    """Where a party stands next: in which lane, for which service first, and what it needs there."""

    lane_id: int
    service_id: int
    terminal_kind: str = ""
    ready_first: bool = False


def next_stand(people: Iterable[PersonLike], stops: Mapping[int, Sequence[StopLike]]) -> Stand | None:
    """Where a party goes next, of service id → its stops in order; None when everybody has done all.

    It is the earliest stop that somebody has before them. Whoever has one in the same lane does it at the same time,
    so several procedures of one visit wait once.
    """
    ahead = [
        stops[person.service_id][person.stops_done]
        for person in people
        if person.live and person.stops_done < len(stops[person.service_id])
    ]
    if not ahead:
        return None
    first = min(ahead, key=lambda stop: stop.position)
    here = [stop for stop in ahead if stop.lane_id == first.lane_id]
    kind = next((stop.terminal_kind for stop in here if stop.terminal_kind), "")
    return Stand(first.lane_id, first.service_id, kind, any(stop.ready_first for stop in here))


def has_further(person: PersonLike, stops: Mapping[int, Sequence[StopLike]], lane_id: int) -> bool:
    """Whether somebody who stands in a lane has a stop to go after the one there."""
    ahead = stops[person.service_id][person.stops_done :]
    return person.live and len(ahead) > (1 if ahead and ahead[0].lane_id == lane_id else 0)


def back(
    state: StepState, parked_for: ParkedFor | None, due_at: datetime, first: Sequence[datetime]
) -> tuple[StepClass, datetime]:
    """How somebody who was away stands in the line again.

    Who rested has lost nothing, and who brings the papers that were missing goes first. Who was missed is due after
    the `first` who wait in the lane, as many as the office's policy says, so that it costs them no more than that.
    """
    if state is StepState.PARKED:
        return (StepClass.PAPERS if parked_for is ParkedFor.PAPERS else StepClass.RETURNED), due_at
    # Behind the last of them, also where both came at the same time.
    return StepClass.RETURNED, max(due_at, max(first) + timedelta(microseconds=1)) if first else due_at


def can_undo(actor: str, now: datetime, by: str, at: datetime) -> bool:
    """Whether somebody may undo what was done `by` somebody `at` a moment: the same clerk, within a minute."""
    return actor == by and now <= at + UNDO_FOR


def served_as(asked: Outcome, hands_over: bool) -> Outcome:
    """The outcome of one person: whoever is served has got what their service hands over, if it does."""
    if asked not in SERVED:
        return asked
    return Outcome.HANDED_OVER if hands_over else Outcome.DONE


@dataclass(frozen=True)
class Reason:
    """Why somebody was called, to be read to a visitor who asks."""

    code: str
    due: datetime
    arrived: datetime

    def to_json(self) -> dict[str, Any]:
        """The reason as it is kept with the call."""
        return {
            "code": self.code,
            "due": office_time(self.due).isoformat(),
            "arrived": office_time(self.arrived).isoformat(),
        }


def after(state: StepState, action: StepAction) -> StepState:
    """The state that follows; NotPossible if the action does not fit."""
    try:
        return _NEXT[state, action]
    except KeyError:
        raise NotPossible(state=state.value, action=action.value) from None


def choose_next(heads: Sequence[StepLike], now: datetime) -> tuple[StepLike, Reason]:
    """Who is called next, of the first of each class and lane.

    Whoever is due longest goes first: a booked person is due at the booked time, a walk-in some minutes after
    arriving, so nobody waits for ever. If nobody with a claim is there, a window does not stand idle: people who came
    before their booked time are served in the order of those times. Who is not ready is called when nobody is who is.
    Nothing but times, class and readiness is looked at. Raises NobodyWaiting.
    """
    heads = [h for h in heads if h.ready] or heads
    due = [h for h in heads if h.step_class is not StepClass.BOOKED or h.due_at <= now]
    early = [h for h in heads if h not in due]
    if due:
        step = min(due, key=_order)
        return step, Reason(step.step_class.value, step.due_at, step.entered_at)
    if early:
        step = min(early, key=_order)
        return step, Reason("booked_early", step.due_at, step.entered_at)
    raise NobodyWaiting


def _order(step: StepLike) -> tuple[bool, datetime, datetime, int]:
    return (step.step_class is not StepClass.PAPERS, step.due_at, step.entered_at, step.id)


def absent(steps: Iterable[tuple[int, StepState]]) -> list[int]:
    """Numbers that were called and did not come, for the board."""
    return [number for number, state in steps if state is StepState.MISSED]
