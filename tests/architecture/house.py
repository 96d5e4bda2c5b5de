"""Everybody who may stand before the server, each with what opens a door: a session, a token, a cookie, nothing."""

import re
from collections.abc import Mapping
from datetime import timedelta
from uuid import uuid4

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from madoguchi.wire import CONTRACT, CONTRACT_HEADER
from server.auth.guards import BOARD_COOKIE
from server.auth.service import add_board, add_kiosk, start_pairing
from server.db import read_session
from server.offices.queries import office_by_code
from server.sample import new_notice
from tests.architecture.routes import GUARDS, MAY_ENTER, STAFF
from tests.conftest import Office
from tests.server.auth.colleague import Forms

COOKIES = ("session", BOARD_COOKIE)
ELSEWHERE = {"Origin": "https://example.com"}


class House:
    """The sample city, with one of each who might ask."""

    def __init__(self, office: Office) -> None:
        self.office, now = office, office.clock.now()
        here = office_by_code(read_session(), "honcho").id
        self.kiosk, self.token = add_kiosk(office.keyring, here, "入口", "test", now)
        self.board, self.spare_board = (add_board(here, name, "test", now) for name in ("待合", "廊下"))
        self.pairing = start_pairing(office.keyring, self.board, "test", now, timedelta(minutes=15))
        self.sticker = new_notice(office.keyring, "honcho", now)
        self._cookies: dict[str, dict[str, str]] = {}

    def ask(
        self, who: str, route: str, headers: Mapping[str, str] | None = None, form_token: bool = True
    ) -> TestResponse:
        """The answer to somebody who asks for a route, from a browser that no earlier request has changed."""
        method, _, rule = route.partition(" ")
        client = self.client(who)
        fields = {**self._typed(rule), "request_id": str(uuid4())}
        if form_token:
            fields["csrf_token"] = self._form_token(client)
        bearer = {"Authorization": f"Bearer {self.token}", CONTRACT_HEADER: str(CONTRACT)} if who == "kiosk" else {}
        return client.open(
            self.address(rule),
            method=method,
            headers={**bearer, **(headers or {})},
            data=None if method == "GET" else fields,
            buffered=True,
        )

    def ask_as_guest(
        self, route: str, headers: Mapping[str, str] | None = None, form_token: bool = True
    ) -> TestResponse:
        """The answer to somebody who may ask for it."""
        return self.ask(min(MAY_ENTER[GUARDS[route]]), route, headers, form_token)

    def address(self, rule: str) -> str:
        """An address of a rule; where only a real device makes sense, it is one."""
        device = self.kiosk if "/kiosks/" in rule else self.spare_board if rule.startswith("/admin/") else self.board
        uid = device if re.match("/(admin|boards|api/boards)/", rule) else uuid4()
        parts = {
            "uid": uid,
            "day": "2026-12-01",
            "number": 3,
            "position": 1,
            "terminal": 1,
            "year": 2026,
            "rule_id": 1,
            "scan_code": "N7K3F9QXM0",
            "code": self.pairing,
        }
        file = {"/static/<path:filename>": "css/staff.css", "/display/<path:filename>": "board.css"}.get(rule, "")
        return re.sub(r"<(?:[^<>]*:)?(\w+)>", lambda m: file or str(parts.get(m[1], uuid4())), rule)

    def client(self, who: str) -> FlaskClient:
        """A browser in which somebody has signed in, or that is a board."""
        if who not in self._cookies:
            client = self.office.client()
            self._enter(who, client)
            found = {name: client.get_cookie(name) for name in COOKIES}
            self._cookies[who] = {name: cookie.value for name, cookie in found.items() if cookie}
        fresh = self.office.client()
        for name, value in self._cookies[who].items():
            fresh.set_cookie(name, value)
        return fresh

    def _enter(self, who: str, client: FlaskClient) -> None:
        token = self._form_token(client)
        if who in STAFF:
            account = self.office.account(who)
            words = {"name": account.name, "password": account.password, "csrf_token": token}
            assert client.post("/staff/sign-in", data=words).location == "/staff"
        elif who == "resident":
            assert client.post("/sign-in", data={**self._typed("/sign-in"), "csrf_token": token}).location == "/book"
        elif who == "board":
            assert client.get(f"/boards/pair/{self.pairing}").status_code == 303

    def _typed(self, rule: str) -> dict[str, str]:
        """What opens the doors at which everybody may knock: a wrong password is a refusal, too."""
        clerk = self.office.account("clerk")
        return {
            "/sign-in": {"credential_id": self.sticker.credential_id, "password": self.sticker.password},
            "/staff/sign-in": {"name": clerk.name, "password": clerk.password},
        }.get(rule, {})

    @staticmethod
    def _form_token(client: FlaskClient) -> str:
        return Forms(client.get("/").text).by_action["/language"]["csrf_token"]


def turned_away(answer: TestResponse) -> str:
    """How somebody was refused: by a status, or by being sent to a page to sign in; nothing if not refused."""
    if answer.status_code in (401, 403):
        return str(answer.status_code)
    if answer.status_code == 303 and re.fullmatch(r"/staff/sign-in(\?next=.*)?", answer.location or ""):
        return "staff sign in"
    return "residents sign in" if answer.location == "/?wanted=1" else ""


def way_out(who: str, guard: str) -> str:
    """How somebody must be refused by a guard; nothing if the guard is for them."""
    if who in MAY_ENTER[guard]:
        return ""
    if guard.startswith("staff"):
        return "403" if who in STAFF else "staff sign in"
    return "residents sign in" if guard == "resident" else "401"
