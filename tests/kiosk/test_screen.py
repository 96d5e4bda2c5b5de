"""The touch panel's page: it shows what it is told, sends touches back, and listens to nobody else."""

import gc
import json
import re
import socket
import struct
import threading
import warnings
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from flask.testing import FlaskClient

from kiosk.dialogue import Choice, Page
from kiosk.messages import Say, Tone
from kiosk.screen.pages import render, sentences
from kiosk.screen.server import MAX_LISTENERS, Panel, ScreenServer, create_app
from madoguchi.ruby import html
from madoguchi.texts import Texts
from tests.kiosk.fake_office import OFFICE, PICKUP

TEXTS = Texts.load()
HOST = "127.0.0.1:8090"
IDLE = Page("idle", Say("kiosk.welcome.body"), walk_in=True)
NUMBER = Page("number", Say("kiosk.take", {"number": 62}), number=62, tone=Tone.DONE, seconds=8.0)


class TestPages:
    @pytest.mark.parametrize("language", TEXTS.languages)
    @pytest.mark.parametrize(
        "name", ["starting", "idle", "checking", "printing", "number", "message", "services", "away"]
    )
    def test_staff_can_be_called_from_every_page(self, name: str, language: str) -> None:
        shown = render(TEXTS, Page(name), language, OFFICE)

        assert {"button": "staff", "value": "", "label": TEXTS.say("kiosk.btn.staff", language)} in shown["buttons"]

    def test_the_first_page_speaks_to_those_with_a_booking_and_to_those_without(self) -> None:
        shown = render(TEXTS, IDLE, "ja", OFFICE)

        assert len(shown["text"]) == 2
        assert shown["office"] == "見本市役所 本庁"
        assert [button["button"] for button in shown["buttons"]] == ["walkin", "staff"]

    def test_beside_the_number_in_big_type_it_is_not_said_again(self) -> None:
        shown = render(TEXTS, NUMBER, "en", OFFICE)

        assert (shown["number"], shown["numberLabel"]) == (62, "Your number")
        assert shown["text"] == ["Please take your ticket and have a seat."]

    def test_services_are_named_in_the_visitors_language(self) -> None:
        page = Page("services", Say("kiosk.walkin.title"), choices=(Choice("pickup", PICKUP, "card"),))

        assert render(TEXTS, page, "en", None)["choices"] == [
            {"button": "service", "value": "pickup", "label": "Card pick-up", "picture": "card"}
        ]

    def test_each_language_is_named_in_its_own_script(self) -> None:
        languages = render(TEXTS, IDLE, "en", None)["languages"]

        assert [entry["label"] for entry in languages] == [
            "日本語",
            "やさしい 日本語《にほんご》",
            "English",
            "简体中文",
            "한국어",
            "Tiếng Việt",
            "Português",
        ]
        assert [entry["value"] for entry in languages if entry["current"]] == ["en"]

    @pytest.mark.parametrize(
        ("text", "parts"),
        [
            ("確認しています。しばらくお待ちください。", ["確認しています。", "しばらくお待ちください。"]),
            ("使えません。（押してください。）", ["使えません。", "（押してください。）"]),
            ("It is at 10.30 today. Please wait.", ["It is at 10.30 today.", "Please wait."]),
            ("Tel. 050-0000-0062. Đợi tại đây.", ["Tel. 050-0000-0062.", "Đợi tại đây."]),
            ("종료되었습니다. 예약해 주십시오.", ["종료되었습니다.", "예약해 주십시오."]),
        ],
    )
    def test_each_sentence_is_a_line_of_its_own(self, text: str, parts: list[str]) -> None:
        assert sentences(text) == parts


@pytest.fixture
def touches() -> list[tuple[str, str]]:
    return []


@pytest.fixture
def browser(touches: list[tuple[str, str]]) -> FlaskClient:
    app = create_app(Panel(TEXTS), frozenset({HOST}), lambda button, value: touches.append((button, value)))
    return app.test_client()


def token_of(browser: FlaskClient) -> str:
    page = browser.get("/", headers={"Host": HOST}).text
    found = re.search(r'name="kiosk-token" content="([^"]+)"', page)
    assert found
    return found[1]


def touch(browser: FlaskClient, body: object, **headers: str) -> int:
    ours = {"Host": HOST, "Origin": f"http://{HOST}", "X-Kiosk-Token": token_of(browser)}
    return browser.post("/touch", json=body, headers={**ours, **headers}).status_code


