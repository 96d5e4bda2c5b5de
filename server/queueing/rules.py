"""The rules of the line (pure): states of a step, and who is next."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum
from typing import Any, Protocol

from server.clock import office_time
from server.errors import Conflict, NotFound, NotNow
from server.offices.policy import OfficePolicy

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
OF_CARDS = (Outcome.LATER_BY_MAIL, Outcome.STOPPED)


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


class WrongWindow(NotNow):
    """This window does not do what the ticket waits for."""

    code = "wrong_window"


class OfAnotherDay(NotNow):
    """The ticket is of an earlier day: its number is somebody else's today, and nobody is called with it."""

    code = "other_day"


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


class NoCard(NotNow):
    """Nobody here has a card that could be sent or stopped."""

    code = "no_card"


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


class AwayLike(Protocol):
    """What the rules need of a step whose people were away."""

    state: StepState
    step_class: StepClass
    parked_for: ParkedFor | None
    due_at: datetime
    first_called_at: datetime | None


def back(step: AwayLike, first: Sequence[datetime]) -> tuple[StepClass, datetime]:
    """How somebody who was away stands in the line again: class and when due.

    Who rested has lost nothing, nor gained by it before the first call; who brings the papers that were missing goes
    first. Who was missed is due after the `first` who wait in the lane, as many as the office's policy says, so that it
    costs them no more than that.
    """
    if step.state is StepState.PARKED:
        if step.parked_for is ParkedFor.PAPERS:
            return StepClass.PAPERS, step.due_at
        return (StepClass.RETURNED if step.first_called_at else step.step_class), step.due_at
    # Behind the last of them, also where both came at the same time.
    return StepClass.RETURNED, max(step.due_at, max(first) + timedelta(microseconds=1)) if first else step.due_at


def can_undo(actor: str, now: datetime, by: str, at: datetime) -> bool:
    """Whether somebody may undo what was done `by` somebody `at` a moment: the same clerk, within a minute."""
    return actor == by and now <= at + UNDO_FOR


def outcome_of(asked: Outcome, has_card: bool) -> Outcome:
    """The outcome of one person in one service: whoever is served has got the card, if there is one, and only a card
    can be sent or stopped: what else they came for is done."""
    if asked in SERVED:
        return Outcome.HANDED_OVER if has_card else Outcome.DONE
    return Outcome.DONE if asked in OF_CARDS and not has_card else asked


@dataclass(frozen=True)
class Reason:
    """Why somebody was called, to be read to a visitor who asks.

    `ready_first`: somebody stood before who is not ready yet.
    """

    code: str
    due: datetime
    arrived: datetime
    ready_first: bool = False

    def to_json(self) -> dict[str, Any]:
        """The reason as it is kept with the call."""
        return {
            "code": self.code,
            "due": office_time(self.due).isoformat(),
            "arrived": office_time(self.arrived).isoformat(),
            **({"ready_first": True} if self.ready_first else {}),
        }


def after(state: StepState, action: StepAction) -> StepState:
    """The state that follows; NotPossible if the action does not fit."""
    try:
        return _NEXT[state, action]
    except KeyError:
        raise NotPossible(state=state.value, action=action.value) from None


def is_late(booked_at: datetime, came_at: datetime, late_grace_minutes: int) -> bool:
    """Whether somebody came later than the grace allows."""
    return came_at > booked_at + timedelta(minutes=late_grace_minutes)


def due_with_booking(booked_at: datetime, came_at: datetime, policy: OfficePolicy) -> tuple[StepClass, datetime]:
    """How a booked person who comes at a moment stands in the line: class and when due. Who is later than the grace
    still stands before those who come without a booking at that time."""
    if not is_late(booked_at, came_at, policy.late_grace_minutes):
        return StepClass.BOOKED, booked_at
    due_at = due_without_booking(came_at, policy) - timedelta(minutes=policy.late_credit_minutes)
    return StepClass.LATE, max(due_at, booked_at)


