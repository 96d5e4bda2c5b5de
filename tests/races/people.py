"""People and devices who ask a serving process over HTTP, as browsers and kiosks do; each may ask any process."""

import re
import ssl
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, TypeVar
from uuid import uuid4

import httpx

from madoguchi.wire import AUTHORIZATION_HEADER, CONTRACT, CONTRACT_HEADER
from server.issuance.service import Sticker

T = TypeVar("T")
PATIENCE_S = 60.0
TOKEN = re.compile(r'name="csrf_token" value="([^"]+)"')
FORM = {"Accept": "application/json"}


@contextmanager
def wires() -> Iterator[httpx.BaseTransport]:
    """Connections for everybody, closed afterwards."""
    limits = httpx.Limits(max_connections=150, max_keepalive_connections=150)
    # Nothing here is spoken over TLS; without certificates of its own the transport is made at once.
    with httpx.HTTPTransport(limits=limits, verify=ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)) as transport:
        yield transport


def new_id() -> str:
    """A fresh request id."""
    return str(uuid4())


def all_at_once(asks: Sequence[Callable[[], T]]) -> list[T]:
    """What each was answered; all are let go at the same moment."""
    gate = threading.Barrier(len(asks))

    def one(ask: Callable[[], T]) -> T:
        gate.wait(PATIENCE_S)
        return ask()

    with ThreadPoolExecutor(len(asks)) as threads:
        return list(threads.map(one, asks, timeout=PATIENCE_S))


@dataclass
class Browser:
    """A browser without scripts: cookies, forms and their tokens."""

    transport: httpx.BaseTransport
    token: str = ""
    client: httpx.Client = field(init=False)

    def __post_init__(self) -> None:
        """Nothing is known of the browser yet."""
        self.client = httpx.Client(transport=self.transport, timeout=PATIENCE_S, trust_env=False)

    def see(self, address: str) -> httpx.Response:
        """Open a page and keep the token of its form."""
        page = self.client.get(address)
        if found := TOKEN.search(page.text):
            self.token = found[1]
        return page

    def send(self, address: str, **form: str) -> httpx.Response:
        """Send a form of the page."""
        return self.client.post(address, data={"csrf_token": self.token, **form}, headers=FORM)


@dataclass
class Resident(Browser):
    """Somebody with the sticker of a notice, signed in at one process and known to all."""

    day: str = "2026-11-30"

    def sign_in(self, server: str, sticker: Sticker) -> None:
        """With the sticker's words."""
        self.see(f"{server}/")
        words = {"credential_id": sticker.credential_id, "password": sticker.password}
        answer = self.send(f"{server}/sign-in", **words)
        assert answer.status_code == 303, answer.text
        self.see(f"{server}/book")

    def hold(self, server: str, slot: str, request_id: str | None = None) -> str:
        """Where the form leads: the hold's page, or the times with a word about what was wrong."""
        form = {"slot": slot, "day": self.day, "request_id": request_id or new_id()}
        return self._led(self.send(f"{server}/book/hold", **form))

    def confirm(self, server: str, page: str, request_id: str | None = None) -> str:
        """Book what is held."""
        return self._led(self.send(f"{server}{page}", request_id=request_id or new_id()))

    def move(self, server: str, slot: str) -> str:
        """Another time."""
        return self._led(self.send(f"{server}/book/move", slot=slot, day=self.day, request_id=new_id()))

    @staticmethod
    def _led(answer: httpx.Response) -> str:
        assert answer.status_code == 303, f"{answer.status_code} {answer.text}"
        return answer.headers["Location"]


@dataclass
class Clerk(Browser):
    """A clerk at the desk screens of an office."""

    def sign_in(self, server: str, name: str, password: str) -> None:
        """With name and password."""
        self.see(f"{server}/staff/sign-in")
        assert self.send(f"{server}/staff/sign-in", name=name, password=password).status_code == 303
        self.see(f"{server}/desk")

    def open(self, server: str, window: int) -> None:
        """Take a window."""
        answer = self.send(f"{server}/desk/windows/{window}/open", request_id=new_id())
        assert answer.status_code == 303, answer.text

    def press(
        self, server: str, window: int, action: str, request_id: str | None = None, **form: str
    ) -> dict[str, Any]:
        """The picture after the press, and the refusal if there was one."""
        form = {"request_id": request_id or new_id(), **form}
        answer = self.send(f"{server}/desk/windows/{window}/{action}", **form)
        assert answer.status_code in (200, 409), f"{answer.status_code} {answer.text}"
        body: dict[str, Any] = answer.json()
        return body


@dataclass
class KioskAtTheDoor:
    """A kiosk with its token."""

    transport: httpx.BaseTransport
    token: str

    def __post_init__(self) -> None:
        """It speaks our contract."""
        headers = {AUTHORIZATION_HEADER: f"Bearer {self.token}", CONTRACT_HEADER: str(CONTRACT)}
        self.client = httpx.Client(transport=self.transport, timeout=PATIENCE_S, headers=headers, trust_env=False)

    def scan(self, server: str, text: str, request_id: str | None = None) -> dict[str, Any]:
        """Somebody holds a code to the scanner."""
        return self._ask(server, "check-ins", {"request_id": request_id or new_id(), "text": text})

    def walk_in(self, server: str, request_id: str | None = None) -> dict[str, Any]:
        """Somebody without a booking."""
        return self._ask(server, "walk-ins", {"request_id": request_id or new_id(), "service": "pickup", "party": 1})

    def _ask(self, server: str, what: str, body: dict[str, Any]) -> dict[str, Any]:
        answer = self.client.post(f"{server}/api/kiosk/{what}", json=body)
        assert answer.status_code < 500, f"{answer.status_code} {answer.text}"
        said: dict[str, Any] = answer.json()
        return said
