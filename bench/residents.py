"""Residents who book through the pages, many at once; and the same number of requests to a bare route."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import count
from re import findall
from typing import TypeVar

from bench.browser import Browser, Unexpected, form_to
from bench.processes import cpu_s_of
from bench.site import Server
from server.issuance.service import Sticker

REQUESTS = 8
"""Of one booking: first page, sign-in, days, times, hold, form, confirmation, booking page with its 2D code."""
POSTS = (1, 4, 6)

Visitor = TypeVar("Visitor")
Visit = Callable[[int, Visitor, "Rush"], Awaitable[None]]
_turn = count()


@dataclass
class Rush:
    """What came of many visitors."""

    visits: int = 0
    seconds: float = 0.0
    cpu_s: float = 0.0
    took_ns: list[int] = field(default_factory=list)
    steps_ns: dict[str, list[int]] = field(default_factory=dict)

    @property
    def per_second(self) -> float:
        """Finished visits in a second."""
        return self.visits / self.seconds

    @property
    def cpu_ms(self) -> float:
        """What the server computed for one visit."""
        return self.cpu_s / self.visits * 1000

    def step(self, name: str, began_ns: int) -> int:
        """One request has been answered; gives the time of day for the next."""
        now = time.monotonic_ns()
        self.steps_ns.setdefault(name, []).append(now - began_ns)
        return now


async def book(port: int, sticker: Sticker, rush: Rush) -> None:
    """One resident with one notice: from the first page to the booking's own."""
    browser, at = await Browser.open(port), time.monotonic_ns()
    turn = next(_turn)
    try:
        page = (await browser.get("/")).text
        at = rush.step("start", at)
        words = {"credential_id": sticker.credential_id, "password": sticker.password}
        await browser.post("/sign-in", {**form_to(page, "/sign-in").values, **words})
        at = rush.step("sign_in", at)
        page = (await browser.get("/book")).text
        at = rush.step("days", at)
        days = findall(r'href="(/book/[0-9-]{10})"', page)
        page = (await browser.get(days[turn % len(days)])).text
        at = rush.step("times", at)
        slots = findall(r'name="slot" value="([0-9a-f-]{36})" required>', page)
        chosen = {**form_to(page, "/book/hold").values, "slot": slots[turn // len(days) % len(slots)]}
        way = (await browser.post("/book/hold", chosen)).headers["location"]
        at = rush.step("hold", at)
        form = form_to((await browser.get(way)).text, "/book/confirm/")
        at = rush.step("confirm", at)
        way = (await browser.post(form.action, form.values)).headers["location"]
        at = rush.step("book", at)
        if 'class="picture"' not in (await browser.get(way)).text:
            raise Unexpected("the last page shows no booking code")
        rush.step("done", at)
    finally:
        browser.close()


async def ask_bare_route(port: int, _visitor: object, rush: Rush) -> None:
    """The same requests as a booking's, to a route that does nothing."""
    browser, at = await Browser.open(port), time.monotonic_ns()
    try:
        for n in range(REQUESTS):
            await (browser.post("/", {"slot": "x" * 200}, 200) if n in POSTS else browser.get("/"))
            at = rush.step("bare", at)
    finally:
        browser.close()


def rush_of(visit: Visit[Visitor], server: Server, visitors: list[Visitor], clients: int) -> Rush:
    """All visitors, so many at once."""
    return rush_over(visit, [server], visitors, clients)


def rush_over(visit: Visit[Visitor], servers: Sequence[Server], visitors: list[Visitor], clients: int) -> Rush:
    """All visitors, so many at once, the clients spread over the servers."""
    before = sum(cpu_s_of(server.process) for server in servers)
    rush = asyncio.run(_rush(visit, [server.port for server in servers], visitors, clients))
    rush.cpu_s = sum(cpu_s_of(server.process) for server in servers) - before
    return rush


async def _rush(visit: Visit[Visitor], ports: Sequence[int], visitors: list[Visitor], clients: int) -> Rush:
    rush, waiting = Rush(), iter(visitors)
    began = time.monotonic_ns()
    await asyncio.gather(*(_client(visit, ports[n % len(ports)], waiting, rush) for n in range(clients)))
    rush.seconds = (time.monotonic_ns() - began) / 1e9
    return rush


async def _client(visit: Visit[Visitor], port: int, waiting: Iterator[Visitor], rush: Rush) -> None:
    for visitor in waiting:
        began = time.monotonic_ns()
        await visit(port, visitor, rush)
        rush.took_ns.append(time.monotonic_ns() - began)
        rush.visits += 1
