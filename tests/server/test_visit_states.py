"""Every state of a visit × every action at an entry point, as docs/visit-states.md says: it moves, or is refused with
its code, and nothing else is raised."""

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select

from madoguchi.codes import of_ticket
from server.db import db, read_session
from server.errors import Refusal
from server.outlook.queries import forget
from server.queueing.models import Ticket, Visit, VisitStep
from server.queueing.rules import Outcome, ParkedFor, StepState
from server.queueing.service import close_past_days
from tests.architecture.project import text_of
from tests.server.city import City, steps
from tests.server.renewed import Standing

DOC = "docs/visit-states.md"


@dataclass
class Somebody:
    """A visitor with a booking for two stops: papers at window 1, the card at window 2, which another may call, too."""

    city: City
    code: str
    window: int = 1

    @property
    def ticket(self) -> UUID:
        """The ticket; one that does not exist for whom has not come."""
        read_session().rollback()
        return read_session().scalar(select(Ticket.uid)) or uuid4()

    @property
    def where(self) -> str:
        """The state now, as the table names it."""
        read_session().rollback()
        visit = read_session().scalar(select(Visit))
        if visit is None:
            return "not here"
        step = read_session().scalars(select(VisitStep).order_by(VisitStep.id.desc())).first()
        assert step is not None
        if visit.live:
            return step.state.value
        return "left" if visit.people[0].outcome is Outcome.LEFT else "ended"


def _come(one: Somebody) -> None:
    one.city.scan(one.code)


def _called(one: Somebody) -> None:
    _come(one)
    one.city.call_next(1)


def _at_last(one: Somebody) -> None:
    _called(one)
    one.city.pass_on(1)
    one.window = 2


def _called_at_last(one: Somebody) -> None:
    _at_last(one)
    one.city.call_next(2)


def _serving(one: Somebody) -> None:
    _called(one)
    one.city.set_row(steps()[0], state=StepState.SERVING)


def _then(first: Callable[[Somebody], None], deed: Callable[[City], object]) -> Callable[[Somebody], None]:
    def both(one: Somebody) -> None:
        first(one)
        deed(one.city)

    return both


def _next_day(city: City) -> None:
    city.at(city.now + timedelta(days=1))


STATES: dict[str, Callable[[Somebody], None]] = {
    "not here": lambda _: None,
    "waiting": _come,
    "called": _called,
    "serving": _serving,
    "missed": _then(_called, lambda city: city.missed(1)),
    "parked": _then(_called, lambda city: city.park(1, ParkedFor.PAPERS)),
    "waiting (last)": _at_last,
    "called (last)": _called_at_last,
    "ended": _then(_called_at_last, lambda city: city.finish(2)),
    "parked yesterday": _then(_then(_called, lambda city: city.park(1, ParkedFor.PAPERS)), _next_day),
    "called yesterday": _then(_called, _next_day),
    "left": _then(_then(_come, _next_day), lambda city: close_past_days(city.now)),
}

ACTIONS: dict[str, Callable[[Somebody], object]] = {
    "call next": lambda one: one.city.call_next(one.window),
    "call this ticket": lambda one: one.city.call(one.window, one.ticket),
    "recall": lambda one: one.city.recall(one.window),
    "missed": lambda one: one.city.missed(one.window),
    "pass on": lambda one: one.city.pass_on(one.window),
    "finish: served": lambda one: one.city.finish(one.window),
    "finish: later by mail": lambda one: one.city.finish(one.window, Outcome.LATER_BY_MAIL),
    "finish: left": lambda one: one.city.finish(one.window, Outcome.LEFT),
    "finish the second of the party": lambda one: one.city.finish(one.window, Outcome.LEFT, position=2),
    "park": lambda one: one.city.park(one.window),
    "come back": lambda one: one.city.back(one.ticket),
    "ready": lambda one: one.city.ready(one.ticket),
    "add a procedure": lambda one: one.city.add(one.window, "pin"),
    "undo": lambda one: one.city.undo(one.window),
    "undo at the first window": lambda one: one.city.undo(1),
    "close the window": lambda one: one.city.close(one.window),
    "kiosk: booking code": lambda one: one.city.scan(one.code),
    "kiosk: ticket": lambda one: one.city.scan(of_ticket(one.ticket).text),
    "end of the day": lambda one: close_past_days(one.city.now),
}


def specified() -> dict[str, dict[str, str]]:
    """Action → state → what becomes of it, of the document's table."""
    rows = [
        [cell.strip().strip("`") for cell in line.strip("|").split("|")]
        for line in text_of(DOC).splitlines()
        if line.startswith("|")
    ]
    states = rows[0][1:]
    return {row[0]: dict(zip(states, row[1:], strict=True)) for row in rows[2:]}


class Kept:
    """The office's file as it stands, to go back to before each action."""

    def __init__(self, city: City, folder: Path) -> None:
        self._city, self._at, self._copy = city, city.now, folder / "kept.db"
        self._file = Path(str(db.engine.url.database))
        self._let_go()
        shutil.copy(self._file, self._copy)

    def back(self) -> None:
        """Rows and clock are as they were."""
        self._let_go()
        shutil.copy(self._copy, self._file)
        self._city.at(self._at)
        forget()

    @staticmethod
    def _let_go() -> None:
        db.session.remove()
        db.engine.dispose()


def test_the_table_names_every_state_and_every_action() -> None:
    table = specified()
    assert list(table) == list(ACTIONS)
    assert list(next(iter(table.values()))) == list(STATES)


@pytest.fixture
def one(standing_on_sqlite: Standing) -> Iterator[Somebody]:
    """Somebody who has booked, Monday at nine; two windows are open."""
    office = standing_on_sqlite.renewed()
    with office.app.app_context():
        city = City(office)
        city.check_papers_first()
        city.open(1, 2)
        yield Somebody(city, city.code(city.booked("09:15")[1]))
        db.session.remove()
        db.engine.dispose()


@pytest.mark.parametrize("state", STATES)
def test_each_action_moves_or_is_refused_as_the_table_says(state: str, one: Somebody, tmp_path: Path) -> None:
    STATES[state](one)
    before, found = one.where, {}
    kept = Kept(one.city, tmp_path)
    for name, action in ACTIONS.items():
        try:
            action(one)
            found[name] = one.where
            kept.back()
        except Refusal as refusal:
            found[name] = refusal.code
            assert one.where == before
    assert found == {name: row[state] for name, row in specified().items()}
