"""The door before the residents' pages: first come, first served, so many at a time; nobody else passes there."""

from concurrent.futures import ThreadPoolExecutor
from threading import Event

import pytest

from server.door import ROOM, Door
from server.errors import Busy
from tests.conftest import Office
from tests.databases import wait_until


def test_who_has_waited_longest_comes_in_first_and_no_newcomer_overtakes() -> None:
    door, stay, came = Door(1), Event(), list[str]()

    def visit(name: str) -> None:
        door.enter(10)
        came.append(name)
        stay.wait(10)
        door.leave()

    door.enter(0)
    with ThreadPoolExecutor() as people:
        for n, name in enumerate("abcd", start=1):
            people.submit(visit, name)
            wait_until(lambda n=n: door.waiting == n)
        door.leave()
        with pytest.raises(Busy):
            door.enter(0)
        stay.set()
    assert came == ["a", "b", "c", "d"]


def test_who_has_no_patience_left_takes_no_place_along() -> None:
    door = Door(1)
    door.enter(0)
    with pytest.raises(Busy):
        door.enter(0.01)
    door.leave()

    door.enter(0)
    assert door.waiting == 0


def test_everybody_leaves_again_whatever_became_of_them(sqlite_office: Office) -> None:
    client = sqlite_office.client()
    for _ in range(ROOM + 1):
        assert client.get("/").status_code == 200
        assert client.get("/book/today").status_code == 303
        assert client.post("/sign-in").status_code == 400


def test_staff_do_not_stand_behind_residents(sqlite_office: Office) -> None:
    door: Door = sqlite_office.app.extensions["madoguchi.door"]
    for _ in range(ROOM):
        door.enter(0)
    with ThreadPoolExecutor() as people:
        resident = people.submit(sqlite_office.client().get, "/")
        wait_until(lambda: door.waiting == 1)
        assert sqlite_office.client().get("/staff/sign-in").status_code == 200
        assert not resident.done()
        door.leave()
        assert resident.result(10).status_code == 200
