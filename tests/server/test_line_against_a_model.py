"""The line against a model of a few lines: whatever clerks, kiosks and the clock do, both agree after each step."""

from collections import Counter
from collections.abc import Callable, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any, ClassVar
from uuid import UUID

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test
from sqlalchemy import func, select

from madoguchi import codes
from server.clock import business_date
from server.db import db, read_session
from server.errors import Refusal
from server.offices.models import Lane, Policy, Terminal, Window
from server.offices.queries import policy_on
from server.queueing.models import Call, Ticket, Visit, VisitPerson, VisitStep
from server.queueing.queries import sequence_of
from server.queueing.rules import (
    AT_WINDOW,
    OF_CARDS,
    OPEN_STATES,
    SERVED,
    UNDO_FOR,
    NobodyWaiting,
    Outcome,
    ParkedFor,
    StepState,
    choose_next,
)
from server.queueing.service import add_procedure, close_past_days, set_terminal
from server.reception.service import let_in
from tests.fakes import asked_by
from tests.server.city import MONDAY, City, moment
from tests.server.renewed import Standing

# Papers are checked in one lane and cards issued in another, at one of two terminals for three windows.
STOPS = {"pickup": ("pickup", "issue"), "certificate": ("renewal",), "pin": ("renewal",)}
CARDS = ("pickup",)  # services in which a card is handed over
FIRST_NUMBER = {"pickup": 1, "renewal": 301}
LANES = {1: ("pickup", "renewal", "issue"), 2: ("issue",), 3: ("issue", "renewal")}
CLERK, COLLEAGUE = "madoguchi2", "madoguchi3"
BOOKED = {"09:15": 1, "09:45": 2, "10:30": 1}
"""Time → people of the booking."""


@dataclass(eq=False)
class Person:
    """One of a party, or a further procedure of one."""

    service: str
    done: int = 0
    live: bool = True

    @property
    def ahead(self) -> Sequence[str]:
        """The lanes in which the person still has to stand."""
        return STOPS[self.service][self.done :] if self.live else ()

    def after(self, lane: str) -> Sequence[str]:
        """Where the person still has to stand when all is done in a lane."""
        return self.ahead[1:] if self.ahead[:1] == (lane,) else self.ahead


@dataclass(eq=False)
class Party:
    """Some who came with one number: they wait, are at a window (its number), missed, parked or ended."""

    number: int
    ticket: UUID
    day: date
    lane: str
    people: list[Person]
    where: int | str = "waiting"
    stop: int = 1
    calls: int = 0

    @property
    def next_lane(self) -> str:
        """Where they go next: the earliest stop that somebody has before them."""
        return min((person for person in self.people if person.ahead), key=lambda person: person.done).ahead[0]


@dataclass(eq=False)
class Act:
    """The newest act at a window, and what undoing it takes back."""

    name: str
    at: datetime
    party: Party
    left_as: str
    stop: int
    calls: int
    lane: str
    terminal: str | None
    done: list[int]
    ended: list[int] = field(default_factory=list)


ANY_WINDOW, WHOEVER = st.integers(0, 6), st.integers(0, 9)


