"""The values in the server's real answers are of the very kinds that the reviewed examples show.

That the keys are the same, and that the server takes what devices send: test_server_answers.py.
"""

import json
import re
from collections.abc import Callable
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from werkzeug.test import TestResponse

from madoguchi.wire import CALL_EVENT, CONTRACT, CONTRACT_HEADER, WAITING_EVENT, Outcome
from server.auth.service import add_board, start_pairing
from server.realtime import Boards
from tests.conftest import Office
from tests.server.city import MONDAY, City

EXAMPLES = Path(__file__).parent / "examples"
TUESDAY = MONDAY + timedelta(days=1)


def example(name: str) -> Any:
    """A reviewed example."""
    return json.loads((EXAMPLES / f"{name}.json").read_text("utf-8"))


def shape(value: Any) -> Any:
    """Keys and kinds of values, all the way down; of a list, what is in it however often."""
    if isinstance(value, dict):
        return {key: shape(item) for key, item in value.items()}
    if isinstance(value, list):
        shapes = [shape(item) for item in value]
        return [one for n, one in enumerate(shapes) if one not in shapes[:n]]
    return kind_of_text(value) if isinstance(value, str) else type(value).__name__


def kind_of_text(text: str) -> str:
    """A moment with the office's offset, a day, a uid, or any words."""
    readers: dict[str, Callable[[str], object]] = {
        "day": date.fromisoformat,
        "moment": datetime.fromisoformat,
        "uid": UUID,
    }
    for kind, read in readers.items():
        try:
            read(text)
        except ValueError:
            continue
        return kind if kind != "moment" or re.search(r"\+09:00$", text) else "moment elsewhere"
    return "text"


class Entrance:
    """The kiosk at the entrance and the board in the waiting room, as they speak with the server."""

    def __init__(self, city: City) -> None:
        self.city = city
        self.app, self.keyring = city.office.app, city.keyring
        self.board = add_board(city.here, "待合", "test", city.now)
        self.screen = city.office.client()
        self.screen.get(f"/boards/pair/{start_pairing(self.keyring, self.board, 'test', city.now)}")
        self.boards: Boards = self.app.extensions["madoguchi.boards"]

    def ask(self, method: str, path: str, body: Any = None) -> TestResponse:
        """The kiosk asks."""
        headers = {"Authorization": f"Bearer {self.city.kiosk_token}", CONTRACT_HEADER: str(CONTRACT)}
        return self.city.office.client().open(f"/api/kiosk/{path}", method=method, json=body, headers=headers)

    def scan(self, booking: UUID) -> TestResponse:
        """The kiosk reads the code of a booking."""
        return self.ask("POST", "check-ins", {"request_id": str(uuid4()), "text": self.city.code(booking)})

    def socket(self) -> Any:
        """What the open board hears."""
        return self.boards.socketio.test_client(self.app, flask_test_client=self.screen)

    def heard(self, socket: Any, event: str) -> list[Any]:
        """The messages of one kind, in their order."""
        return [message["args"][0] for message in socket.get_received() if message["name"] == event]


@pytest.fixture
def city(sqlite_office: Office) -> City:
    """The sample city, Monday at nine."""
    return City(sqlite_office)


@pytest.fixture
def entrance(city: City) -> Entrance:
    """Its devices."""
    return Entrance(city)


@pytest.fixture
def busy_morning(city: City) -> City:
    """People wait in two lanes; one was called, one recalled, one has not come."""
    for service in ("pickup", "pickup", "pickup", "certificate", "pickup", "certificate"):
        city.come_without_booking(service)
    city.open(1, 2, 3)
    city.call_next(1)
    city.missed(1)
    city.call_next(2)
    city.recall(2)
    city.call_next(3)
    return city


def test_a_booked_visitor_is_given_a_ticket(city: City, entrance: Entrance) -> None:
    _, booking = city.booked("9:15")
    answer = entrance.scan(booking)
    assert (answer.status_code, shape(answer.json)) == (200, shape(example("check_in_ticket")))


