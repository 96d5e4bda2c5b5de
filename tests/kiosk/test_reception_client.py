"""Asking the server: a lost answer is asked for again under the same id, and nothing is guessed."""

import json
from collections.abc import Callable
from typing import Any
from uuid import UUID

import httpx
import pytest

from kiosk.reception_client import Away, Done, ReceptionClient
from madoguchi.wire import (
    CheckInAnswer,
    CheckInRequest,
    KioskState,
    Outcome,
    PrintReport,
    RefusalView,
    StaffCall,
    WalkInRequest,
)
from tests.kiosk.fake_office import BOOKED, TOKEN, granted, state

ASKED = CheckInRequest("0193796c-3a2e-7c41-8b1d-5f0e7a9c2d64", BOOKED)
JOB = UUID(int=7)
REPORT = PrintReport("0" * 64, Outcome.PRINTED)

Answer = Callable[[httpx.Request], httpx.Response]


class Line:
    """The line to the server: gives these answers one after another, the last one for ever. Time stands still."""

    def __init__(self, *answers: Answer | Exception) -> None:
        self._answers = list(answers)
        self.requests: list[httpx.Request] = []
        self.now = 0.0
        self.client = ReceptionClient(
            "http://office.example",
            TOKEN,
            transport=httpx.MockTransport(self._answer),
            sleep=self._sleep,
            clock=lambda: self.now,
        )

    def _answer(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        self.now += 0.01
        answer = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
        if isinstance(answer, Exception):
            raise answer
        return answer(request)

    def _sleep(self, seconds: float) -> None:
        self.now += seconds

    @property
    def bodies(self) -> list[Any]:
        return [json.loads(request.content) for request in self.requests]


def says(body: object, status: int = 200) -> Answer:
    return lambda _: httpx.Response(status, json=body)


def no(code: str, status: int, **facts: object) -> Answer:
    return says({"code": code, "facts": facts}, status)


GRANTED = granted(job=JOB)
HERE = says(GRANTED.to_json())


def test_a_check_in_is_asked_with_token_contract_and_request_id() -> None:
    line = Line(HERE)

    answer = line.client.check_in(ASKED)

    (request,) = line.requests
    assert answer == GRANTED
    assert (request.method, str(request.url)) == ("POST", "http://office.example/api/kiosk/check-ins")
    assert request.headers["Authorization"] == f"Bearer {TOKEN}"
    assert request.headers["X-Madoguchi-Contract"] == "1"
    assert line.bodies == [{"request_id": ASKED.request_id, "text": BOOKED}]


def test_walk_ins_reports_and_calls_go_where_the_contract_says() -> None:
    line = Line(HERE, lambda _: httpx.Response(204), lambda _: httpx.Response(204), says(state().to_json()))

    results = [
        line.client.walk_in(WalkInRequest("id-1", "pickup", 1)),
        line.client.report(JOB, REPORT),
        line.client.call_staff(StaffCall("id-2", "button")),
        line.client.state(),
    ]

    assert results == [GRANTED, Done(), Done(), state()]
    assert [(request.method, request.url.path) for request in line.requests] == [
        ("POST", "/api/kiosk/walk-ins"),
        ("PUT", f"/api/kiosk/print-jobs/{JOB}"),
        ("POST", "/api/kiosk/staff-calls"),
        ("GET", "/api/kiosk/state"),
    ]


@pytest.mark.parametrize(
    "trouble",
    [
        httpx.ReadTimeout("no answer"),
        httpx.ConnectError("refused"),
        httpx.RemoteProtocolError("the server closed the connection"),
        says("starting up", 502),
        no("busy", 503),
    ],
    ids=["lost answer", "refused", "kept connection closed", "proxy", "busy"],
)
def test_what_passes_is_asked_again_under_the_same_id(trouble: Answer | Exception) -> None:
    line = Line(trouble, trouble, HERE)

    answer = line.client.check_in(ASKED)

    assert answer == GRANTED
    assert [body["request_id"] for body in line.bodies] == [ASKED.request_id] * 3


def test_patience_has_an_end() -> None:
    line = Line(httpx.ConnectError("refused"))

    answer = line.client.check_in(ASKED, patience_s=6.0)

    assert isinstance(answer, Away)
    assert line.now <= 6.1


def test_nobody_waits_for_a_server_that_is_known_to_be_away() -> None:
    line = Line(httpx.ConnectError("refused"))

    assert isinstance(line.client.check_in(ASKED, patience_s=0.0), Away)
    assert len(line.requests) == 1


def test_a_server_that_stays_busy_says_so_in_the_end() -> None:
    line = Line(no("busy", 503))

    assert line.client.check_in(ASKED) == RefusalView("busy", {})


@pytest.mark.parametrize(
    ("status", "code"),
    [(401, "not_paired"), (403, "wrong_day"), (404, "code_unknown"), (409, "contract_mismatch"), (422, "wrong_code")],
)
def test_the_offices_no_is_an_answer_and_not_asked_again(status: int, code: str) -> None:
    line = Line(no(code, status, date="2026-12-01"))

    assert line.client.check_in(ASKED) == RefusalView(code, {"date": "2026-12-01"})
    assert len(line.requests) == 1


def test_an_unauthorized_without_a_word_says_that_we_are_not_paired() -> None:
    assert Line(lambda _: httpx.Response(401)).client.state() == RefusalView("not_paired", {})


@pytest.mark.parametrize(
    "answer",
    [
        lambda _: httpx.Response(200, text="<html>login page of some proxy</html>"),
        lambda _: httpx.Response(200, content=b"\xff\xfe\x00"),
        lambda _: httpx.Response(204),
        lambda _: httpx.Response(302, headers={"Location": "http://elsewhere.example/"}),
        lambda _: httpx.Response(404, text="not here"),
        says([]),
        says({"result": "ticket"}),
        says({**GRANTED.to_json(), "result": "maybe"}),
    ],
)
def test_what_cannot_be_understood_is_no_answer(answer: Answer) -> None:
    line = Line(answer)

    assert isinstance(line.client.check_in(ASKED), Away)
    assert len(line.requests) == 1


def test_what_a_newer_server_says_beside_is_left_alone() -> None:
    answer = Line(says({**GRANTED.to_json(), "weather": "fine"})).client.check_in(ASKED)

    assert isinstance(answer, CheckInAnswer)


def test_the_state_is_asked_once_for_it_is_asked_again_soon() -> None:
    line = Line(httpx.ReadTimeout("no answer"), says(state().to_json()))

    first, second = line.client.state(), line.client.state()

    assert isinstance(first, Away)
    assert isinstance(second, KioskState)