class TheLine(RuleBasedStateMachine):
    """Three windows, two terminals, a kiosk, and a clock that only goes forward."""

    standing: Standing

    @initialize()
    def begin(self) -> None:
        """Monday at nine; somebody has booked."""
        office = self.standing.renewed()
        self.context = office.app.app_context()
        self.context.push()
        self.city = City(office)
        self.city.check_papers_first(windows=list(LANES.values()))
        policy = {"valid_from": MONDAY, "key": "walk_ins_end_by_themselves", "value": False, "by": "test"}
        self.city.set_row(Policy(office_id=self.city.here, **policy))
        self.codes = []
        for time, size in BOOKED.items():
            first, *others = self.city.people(size)
            self.codes.append(self.city.code(self.city.booked(time, person=first, family=others)[1]))
        self.terminals = {t.name: t.id for t in read_session().scalars(select(Terminal).order_by(Terminal.id))}
        self.parties: list[Party] = []
        self.by_code: dict[str, Party] = {}
        self.given: Counter[tuple[date, str]] = Counter()
        self.city.open(*LANES)
        self.open = dict.fromkeys(LANES, CLERK)
        self.down: set[str] = set()
        self.acts: dict[int, Act] = {}
        self.calls = 0
        self.policy = policy_on(read_session(), self.city.here, MONDAY)
        for size in (1, 2, 1, 1):
            self.come("pickup", size, True)

    def teardown(self) -> None:
        """The database is let go."""
        if hasattr(self, "context"):
            db.session.remove()
            if db.engine.dialect.name == "sqlite":
                db.engine.dispose()
            self.context.pop()

    # People come

    def come(self, service: str, size: int, at_desk: bool) -> None:
        """Without a booking, at the kiosk or to staff."""
        if at_desk:
            number = let_in(asked_by("staff:2"), self.city.here, service, size, self.city.now).number
        else:
            number = self.city.come_without_booking(service, size).ticket.number
        self._came(number, [Person(service) for _ in range(size)])

    def scan_booking(self, who: int) -> None:
        """With a booking, early, late, again, or on another day."""
        code = self.codes[who]
        if self.today == MONDAY:
            number = self.city.scan(code).ticket.number
            if code in self.by_code:
                party = self.by_code[code]
                assert number == party.number
                party.where = "waiting" if party.where in ("missed", "parked") else party.where
            else:
                size = list(BOOKED.values())[who]
                self.by_code[code] = self._came(number, [Person("pickup") for _ in range(size)])
        else:
            came = self.by_code.get(code)
            over = came is not None and not any(p.live for p in came.people) and came.where != "left"
            assert self._do(lambda: self.city.scan(code)) == ("not_booked" if over else "wrong_day")

    def _came(self, number: int, people: list[Person]) -> Party:
        lane = people[0].ahead[0]
        assert number == FIRST_NUMBER[lane] + self.given[self.today, lane]
        self.given[self.today, lane] += 1
        ticket = select(Ticket.uid).where(Ticket.number == number, Ticket.business_date == self.today)
        party = Party(number, read_session().scalars(ticket).one(), self.today, lane, people)
        self.parties.append(party)
        return party

    # Clerks at their windows

    def open_window(self, window: int, by: str) -> None:
        """A clerk takes a window."""
        number = self._window(window, LANES.keys() - self.open.keys())
        expected = "ok" if self.open.get(number, by) == by else "window_occupied"
        assert self._do(lambda: self.city.open(number, by=by)) == expected
        if expected == "ok":
            self.open[number] = by

    def close_window(self, window: int) -> None:
        """A window calls nobody any more."""
        number = self._window(window, LANES.keys() - self._busy())
        expected = "window_occupied" if self._at(number) else "ok"
        assert self._do(lambda: self.city.close(number)) == expected
        if expected == "ok":
            self.open.pop(number, None)

    def call_next(self, window: int) -> None:
        """次を呼ぶ: whom the rule chooses of all who wait for what this window can do."""
        number = self._window(window, self.open.keys() - self._busy())
        expected, chosen = self._not_ready(number), None
        if expected == "ok":
            try:
                chosen, _ = choose_next(self._line(number), self.city.now, self.policy)
            except NobodyWaiting:
                expected = "nobody_waiting"
        numbers = [self._party(chosen).number] if chosen is not None else []
        assert self._do(lambda: numbers.remove(self.city.call_next(number).number)) == expected
        if chosen is not None:
            self._called(self._party(chosen), number)

    def call_by_hand(self, window: int, who: int) -> None:
        """Call one ticket by itself."""
        number = self._window(window, self.open.keys() - self._busy())
        if self.parties:
            party = self._some(who)
            expected = self._not_ready(number)
            if expected == "ok" and party.where in ("ended", "left"):
                expected = self._over(party)
            if expected == "ok" and party.lane not in LANES[number]:
                expected = "wrong_window"
            if expected == "ok" and party.where not in ("waiting", "missed"):
                expected = "step_state"
            if expected == "ok" and party.lane == "issue" and not self._free_terminals():
                expected = "no_terminal_free"
            assert self._do(lambda: self.city.call(number, party.ticket)) == expected
            if expected == "ok":
                self._called(party, number)

    def recall(self, window: int) -> None:
        """再呼出."""
        number = self._window(window, self._busy())
        party = self._at(number)
        assert self._do(lambda: self.city.recall(number)) == ("ok" if party else "nobody_at_window")
        if party:
            party.calls += 1
            self.calls += 1

    def miss(self, window: int) -> None:
        """不在."""
        number = self._window(window, self._busy())
        party = self._at(number)
        act = party and self._act("missed", number, party, "missed")
        assert self._do(lambda: self.city.missed(number)) == ("ok" if party else "nobody_at_window")
        if party and act:
            self.acts[number], party.where = act, "missed"
            self.calls += 1

    def park(self, window: int, why: ParkedFor) -> None:
        """保留."""
        number = self._window(window, self._busy())
        party = self._at(number)
        act = party and self._act("park", number, party, "parked")
        assert self._do(lambda: self.city.park(number, why)) == ("ok" if party else "nobody_at_window")
        if party and act:
            self.acts[number], party.where = act, "parked"

    def pass_on(self, window: int) -> None:
        """次へ."""
        number = self._window(window, self._busy())
        party = self._at(number)
        act = party and self._act("pass_on", number, party, "waiting")
        expected = "nobody_at_window"
        if party:
            expected = "ok" if any(person.after(party.lane) for person in party.people) else "last_stop"
        assert self._do(lambda: self.city.pass_on(number)) == expected
        if party and act and expected == "ok":
            for person in party.people:
                person.done += person.ahead[:1] == (party.lane,)
            self.acts[number], party.where = act, "waiting"
            party.lane, party.stop, party.calls = party.next_lane, party.stop + 1, 0

    def finish(self, window: int, ending: Outcome, position: int | None) -> None:
        """終了: all of the party, or one of it."""
        number = self._window(window, self._busy())
        party = self._at(number)
        ends = [p for n, p in enumerate(party.people if party else [], start=1) if p.live and position in (None, n)]
        expected = "ok" if ends else "step_state" if party else "nobody_at_window"
        act = party and self._act("finish", number, party, "ended")
        served = [p for p in ends if ending in SERVED or (ending in OF_CARDS and p.service not in CARDS)]
        if ends and ending in OF_CARDS and served == ends:
            expected = "no_card"
        elif party and any(person.after(party.lane) for person in served):
            expected = "more_stops"
        assert self._do(lambda: self.city.finish(number, ending, position=position)) == expected
        if party and act and expected == "ok":
            for person in ends:
                person.live = False
            act.ended = [n for n, p in enumerate(party.people) if p in ends]
            self.acts[number] = act
            if not any(person.live for person in party.people):
                party.where = "ended"

    def add_procedure(self, window: int, service: str, position: int) -> None:
        """手続の追加, for somebody who is still there."""
        number = self._window(window, self._busy())
        party = self._at(number)
        if party and len(party.people) > 4:
            return
        there = party is not None and position <= len(party.people) and party.people[position - 1].live
        expected = "ok" if there else "step_state" if party else "nobody_at_window"
        window = self.city.window(number).id
        asked = asked_by("staff:2")
        assert self._do(lambda: add_procedure(asked, window, position, service, self.city.now)) == expected
        if party and there:
            party.people.append(Person(service))

    def undo(self, window: int, by: str) -> None:
        """元に戻す."""
        number = self._window(window, self.acts.keys())
        act, expected = self.acts.get(number), self._may_undo(number, by)
        assert self._do(lambda: self.city.undo(number, by=by)) == expected
        if act and expected == "ok":
            party = act.party
            party.where, party.lane, party.stop, party.calls = number, act.lane, act.stop, act.calls
            for n, done in enumerate(act.done):
                party.people[n].done = done
            for n in act.ended:
                party.people[n].live = True
            del self.acts[number]

    def _may_undo(self, number: int, by: str) -> str:
        act = self.acts.get(number)
        if act is None or by != CLERK or self.city.now > act.at + UNDO_FOR:
            return "nothing_to_undo"
        party = act.party
        if act.name == "finish" and party.where == number and party.calls == act.calls and party.stop == act.stop:
            return "ok"  # others of the party are still at the window
        calls, stop = (0, act.stop + 1) if act.name == "pass_on" else (act.calls, act.stop)
        if (party.where, party.calls, party.stop) != (act.left_as, calls, stop):
            return "changed_since"
        if (busy := self._not_ready(number)) != "ok":
            return busy
        return "no_terminal_free" if act.terminal is not None and act.terminal in self._terminals_in_use() else "ok"

    # Who is away, who is ready

    def come_back(self, who: int, at_kiosk: bool) -> None:
        """Staff see somebody who was away, or the ticket is held to the scanner."""
        if self.parties:
            party = self._some(who)
            away = party.where in ("missed", "parked")
            if at_kiosk:
                known = party.day == self.today and party.where not in ("ended", "left")
                code = codes.of_ticket(party.ticket).text
                assert self._do(lambda: self.city.scan(code)) == ("ok" if known else "code_unknown")
            else:
                assert self._do(lambda: self.city.back(party.ticket)) == ("ok" if away else self._over(party))
            if away:
                party.where = "waiting"

    def make_ready(self, who: int) -> None:
        """暗証番号決定済."""
        if self.parties:
            party = self._some(who)
            expected = self._over(party) if party.where in ("ended", "left") else "ok"
            assert self._do(lambda: self.city.ready(party.ticket)) == expected

    # What happens to terminals, and time

    def set_terminal(self, name: str, is_down: bool) -> None:
        """故障・復旧."""
        set_terminal(asked_by("staff:2"), self.city.here, self.terminals[name], self.city.now, is_down=is_down)
        self.down = self.down | {name} if is_down else self.down - {name}

    def wait(self, seconds: int) -> None:
        """Time passes, for half a day."""
        if self.city.now + timedelta(seconds=seconds) < moment("13:00", self.today):
            self.city.clock.forward(seconds=seconds)

    def sleep_over_it(self, really: int) -> None:
        """A day ends: who is still there has left, windows are closed, numbers begin again."""
        if really == 3 and self.today < MONDAY + timedelta(days=4):
            there = [party for party in self.parties if party.where not in ("ended", "left")]
            self.city.at(moment("09:00", self.today + timedelta(days=1)))
            assert close_past_days(self.city.now) == len(there)
            for party in there:
                party.where = "left"
                for person in party.people:
                    person.live = False
            self.open.clear()

    # How often each is done beside the others, and what has to be known for it.
    deeds: ClassVar[dict[Callable[..., None], tuple[Any, ...]]] = {
        come: (4, st.sampled_from(["pickup", "pickup", "certificate", "pin"]), st.integers(1, 3), st.booleans()),
        scan_booking: (1, st.integers(0, len(BOOKED) - 1)),
        open_window: (1, ANY_WINDOW, st.sampled_from([CLERK, CLERK, COLLEAGUE])),
        close_window: (1, ANY_WINDOW),
        call_next: (6, ANY_WINDOW),
        call_by_hand: (2, ANY_WINDOW, WHOEVER),
        recall: (1, ANY_WINDOW),
        miss: (2, ANY_WINDOW),
        park: (2, ANY_WINDOW, st.sampled_from(ParkedFor)),
        pass_on: (4, ANY_WINDOW),
        finish: (4, ANY_WINDOW, st.sampled_from(Outcome), st.sampled_from([None, None, 1, 2])),
        add_procedure: (1, ANY_WINDOW, st.sampled_from(["pin", "certificate"]), st.integers(1, 2)),
        undo: (4, ANY_WINDOW, st.sampled_from([CLERK, CLERK, CLERK, COLLEAGUE])),
        come_back: (2, WHOEVER, st.booleans()),
        make_ready: (1, WHOEVER),
        set_terminal: (1, st.sampled_from(["T1", "T2"]), st.booleans()),
        wait: (2, st.sampled_from([1, 20, 61, 400, 2000])),
        sleep_over_it: (1, st.integers(0, 3)),
    }

    @rule(deed=st.sampled_from([deed for deed, (often, *_) in deeds.items() for _ in range(often)]), data=st.data())
    def somebody_does(self, deed: Callable[..., None], data: st.DataObject) -> None:
        """One rule for all deeds: of many, each run leaves out half, and a line lives of all of them together."""
        _, *wanted = self.deeds[deed]
        deed(self, *(data.draw(each) for each in wanted))

    @invariant()
    def everybody_is_in_one_place_and_nobody_is_lost(self) -> None:
        """Everybody who came waits, is at one window, missed, parked, or has ended: as the model says."""
        read_session().rollback()
        steps = (
            select(Ticket.uid, VisitStep.state, Window.number, Lane.code, VisitStep.position)
            .join(Ticket, Ticket.visit_id == VisitStep.visit_id)
            .join(Lane, Lane.id == VisitStep.lane_id)
            .outerjoin(Window, Window.id == VisitStep.window_id)
            .where(VisitStep.state.in_(OPEN_STATES))
        )
        there = [p for p in self.parties if p.where not in ("ended", "left")]
        assert Counter(map(tuple, read_session().execute(steps))) == Counter(
            (p.ticket, state_of(p), p.where if isinstance(p.where, int) else None, p.lane, p.stop) for p in there
        )
        people = select(Ticket.uid, VisitPerson.position, VisitPerson.live, Visit.live, VisitPerson.stops_done).join(
            Visit, Visit.id == VisitPerson.visit_id
        )
        assert Counter(map(tuple, read_session().execute(people.join(Ticket)))) == Counter(
            (party.ticket, n, person.live, party in there, person.done)
            for party in self.parties
            for n, person in enumerate(party.people, start=1)
        )

    @invariant()
    def windows_and_terminals_serve_one_each(self) -> None:
        """No window and no terminal has two, and who needs a terminal has one."""
        at_windows = [p for p in self.parties if isinstance(p.where, int)]
        assert len({p.where for p in at_windows}) == len(at_windows)
        in_use = self._terminals_in_use()
        assert len(set(in_use)) == len(in_use) == len([p for p in at_windows if p.lane == "issue"])

    @invariant()
    def numbers_and_calls_follow_each_other(self) -> None:
        """Each number stands once a day; the sequence of calls has no gap."""
        given = Counter(map(tuple, read_session().execute(select(Ticket.business_date, Ticket.number))))
        assert given == Counter((party.day, party.number) for party in self.parties)
        assert set(given.values()) <= {1}
        assert sequence_of(read_session(), self.city.here) == self.calls
        assert read_session().scalar(select(func.count()).select_from(Call)) == self.calls

    # Words

    @property
    def today(self) -> date:
        """The day on the office's clock."""
        return business_date(self.city.now)

    def _do(self, deed: Callable[[], object]) -> str:
        try:
            deed()
        except Refusal as refusal:
            return refusal.code
        return "ok"

    def _over(self, party: Party) -> str:
        """How is refused what is wanted of a ticket that does not fit, or is of an earlier day."""
        return "step_state" if party.day == self.today else "other_day"

    def _some(self, who: int) -> Party:
        """Mostly one of those who came last."""
        return self.parties[-1 - who % len(self.parties)]

    def _window(self, drawn: int, fitting: AbstractSet[int]) -> int:
        """Mostly a window where something can be done, sometimes any."""
        choice = sorted(fitting if fitting and drawn else LANES)
        return choice[drawn % len(choice)]

    def _busy(self) -> set[int]:
        return {party.where for party in self.parties if isinstance(party.where, int)}

    def _at(self, number: int) -> Party | None:
        return next((party for party in self.parties if party.where == number), None)

    def _party(self, step: object) -> Party:
        assert isinstance(step, VisitStep)
        return next(p for p in self.parties if p.ticket == step.visit.tickets[0].uid)

    def _not_ready(self, number: int) -> str:
        if number not in self.open:
            return "window_closed"
        return "window_occupied" if self._at(number) else "ok"

    def _called(self, party: Party, number: int) -> None:
        party.where, party.calls = number, party.calls + 1
        self.calls += 1

    def _act(self, name: str, number: int, party: Party, left_as: str) -> Act:
        read_session().rollback()
        at = select(Terminal.name).join(VisitStep, VisitStep.terminal_id == Terminal.id)
        window = self.city.window(number).id
        terminal = read_session().scalar(at.where(VisitStep.window_id == window, VisitStep.state.in_(AT_WINDOW)))
        done = [person.done for person in party.people]
        return Act(name, self.city.now, party, left_as, party.stop, party.calls, party.lane, terminal, done)

    def _line(self, number: int) -> list[VisitStep]:
        """All who wait for what a window can do now."""
        read_session().rollback()
        line = select(VisitStep).join(Lane, Lane.id == VisitStep.lane_id).join(Visit, Visit.id == VisitStep.visit_id)
        lanes = set(LANES[number]) - (set() if self._free_terminals() else {"issue"})
        wanted = line.where(
            VisitStep.state == StepState.WAITING, Visit.business_date == self.today, Lane.code.in_(lanes)
        )
        return list(read_session().scalars(wanted))

    def _terminals_in_use(self) -> Sequence[str]:
        read_session().rollback()
        at = select(Terminal.name).join(VisitStep, VisitStep.terminal_id == Terminal.id)
        return read_session().scalars(at.where(VisitStep.state.in_(AT_WINDOW))).all()

    def _free_terminals(self) -> set[str]:
        return self.terminals.keys() - self.down - set(self._terminals_in_use())


def state_of(party: Party) -> StepState:
    """The state of the step of a party that has not ended."""
    return StepState.CALLED if isinstance(party.where, int) else StepState(party.where)


@pytest.mark.parametrize("kind", ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)])
def test_whatever_people_do_the_line_is_that_of_the_model(kind: str, request: pytest.FixtureRequest) -> None:
    standing = request.getfixturevalue(f"standing_on_{kind}")
    machine = type(f"TheLineOn{kind.capitalize()}", (TheLine,), {"standing": standing})
    # Nothing is made smaller: each try plays its days again, and hundreds of them take minutes.
    quick = settings(
        phases=[Phase.reuse, Phase.generate],
        max_examples=12,
        stateful_step_count=50,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )

    run_state_machine_as_test(machine, settings=quick)
