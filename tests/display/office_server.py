"""A small server that speaks the board's side of the contract and does, on demand, everything that can go wrong.

Runs as a process of its own, so that it can be killed and frozen like a real one:
`python -m tests.display.office_server PORT STATE`. STATE is a JSON file, read anew for every answer; what stands
in it is in `office_process.py`.
"""

import json
import sys
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, Final

from flask import Flask, Response, abort, jsonify, render_template, request
from flask_socketio import SocketIO

from display import STATIC, TEMPLATES
from madoguchi.texts import Texts
from tests.display.office import BOARD, Json, Office

HEARTBEAT_S: Final = 2.0
Wsgi = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


class State:
    """The file by which the test tells its server what to be."""

    def __init__(self, file: Path) -> None:
        self._file = file

    def read(self) -> Json:
        """As the test last wrote it."""
        state: Json = json.loads(self._file.read_text(encoding="utf-8"))
        return state

    def picture(self) -> Json:
        """The picture, with the time it is now."""
        return {**self.read()["picture"], "now": Office.now().isoformat()}

    def heartbeat(self) -> Json:
        """The same, as short as a heartbeat."""
        shown = self.picture()
        return {key: shown[key] for key in ("sequence", "now", "waiting", "walk_ins_ended")}


def board_sentences(texts: Texts) -> Json:
    """What the page is given to say."""
    keys = [key for key in texts.by_key if key.startswith(("board.", "call."))]
    return {key: {lang: texts.template(key, lang) for lang in ("ja", "en")} for key in keys}


def make_app(state: State) -> Flask:
    """The addresses a board knows."""
    sentences = board_sentences(Texts.load())
    app = Flask(__name__, template_folder=str(TEMPLATES), static_folder=str(STATIC), static_url_path="/display")

    @app.get("/boards/<uid>")
    def page(uid: str) -> str:
        shown = state.picture()
        return render_template("board.html", board_uid=uid, office=shown["office"], texts=sentences, picture=shown)

    @app.get("/api/boards/<uid>")
    def picture(uid: str) -> Response:
        if uid != BOARD or not state.read()["pictures"]:
            abort(503)
        return jsonify(state.picture())

    @app.get("/healthz")
    def health() -> str:
        return "ok"

    @app.after_request
    def closed_network(response: Response) -> Response:
        response.headers["Content-Security-Policy"] = "default-src 'self'"
        return response

    return app


def add_socket(app: Flask, state: State) -> SocketIO:
    """The socket, its heartbeat, and the address by which the test sends what it likes."""
    socketio = SocketIO(app, async_mode="threading", transports=["websocket"])
    app.wsgi_app = refusing(app.wsgi_app, state)  # type: ignore[assignment,method-assign]  # Flask wraps so

    def beat() -> None:
        while True:
            time.sleep(HEARTBEAT_S)
            if state.read()["heartbeats"]:
                socketio.emit("heartbeat", state.heartbeat())

    @app.post("/test/emit/<event>")
    def emit(event: str) -> tuple[str, int]:
        socketio.emit(event, request.get_json())
        return "", 204

    socketio.start_background_task(beat)
    return socketio


def refusing(app: Wsgi, state: State) -> Wsgi:
    """A firewall that knows no WebSockets, where the state says so."""

    def answer(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        if environ["PATH_INFO"].startswith("/socket.io") and not state.read()["websockets"]:
            start_response("403 Forbidden", [("Content-Type", "text/plain")])
            return [b"no WebSockets here"]
        return app(environ, start_response)

    return answer


def main() -> None:
    """Serve until killed."""
    port, file = int(sys.argv[1]), Path(sys.argv[2])
    state = State(file)
    app = make_app(state)
    add_socket(app, state).run(app, host="127.0.0.1", port=port, allow_unsafe_werkzeug=True)


if __name__ == "__main__":
    main()
