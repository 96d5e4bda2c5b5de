"""Every staff page asks for a right, and asks in time."""

import re
from collections.abc import Iterator

import pytest
from flask import Flask
from werkzeug.routing import Rule

from server.auth.guards import guard_of
from server.auth.rules import RIGHTS, Right, Role
from tests.conftest import Office
from tests.server.auth.colleague import Colleague, colleague

UID = "0193b2a4-7c10-7d2e-9f11-5a6b7c8d9e0f"
NAMES = {"denwa": Role.OPERATOR, "madoguchi3": Role.CLERK, "kakaricho": Role.SUPERVISOR, "kanri": Role.ADMIN}
AREAS = {"phone": Right.PHONE, "desk": Right.DESK, "admin": Right.ADMIN}
MORE = {Right.PHONE: {Right.OVERBOOK, Right.ASSIGN}}  # some pages of an area ask for more


def staff_routes(app: Flask) -> Iterator[tuple[Rule, str]]:
    """All routes of the staff pages, with an address of each."""
    for rule in app.url_map.iter_rules():
        if (guard_of(app, rule.endpoint) or "").startswith("staff"):
            yield rule, re.sub(r"<int[^>]*>", "3", re.sub(r"<uuid[^>]*>", UID, rule.rule))


def ask(somebody: Colleague, rule: Rule, address: str, token: str) -> int:
    """The status of an answer to each method that the route has."""
    if "GET" in (rule.methods or ()):
        return somebody.get(address).status_code
    return somebody.client.post(address, data={"csrf_token": token, "request_id": UID}).status_code


@pytest.mark.parametrize("area", AREAS)
def test_all_pages_of_an_area_ask_for_its_right(sqlite_office: Office, area: str) -> None:
    routes = [r for r, address in staff_routes(sqlite_office.app) if address.split("/")[1] == area]
    assert len(routes) > 5
    guards = {guard_of(sqlite_office.app, rule.endpoint) for rule in routes}
    rights = {AREAS[area]} | MORE.get(AREAS[area], set())
    assert guards == {f"staff:{right.value}" for right in rights}


@pytest.mark.parametrize("name", NAMES)
def test_a_role_is_refused_what_it_has_no_right_to(sqlite_office: Office, name: str) -> None:
    somebody = colleague(sqlite_office, name)
    token = somebody.token()
    for rule, address in staff_routes(sqlite_office.app):
        right = AREAS.get(address.split("/")[1])
        if right is not None and right not in RIGHTS[NAMES[name]]:
            assert ask(somebody, rule, address, token) == 403, address


def test_whoever_has_not_signed_in_is_led_to_the_sign_in_page(sqlite_office: Office) -> None:
    nobody = Colleague(sqlite_office, sqlite_office.staff[0])
    token = nobody.form("/staff/sign-in", "/staff/sign-in")["csrf_token"]
    for rule, address in staff_routes(sqlite_office.app):
        assert ask(nobody, rule, address, token) == 303, address


def test_pages_of_unknown_uids_and_windows_are_answered_without_a_fault(sqlite_office: Office) -> None:
    for name in ("kakaricho", "kanri"):
        somebody = colleague(sqlite_office, name)
        token = somebody.token()
        for rule, address in staff_routes(sqlite_office.app):
            if address.split("/")[1] in AREAS:
                assert ask(somebody, rule, address, token) < 500, address
