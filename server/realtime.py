"""Socket.IO: an event becomes a message to the boards of its office.

A message is a nudge with its content and a sequence number; the picture is the truth. Every heartbeat carries the
committed sequence, so that a lost last message shows. Rooms follow from the pairing cookie.
"""

import logging
import time
from collections.abc import Callable, Iterable
from typing import Any
from uuid import UUID

from flask import Flask, request
from flask_socketio import SocketIO, join_room

from madoguchi.wire import CALL_EVENT, HEARTBEAT_EVENT, WAITING_EVENT, Heartbeat
from server.auth.guards import board_of_request, was_paired
from server.auth.rules import NotPaired
from server.auth.service import boards_seen, paired_boards
from server.clock import office_time
from server.db import db, read_session
from server.edge import Parts
from server.events import QueueChanged, TicketCalled
from server.faults import way_of
from server.intake.words import shown
from server.queueing.board import announcement
from server.queueing.board_api import waiting_of_office
from server.queueing.queries import sequence_of

log = logging.getLogger(__name__)


class Boards:
    """The open boards of this process, by office."""

    def __init__(self, app: Flask, parts: Parts) -> None:
        """Subscribes to the events that change a board and takes sockets of paired boards."""
        self._app, self._parts = app, parts
        self._open: dict[str, tuple[UUID, int, int]] = {}  # socket → board, its generation, its office
        self.socketio = SocketIO(
            app,
            async_mode=_async_mode(),
            message_queue=parts.settings.message_queue or None,
            transports=["websocket"],
            cors_allowed_origins=None,  # same origin only
            ping_interval=10,
            ping_timeout=10,
            serve_client=False,
            manage_session=False,
        )
        app.wsgi_app = _ForBoards(app.wsgi_app, parts.settings.secret_key)  # type: ignore[method-assign]  # Flask's way
        self.socketio.on_event("connect", self._connect)
        self.socketio.on_event("disconnect", self._disconnect)
        parts.bus.after(TicketCalled, self._on_ticket_called)
        parts.bus.after(QueueChanged, self._on_queue_changed)

    def start(self) -> None:
        """Begin the heartbeats of this process."""
        self.socketio.start_background_task(self._beat)

    def _connect(self) -> bool:
        try:
            board = board_of_request()
        except NotPaired:
            return False
        join_room(room(board.office_id))
        self._open[_sid()] = (board.uid, board.generation, board.office_id)
        return True

    def _disconnect(self, _reason: str | None = None) -> None:
        self._open.pop(_sid(), None)

    def _on_ticket_called(self, event: TicketCalled) -> None:
        self.socketio.emit(CALL_EVENT, announcement(event).to_json(), to=room(event.office_id))
        # The boards' turn: else they would get it only with what this request still has to do, and after it.
        self.socketio.sleep(0)

    def _on_queue_changed(self, event: QueueChanged) -> None:
        if self._parts.settings.message_queue or event.office_id in self._offices():
            waiting = waiting_of_office(read_session(), event.office_id, self._parts.clock.now(), at_once=True)
            self.socketio.emit(WAITING_EVENT, waiting.to_json(), to=room(event.office_id))

    def _beat(self) -> None:
        while True:
            self.socketio.sleep(self._parts.settings.heartbeat_s)
            started = time.monotonic()
            self._look_after_boards()
            for office in self._offices():
                try:
                    self.socketio.emit(HEARTBEAT_EVENT, self.heartbeat(office).to_json(), to=room(office))
                except Exception as error:
                    # A database that is away must not end the heartbeats; boards call themselves stale meanwhile.
                    log.error("heartbeat of office %s failed: %s", office, way_of(error))
            if (took := time.monotonic() - started) > 1:
                log.warning("heartbeats took %.1f s", took)

    def _offices(self) -> set[int]:
        return {office for _, _, office in self._open.values()}

    def _look_after_boards(self) -> None:
        """Note which boards are there; one that was unpaired with its socket open hears no more calls after this."""
        open_now = dict(self._open)
        if not open_now:
            return
        try:
            with self._app.app_context():
                boards = {uid for uid, _, _ in open_now.values()}
                paired = paired_boards(read_session(), boards)
                boards_seen(boards, self._parts.clock.now())
                db.session.remove()
        except Exception as error:
            log.error("looking after the boards failed: %s", way_of(error))
            return
        for sid, (uid, generation, _) in open_now.items():
            if (uid, generation) not in paired:
                self._open.pop(sid, None)
                self.socketio.server.disconnect(sid)

    def heartbeat(self, office: int) -> Heartbeat:
        """The committed sequence, the people waiting, and whether others without a booking may come."""
        with self._app.app_context():
            try:
                moment = self._parts.clock.now()
                session = read_session()
                sequence = sequence_of(session, office)
                waiting, ended = waiting_of_office(session, office, moment), shown(session, office, moment).ended
                return Heartbeat(sequence, office_time(moment), waiting, ended)
            finally:
                db.session.remove()


class _ForBoards:
    """WSGI: no socket for whoever was never paired. Once open, a socket costs memory for as long as its owner likes."""

    def __init__(self, app: Callable[..., Iterable[bytes]], secret_key: str) -> None:
        self._app, self._secret_key = app, secret_key

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        if environ["PATH_INFO"].startswith("/socket.io") and not was_paired(self._secret_key, environ):
            start_response("401 UNAUTHORIZED", [("Content-Length", "0")])
            return [b""]
        return self._app(environ, start_response)


def room(office: int) -> str:
    """The room of an office's boards."""
    return f"office:{office}"


def _sid() -> str:
    return str(_request().sid)


def _request() -> Any:
    return request


def _async_mode() -> str:
    """gevent where the process was patched for it (`serve`), threads elsewhere (tests)."""
    try:
        from gevent import monkey
    except ImportError:
        return "threading"
    return "gevent" if monkey.is_module_patched("socket") else "threading"
