"""What a kiosk may send, and what others may not: every answer has a code, and nothing is a fault of the server."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from flask.testing import FlaskClient

from madoguchi import wire
from server.audit import AuditEntry
from server.auth.models import Device
from server.auth.service import unpair
from server.db import read_session, transaction
from server.offices.models import OpeningRule
from server.offices.opening_rules import RuleKind
from tests.server.auth.colleague import Colleague
from tests.server.city import MONDAY, City, moment

HOSTILE = [
    "",
    " ",
    "\x00",
    "N\x00K3F9QXM2P0",
    "\ud800",
    "'; DROP TABLE bookings; --",
    "%s{}",
    "あ" * 300,
    "x" * 10_000,
    "http://127.0.0.1:8000/b/" + "N" * 5000,
    "\u202e\u200b",
    "-" * 50,
    "٣٤٥٦٧٨٩٠١٢٣٤",
]


def kiosk(city: City, token: str | None = None, contract: str = str(wire.CONTRACT)) -> FlaskClient:
    """A browser-less device with a token."""
    client = city.office.client()
    client.environ_base["HTTP_AUTHORIZATION"] = f"Bearer {token or city.kiosk_token}"
    client.environ_base["HTTP_X_MADOGUCHI_CONTRACT"] = contract
    return client


def code_of(answer: Any) -> tuple[int, str]:
    """Status and code of a refusal."""
    return answer.status_code, answer.json["code"]


@pytest.mark.parametrize(
    ("path", "field", "body"),
    [
        ("check-ins", "text", {}),
        ("walk-ins", "service", {"party": 1}),
        ("staff-calls", "reason", {}),
        ("check-ins", "request_id", {"text": "B7K3F9QXME"}),
        ("walk-ins", "request_id", {"service": "pickup", "party": 1}),
    ],
)
def test_whatever_stands_in_a_field_is_answered_and_is_no_fault(
    city: City, path: str, field: str, body: dict[str, object]
) -> None:
    here, answers = kiosk(city), {}
    for text in HOSTILE:
        asked = {"request_id": str(uuid4()), **body, field: text}
        answers[text[:20]] = here.post(f"/api/kiosk/{path}", json=asked).status_code

    assert {text: status for text, status in answers.items() if status >= 500} == {}
    assert path == "staff-calls" or set(answers.values()) <= {404, 422}


@pytest.mark.parametrize("party", [0, 7, 10**6, 10**30])
def test_a_party_of_no_size_is_refused(city: City, party: int) -> None:
    asked = {"request_id": str(uuid4()), "service": "pickup", "party": party}
    assert code_of(kiosk(city).post("/api/kiosk/walk-ins", json=asked)) == (422, "party_too_large")


def test_a_code_that_is_refused_as_my_number_stands_nowhere(city: City, caplog: pytest.LogCaptureFixture) -> None:
    digits = "123456789018"
    asked = {"request_id": str(uuid4()), "text": digits}

    assert code_of(kiosk(city).post("/api/kiosk/check-ins", json=asked)) == (422, "my_number")
    assert digits not in caplog.text
    assert digits not in " ".join(str(entry.facts) for entry in read_session().query(AuditEntry))


def test_who_has_no_token_or_a_wrong_one_is_not_paired(city: City) -> None:
    nobody = city.office.client()
    assert code_of(nobody.get("/api/kiosk/state")) == (401, "not_paired")
    for scheme in ("Bearer", "Bearer ", "Basic abc", f"Token {city.kiosk_token}", "Bearer \xe3\x81\x82"):
        assert code_of(nobody.get("/api/kiosk/state", headers={"Authorization": scheme})) == (401, "not_paired")
    assert code_of(kiosk(city, "x" * 43).get("/api/kiosk/state")) == (401, "not_paired")


def test_a_kiosk_that_was_taken_away_is_not_paired_any_more(city: City) -> None:
    device = read_session().get_one(Device, city.kiosk.id)
    unpair(device.uid, "kanri", city.now)

    assert code_of(kiosk(city).get("/api/kiosk/state")) == (401, "not_paired")


@pytest.mark.parametrize("contract", ["", "0", "2", "one"])
def test_a_kiosk_of_another_contract_is_told_so(city: City, contract: str) -> None:
    answer = kiosk(city, contract=contract).get("/api/kiosk/state")

    assert code_of(answer) == (409, "contract_mismatch")
    assert answer.json is not None
    assert answer.json["facts"] == {"server": wire.CONTRACT}


def test_a_call_for_staff_is_written_down_once(city: City) -> None:
    asked = {"request_id": str(uuid4()), "reason": "button"}
    for _ in range(2):
        assert kiosk(city).post("/api/kiosk/staff-calls", json=asked).status_code == 204

    read_session().rollback()
    calls = read_session().query(AuditEntry).filter(AuditEntry.verb == "kiosk.staff_called").all()
    assert [call.facts for call in calls] == [{"reason": "button"}]


@pytest.mark.parametrize(
    ("time", "booked", "walk_ins", "opens"),
    [
        ("8:29", False, False, "2026-11-30T08:30:00+09:00"),
        ("8:30", True, True, "2026-12-01T08:30:00+09:00"),
        ("16:50", True, False, "2026-12-01T08:30:00+09:00"),
        ("17:10", False, False, "2026-12-01T08:30:00+09:00"),
    ],
)
def test_the_state_says_who_is_received_now(city: City, time: str, booked: bool, walk_ins: bool, opens: str) -> None:
    city.at(time)
    state = kiosk(city).get("/api/kiosk/state").json

    assert state is not None
    assert (state["open"], state["walk_ins"], state["next_opening"]) == (booked, walk_ins, opens)
    assert [s["code"] for s in state["services"]] == (["pickup", "certificate", "pin"] if walk_ins else [])


def test_a_kiosk_that_speaks_is_noted_once_a_minute(city: City) -> None:
    seen = []
    for seconds in (0, 30, 31):
        city.clock.forward(seconds=seconds)
        kiosk(city).get("/api/kiosk/state")
        read_session().rollback()
        seen.append(read_session().get_one(Device, city.kiosk.id).seen_at)

    assert seen[0] == seen[1] != seen[2]


@pytest.mark.parametrize("reason", ["123456789018", "\ud800", "", "a" * 41, "button; drop"])
def test_a_reason_that_is_no_word_is_not_kept(city: City, reason: str) -> None:
    asked = {"request_id": str(uuid4()), "reason": reason}
    assert code_of(kiosk(city).post("/api/kiosk/staff-calls", json=asked)) == (422, "not_understood")


def test_a_message_nested_too_deeply_is_not_understood(city: City) -> None:
    answer = kiosk(city).post("/api/kiosk/walk-ins", data="[" * 20_000, content_type="application/json")
    assert code_of(answer) == (422, "not_understood")


def test_a_session_for_one_service_is_offered_and_received_for_that_alone(city: City) -> None:
    saturday = MONDAY + timedelta(days=5)
    with transaction() as tx:
        hours = {"opens": 900, "closes": 1080, "last_booked": 1080, "last_walk_in": 1080}
        tx.session.add(
            OpeningRule(office_id=city.here, kind=RuleKind.DATED, on_date=saturday, services=["pickup"], **hours)
        )
    city.at(moment("16:00", saturday))
    state = kiosk(city).get("/api/kiosk/state").json
    asked = [
        kiosk(city).post("/api/kiosk/walk-ins", json={"request_id": str(uuid4()), "service": s, "party": 1})
        for s in ("pickup", "certificate")
    ]

    assert state is not None
    assert [service["code"] for service in state["services"]] == ["pickup"]
    assert asked[0].status_code == 200
    assert code_of(asked[1]) == (409, "service_not_now")
    assert asked[1].json is not None
    assert asked[1].json["facts"] == {"next_opening": "2026-12-07T08:30:00+09:00"}


def test_what_the_self_test_card_says_is_kept_once_and_shown_to_those_who_work_here(city: City) -> None:
    asked = {"request_id": str(uuid4()), "finding": "layout"}
    for _ in range(2):
        assert kiosk(city).post("/api/kiosk/scanner-tests", json=asked).status_code == 204

    read_session().rollback()
    kept = read_session().query(AuditEntry).filter(AuditEntry.verb == "kiosk.scanner_tested").all()
    assert [entry.facts for entry in kept] == [{"finding": "layout"}]
    told = []
    for role, page in (("clerk", "/staff"), ("admin", "/admin/devices"), ("operator", "/staff")):
        somebody = Colleague(city.office, city.office.account(role))
        somebody.sign_in()
        told.append("キー配列の設定が変わっています" in somebody.get(page).text)
    assert told == [True, True, False]


@pytest.mark.parametrize("finding", ["", "well", "123456789018", None])
def test_a_finding_that_nobody_knows_is_not_kept(city: City, finding: object) -> None:
    asked = {"request_id": str(uuid4()), "finding": finding}
    assert code_of(kiosk(city).post("/api/kiosk/scanner-tests", json=asked)) == (422, "not_understood")
