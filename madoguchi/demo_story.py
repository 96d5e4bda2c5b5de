"""The demonstration's story, told once: a resident books, scans, gets a ticket, is called, and the board says so.

It goes the way people go: through the pages, the scanner's socket and the printer's folder.
"""

import re
import socket
import time
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from typing import Protocol
from urllib.parse import urljoin

import httpx

TICKET_TIMEOUT_S = 20.0
JSON = {"Accept": "application/json"}
CODE = re.compile(r"B-[0-9A-Z]{4}-[0-9A-Z]{4}-[0-9A-Z]")


class StoryBroken(RuntimeError):
    """A page or a device did not do what the story says; the text names the step."""


class OfficeLike(Protocol):
    """What the story needs of the demonstration's office."""

    web: str
    desk: str
    board: str
    staff: list[dict[str, str]]
    scan_socket: str
    tickets: str
    notices: list[dict[str, str | None]]


class _Forms(HTMLParser):
    """The forms of a page: action and named values, as a browser would send them (first choice of each)."""

    def __init__(self) -> None:
        super().__init__()
        self.forms: list[tuple[str, dict[str, str]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.forms.append((given.get("action", ""), {}))
        elif tag in ("input", "button") and self.forms and given.get("name") and "disabled" not in given:
            self.forms[-1][1].setdefault(given["name"], given.get("value", ""))


class Browser:
    """A browser without scripts: follows links and sends forms."""

    def __init__(self, start: str) -> None:
        """Opens a first page."""
        self._client = httpx.Client(follow_redirects=True, timeout=20.0)
        self.page = self._client.get(start)

    def open(self, address: str) -> str:
        """Go to an address; gives the page."""
        self.page = self._client.get(urljoin(str(self.page.url), address))
        return self._text()

    def send(self, action: str, **filled: str) -> str:
        """Send the first form whose action matches the pattern, with these fields filled in; gives the page."""
        forms = _Forms()
        forms.feed(self.page.text)
        for target, values in forms.forms:
            if re.search(action, target):
                address = urljoin(str(self.page.url), target)
                self.page = self._client.post(address, data={**values, **filled})
                return self._text()
        raise StoryBroken(f"no form {action} on {self.page.url}")

    def link(self, pattern: str) -> str:
        """Follow the first link whose address matches the pattern; gives the page."""
        for target in re.findall(r'href="([^"]+)"', self.page.text):
            if re.search(pattern, target):
                return self.open(target)
        raise StoryBroken(f"no link {pattern} on {self.page.url}")

    def json(self, address: str) -> dict[str, object]:
        """Data at an address."""
        answer: dict[str, object] = self._client.get(urljoin(str(self.page.url), address), headers=JSON).json()
        return answer

    def _text(self) -> str:
        if self.page.is_error:
            raise StoryBroken(f"{self.page.request.method} {self.page.url} was answered with {self.page.status_code}")
        return self.page.text


def play(office: OfficeLike, say: Callable[[str], None]) -> None:
    """Tell the story. Raises StoryBroken with the step that failed."""
    notice = next(n for n in office.notices if n["note"] == "not booked")
    say(f"1  booking   a resident signs in with the notice's ID {notice['id']} and takes the first free time today")
    code = _book(office, notice)
    say(f"             booked: code {code}")
    say("2  scan      at the entrance the code is held to the kiosk's scanner")
    before = set(Path(office.tickets).glob("*.png"))
    scan(office.scan_socket, code)
    ticket = _new_ticket(Path(office.tickets), before)
    say(f"3  ticket    printed: {ticket}")
    called = _call(office)
    say(f"4  call      window 3 presses 「次を呼ぶ」: number {called['number']} is called")
    shown = _board(office)
    say(f"5  board     shows number {shown['number']} → window {shown['window']}")


def _book(office: OfficeLike, notice: dict[str, str | None]) -> str:
    resident = Browser(office.web)
    resident.send("sign-in", credential_id=str(notice["id"]), password=str(notice["password"]))
    resident.link(r"/book/\d{4}-\d\d-\d\d")
    resident.send("/book/hold")
    page = resident.send("/book/confirm/")
    found = CODE.search(page)
    if found is None:
        raise StoryBroken("the page after booking shows no booking code")
    return found[0]


def scan(scan_socket: str, text: str) -> None:
    """Hold a code to the simulated scanner."""
    with socket.socket(socket.AF_UNIX) as wire:
        wire.connect(scan_socket)
        wire.sendall(text.encode() + b"\n")


def _new_ticket(folder: Path, before: set[Path]) -> Path:
    deadline = time.monotonic() + TICKET_TIMEOUT_S
    while time.monotonic() < deadline:
        if fresh := set(folder.glob("*.png")) - before:
            return min(fresh)
        time.sleep(0.05)
    raise StoryBroken(f"no ticket in {folder} after {TICKET_TIMEOUT_S:.0f} s")


def _call(office: OfficeLike) -> dict[str, object]:
    clerk = next(s for s in office.staff if s["role"] == "clerk")
    desk = Browser(office.desk)
    desk.send("/staff/sign-in", name=clerk["name"], password=clerk["password"])
    desk.send(r"/desk/windows/3/open")
    desk.send("call-next")
    picture = desk.json("/desk/windows/3/state").get("picture")
    if not isinstance(picture, dict) or picture.get("number") is None:
        raise StoryBroken("nobody was called to window 3")
    return picture


def _board(office: OfficeLike) -> dict[str, object]:
    board = Browser(office.board)
    picture = board.json("/api/boards/" + str(board.page.url).rpartition("/")[2])
    calls = picture.get("calls")
    if not isinstance(calls, list) or not calls:
        raise StoryBroken("the board shows no call")
    shown: dict[str, object] = calls[0]
    return shown
