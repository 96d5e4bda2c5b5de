"""The door before the residents' pages: so many are served at a time, the others come in the order in which they came.

When booking opens, a thousand people ask at once. Each of them needs the database several times; let in all together
they scramble for its connections, and who has just come gets one before who has waited longest. Staff, kiosks and
boards do not pass here: connections are left for them, and they wait for nobody.
"""

from collections import deque
from threading import Event, Lock

from flask import Flask, g, request

from server.errors import Busy

ROOM = 10
"""Requests at a time: enough to keep the process busy while some wait for the database, a third of its connections."""
PATIENCE_S = 30.0


class Door:
    """Lets in so many at a time. Who leaves gives the place to whoever has waited longest, never to a newcomer."""

    def __init__(self, room: int) -> None:
        """`room`: how many may be inside."""
        self._room, self._line, self._lock = room, deque[Event](), Lock()

    @property
    def waiting(self) -> int:
        """How many wait before it."""
        return len(self._line)

    def enter(self, patience_s: float) -> None:
        """Come in, or wait for one's turn. Raises Busy when the patience is over."""
        with self._lock:
            if self._room:
                self._room -= 1
                return
            turn = Event()
            self._line.append(turn)
        if turn.wait(patience_s):
            return
        with self._lock:
            if turn.is_set():  # let in at this very moment
                return
            self._line.remove(turn)
        raise Busy

    def leave(self) -> None:
        """Make room."""
        with self._lock:
            if self._line:
                self._line.popleft().set()
            else:
                self._room += 1


def install(app: Flask, pages: str) -> None:
    """Put the door before all pages of a blueprint, and before whatever else is done for a request to them."""
    door = app.extensions["madoguchi.door"] = Door(ROOM)

    @app.before_request
    def _enter() -> None:
        if request.blueprint == pages:
            door.enter(PATIENCE_S)
            g.inside = True

    @app.teardown_request
    def _leave(_error: BaseException | None) -> None:
        if g.pop("inside", False):
            door.leave()
