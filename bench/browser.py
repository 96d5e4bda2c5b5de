"""A browser without scripts, as light as it can be: it shares the machine with the server it measures.

One keep-alive connection from an address of its own, HTTP/1.1 by hand, cookies kept, redirects left to the caller.
"""

import asyncio
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import count
from typing import Self
from urllib.parse import urlencode

_TAG = re.compile(r"<(form|/form|input|button)\b([^>]*)>")
_ATTRIBUTE = re.compile(r'([a-z_-]+)="([^"]*)"')
_numbers = count(1)


class Unexpected(AssertionError):
    """An answer that a measurement must not count."""


class Busy(Unexpected):
    """The server asks to try again."""


@dataclass(frozen=True)
class Answer:
    """What came back."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def text(self) -> str:
        """The page."""
        return self.body.decode()


@dataclass(frozen=True)
class Form:
    """A form of a page: where it goes, and its values as a browser would send them (first choice of each)."""

    action: str
    values: dict[str, str]


def forms(page: str) -> Iterator[Form]:
    """The forms of a page."""
    form: Form | None = None
    for tag, rest in _TAG.findall(page):
        given = dict(_ATTRIBUTE.findall(rest))
        if tag == "form":
            form = Form(given.get("action", ""), {})
            yield form
        elif tag == "/form":
            form = None
        elif form is not None and "name" in given and not rest.rstrip("/ ").endswith("disabled"):
            form.values.setdefault(given["name"], given.get("value", ""))


def form_to(page: str, action: str) -> Form:
    """The first form that goes to an address that begins like this."""
    found = next((form for form in list(forms(page)) if form.action.startswith(action)), None)
    if found is None:
        raise Unexpected(f"no form to {action}")
    return found


def own_address() -> str:
    """Another address of this machine for each visitor: limits per address stay on."""
    n = next(_numbers)
    return f"127.{1 + n // 62_500 % 250}.{n // 250 % 250}.{1 + n % 250}"


class Browser:
    """One visitor."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, host: str) -> None:
        """Use `open`."""
        self._reader, self._writer, self._host = reader, writer, host
        self.cookies: dict[str, str] = {}

    @classmethod
    async def open(cls, port: int, address: str | None = None) -> Self:
        """Connect from an address of one's own."""
        reader, writer = await asyncio.open_connection(
            "127.0.0.1", port, local_addr=(address or own_address(), 0), limit=1 << 20
        )
        return cls(reader, writer, f"127.0.0.1:{port}")

    def close(self) -> None:
        """Leave."""
        self._writer.close()

    async def get(self, path: str, expect: int = 200) -> Answer:
        """Ask for a page. Raises Unexpected for another status than expected."""
        return await self.ask("GET", path, expect=expect)

    async def post(self, path: str, form: Mapping[str, str], expect: int = 303) -> Answer:
        """Send a form; the answer is a redirect."""
        body = urlencode(form).encode()
        return await self.ask("POST", path, body, {"Content-Type": "application/x-www-form-urlencoded"}, expect)

    async def ask(
        self, verb: str, path: str, body: bytes = b"", headers: Mapping[str, str] | None = None, expect: int = 200
    ) -> Answer:
        """One request and its answer. Raises Unexpected for another status than expected."""
        lines = [f"{verb} {path} HTTP/1.1", f"Host: {self._host}", "Accept-Language: ja"]
        if self.cookies:
            lines.append("Cookie: " + "; ".join(f"{name}={value}" for name, value in self.cookies.items()))
        lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
        if verb != "GET":
            lines.append(f"Content-Length: {len(body)}")
        self._writer.write("\r\n".join([*lines, "", ""]).encode() + body)
        answer = await self._read()
        if answer.status != expect:
            kind = Busy if answer.status == 503 else Unexpected
            raise kind(f"{verb} {path}: {answer.status}, not {expect}: {answer.body[:400].decode()}")
        return answer

    async def _read(self) -> Answer:
        head = (await self._reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        headers = {}
        for line in head[1:]:
            name, _, value = line.partition(": ")
            if (name := name.lower()) == "set-cookie":
                self._keep(value)
            headers[name] = value
        length = int(headers.get("content-length", 0))
        if "transfer-encoding" in headers:
            raise Unexpected("an answer in chunks: this browser is too simple for it")
        return Answer(int(head[0].split()[1]), headers, await self._reader.readexactly(length) if length else b"")

    def _keep(self, cookie: str) -> None:
        name, _, value = cookie.partition(";")[0].partition("=")
        self.cookies[name] = value
