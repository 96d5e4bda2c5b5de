"""Every route is written down with its guard, and the guard does what its name says."""

import pytest
from flask import Flask

from server.auth.guards import guard_of
from server.pages import HEADERS
from tests.architecture.house import ELSEWHERE, House, turned_away, way_out
from tests.architecture.routes import EVERYBODY, GUARDS, WRITING
from tests.conftest import Office

KINDS = {
    "page": ("/", 200),
    "JSON": ("/healthz", 200),
    "redirect": ("/desk", 303),
    "page that is not there": ("/nothing-here", 404),
    "JSON that is not there": ("/api/nothing-here", 404),
    "device that is not known": ("/api/kiosk/state", 401),
    "wrong method": ("/sign-in", 405),
    "file": ("/static/css/staff.css", 200),
    "file of the board": ("/display/board.css", 200),
    "file that is not there": ("/static/nothing-here.css", 404),
}


@pytest.fixture
def house(sqlite_office: Office) -> House:
    """The sample city, with one of each who might ask."""
    return House(sqlite_office)


def routes_of(app: Flask) -> dict[str, str | None]:
    """Every rule and method of the url map, with its guard."""
    return {
        f"{method} {rule.rule}": guard_of(app, rule.endpoint)
        for rule in app.url_map.iter_rules()
        for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"})
    }


def test_every_route_is_written_down_with_its_guard(sqlite_office: Office) -> None:
    assert routes_of(sqlite_office.app) == GUARDS


@pytest.mark.parametrize("who", sorted(EVERYBODY))
def test_everybody_enters_where_they_may_and_is_refused_elsewhere(house: House, who: str) -> None:
    answers = {route: house.ask(who, route) for route in GUARDS}
    ways_out = {route: turned_away(answer) for route, answer in answers.items()}
    assert ways_out == {route: way_out(who, guard) for route, guard in GUARDS.items()}
    assert [route for route, answer in answers.items() if answer.status_code >= 500] == []


def test_a_form_without_its_token_is_refused_but_from_a_kiosk(house: House) -> None:
    refused = {route for route in WRITING if house.ask_as_guest(route, form_token=False).status_code == 400}
    assert refused == {route for route in WRITING if "/api/kiosk/" not in route}


def test_a_kiosk_needs_no_form_token_and_its_nonsense_is_named(house: House) -> None:
    answers = [house.ask_as_guest(route, form_token=False) for route in WRITING if "/api/kiosk/" in route]
    assert [(a.status_code, a.json["code"]) for a in answers if a.json] == [(422, "not_understood")] * 5


def test_what_another_sites_page_sends_is_refused(house: House) -> None:
    answers = {route: house.ask_as_guest(route, ELSEWHERE).status_code for route in WRITING}
    assert answers == dict.fromkeys(WRITING, 403)


def test_what_a_page_of_ours_sends_is_taken(house: House) -> None:
    answers = [house.ask_as_guest(route, {"Origin": "http://localhost"}).status_code for route in WRITING]
    assert 403 not in answers


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_answer_carries_the_headers_that_protect_it(house: House, kind: str) -> None:
    path, status = KINDS[kind]
    answer = house.client("nobody").get(path, buffered=True)
    assert answer.status_code == status
    assert {name: answer.headers.get(name) for name in HEADERS} == HEADERS


def test_the_headers_forbid_scripts_and_styles_in_the_page_and_all_other_hosts() -> None:
    policy = HEADERS["Content-Security-Policy"]
    assert {"default-src 'self'", " object-src 'none'", " frame-ancestors 'none'"} <= set(policy.split(";"))
    assert not any(word in policy for word in ("unsafe", "http", "data:", "*"))


def test_no_answer_to_a_person_or_a_device_is_kept_by_the_browser(house: House) -> None:
    answers = {route: house.ask_as_guest(route) for route in GUARDS if "filename" not in route}
    kept = [route for route, answer in answers.items() if "no-store" not in answer.headers["Cache-Control"]]
    assert kept == []
