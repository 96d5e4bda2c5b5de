"""call_to_board: 次を呼ぶ pressed → the last of 1, 50, 200 boards has it, beside a bare WebSocket broadcast."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from statistics import median
from time import sleep
from uuid import uuid4

from bench.numbers import Milliseconds
from bench.office import Office, found_office
from bench.processes import Process, free_port, line_of, tell_line
from bench.report import Line, tell
from bench.site import Clerk, Server, Site, Visitor, site

BOARDS = (1, 50, 200)
ROUNDS = 3
CALLS = 60
WAITING = 20
PAUSE_S = 0.03
"""Between calls, so that the boards have read everything else that was sent."""
TIMES, ADDED_MS = 2.0, 2.0
AIM = f"without the request itself ≤ {TIMES:.0f} × raw; at one board ≤ {ADDED_MS:.0f} ms more"


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


@dataclass(frozen=True)
class Round:
    """One round: the request with no board open; pressing to the last board; the bare broadcast to the last board."""

    request: Milliseconds
    whole: Milliseconds
    pushed: Milliseconds
    bare: Milliseconds
    bytes: int


def measure() -> Iterator[Line]:
    """One line for each number of boards."""
    with site() as here:
        office = found_office(here.databases, windows=3)
        server = here.serve(office)
        room = Room(Clerk(server, office, window=3), server.kiosk_client(office))
        for _ in range(WAITING):
            room.arrive()
        _requests(room)  # warms up
        for boards in BOARDS:
            rounds = []
            for n in range(ROUNDS):
                tell(f"calls to {boards} boards: round {n + 1} of {ROUNDS}")
                rounds.append(_round(here, office, server, room, boards))
            yield _line(boards, rounds)


def _round(here: Site, office: Office, server: Server, room: Room, boards: int) -> Round:
    requests = _requests(room)
    listening = here.boards(server.port, server.board_cookie(office), boards)
    whole, size = _calls(room, listening)
    here.processes.stop(listening)
    request = int(median(requests))
    return Round(
        Milliseconds.of(requests),
        Milliseconds.of(whole),
        Milliseconds.of([took - request for took in whole]),
        Milliseconds.of(_broadcasts(here, boards, size)),
        size,
    )


def _requests(room: Room) -> list[int]:
    samples = []
    for _ in range(CALLS):
        began, answered = room.call()
        samples.append(answered - began)
        room.go_on()
    return samples


def _calls(room: Room, boards: Process) -> tuple[list[int], int]:
    samples, size = [], 0
    for _ in range(CALLS):
        began, _ = room.call()
        heard = json.loads(line_of(boards))
        samples.append(heard["last_ns"] - began)
        size = heard["bytes"]
        room.go_on()
    return samples, size


def _broadcasts(here: Site, boards: int, size: int) -> list[int]:
    port = free_port()
    server = here.processes.start("bare-boards", ["bench.bare_boards", str(port)])
    assert line_of(server) == "ready"
    listening = here.boards(port, "", boards)
    samples = []
    for sequence in range(CALLS):
        text = f'42["call",{{"sequence":{sequence}}}]'
        tell_line(server, text + " " * (size - len(text)))
        began = int(line_of(server))
        samples.append(json.loads(line_of(listening))["last_ns"] - began)
        sleep(PAUSE_S)
    here.processes.stop(listening)
    here.processes.stop(server)
    return samples


def _line(boards: int, rounds: list[Round]) -> Line:
    pushed = Milliseconds.median_of([r.pushed for r in rounds])
    bare = Milliseconds.median_of([r.bare for r in rounds])
    facts = {
        "boards": boards,
        **pushed.to_json(),
        "whole": Milliseconds.median_of([r.whole for r in rounds]).to_json(),
        "request": Milliseconds.median_of([r.request for r in rounds]).to_json(),
    }
    raw = {"what": "bare WebSocket broadcast", **bare.to_json(), "bytes": rounds[0].bytes}
    met = pushed.p50 - bare.p50 <= ADDED_MS if boards == 1 else pushed.p50 <= TIMES * bare.p50
    return Line("call_to_board", facts, raw, pushed.p50 / bare.p50, AIM, met)
