"""What the server really says has exactly the keys of the reviewed examples, and it takes what devices really send."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from flask.testing import FlaskClient

from madoguchi import wire
from madoguchi.wire import AUTHORIZATION_HEADER, CONTRACT_HEADER
from server.auth.service import add_board, start_pairing
from server.db import db
from tests.conftest import Office
from tests.server.city import City

EXAMPLES = Path(__file__).parent / "examples"


def example(name: str) -> Any:
    """A reviewed example."""
    return json.loads((EXAMPLES / f"{name}.json").read_text(encoding="utf-8"))


def shape(value: object) -> object:
    """The keys of a message, all the way down; what stands in a list is shaped alike."""
    if isinstance(value, dict):
        return {key: shape(inner) for key, inner in value.items()}
    if isinstance(value, list):
        inner = [shape(item) for item in value]
        assert all(item == inner[0] for item in inner), "a list of different things"
        return inner[:1]
    return "value"


def agrees(answer: Any, kind: type[wire.Message], name: str) -> None:
    """The answer is understood by whoever reads it, and is made like the example."""
    kind.from_json(answer)
    assert shape(answer) == shape(example(name))


@pytest.fixture
def city(sqlite_office: Office) -> City:
    """The sample city: what crosses the wire does not depend on the database."""
    return City(sqlite_office)


@pytest.fixture
def kiosk(city: City) -> FlaskClient:
    """The kiosk's way to the server."""
    client = city.office.client()
    client.environ_base["HTTP_AUTHORIZATION"] = f"Bearer {city.kiosk_token}"
    client.environ_base["HTTP_X_MADOGUCHI_CONTRACT"] = str(wire.CONTRACT)
    return client


def scan(kiosk: FlaskClient, text: str) -> Any:
    """A code is held to the scanner."""
    return kiosk.post("/api/kiosk/check-ins", json={"request_id": str(uuid4()), "text": text}).json


def test_headers_are_called_as_agreed() -> None:
    assert (AUTHORIZATION_HEADER, CONTRACT_HEADER) == ("Authorization", "X-Madoguchi-Contract")


def test_a_ticket_its_reprint_and_the_news_that_it_is_printed(city: City, kiosk: FlaskClient) -> None:
    code = city.code(city.booked("10:00")[1])
    ticket = scan(kiosk, code)
    again = scan(kiosk, code)
    report = example("print_report")
    assert kiosk.put(f"/api/kiosk/print-jobs/{again['job']}", json=report).status_code == 204

    agrees(ticket, wire.CheckInAnswer, "check_in_ticket")
    agrees(again, wire.CheckInAnswer, "check_in_reprint")
    agrees(scan(kiosk, code), wire.CheckInAnswer, "check_in_already")


def test_a_walk_in_gets_the_same_kind_of_ticket(kiosk: FlaskClient) -> None:
    asked = example("walk_in_request")
    answer = kiosk.post("/api/kiosk/walk-ins", json=asked)

    assert answer.status_code == 200
    agrees(answer.json, wire.CheckInAnswer, "check_in_ticket")


def test_the_kiosks_state(kiosk: FlaskClient) -> None:
    agrees(kiosk.get("/api/kiosk/state").json, wire.KioskState, "kiosk_state")


def test_refusals_with_their_facts(city: City, kiosk: FlaskClient) -> None:
    person = city.person(site="kita")
    elsewhere = city.book(person, city.hold(person, city.slot("10:00", site="kita")).booking).booking
    today = city.code(city.booked("10:00")[1])
    city.clock.forward(days=1)

    agrees(scan(kiosk, today), wire.RefusalView, "refusal_wrong_day")
    agrees(scan(kiosk, city.code(elsewhere)), wire.RefusalView, "refusal_wrong_office")


@pytest.mark.parametrize(
    ("method", "path", "name", "status"),
    [
        ("POST", "check-ins", "check_in_request", 404),
        ("POST", "walk-ins", "walk_in_request", 200),
        ("POST", "staff-calls", "staff_call", 204),
        ("POST", "scanner-tests", "scanner_test", 204),
    ],
)
def test_what_a_kiosk_sends_is_understood(kiosk: FlaskClient, method: str, path: str, name: str, status: int) -> None:
    assert kiosk.open(f"/api/kiosk/{path}", method=method, json=example(name)).status_code == status


def test_what_has_another_shape_is_named_and_not_guessed(kiosk: FlaskClient) -> None:
    for change in ({"party": "1"}, {"party": -1}, {"service": None}, {"request_id": 7}):
        answer = kiosk.post("/api/kiosk/walk-ins", json={**example("walk_in_request"), **change})
        assert (answer.status_code, answer.json and answer.json["code"]) == (422, "not_understood")
    for body in (b"", b"[]", b"{", b"\xff", b'"B7K3F9QXM0"'):
        answer = kiosk.post("/api/kiosk/check-ins", data=body, content_type="application/json")
        assert (answer.status_code, answer.json and answer.json["code"]) == (422, "not_understood")


class TestTheBoard:
    """What a paired board reads and hears."""

    @pytest.fixture
    def board(self, city: City) -> Iterator[tuple[str, FlaskClient]]:
        """Its uid, and its browser."""
        uid = add_board(city.here, "待合", "kanri", city.now)
        client = city.office.client()
        client.get(f"/boards/pair/{start_pairing(city.keyring, uid, 'kanri', city.now)}")
        yield str(uid), client
        db.session.remove()

    def test_reads_its_picture(self, city: City, board: tuple[str, FlaskClient]) -> None:
        city.open(2, 3)
        for _ in range(3):
            city.come_without_booking()
        city.call_next(3)
        city.missed(3)
        city.call_next(3)
        city.call_next(2)

        agrees(board[1].get(f"/api/boards/{board[0]}").json, wire.BoardPicture, "board_picture")

    def test_hears_calls_and_how_many_wait(self, city: City, board: tuple[str, FlaskClient]) -> None:
        boards = city.office.app.extensions["madoguchi.boards"]
        socket = boards.socketio.test_client(city.office.app, flask_test_client=board[1])
        city.come_without_booking()
        city.open(3)
        city.call_next(3)

        heard = {message["name"]: message["args"][0] for message in socket.get_received()}
        agrees(heard[wire.CALL_EVENT], wire.CallMessage, "call_message")
        agrees(heard[wire.WAITING_EVENT], wire.Waiting, "waiting")
        socket.disconnect()

    def test_hears_the_heartbeat(self, city: City) -> None:
        boards = city.office.app.extensions["madoguchi.boards"]
        agrees(boards.heartbeat(city.here).to_json(), wire.Heartbeat, "heartbeat")

    def test_a_browser_that_is_no_board_hears_nothing(self, city: City) -> None:
        boards = city.office.app.extensions["madoguchi.boards"]
        socket = boards.socketio.test_client(city.office.app, flask_test_client=city.office.client())

        assert not socket.is_connected()


def test_every_example_is_asked_for_here() -> None:
    asked = Path(__file__).read_text(encoding="utf-8")
    assert [path.stem for path in sorted(EXAMPLES.glob("*.json")) if f'"{path.stem}"' not in asked] == []
