"""The rules of the line: where a step may go, and who is next."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from inspect import signature
from itertools import product
from typing import get_type_hints

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.offices.policy import DEFAULT
from server.queueing.rules import (
    OPEN_STATES,
    NobodyWaiting,
    NotPossible,
    Outcome,
    ParkedFor,
    Stand,
    StepAction,
    StepClass,
    StepLike,
    StepState,
    absent,
    after,
    back,
    can_undo,
    choose_next,
    has_further,
    next_stand,
    outcome_of,
)
from tests.fakes import MONDAY_NINE

# Read across: what becomes of a step in this state. A dot: the action is refused.
STATES = """
             call    recall  serve    finish  miss    return   park    resume   undo    void  end_of_day
    waiting  called  .       .        .       .       .        parked  .        .       void  void
    called   .       called  serving  done    missed  .        parked  .        .       .     void
    serving  .       .       .        done    .       .        parked  .        .       .     void
    done     .       .       .        .       .       .        .       .        called  .     .
    missed   called  .       .        .       .       waiting  .       .        called  void  void
    parked   .       .       .        .       .       .        .       waiting  called  void  void
    void     .       .       .        .       .       .        .       .        .       .     .
"""
_ACTIONS, *_ROWS = (line.split() for line in STATES.strip().splitlines())
CASES = [(row[0], action, became) for row in _ROWS for action, became in zip(_ACTIONS, row[1:], strict=True)]


@pytest.mark.parametrize(("state", "action", "became"), CASES)
def test_a_step_moves_as_the_table_says_or_is_refused(state: str, action: str, became: str) -> None:
    if became == ".":
        with pytest.raises(NotPossible) as refused:
            after(StepState(state), StepAction(action))
        assert refused.value.facts == {"state": state, "action": action}
    else:
        assert after(StepState(state), StepAction(action)) is StepState(became)


def test_the_table_holds_every_state_and_every_action() -> None:
    assert {(s, a) for s, a, _ in CASES} == set(product([s.value for s in StepState], [a.value for a in StepAction]))


def test_every_state_can_be_reached_from_waiting() -> None:
    reached, new = set(), {"waiting"}
    while new:
        reached |= new
        new = {became for state, _, became in CASES if state in reached and became != "."} - reached
    assert reached == {state.value for state in StepState}


def test_every_open_step_has_a_way_out_at_the_end_of_the_day() -> None:
    assert all(after(state, StepAction.END_OF_DAY) is StepState.VOID for state in OPEN_STATES)
    assert set(OPEN_STATES) == set(StepState) - {StepState.DONE, StepState.VOID}


def test_the_absent_are_those_who_were_called_and_did_not_come() -> None:
    assert absent([(58, StepState.MISSED), (59, StepState.CALLED), (60, StepState.MISSED)]) == [58, 60]


@dataclass
class InLine:
    """Somebody in the line, with what the choice must not look at."""

    id: int
    step_class: StepClass
    due_at: datetime
    entered_at: datetime
    ready: bool = True
    help_wanted: str = ""


def at(minutes: float) -> datetime:
    """So many minutes after ten."""
    return MONDAY_NINE + timedelta(minutes=60 + minutes)


def booked(number: int, due: float, came: float) -> InLine:
    """Booked for `due` minutes after ten."""
    return InLine(number, StepClass.BOOKED, at(due), at(came))


def walk_in(number: int, due: float, came: float) -> InLine:
    """Without a booking, due some minutes after coming."""
    return InLine(number, StepClass.WALK_IN, at(due), at(came))


def of(step_class: StepClass, number: int, due: float, came: float = -30) -> InLine:
    """Of any class, due and come so many minutes after ten."""
    return InLine(number, step_class, at(due), at(came))


def unready(step: InLine) -> InLine:
    """Has not chosen a PIN yet."""
    return replace(step, ready=False)


TEN = at(0)
SECOND = 1 / 60
FIRST = DEFAULT.booked_first_minutes
LONG = DEFAULT.walk_in_first_minutes
PATIENCE = DEFAULT.not_ready_minutes
C = StepClass


@pytest.mark.parametrize(
    ("line", "chosen", "why"),
    [
        pytest.param([booked(1, 0, -8)], 1, "booked", id="booked, due at this very minute"),
        pytest.param([booked(1, SECOND, -8)], 1, "booked_early", id="nobody else: early by a second is served"),
        pytest.param([booked(1, SECOND, -8), walk_in(2, 20, 0)], 2, "walk_in", id="a second early: the walk-in goes"),
        pytest.param([booked(1, 0, -8), walk_in(2, 20, 0)], 1, "booked", id="due now: before a walk-in due later"),
        pytest.param([booked(1, 0, -8), walk_in(2, 0, -20)], 2, "walk_in", id="same minute: who came first"),
        pytest.param([booked(1, 0, -8), walk_in(2, 0, -8)], 1, "booked", id="all the same: who was written down first"),
        pytest.param([booked(1, 0, -8), walk_in(2, -SECOND, -20)], 2, "walk_in", id="walk-in due a second longer"),
        pytest.param(
            [booked(1, -FIRST + SECOND, -8), walk_in(2, -60, -80)], 2, "walk_in", id="just before the end of patience"
        ),
        pytest.param([booked(1, -FIRST, -8), walk_in(2, -60, -80)], 1, "booked", id="at the end: booked goes first"),
        pytest.param([booked(1, -90, -95), walk_in(2, -LONG + SECOND, 0)], 1, "booked", id="walk-in not long enough"),
        pytest.param([booked(1, 0, -8), walk_in(2, -LONG, 0)], 2, "waited_long", id="nobody waits for ever"),
        pytest.param(
            [booked(1, -FIRST - SECOND, 0), walk_in(2, -LONG, 0)], 1, "booked", id="of both, who has had it longer"
        ),
        pytest.param([booked(1, 0, -30), booked(2, -15, 0)], 2, "booked", id="the earlier booking, who came last"),
        pytest.param([booked(1, 30, -30), booked(2, 15, 0)], 2, "booked_early", id="early people by booked time"),
        pytest.param([walk_in(1, 20, 0), walk_in(2, 10, -10)], 2, "walk_in", id="walk-ins in the order of coming"),
        pytest.param([walk_in(1, 20, 0)], 1, "walk_in", id="no window stands idle while a walk-in is not due yet"),
        pytest.param([of(C.LATE, 1, 10, 0), walk_in(2, 20, 0)], 1, "late", id="late: before who came at that time"),
        pytest.param([of(C.LATE, 1, 10, 0), walk_in(2, 5, -15)], 2, "walk_in", id="late: after who came well before"),
        pytest.param([of(C.LATE, 1, -5, -15), booked(2, -FIRST, -9)], 2, "booked", id="late: after who came in time"),
        pytest.param([of(C.LATE, 1, -LONG, 0), booked(2, -1, -9)], 1, "waited_long", id="late, but for hours"),
        pytest.param([booked(1, -60, -60), of(C.PAPERS, 2, 60, 0)], 2, "papers", id="back with the papers: next"),
        pytest.param(
            [of(C.ACCOMMODATION, 1, -9), of(C.PAPERS, 2, -8)], 2, "papers", id="papers before what staff let go first"
        ),
        pytest.param([booked(1, -60, -60), of(C.ACCOMMODATION, 2, 60)], 2, "accommodation", id="let go first by staff"),
        pytest.param([booked(1, -9, -9), of(C.RETURNED, 2, -12)], 2, "returned", id="back, due longer: nothing lost"),
        pytest.param([walk_in(1, -60, -80), of(C.RETURNED, 2, -12)], 2, "returned", id="back: the turn had come once"),
        pytest.param([booked(1, -13, -9), of(C.RETURNED, 2, -12)], 1, "booked", id="back, but another is due longer"),
        pytest.param([booked(1, -9, 0), of(C.TRANSFERRED, 2, -12, 0)], 2, "transferred", id="other lane: due stays"),
        pytest.param(
            [walk_in(1, 2, -18), replace(walk_in(2, 1, -19), entered_at=at(0))],
            2,
            "walk_in",
            id="handed over late by a kiosk that was cut off: by the real arrival",
        ),
    ],
)
def test_whoever_is_due_longest_is_next_unless_somebody_has_a_stronger_claim(
    line: list[InLine], chosen: int, why: str
) -> None:
    step, reason = choose_next(line, TEN, DEFAULT)

    assert (step.id, reason.code) == (chosen, why)


@pytest.mark.parametrize(
    ("line", "chosen", "ready_first"),
    [
        pytest.param([unready(booked(1, -9, -9)), walk_in(2, 20, 0)], 2, True, id="who is ready goes first"),
        pytest.param([unready(walk_in(1, 20, 0)), booked(2, -9, -9)], 2, False, id="would have gone first anyhow"),
        pytest.param([unready(booked(1, -9, -9))], 1, False, id="nobody is ready: no window stands idle"),
        pytest.param([unready(booked(1, -9, -PATIENCE)), walk_in(2, 0, -9)], 1, False, id="not ready for so long"),
        pytest.param([unready(booked(1, -9, -PATIENCE + SECOND)), walk_in(2, 0, -9)], 2, True, id="just before"),
    ],
)
def test_who_is_ready_goes_first_until_the_others_have_waited_too_long(
    line: list[InLine], chosen: int, ready_first: bool
) -> None:
    step, reason = choose_next(line, TEN, DEFAULT)

    assert (step.id, reason.ready_first) == (chosen, ready_first)
    assert reason.to_json().get("ready_first", False) is ready_first


def test_how_long_anybody_waits_for_others_is_the_offices_policy() -> None:
    line = [booked(1, -5, -8), walk_in(2, -6, -26)]

    assert choose_next(line, TEN, DEFAULT)[0].id == 1
    assert choose_next(line, TEN, replace(DEFAULT, booked_first_minutes=30))[0].id == 2
    assert choose_next(line, TEN, replace(DEFAULT, walk_in_first_minutes=0))[0].id == 2


def test_the_choice_is_given_nothing_but_times_class_readiness_and_policy() -> None:
    assert list(signature(choose_next).parameters) == ["heads", "now", "policy"]
    seen = get_type_hints(StepLike)
    assert seen == {"id": int, "step_class": StepClass, "due_at": datetime, "entered_at": datetime, "ready": bool}


def test_from_an_empty_line_nobody_is_called() -> None:
    with pytest.raises(NobodyWaiting):
        choose_next([], TEN, DEFAULT)


def test_the_reason_says_when_somebody_was_due_and_came_on_the_offices_clock() -> None:
    _, reason = choose_next([replace(booked(1, 0, -8), due_at=TEN.astimezone(UTC))], TEN, DEFAULT)

    assert reason.to_json() == {
        "code": "booked",
        "due": "2026-11-30T10:00:00+09:00",
        "arrived": "2026-11-30T09:52:00+09:00",
    }


minutes = st.integers(-240, 60)
people = st.builds(
    lambda step_class, due, came, ready: (step_class, at(due), at(came), ready),
    *(st.sampled_from(StepClass), minutes, minutes, st.booleans()),
)
lines = st.lists(people, min_size=1, max_size=12).map(
    lambda rows: [InLine(number, *row) for number, row in enumerate(rows, start=1)]
)


def order(step: InLine) -> tuple[datetime, datetime, int]:
    """Who of one class was there first."""
    return step.due_at, step.entered_at, step.id


@given(lines)
def test_nobody_is_passed_over_by_a_later_one_of_the_same_class(line: list[InLine]) -> None:
    chosen = next(s for s in line if s.id == choose_next(line, TEN, DEFAULT)[0].id)

    def kind(step: InLine) -> tuple[StepClass, bool]:
        return step.step_class, step.ready or step.entered_at <= at(-PATIENCE)

    alike = [s for s in line if kind(s) == kind(chosen)]
    assert min(alike, key=order).id == chosen.id


@given(lines)
def test_who_is_ready_goes_before_all_who_are_not_and_came_just_now(line: list[InLine]) -> None:
    chosen = next(s for s in line if s.id == choose_next(line, TEN, DEFAULT)[0].id)

    assert chosen.ready or chosen.entered_at <= at(-PATIENCE) or not any(s.ready for s in line)


@given(lines, st.sampled_from([C.WALK_IN, C.LATE, C.BOOKED, C.RETURNED, C.TRANSFERRED]), st.booleans())
def test_nobody_waits_for_ever(line: list[InLine], step_class: StepClass, ready: bool) -> None:
    """Whoever was there since the morning goes before all but those who are let go first."""
    old = InLine(99, step_class, at(-600), at(-620), ready)
    let_first = [s for s in line if s.step_class in (C.PAPERS, C.ACCOMMODATION)]
    step, _ = choose_next([*(s for s in line if s not in let_first), old], TEN, DEFAULT)

    assert step.id == 99


@given(lines)
def test_a_booked_person_whose_patience_has_ended_is_passed_only_by_stronger_claims(line: list[InLine]) -> None:
    line = [replace(s, ready=True) for s in line]
    waiting = InLine(99, C.BOOKED, at(-FIRST), at(-FIRST))
    step, reason = choose_next([*line, waiting], TEN, DEFAULT)

    allowed = {"booked", "returned", "transferred", "papers", "accommodation", "waited_long"}
    assert reason.code in allowed
    assert step.id == 99 or reason.code in ("papers", "accommodation", "waited_long") or step.due_at <= waiting.due_at


@given(lines)
def test_somebody_with_a_claim_goes_before_everybody_who_came_early(line: list[InLine]) -> None:
    line = [replace(s, ready=True) for s in line]
    claims = [s for s in line if s.step_class is not StepClass.BOOKED or s.due_at <= TEN]
    _, reason = choose_next(line, TEN, DEFAULT)

    assert (reason.code == "booked_early") == (not claims)


@given(lines)
def test_a_window_never_stands_idle_until_everybody_is_served(line: list[InLine]) -> None:
    served = []
    while left := [s for s in line if s.id not in served]:
        served.append(choose_next(left, TEN, DEFAULT)[0].id)

    assert sorted(served) == sorted(s.id for s in line)


@given(lines, st.randoms())
def test_the_choice_looks_at_nothing_but_times_and_class(line: list[InLine], chance: object) -> None:
    shuffled = [replace(s, help_wanted="車いす" if s.id % 2 else "") for s in line]
    chance.shuffle(shuffled)  # type: ignore[attr-defined]  # hypothesis gives a random.Random

    assert choose_next(shuffled, TEN, DEFAULT)[0].id == choose_next(line, TEN, DEFAULT)[0].id


@given(lines)
def test_the_heads_of_each_class_are_enough_to_choose(line: list[InLine]) -> None:
    line = [replace(s, entered_at=max(s.entered_at, at(-PATIENCE + 1))) for s in line]  # nobody counts as ready
    kinds = {(s.step_class, s.ready) for s in line}
    heads = [min((s for s in line if (s.step_class, s.ready) == kind), key=order) for kind in kinds]

    assert choose_next(heads, TEN, DEFAULT)[0].id == choose_next(line, TEN, DEFAULT)[0].id


@dataclass
class Away:
    """A step whose people are away."""

    state: StepState
    step_class: StepClass = StepClass.WALK_IN
    parked_for: ParkedFor | None = None
    due_at: datetime = TEN
    first_called_at: datetime | None = TEN


def test_who_rested_before_the_first_call_has_gained_nothing_by_it() -> None:
    away = Away(StepState.PARKED, parked_for=ParkedFor.CHOOSING, first_called_at=None)

    assert back(away, [at(9)]) == (StepClass.WALK_IN, TEN)


@dataclass
class Stop:
    """A stop of a service."""

    position: int
    lane_id: int
    service_id: int = 1
    terminal_kind: str | None = None
    ready_first: bool = False


@dataclass
class Person:
    """Somebody of a party."""

    service_id: int
    stops_done: int = 0
    live: bool = True


CHECK, ISSUE, RENEW = 10, 20, 30
STOPS = {
    1: [Stop(1, CHECK), Stop(2, ISSUE, terminal_kind="J", ready_first=True)],
    2: [Stop(1, CHECK, 2), Stop(2, RENEW, 2)],
    3: [Stop(1, RENEW, 3)],
}


@pytest.mark.parametrize(
    ("people", "stand"),
    [
        pytest.param([Person(1)], Stand(CHECK, 1), id="the first stop"),
        pytest.param([Person(1, 1)], Stand(ISSUE, 1, "J", True), id="then the second, with what it needs"),
        pytest.param([Person(1, 2)], None, id="all is done"),
        pytest.param([Person(1), Person(2)], Stand(CHECK, 1), id="two services begin in the same lane"),
        pytest.param([Person(1, 1), Person(2, 1)], Stand(ISSUE, 1, "J", True), id="then one after the other"),
        pytest.param([Person(1, 2), Person(2, 1)], Stand(RENEW, 2), id="until everybody has done all"),
        pytest.param([Person(1, 0, live=False), Person(3)], Stand(RENEW, 3), id="who has ended goes nowhere"),
        pytest.param([Person(2, 1), Person(3)], Stand(RENEW, 3), id="different stops in one lane are one"),
        pytest.param([], None, id="nobody"),
    ],
)
def test_a_party_goes_to_the_earliest_stop_that_one_of_them_has_left(people: list[Person], stand: Stand | None) -> None:
    assert next_stand(people, STOPS) == stand


@pytest.mark.parametrize(
    ("person", "lane", "further"),
    [
        pytest.param(Person(1), CHECK, True, id="before the last stop"),
        pytest.param(Person(1, 1), ISSUE, False, id="at the last stop"),
        pytest.param(Person(3), CHECK, True, id="whose only stop is in another lane"),
        pytest.param(Person(3, 1), RENEW, False, id="who has been everywhere"),
        pytest.param(Person(1, live=False), CHECK, False, id="who has ended"),
    ],
)
def test_somebody_goes_on_while_there_is_a_stop_after_the_one_here(person: Person, lane: int, further: bool) -> None:
    assert has_further(person, STOPS, lane) is further


@pytest.mark.parametrize("asked", Outcome)
def test_who_is_served_has_the_card_if_there_is_one_and_only_a_card_is_sent_or_stopped(asked: Outcome) -> None:
    served, ends = asked in (Outcome.HANDED_OVER, Outcome.DONE), asked in (Outcome.PAPERS_MISSING, Outcome.LEFT)
    assert outcome_of(asked, has_card=True) is (Outcome.HANDED_OVER if served else asked)
    assert outcome_of(asked, has_card=False) is (asked if ends else Outcome.DONE)


MOMENT = timedelta(microseconds=1)


@pytest.mark.parametrize(
    ("state", "why", "first", "stands"),
    [
        pytest.param(StepState.PARKED, ParkedFor.PAPERS, [at(9)], (StepClass.PAPERS, at(0)), id="with the papers"),
        pytest.param(StepState.PARKED, ParkedFor.CHOOSING, [at(9)], (StepClass.RETURNED, at(0)), id="has chosen"),
        pytest.param(StepState.PARKED, ParkedFor.OTHER, [at(9)], (StepClass.RETURNED, at(0)), id="rested"),
        pytest.param(StepState.MISSED, None, [at(1), at(2)], (StepClass.RETURNED, at(2) + MOMENT), id="behind two"),
        pytest.param(StepState.MISSED, None, [at(-1)], (StepClass.RETURNED, at(0)), id="never before the own time"),
        pytest.param(StepState.MISSED, None, [], (StepClass.RETURNED, at(0)), id="nobody waits"),
    ],
)
def test_who_was_away_stands_again_as_the_reason_says(
    state: StepState, why: ParkedFor | None, first: list[datetime], stands: tuple[StepClass, datetime]
) -> None:
    assert back(Away(state, parked_for=why), first) == stands


@pytest.mark.parametrize(
    ("actor", "seconds", "may"),
    [("staff:2", 0, True), ("staff:2", 60, True), ("staff:2", 61, False), ("staff:3", 5, False)],
)
def test_the_same_clerk_undoes_within_a_minute(actor: str, seconds: int, may: bool) -> None:
    assert can_undo(actor, at(0) + timedelta(seconds=seconds), "staff:2", at(0)) is may
