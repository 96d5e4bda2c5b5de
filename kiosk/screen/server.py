"""The panel's own little web server, on loopback.

The page gets every change as a server-sent event and sends touches back. Another program's page in the same browser
must not be able to touch anything: the Host must be ours (DNS rebinding), the Origin must be ours, and each start
has a token that only the page itself was given.
"""

import hmac
import json
import logging
import secrets
import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

from flask import Flask, Response, abort, render_template, request
from flask.typing import ResponseReturnValue
from werkzeug.serving import make_server

from kiosk.dialogue import Page
from kiosk.screen.pages import render
from madoguchi.languages import language_of
from madoguchi.pictures import pictures_svg
from madoguchi.ruby import Said
from madoguchi.texts import Texts
from madoguchi.wire import Names

TOKEN_HEADER: Final = "X-Kiosk-Token"  # noqa: S105 - the name of a header
PING_S: Final = 2.0
MAX_LISTENERS: Final = 8
BUTTONS: Final = frozenset({"walkin", "service", "restart", "continue", "staff", "language"})

_POLICY: Final = (
    "default-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; object-src 'none'"
)

log = logging.getLogger(__name__)

Touch = Callable[[str, str], None]


class Panel:
    """What is shown now, and who is waiting for the next change."""

    def __init__(self, texts: Texts) -> None:
        self.texts = texts
        self._changed = threading.Condition()
        self._page, self._language = Page("starting"), "ja"
        self._office: Names | None = None
        self._version = 0
        self._listeners = 0
        self._closed = False

    def show(self, page: Page, language: str) -> None:
        """Show this page from now on."""
        with self._changed:
            self._page, self._language = page, language
            self._next()

    def name_office(self, office: Names) -> None:
        """Show the office's name."""
        with self._changed:
            if office != self._office:
                self._office = office
                self._next()

    def close(self) -> None:
        """Let all listeners go."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def picture(self) -> dict[str, Any]:
        """What is shown now, as plain JSON values."""
        with self._changed:
            page, language, office, version = self._page, self._language, self._office, self._version
        return {"version": version, **render(self.texts, page, language, office)}

    def pictures(self) -> Iterator[dict[str, Any] | None]:
        """What is shown, at once and after every change; None now and then when nothing changes."""
        with self._changed:
            if self._listeners >= MAX_LISTENERS:
                return
            self._listeners += 1
        try:
            yield from self._changes()
        finally:
            with self._changed:
                self._listeners -= 1

    def _changes(self) -> Iterator[dict[str, Any] | None]:
        shown = -1
        while not self._closed:
            with self._changed:
                if self._version == shown:
                    self._changed.wait(PING_S)
                fresh = self._version != shown
            picture = self.picture() if fresh else None
            if picture is not None:
                shown = picture["version"]
            yield picture

    def _next(self) -> None:
        self._version += 1
        self._changed.notify_all()


class ScreenServer:
    """Serves the panel until it is closed. Port 0 takes a free one."""

    def __init__(self, texts: Texts, host: str, port: int, touch: Touch) -> None:
        self._panel = Panel(texts)
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        listener = socket.create_server((host, port), family=family)
        self._port = listener.getsockname()[1]
        shown_host = f"[{host}]" if ":" in host else host
        self.url = f"http://{shown_host}:{self._port}/"
        app = create_app(self._panel, _own_hosts(shown_host, self._port), touch)
        logging.getLogger("werkzeug").setLevel(logging.WARNING)
        self._server = make_server(host, self._port, app, threaded=True, fd=listener.fileno())
        # The server has its own copy of the descriptor.
        listener.close()
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.2}, name="screen", daemon=True
        )
        self._thread.start()

    def show(self, page: Page, language: str) -> None:
        """Show a page."""
        self._panel.show(page, language)

    def name_office(self, office: Names) -> None:
        """Show the office's name."""
        self._panel.name_office(office)

    def close(self) -> None:
        """Stop serving; may be called again."""
        self._panel.close()
        self._server.shutdown()
        self._thread.join(timeout=5)
        self._server.server_close()


def create_app(panel: Panel, own_hosts: frozenset[str], touch: Touch) -> Flask:
    """The panel's application."""
    app = Flask(__name__)
    app.config["MAX_CONTENT_LENGTH"] = 1024
    token = secrets.token_urlsafe(24)

    @app.before_request
    def only_ourselves() -> None:
        if request.host not in own_hosts:
            abort(403)
        if request.method not in ("GET", "HEAD"):
            if request.headers.get("Origin", "") not in {f"http://{host}" for host in own_hosts}:
                abort(403)
            if not hmac.compare_digest(request.headers.get(TOKEN_HEADER, "").encode(), token.encode()):
                abort(403)

    @app.after_request
    def nothing_from_elsewhere(response: Response) -> Response:
        response.headers["Content-Security-Policy"] = _POLICY
        response.headers["X-Content-Type-Options"] = "nosniff"
        response.headers["Referrer-Policy"] = "no-referrer"
        response.headers["Cache-Control"] = "no-store"
        return response

    @app.after_request
    def read_whole(response: Response) -> Response:
        # A page that is left while a file is on its way would otherwise leave the file open: Werkzeug's server then
        # does not close what it was sending. They are letters and pictures of a few kilobytes.
        if response.direct_passthrough:
            response.direct_passthrough = False
            whole = response.get_data()
            response.close()
            response = app.response_class(whole, response.status, response.headers)
        return response

    _add_pages(app, panel, token, touch)
    return app


def _add_pages(app: Flask, panel: Panel, token: str, touch: Touch) -> None:
    vendor = Path(app.static_folder or "") / "vendor"
    sheets = [name for name in ("tokens.css", "fonts/biz-udpgothic.css") if (vendor / name).is_file()]
    sheets += sorted(f"fonts/{path.name}" for path in (vendor / "fonts").glob("letters-*.css"))

    @app.get("/")
    def page() -> ResponseReturnValue:
        away = [
            (language_of(code).html_lang, Said(panel.texts.say("kiosk.outoforder", code)))
            for code in panel.texts.languages
        ]
        return render_template("panel.html", token=token, sheets=sheets, away=away)

    @app.get("/pictures.svg")
    def pictures() -> ResponseReturnValue:
        return Response(pictures_svg(), mimetype="image/svg+xml")

    @app.get("/events")
    def events() -> ResponseReturnValue:
        def stream() -> Iterator[str]:
            for picture in panel.pictures():
                if picture is None:
                    yield "event: ping\ndata: {}\n\n"
                else:
                    yield f"data: {json.dumps({'start': token[:8], **picture}, ensure_ascii=False)}\n\n"

        return Response(stream(), mimetype="text/event-stream")

    @app.post("/touch")
    def touched() -> ResponseReturnValue:
        button, value = _touch_in(request.get_json(silent=True))
        touch(button, value)
        return "", 204


def _touch_in(body: object) -> tuple[str, str]:
    """Which button was touched, and its value; anything else is a bad request."""
    if not isinstance(body, dict):
        abort(400)
    button, value = body.get("button"), body.get("value", "")
    if not isinstance(button, str) or not isinstance(value, str):
        abort(400)
    if button not in BUTTONS or len(value) > 64:
        abort(400)
    return button, value


def _own_hosts(host: str, port: int) -> frozenset[str]:
    return frozenset({f"{host}:{port}", f"127.0.0.1:{port}", f"localhost:{port}"})
