"""The rules of booking: states, limits of time, what may be booked."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, tzinfo
from itertools import product

import pytest

from server.booking.rules import (
    LIVE_STATES,
    BookingAction,
    BookingState,
    CardsElsewhere,
    NotPossible,
    PartyTooBig,
    SlotNotBookable,
    after,
    check_bookable,
    check_invited,
    check_party,
    given_back,
    has_lapsed,
    invited_days,
    needs_of,
    side_by_side,
    way_out,
    web_closes_at,
)
from server.clock import OFFICE_ZONE
from server.offices.policy import OfficePolicy
from tests.fakes import MONDAY_NINE

# Read across: what becomes of a booking in this state. A dot: the action is refused.
STATES = """
                confirm    check_in    finish  cancel     lapse   miss     reopen
    held        confirmed  .           .       cancelled  lapsed  .        .
    to_confirm  confirmed  .           .       cancelled  .       .        .
    confirmed   .          checked_in  .       cancelled  .       no_show  .
    checked_in  .          .           done    .          .       .        .
    done        .          .           .       .          .       .        checked_in
    cancelled   .          .           .       .          .       .        .
    no_show     .          .           .       .          .       .        .
    lapsed      .          .           .       .          .       .        .
"""
_ACTIONS, *_ROWS = (line.split() for line in STATES.strip().splitlines())
CASES = [(row[0], action, became) for row in _ROWS for action, became in zip(_ACTIONS, row[1:], strict=True)]

MOMENT = timedelta(microseconds=1)
TEN = MONDAY_NINE.replace(hour=10)
MONDAY = TEN.date()


@pytest.mark.parametrize(("state", "action", "became"), CASES)
def test_a_booking_moves_as_the_table_says_or_is_refused(state: str, action: str, became: str) -> None:
    if became == ".":
        with pytest.raises(NotPossible) as refused:
            after(BookingState(state), BookingAction(action))
        assert refused.value.facts == {"state": state, "action": action}
    else:
        assert after(BookingState(state), BookingAction(action)) is BookingState(became)


def test_the_table_holds_every_state_and_every_action() -> None:
    every = product([s.value for s in BookingState], [a.value for a in BookingAction])
    assert {(s, a) for s, a, _ in CASES} == set(every)


def test_a_notice_is_free_again_exactly_in_the_states_that_have_no_way_on() -> None:
    """A booking that is done goes on only where its ending is undone, which looks whether the notice is still free."""
    ends = {row[0] for row in _ROWS if set(row[1:-1]) == {"."}}
    assert {state.value for state in BookingState} - {state.value for state in LIVE_STATES} == ends


@dataclass
class Place:
    """A slot of a quarter of an hour at ten."""

    closed: bool = False
    business_date: date = MONDAY
    starts_at: datetime = TEN
    ends_at: datetime = TEN + timedelta(minutes=15)


@dataclass
class Claim:
    """A booking for ten."""

    state: BookingState = BookingState.HELD
    starts_at: datetime = TEN
    hold_until: datetime | None = MONDAY_NINE + timedelta(minutes=10)


@pytest.mark.parametrize(
    ("past_the_end", "lapsed"),
    [
        pytest.param(-MOMENT, False, id="just before"),
        pytest.param(timedelta(), True, id="at the minute"),
        pytest.param(MOMENT, True, id="just after"),
    ],
)
def test_a_hold_ends_exactly_at_its_minute(past_the_end: timedelta, lapsed: bool) -> None:
    assert has_lapsed(Claim(), MONDAY_NINE + timedelta(minutes=10) + past_the_end) is lapsed


@pytest.mark.parametrize("state", [s for s in BookingState if s is not BookingState.HELD])
def test_only_a_hold_lapses(state: BookingState) -> None:
    assert not has_lapsed(Claim(state), TEN + timedelta(days=1))


MIDNIGHT = MONDAY_NINE.replace(hour=0) + timedelta(days=1)


@pytest.mark.parametrize(
    ("state", "on_the_day", "when_it_is_over"),
    [
        (BookingState.HELD, BookingAction.LAPSE, BookingAction.LAPSE),
        (BookingState.CONFIRMED, None, BookingAction.MISS),
        (BookingState.CHECKED_IN, None, BookingAction.FINISH),
        (BookingState.TO_CONFIRM, None, None),
    ],
)
def test_what_makes_way_for_a_new_booking(
    state: BookingState, on_the_day: BookingAction | None, when_it_is_over: BookingAction | None
) -> None:
    assert way_out(Claim(state), MIDNIGHT - MOMENT) is on_the_day
    assert way_out(Claim(state), MIDNIGHT.astimezone(UTC)) is when_it_is_over


FRIDAY_THREE = MONDAY_NINE.replace(day=27, hour=15)


@pytest.mark.parametrize(
    ("policy", "list_made_at", "until"),
    [
        pytest.param(OfficePolicy(), FRIDAY_THREE, FRIDAY_THREE, id="when the list is made"),
        pytest.param(OfficePolicy(), None, TEN, id="no open day before: until it begins"),
        pytest.param(OfficePolicy(), TEN + MOMENT, TEN, id="never after it has begun"),
        pytest.param(OfficePolicy(closes_with_list=False), FRIDAY_THREE, TEN, id="no list: until it begins"),
    ],
)
def test_the_web_may_book_until(policy: OfficePolicy, list_made_at: datetime | None, until: datetime) -> None:
    assert web_closes_at(Place(), policy, list_made_at) == until


OPENS = date(2026, 10, 16)
NO, YES = None, "bookable"


@pytest.mark.parametrize(
    ("now", "web", "phone"),
    [
        pytest.param("2026-10-15 23:59:59", "notyet", "notyet", id="a second before the period opens"),
        pytest.param("2026-10-16 00:00:00", YES, YES, id="at the midnight that opens it"),
        pytest.param("2026-11-27 14:59:59", YES, YES, id="a second before the list is made"),
        pytest.param("2026-11-27 15:00:00", "over", YES, id="when the list is made"),
        pytest.param("2026-11-30 09:59:59", "over", YES, id="a second before it begins"),
        pytest.param("2026-11-30 10:00:00", "past", YES, id="when it begins"),
        pytest.param("2026-11-30 10:14:59", "past", YES, id="a second before it ends"),
        pytest.param("2026-11-30 10:15:00", "past", "past", id="when it ends"),
    ],
)
@pytest.mark.parametrize("zone", [OFFICE_ZONE, UTC], ids=["on the office's clock", "the same moment in UTC"])
def test_a_place_can_be_booked_from_until(now: str, web: str, phone: str, zone: tzinfo) -> None:
    moment = datetime.fromisoformat(f"{now}+09:00").astimezone(zone)
    for is_web, said in ((True, web), (False, phone)):
        try:
            check_bookable(Place(), is_web, FRIDAY_THREE, OPENS, moment)
            answer = YES
        except SlotNotBookable as refusal:
            answer = refusal.facts["reason"]
        assert answer == said


def test_a_closed_place_is_never_booked_whatever_the_channel() -> None:
    for is_web in (True, False):
        with pytest.raises(SlotNotBookable) as refused:
            check_bookable(Place(closed=True), is_web, TEN, OPENS, MONDAY_NINE)
        assert refused.value.facts == {"reason": "closed"}


WINDOW, TERMINAL = 1, 2


@pytest.mark.parametrize(
    ("people", "party_in", "needs"),
    [
        pytest.param([{1: 1}], "consecutive", ({1: 1},), id="one person"),
        pytest.param([{1: 1}], "one_slot", ({1: 1},), id="one person, either way"),
        pytest.param([{1: 1}] * 3, "consecutive", ({1: 1}, {1: 1}, {1: 1}), id="one after the other"),
        pytest.param([{1: 1}] * 3, "one_slot", ({1: 3},), id="all at once"),
        pytest.param([{1: 1, 2: 2}] * 2, "one_slot", ({1: 2, 2: 4},), id="of both pools"),
        pytest.param([{1: 1, 2: 2}] * 2, "consecutive", ({1: 1, 2: 2},) * 2, id="of both pools, one by one"),
        pytest.param([{1: 1}, {2: 1}], "one_slot", ({1: 1, 2: 1},), id="different services"),
    ],
)
def test_what_a_party_takes(people: list[dict[int, int]], party_in: str, needs: tuple[dict[int, int], ...]) -> None:
    assert needs_of(people, party_in) == needs


@dataclass(frozen=True)
class Quarter:
    """A quarter of an hour of a pool, so many quarters after ten."""

    n: int
    pool_id: int = WINDOW

    @property
    def id(self) -> int:
        """Its number."""
        return 100 * self.pool_id + self.n

    @property
    def starts_at(self) -> datetime:
        """From when."""
        return TEN + self.n * timedelta(minutes=15)

    @property
    def ends_at(self) -> datetime:
        """Until when."""
        return self.starts_at + timedelta(minutes=15)


BOTH = {WINDOW: 1, TERMINAL: 2}


@pytest.mark.parametrize(
    ("quarters", "needs", "found"),
    [
        pytest.param([Quarter(0)], [{WINDOW: 2}], {100: 2}, id="one slot"),
        pytest.param([Quarter(n) for n in (2, 1, 0)], [{WINDOW: 1}] * 3, {100: 1, 101: 1, 102: 1}, id="three in a row"),
        pytest.param([Quarter(0), Quarter(2)], [{WINDOW: 1}] * 2, None, id="a pause between them"),
        pytest.param([Quarter(1), Quarter(2)], [{WINDOW: 1}] * 2, None, id="none at the start"),
        pytest.param([Quarter(0), Quarter(0, TERMINAL)], [BOTH], {100: 1, 200: 2}, id="two pools"),
        pytest.param([Quarter(0), Quarter(1, TERMINAL)], [BOTH], None, id="two pools at different times"),
        pytest.param([Quarter(0), Quarter(1, TERMINAL)], [{1: 1}, {2: 1}], {100: 1, 201: 1}, id="one pool, then other"),
        pytest.param([Quarter(0)], [{}], None, id="a service that takes nothing"),
    ],
)
def test_places_side_by_side(
    quarters: list[Quarter], needs: list[dict[int, int]], found: dict[int, int] | None
) -> None:
    assert side_by_side(quarters, needs, TEN) == found


@dataclass
class Taken:
    """Units a booking takes of a slot."""

    slot: Quarter
    units: int = 1


@pytest.mark.parametrize(
    ("uses", "person", "back"),
    [
        pytest.param([Taken(Quarter(n)) for n in (1, 0, 2)], {WINDOW: 1}, {102: 1}, id="the last of the row"),
        pytest.param([Taken(Quarter(0), 3)], {WINDOW: 1}, {100: 1}, id="one place of the slot"),
        pytest.param([Taken(Quarter(n)) for n in range(4)], {WINDOW: 2}, {103: 1, 102: 1}, id="two places each"),
        pytest.param(
            [Taken(Quarter(0)), Taken(Quarter(1)), Taken(Quarter(1, TERMINAL), 2)], BOTH, {101: 1, 201: 2}, id="both"
        ),
        pytest.param([Taken(Quarter(0))], {TERMINAL: 1}, {}, id="nothing of that pool"),
    ],
)
def test_who_stays_away_gives_back_the_last_places(
    uses: list[Taken], person: dict[int, int], back: dict[int, int]
) -> None:
    assert {use.slot.id: units for use, units in given_back(uses, person)} == back


@dataclass
class Invited:
    """A notice, as booking sees it."""

    office_id: int = 1
    assigned_from: date | None = None
    assigned_to: date | None = None
    assigned_at: datetime | None = None


def test_a_party_is_of_different_people_of_one_office_and_not_too_many() -> None:
    check_party([Invited()] * 6, 6, 6)
    for notices, people in (([Invited()] * 7, 7), ([Invited()], 2)):
        with pytest.raises(PartyTooBig):
            check_party(notices, people, 6)
    with pytest.raises(CardsElsewhere):
        check_party([Invited(), Invited(2)], 2, 6)


DAY = timedelta(days=1)


@pytest.mark.parametrize(
    ("notices", "days"),
    [
        pytest.param([Invited()], (date.min, date.max), id="nothing said"),
        pytest.param([Invited(assigned_from=MONDAY)], (MONDAY, date.max), id="from a day on"),
        pytest.param([Invited(assigned_to=MONDAY)], (date.min, MONDAY), id="until a day"),
        pytest.param([Invited(assigned_at=TEN)], (MONDAY, MONDAY), id="a time"),
        pytest.param(
            [Invited(assigned_from=MONDAY), Invited(assigned_from=MONDAY + DAY, assigned_to=MONDAY + 2 * DAY)],
            (MONDAY + DAY, MONDAY + 2 * DAY),
            id="a family: when all are asked to come",
        ),
    ],
)
def test_the_days_on_which_people_are_asked_to_come(notices: list[Invited], days: tuple[date, date]) -> None:
    assert invited_days(notices) == days


@pytest.mark.parametrize(
    ("notice", "reason"),
    [
        pytest.param(Invited(), None, id="nothing said"),
        pytest.param(Invited(assigned_from=MONDAY, assigned_to=MONDAY), None, id="on its only day"),
        pytest.param(Invited(assigned_from=MONDAY + DAY), "period", id="before"),
        pytest.param(Invited(assigned_to=MONDAY - DAY), "period", id="after"),
        pytest.param(Invited(assigned_at=TEN.astimezone(UTC)), None, id="at its time"),
        pytest.param(Invited(assigned_at=TEN + timedelta(minutes=15)), "assigned", id="at another time"),
        pytest.param(Invited(assigned_at=TEN + DAY), "period", id="on another day"),
    ],
)
def test_a_time_outside_what_was_given_is_refused(notice: Invited, reason: str | None) -> None:
    if reason is None:
        check_invited([Invited(), notice], Place())
        return
    with pytest.raises(SlotNotBookable) as refused:
        check_invited([Invited(), notice], Place())
    assert refused.value.facts == {"reason": reason}