def due_without_booking(came_at: datetime, policy: OfficePolicy) -> datetime:
    """When somebody who came without a booking is due. It counts from the real arrival, also where a kiosk was cut off
    from the server and hands over later."""
    return came_at + timedelta(minutes=policy.walk_in_due_minutes)


# Whose turn had come already, or comes at a time that was promised; all others follow when they have waited.
_BY_THE_CLOCK = (StepClass.BOOKED, StepClass.RETURNED, StepClass.TRANSFERRED)
# Whoever is due when.
BEFORE_ALL = (StepClass.PAPERS, StepClass.ACCOMMODATION)
_FIRST, _DUE, _EARLY = range(len(BEFORE_ALL), len(BEFORE_ALL) + 3)


def counts_as_ready_since(now: datetime, policy: OfficePolicy) -> datetime:
    """Who entered a line then or before counts as ready."""
    return now - timedelta(minutes=policy.not_ready_minutes)


def choose_next(heads: Sequence[StepLike], now: datetime, policy: OfficePolicy) -> tuple[StepLike, Reason]:
    """Who is called next, of the first of each class and readiness.

    1. Who is back with missing papers, then who is let go first by staff.
    2. Who has been due for longer than the policy lets them wait for others: booked people some minutes
       (`booked_first_minutes`), those without a booking some hours (`walk_in_first_minutes`): nobody waits for ever.
    3. Who is due longest: a booked person at the booked time, others so long after arriving as reception gave them.
    4. People who came before their booked time, as no window stands idle while somebody can be served.

    In a lane where people get ready first, those who are not are called when nobody else waits, or when they have
    waited there so long that they count as ready (`not_ready_minutes`). Nothing but times, class, readiness and policy
    is looked at: who was received by a kiosk that was cut off is due by the real arrival and needs no rule. Raises
    NobodyWaiting.
    """
    if not heads:
        raise NobodyWaiting
    places = {
        step.id: (*place(step.step_class, *_seconds(step, now, policy)), step.entered_at, step.id) for step in heads
    }
    first = min(heads, key=lambda step: places[step.id])
    long_ago = counts_as_ready_since(now, policy)
    ready = [step for step in heads if step.ready or step.entered_at <= long_ago] or heads
    step = min(ready, key=lambda step: places[step.id])
    return step, Reason(_why(step, now, policy), step.due_at, step.entered_at, step is not first)


def place(step_class: StepClass, due: float, now: float, patience: float) -> tuple[int, float]:
    """Where somebody stands in the order: the first of all has the smallest, of equal ones who entered first. All is
    given in one unit of time; `patience` is how long after being due they let others go before."""
    if step_class in BEFORE_ALL:
        return BEFORE_ALL.index(step_class), due
    if (goes_first_at := due + patience) <= now:
        return _FIRST, goes_first_at
    return (_EARLY if step_class is StepClass.BOOKED and due > now else _DUE), due


def patience_of(step_class: StepClass, policy: OfficePolicy) -> int:
    """After how many minutes of being due somebody goes before all who are merely due."""
    return policy.booked_first_minutes if step_class in _BY_THE_CLOCK else policy.walk_in_first_minutes


def _seconds(step: StepLike, now: datetime, policy: OfficePolicy) -> tuple[float, float, float]:
    return step.due_at.timestamp(), now.timestamp(), 60.0 * patience_of(step.step_class, policy)


def _why(step: StepLike, now: datetime, policy: OfficePolicy) -> str:
    rank, _ = place(step.step_class, *_seconds(step, now, policy))
    if rank == _EARLY:
        return "booked_early"
    if step.step_class in (StepClass.WALK_IN, StepClass.LATE) and rank == _FIRST:
        return "waited_long"
    return step.step_class.value


def absent(steps: Iterable[tuple[int, StepState]]) -> list[int]:
    """Numbers that were called and did not come, for the board."""
    return [number for number, state in steps if state is StepState.MISSED]