class TestWhoMayTouch:
    def test_the_page_itself_may(self, browser: FlaskClient, touches: list[tuple[str, str]]) -> None:
        assert touch(browser, {"button": "service", "value": "pickup"}) == 204
        assert touch(browser, {"button": "staff"}) == 204
        assert touches == [("service", "pickup"), ("staff", "")]

    @pytest.mark.parametrize(
        "headers",
        [
            {"Host": "attacker.example"},
            {"Host": "127.0.0.1:9999"},
            {"Origin": "http://attacker.example"},
            {"Origin": "null"},
            {"Origin": ""},
            {"X-Kiosk-Token": ""},
            {"X-Kiosk-Token": "é"},
        ],
        ids=str,
    )
    def test_no_other_page_may(
        self, browser: FlaskClient, touches: list[tuple[str, str]], headers: dict[str, str]
    ) -> None:
        assert touch(browser, {"button": "staff"}, **headers) == 403
        assert touches == []

    def test_a_name_that_was_bent_to_this_machine_sees_nothing(self, browser: FlaskClient) -> None:
        for path in ("/", "/events", "/static/panel.js"):
            assert browser.get(path, headers={"Host": "attacker.example:8090"}).status_code == 403

    @pytest.mark.parametrize(
        "body",
        [
            None,
            [],
            {},
            {"button": "print"},
            {"button": ["staff"]},
            {"button": "service", "value": 1},
            {"button": "service", "value": "x" * 65},
        ],
        ids=str,
    )
    def test_what_is_no_touch_is_refused(
        self, browser: FlaskClient, touches: list[tuple[str, str]], body: object
    ) -> None:
        assert touch(browser, body) == 400
        assert touches == []

    def test_a_flood_of_bytes_is_refused(self, browser: FlaskClient) -> None:
        assert touch(browser, {"button": "staff", "value": "x" * 5000}) in (400, 413)

    def test_the_token_is_another_one_at_each_start(self) -> None:
        tokens = {
            token_of(create_app(Panel(TEXTS), frozenset({HOST}), lambda *_: None).test_client()) for _ in range(3)
        }

        assert len(tokens) == 3


class TestThePage:
    def test_nothing_comes_from_elsewhere_and_nothing_is_inline(self, browser: FlaskClient) -> None:
        answer = browser.get("/", headers={"Host": HOST})
        policy = answer.headers["Content-Security-Policy"]

        assert "default-src 'self'" in policy
        assert "unsafe" not in policy
        assert not re.search(r"style=|<style|<script(?![^>]* src=)|\son\w+=|data:|https?://", answer.text)

    def test_a_page_that_hears_nothing_says_so_in_every_language(self, browser: FlaskClient) -> None:
        page = browser.get("/", headers={"Host": HOST}).text

        assert all(html(TEXTS.say("kiosk.outoforder", language)) in page for language in TEXTS.languages)

    @pytest.mark.parametrize("name", ["panel.css", "panel.js", "signs.svg"])
    def test_its_files_are_served(self, browser: FlaskClient, name: str) -> None:
        with browser.get(f"/static/{name}", headers={"Host": HOST}) as answer:
            assert answer.status_code == 200


@pytest.fixture
def server() -> Iterator[ScreenServer]:
    server = ScreenServer(TEXTS, "127.0.0.1", 0, lambda *_: None)
    yield server
    server.close()


def leave_at_once(server: ScreenServer, path: str) -> None:
    """Ask for a file and reset the line when its first byte has come."""
    with socket.create_connection(("127.0.0.1", urlsplit(server.url).port or 0), timeout=5) as line:
        line.sendall(f"GET {path} HTTP/1.1\r\nHost: {urlsplit(server.url).netloc}\r\n\r\n".encode())
        line.recv(1)
        line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def test_a_page_that_is_left_while_its_files_come_leaves_no_file_open(server: ScreenServer) -> None:
    with warnings.catch_warnings(record=True, action="always") as warned:
        for _ in range(20):
            leave_at_once(server, "/static/panel.js")
        server.close()
        gc.collect()

    assert [str(warning.message) for warning in warned if warning.category is ResourceWarning] == []


def pictures(lines: Iterator[str]) -> Iterator[dict[str, Any]]:
    for line in lines:
        if line.startswith('data: {"start"'):
            yield json.loads(line.removeprefix("data: "))


class TestEvents:
    def test_the_page_is_told_what_is_shown_and_each_change_of_it(self, server: ScreenServer) -> None:
        with httpx.stream("GET", server.url + "events", timeout=5) as stream:
            told = pictures(stream.iter_lines())
            first = next(told)
            server.show(NUMBER, "en")
            second = next(told)
            server.name_office(OFFICE)
            third = next(told)

        assert (first["page"], second["page"], second["language"]) == ("starting", "number", "en")
        assert third["office"] == "Mihon City Hall"
        assert first["version"] < second["version"] < third["version"]

    def test_who_comes_late_sees_what_is_shown_now(self, server: ScreenServer) -> None:
        for page in (IDLE, NUMBER):
            server.show(page, "ja")

        with httpx.stream("GET", server.url + "events", timeout=5) as stream:
            assert next(pictures(stream.iter_lines()))["number"] == 62

    def test_more_listeners_than_there_is_room_for_are_turned_away(self) -> None:
        panel = Panel(TEXTS)
        listeners = [panel.pictures() for _ in range(MAX_LISTENERS + 1)]
        heard = [next(listener, None) for listener in listeners]

        assert [picture is not None for picture in heard] == [True] * MAX_LISTENERS + [False]
        listeners[0].close()  # type: ignore[attr-defined]  # a generator, which Iterator does not say
        assert next(panel.pictures(), None) is not None

    def test_closing_lets_all_listeners_go(self, server: ScreenServer) -> None:
        begun, ended = threading.Event(), threading.Event()

        def listen() -> None:
            with httpx.stream("GET", server.url + "events", timeout=10) as stream:
                for _ in stream.iter_lines():
                    begun.set()
            ended.set()

        threading.Thread(target=listen, daemon=True).start()
        assert begun.wait(5)
        server.close()

        assert ended.wait(5)
