"""scan_to_paper: a line written to the kiosk's scanner → the first byte of its paper at the printer."""

import socket
from collections.abc import Iterator
from time import monotonic_ns, sleep

from bench.numbers import Milliseconds
from bench.office import add_bookings, found_office
from bench.printer import Printer
from bench.report import Line, tell
from bench.site import Server, site
from server.clock import business_date

ROUNDS = 4
SCANS = 50
WARM_UP = 5
WINDOWS = 60
PAUSE_S = 0.1
"""Between visitors: the kiosk has reported the paper and is free again. Nobody walks up faster."""
AIM_MS = 60.0


def measure() -> Iterator[Line]:
    """One line."""
    printer = Printer()
    with site() as here:
        office = found_office(here.databases, WINDOWS)
        with office.app():
            booked = iter(add_bookings(office, WARM_UP + ROUNDS * SCANS, business_date(office.now())))
        server = here.serve(office)
        kiosk = here.kiosk(office, server, printer)
        link = f"http://127.0.0.1:{server.port}/b/"
        for _ in range(WARM_UP):
            _, paper = kiosk.scan(link + next(booked).scan_code)
            sleep(PAUSE_S)
        taken, raw = [], []
        for n in range(ROUNDS):
            tell(f"scans: round {n + 1} of {ROUNDS}")
            for _ in range(SCANS):
                began, paper = kiosk.scan(link + next(booked).scan_code)
                taken.append(paper.first_ns - began)
                sleep(PAUSE_S)
            raw += _raw(server, printer, paper.bytes)
        yield _line(Milliseconds.of(taken), Milliseconds.of(raw), paper.bytes)
    printer.close()


def _raw(server: Server, printer: Printer, size: int) -> list[int]:
    """What cannot be saved: the server is asked once, and a paper goes to the printer."""
    visitor, paper = server.visitor(), b"\x1b@" + bytes(size - 2)
    samples = []
    for _ in range(SCANS):
        began = monotonic_ns()
        visitor.ask("GET", "/healthz")
        with socket.create_connection(("127.0.0.1", printer.port)) as wire:
            wire.sendall(paper)
        samples.append(printer.papers.get(timeout=5).first_ns - began)
        sleep(PAUSE_S / 5)
    return samples


def _line(taken: Milliseconds, raw: Milliseconds, size: int) -> Line:
    facts = {"scans": ROUNDS * SCANS, **taken.to_json()}
    beside = {"what": "HTTP round trip to /healthz + bare TCP send", **raw.to_json(), "bytes": size}
    aim = f"p99 ≤ {AIM_MS:.0f} ms"
    return Line("scan_to_paper", facts, beside, taken.p99 / raw.p99, aim, taken.p99 <= AIM_MS)
