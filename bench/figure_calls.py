"""call_to_board: 次を呼ぶ pressed → the last of 1, 50, 200 boards has it, beside a bare WebSocket broadcast."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from statistics import median
from time import sleep
from uuid import uuid4

from bench.numbers import Milliseconds
from bench.office import found_office
from bench.processes import Process, free_port, line_of, tell_line
from bench.report import Line, tell
from bench.site import Clerk, Site, Visitor, site

BOARDS = (1, 50, 200)
ROUNDS = 3
CALLS = 60
WAITING = 20
PAUSE_S = 0.03
"""Between calls, so that the boards have read everything else that was sent."""
TIMES, ADDED_MS = 2.0, 2.0
BYTES = 105
"""Of a call's message."""


@dataclass(frozen=True)
class Room:
    """A waiting room: a clerk who calls and a kiosk at which somebody comes for everybody who is called."""

    clerk: Clerk
    kiosk: Visitor

    def arrive(self) -> None:
        """Somebody without a booking comes."""
        body = {"request_id": str(uuid4()), "service": "pickup", "party": 1}
        self.kiosk.send_json("/api/kiosk/walk-ins", body)

    def call(self) -> tuple[int, int]:
        """次を呼ぶ: when it was pressed, and when it was answered."""
        return self.clerk.call_next()

    def go_on(self) -> None:
        """The visit ends, somebody else comes."""
        self.clerk.finish()
        self.arrive()
        sleep(PAUSE_S)


@dataclass
class Round:
    """One round: the request with no board open; pressing to the last board, and the bare broadcast, by boards."""

    request: Milliseconds
    whole: dict[int, Milliseconds] = field(default_factory=dict)
    bare: dict[int, Milliseconds] = field(default_factory=dict)

    @property
    def before_push_ms(self) -> float:
        """How long the request takes until it pushes: of one board's call all that a bare push does not take."""
        return self.whole[1].p50 - self.bare[1].p50

    def pushed(self, boards: int) -> Milliseconds:
        """From the push to the last board. At one board: how much later than the clerk's own screen it has the call,
        for a request with no board open is what it is compared with."""
        before = self.request.p50 if boards == 1 else self.before_push_ms
        return Milliseconds(self.whole[boards].p50 - before, self.whole[boards].p99 - before)


def measure() -> Iterator[Line]:
    """One line for each number of boards."""
    with site() as here:
        office = found_office(here.databases, windows=3)
        server = here.serve(office)
        room = Room(Clerk(server, office, window=3), server.kiosk_client(office))
        for _ in range(WAITING):
            room.arrive()
        _requests(room)  # warms up
        rounds = []
        for n in range(ROUNDS):
            tell(f"calls: round {n + 1} of {ROUNDS}")
            rounds.append(Round(Milliseconds.of(_requests(room))))
            for boards in BOARDS:
                listening = here.boards(server.port, server.board_cookie(office), boards)
                rounds[-1].whole[boards] = Milliseconds.of(_calls(room, listening))
                here.processes.stop(listening)
                rounds[-1].bare[boards] = Milliseconds.of(_broadcasts(here, boards))
        yield from (_line(boards, rounds) for boards in BOARDS)


def _requests(room: Room) -> list[int]:
    samples = []
    for _ in range(CALLS):
        began, answered = room.call()
        samples.append(answered - began)
        room.go_on()
    return samples


def _calls(room: Room, boards: Process) -> list[int]:
    samples = []
    for _ in range(CALLS):
        began, _ = room.call()
        heard = json.loads(line_of(boards))
        assert abs(heard["bytes"] - BYTES) < 10, heard
        samples.append(heard["last_ns"] - began)
        room.go_on()
    return samples


def _broadcasts(here: Site, boards: int) -> list[int]:
    port = free_port()
    server = here.processes.start("bare-boards", ["bench.bare_boards", str(port)])
    assert line_of(server) == "ready"
    listening = here.boards(port, "", boards)
    samples = []
    for sequence in range(CALLS):
        tell_line(server, f'42["call",{{"sequence":{sequence}}}]'.ljust(BYTES))
        began = int(line_of(server))
        samples.append(json.loads(line_of(listening))["last_ns"] - began)
        sleep(PAUSE_S)
    here.processes.stop(listening)
    here.processes.stop(server)
    return samples


def _line(boards: int, rounds: list[Round]) -> Line:
    pushed = Milliseconds.median_of([r.pushed(boards) for r in rounds])
    bare = Milliseconds.median_of([r.bare[boards] for r in rounds])
    facts = {
        "boards": boards,
        **pushed.to_json(),
        "whole": Milliseconds.median_of([r.whole[boards] for r in rounds]).to_json(),
        "request": Milliseconds.median_of([r.request for r in rounds]).to_json(),
        "before_push_ms": round(median(r.before_push_ms for r in rounds), 2),
    }
    raw = {"what": "bare WebSocket broadcast", **bare.to_json(), "bytes": BYTES}
    if boards == 1:
        return Line("call_to_board", facts, raw, None, f"≤ {ADDED_MS:.0f} ms more", pushed.p50 <= ADDED_MS)
    ratio = pushed.p50 / bare.p50
    return Line("call_to_board", facts, raw, ratio, f"≤ {TIMES:.0f} × raw", ratio <= TIMES)
