"""A printer that only looks at the clock: it answers status questions as a well printer does, and keeps nothing."""

import socket
import threading
import time
from dataclasses import dataclass
from queue import Queue

QUESTION = b"\x10\x04"
# DLE EOT 1 to 4: on line, cover closed, no error, paper there (the fixed bits 1 and 4 are set).
WELL = b"\x12"


@dataclass(frozen=True)
class Paper:
    """A job: when its first byte came, and how many came."""

    first_ns: int
    bytes: int


class Printer:
    """Listens like a network printer; `papers` gets each job when it has ended."""

    def __init__(self) -> None:
        """Listens on a free port."""
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        self.papers: Queue[Paper] = Queue()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop listening."""
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join(5)

    def _run(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            with connection:
                self._serve(connection)

    def _serve(self, connection: socket.socket) -> None:
        first, length = 0, 0
        while data := connection.recv(65536):
            at = time.monotonic_ns()
            # A kiosk asks and waits for the answer, so that a question is always the end of what was received.
            asked = data[-3:-1] == QUESTION
            paper = data[:-3] if asked else data
            if paper and not first:
                first = at
            length += len(paper)
            if asked:
                connection.sendall(WELL)
        if first:
            self.papers.put(Paper(first, length))
