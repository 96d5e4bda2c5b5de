"""Clerks at several windows and visitors at the kiosk do everything at once: everybody is in one place all the time."""

from collections import Counter
from collections.abc import Callable
from functools import partial
from random import Random
from uuid import UUID

import pytest
from sqlalchemy import select

from madoguchi.codes import of_ticket
from server.db import read_session
from server.errors import Refusal
from server.mailing.models import Mailing
from server.queueing.models import Call, Ticket, Visit, VisitStep
from server.queueing.rules import AT_WINDOW, OPEN_STATES, Outcome, ParkedFor
from tests.races.together import at_once, done
from tests.server.city import City

pytestmark = pytest.mark.race

PEOPLE, CLERKS, DEEDS = 8, 6, 25


@pytest.fixture
def counter(city: City) -> City:
    """Papers at windows 1 and 2, cards at 2 and 3 with two terminals; eight parties wait, each other one of two."""
    city.check_papers_first(windows=(("pickup",), ("pickup", "issue"), ("issue",)))
    city.open(1, 2, 3)
    for n in range(PEOPLE):
        city.come_without_booking(party=1 + n % 2)
    return city


def deed(city: City, chance: Random, tickets: list[UUID]) -> Callable[[], object]:
    """What a clerk does next, or whoever stands at the kiosk."""
    window, ticket = chance.choice((1, 2, 3)), chance.choice(tickets)
    outcome, position = chance.choice(list(Outcome)), chance.choice((None, 1, 2))
    deeds: list[Callable[[], object]] = [
        *[partial(city.call_next, window)] * 3,
        *[partial(city.pass_on, window)] * 2,
        partial(city.finish, window, outcome, position=position),
        partial(city.recall, window),
        partial(city.missed, window),
        partial(city.park, window, ParkedFor.PAPERS),
        partial(city.undo, window),
        partial(city.call, window, ticket),
        partial(city.back, ticket),
        partial(city.ready, ticket),
        partial(city.scan, of_ticket(ticket).text),
        partial(city.add, window, "pickup"),
    ]
    return chance.choice(deeds)


def works(city: City, seed: int, tickets: list[UUID]) -> Counter[str]:
    """So many deeds one after the other; gives how they ended, by code."""
    chance, ended = Random(seed), Counter[str]()  # noqa: S311 - the same order each time
    for _ in range(DEEDS):
        try:
            deed(city, chance, tickets)()
            ended["done"] += 1
        except Refusal as refusal:
            ended[refusal.code] += 1
    return ended


def test_whatever_desks_and_kiosk_do_at_once_everybody_is_in_one_place(counter: City) -> None:
    tickets = list(read_session().scalars(select(Ticket.uid)))
    read_session().rollback()
    clerks = [partial(works, counter, seed, tickets) for seed in range(CLERKS)]
    ended = sum(done(at_once(counter.office.app, clerks)), Counter[str]())

    assert ended.total() == CLERKS * DEEDS
    assert ended["done"] > CLERKS
    assert ended["busy"] == 0
    read_session().rollback()
    visits = read_session().scalars(select(Visit)).all()
    for visit in visits:
        assert sum(step.state in OPEN_STATES for step in visit.steps) == visit.live
        assert visit.live == any(person.live for person in visit.people)
        assert all(person.live == (person.outcome is None) for person in visit.people)
    there = read_session().scalars(select(VisitStep).where(VisitStep.state.in_(AT_WINDOW))).all()
    for place in (Counter(s.window_id for s in there), Counter(s.terminal_id for s in there if s.terminal_id)):
        assert set(place.values()) <= {1}
    calls = read_session().scalars(select(Call.sequence).order_by(Call.sequence)).all()
    assert list(calls) == list(range(1, len(calls) + 1))
    sent = [(v.id, p.position) for v in visits for p in v.people if p.outcome is Outcome.LATER_BY_MAIL]
    assert sorted(sent) == sorted(map(tuple, read_session().execute(select(Mailing.visit_id, Mailing.position))))
