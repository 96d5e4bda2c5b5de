"""memory: of the server after bookings, of a kiosk after tickets, and of each open board."""

from collections.abc import Iterator
from time import sleep
from typing import Any

from bench.office import add_bookings, add_notices, found_office
from bench.printer import Printer
from bench.processes import free_port, line_of, memory_of
from bench.report import Line, tell
from bench.residents import book, rush_of
from bench.site import Server, Site, site
from server.clock import business_date

BOOKINGS, TICKETS, BOARDS, WINDOWS = 300, 50, 200, 60
SERVER_MB, KIOSK_MB, BOARD_KIB = 150, 120, 60
SETTLE_S = 3.0
SERVER_LIBRARIES = [
    "apscheduler.schedulers.background",
    "argon2",
    "flask",
    "flask_limiter",
    "flask_login",
    "flask_migrate",
    "flask_socketio",
    "flask_sqlalchemy",
    "flask_wtf",
    "gevent",
    "gunicorn.app.base",
    "gunicorn.workers.ggevent",
    "segno",
    "simple_websocket",
    "sqlalchemy.orm",
    "sqlalchemy.dialects.sqlite",
    "yaml",
]
KIOSK_LIBRARIES = ["flask", "httpx", "PIL.ImageFont", "escpos.printer", "segno", "yaml"]


def measure() -> Iterator[Line]:
    """Three lines."""
    printer = Printer()
    with site() as here:
        office = found_office(here.databases, WINDOWS)
        with office.app():
            booked = add_bookings(office, TICKETS, business_date(office.now()))
            notices = add_notices(office, BOOKINGS)
        server = here.serve(office)
        tell(f"memory: {BOOKINGS} bookings")
        rush_of(book, server, notices, clients=8)
        yield _line("server", SERVER_MB, memory_of(server.process), _bare(here, SERVER_LIBRARIES))
        tell(f"memory: {BOARDS} boards")
        yield _boards_line(_board_kib(here, server, server.board_cookie(office)), _bare_board_kib(here))
        tell(f"memory: {TICKETS} tickets")
        kiosk = here.kiosk(office, server, printer)
        for sticker in booked:
            kiosk.scan(sticker.scan_code)
            sleep(0.1)
        yield _line("kiosk", KIOSK_MB, memory_of(kiosk.process), _bare(here, KIOSK_LIBRARIES))
    printer.close()


def _bare(here: Site, libraries: list[str]) -> dict[str, Any]:
    """What the libraries alone hold."""
    process = here.processes.start("bare-imports", ["bench.bare_imports", *libraries])
    assert line_of(process) == "ready"
    held = memory_of(process)
    here.processes.stop(process)
    return {"what": "the libraries alone, imported", **held}


def _line(part: str, most_mb: int, held: dict[str, Any], bare: dict[str, Any]) -> Line:
    ratio = held["pss_mb"] / bare["pss_mb"]
    return Line("memory", {"part": part, **held}, bare, ratio, f"≤ {most_mb} MB", held["pss_mb"] <= most_mb)


def _board_kib(here: Site, server: Server, cookie: str) -> float:
    """How much one more board takes: all of them at once, so that what is loaded only once hardly counts."""
    before = memory_of(server.process)["pss_mb"]
    boards = here.boards(server.port, cookie, BOARDS)
    sleep(SETTLE_S)
    more = memory_of(server.process)["pss_mb"] - before
    here.processes.stop(boards)
    return float(more * 1024 / BOARDS)


def _bare_board_kib(here: Site) -> float:
    port = free_port()
    process = here.processes.start("bare-boards", ["bench.bare_boards", str(port)])
    assert line_of(process) == "ready"
    held = _board_kib(here, Server(process, port), "")
    here.processes.stop(process)
    return held


def _boards_line(kib: float, bare: float) -> Line:
    facts = {"part": "board", "boards": BOARDS, "kib_each": round(kib, 1)}
    raw = {"what": "connection of a bare WebSocket server", "kib_each": round(bare, 1)}
    return Line("memory", facts, raw, kib / bare, f"≤ {BOARD_KIB} KiB each", kib <= BOARD_KIB)
