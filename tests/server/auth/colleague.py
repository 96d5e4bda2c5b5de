"""A colleague at a screen of ours: a browser without scripts, in which somebody has signed in."""

import re
from html import unescape
from html.parser import HTMLParser

from werkzeug.test import TestResponse

from server.sample import SampleStaff
from tests.conftest import Office


class Forms(HTMLParser):
    """What each form of a page would send untouched, by the form's address."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.by_action: dict[str, dict[str, str]] = {}
        self._last: dict[str, str] = {}
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Forms, and the hidden fields in them."""
        given = {name: value or "" for name, value in attrs}
        if tag == "form":
            self._last = self.by_action.setdefault(given.get("action", ""), {})
        elif tag == "input" and given.get("type") == "hidden":
            self._last.setdefault(given["name"], given["value"])


class Colleague:
    """Somebody at a screen."""

    def __init__(self, office: Office, account: SampleStaff) -> None:
        """`account` is who it is; nobody has signed in yet."""
        self.office, self.account = office, account
        self.client = office.client()

    def sign_in(self, next_page: str = "", **typed: str) -> TestResponse:
        """Type name and password."""
        words = {"name": self.account.name, "password": self.account.password, "next": next_page}
        return self.send("/staff/sign-in", "/staff/sign-in", **{**words, **typed})

    def get(self, path: str) -> TestResponse:
        """A page."""
        return self.client.get(path)

    def form(self, on: str, action: str) -> dict[str, str]:
        """The fields of the form on the page `on` that goes to `action`."""
        return Forms(self.get(on).text).by_action[action]

    def send(self, on: str, action: str, **typed: str) -> TestResponse:
        """Fill in that form and send it."""
        return self.client.post(action, data={**self.form(on, action), **typed})

    def token(self) -> str:
        """A form token of this session."""
        return self.form("/staff", "/staff/sign-out")["csrf_token"]


def colleague(office: Office, name: str) -> Colleague:
    """Somebody who has signed in."""
    somebody = Colleague(office, next(s for s in office.staff if s.name == name))
    assert somebody.sign_in().status_code == 303
    return somebody


def plain(page: TestResponse) -> str:
    """What a person reads."""
    body = page.text.partition("<body")[2].partition(">")[2]
    return re.sub(r"[ \n\u3000]+", " ", unescape(re.sub(r"<[^>]+>", " ", body)))
