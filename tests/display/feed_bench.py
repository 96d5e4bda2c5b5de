"""The feed on a bench in Chromium: its real code, with time and the server in the test's hands."""

from typing import Any, Self

from playwright.sync_api import Page, Route

from display import STATIC
from tests.display.office import Json, heartbeat, picture

HERE = "http://board.test"


def serve_files(page: Page) -> None:
    """Answers for an address that does not exist with the board's own files and the bench."""

    def answer(route: Route) -> None:
        name = route.request.url.removeprefix(HERE)
        if name == "/":
            route.fulfill(content_type="text/html", body='<script type="module" src="/bench.js"></script>')
        elif name == "/bench.js":
            route.fulfill(content_type="text/javascript", path=__file__.replace("feed_bench.py", "bench.js"))
        else:
            route.fulfill(content_type="text/javascript", path=STATIC / name.removeprefix("/display/"))

    page.route(f"{HERE}/**", answer)
    page.goto(f"{HERE}/")
    page.wait_for_function("window.ready")


class FeedBench:
    """One board's feed. Every method lets what it caused happen before it returns."""

    def __init__(self, page: Page) -> None:
        self._page = page
        page.evaluate("() => { window.bench = new Bench(); }")

    def start(self, first: object, remembered: int | None = None) -> Self:
        """The page is there, with this picture in it."""
        self._run("bench.feed.start(given[0], given[1])", first, remembered)
        return self

    def live(self, sequence: int = 16, *calls: Json) -> Self:
        """A board that has been listening happily at this sequence."""
        first = picture(sequence, *calls)
        self.start(first).connect().answer(first)
        return self.hear("heartbeat", heartbeat(sequence))

    def connect(self) -> Self:
        """The socket opens."""
        return self.hear("connected", None)

    def break_socket(self) -> Self:
        """The socket ends, or never comes about."""
        return self.hear("lost", None)

    def hear(self, event: str, message: object) -> Self:
        """Something comes through the socket."""
        self._run("bench.hear(given[0], given[1])", event, message)
        return self

    def hear_late(self, event: str, message: object) -> Self:
        """Something comes through a socket that the board has closed."""
        self._run("bench.hearLate(given[0], given[1])", event, message)
        return self

    def answer(self, message: object) -> Self:
        """The server answers the picture request."""
        self._run("bench.answer(bench.pictures, given[0])", message)
        return self

    def fail(self) -> Self:
        """The picture request fails."""
        self._run("bench.fail(bench.pictures)")
        return self

    def live_again(self) -> Self:
        """The server answers /healthz."""
        self._run("bench.answer(bench.healths)")
        return self

    def dead(self) -> Self:
        """/healthz fails."""
        self._run("bench.fail(bench.healths)")
        return self

    def wait(self, seconds: float, tick_every: float = 0.1) -> Self:
        """Time passes; the page's timer ticks this often."""
        self._run("bench.pass(given[0], given[1])", round(seconds * 1000), round(tick_every * 1000))
        return self

    def __getattr__(self, name: str) -> Any:
        """What the board knows now: announced, numbers, absent, stale, link, asked, under_way …"""
        return self._run("bench.look()")[{"under_way": "underWay"}.get(name, name)]

    def _run(self, expression: str, *given: object) -> Any:
        return self._page.evaluate(f"async (given) => await {expression}", list(given))