def test_who_has_the_paper_already_is_told_so(city: City, entrance: Entrance) -> None:
    _, booking = city.booked("9:15")
    job = (entrance.scan(booking).json or {})["job"]
    assert entrance.ask("PUT", f"print-jobs/{job}", example("print_report")).status_code == 204
    answer = entrance.scan(booking)
    assert (answer.status_code, shape(answer.json)) == (200, shape(example("check_in_already")))
    assert answer.json is not None
    assert answer.json["result"] == "already"


def test_paper_that_did_not_come_out_comes_again(city: City, entrance: Entrance) -> None:
    _, booking = city.booked("9:15")
    job = (entrance.scan(booking).json or {})["job"]
    report = {**example("print_report"), "outcome": Outcome.NOT_PRINTED.value}
    assert entrance.ask("PUT", f"print-jobs/{job}", report).status_code == 204
    answer = entrance.scan(booking)
    assert (answer.status_code, shape(answer.json)) == (200, shape(example("check_in_reprint")))


def test_another_day_is_refused_with_the_day(city: City, entrance: Entrance) -> None:
    _, booking = city.booked("9:15", TUESDAY)
    answer = entrance.scan(booking)
    assert (answer.status_code, shape(answer.json)) == (409, shape(example("refusal_wrong_day")))
    assert answer.json == {"code": "wrong_day", "facts": {"date": TUESDAY.isoformat()}}


def test_another_office_is_refused_with_its_name(sqlite_office: Office, entrance: Entrance) -> None:
    elsewhere = City(sqlite_office, "kita")
    _, booking = elsewhere.booked("9:15")
    answer = entrance.scan(booking)
    expected = example("refusal_wrong_office")
    assert (answer.status_code, shape(answer.json)) == (409, shape(expected))
    assert answer.json is not None
    assert answer.json["code"] == expected["code"]


def test_the_kiosk_knows_the_office_before_anybody_comes(entrance: Entrance) -> None:
    answer = entrance.ask("GET", "state")
    assert (answer.status_code, shape(answer.json)) == (200, shape(example("kiosk_state")))


@pytest.mark.usefixtures("busy_morning")
def test_the_board_is_given_the_whole_picture(entrance: Entrance) -> None:
    answer = entrance.screen.get(f"/api/boards/{entrance.board}")
    assert (answer.status_code, shape(answer.json)) == (200, shape(example("board_picture")))
    assert answer.json is not None
    assert {call["kind"] for call in answer.json["calls"]} == {"call", "recall"}


def test_a_call_reaches_the_board(entrance: Entrance, busy_morning: City) -> None:
    socket = entrance.socket()
    busy_morning.recall(3)
    assert [shape(message) for message in entrance.heard(socket, CALL_EVENT)] == [shape(example("call_message"))]


def test_the_number_of_people_waiting_reaches_the_board(entrance: Entrance, busy_morning: City) -> None:
    socket = entrance.socket()
    busy_morning.come_without_booking()
    assert [shape(message) for message in entrance.heard(socket, WAITING_EVENT)] == [shape(example("waiting"))]


def test_the_heartbeat_says_how_far_the_calls_are(entrance: Entrance, busy_morning: City) -> None:
    beat = entrance.boards.heartbeat(busy_morning.here).to_json()
    assert shape(beat) == shape(example("heartbeat"))
    assert beat["sequence"] == (entrance.screen.get(f"/api/boards/{entrance.board}").json or {})["sequence"]


def test_shapes_tell_apart_what_must_not_be_mixed_up() -> None:
    assert shape({"at": "2026-11-30T10:04:12+09:00"}) != shape({"at": "2026-11-30T01:04:12+00:00"})
    assert shape({"n": 1}) != shape({"n": True})
    assert shape({"n": None}) != shape({})
    assert shape([{"n": 1}, {"n": 2}]) == shape([{"n": 3}])
