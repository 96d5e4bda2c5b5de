"""check_in_request: POST /api/kiosk/check-ins, beside a bare route and the entry point called directly."""

from collections.abc import Callable, Iterable, Iterator
from time import monotonic_ns
from uuid import uuid4

from sqlalchemy import select

from bench.numbers import Milliseconds
from bench.office import Office, add_bookings, found_office
from bench.report import Line, tell
from bench.site import Server, site
from server.auth.models import Device, DeviceKind
from server.clock import business_date
from server.db import db, read_session
from server.issuance.service import Sticker
from server.reception.service import Kiosk, check_in
from server.repeats import Caller

ROUNDS = 3
SAMPLES = 100
WINDOWS = 60
AIM_MS = 10.0


def measure() -> Iterator[Line]:
    """One line."""
    with site() as here:
        office = found_office(here.databases, WINDOWS)
        with office.app():
            booked = iter(add_bookings(office, (ROUNDS + 1) * 2 * SAMPLES, business_date(office.now())))
            server, bare = here.serve(office), here.serve_bare()
            tries = (_request(server, office), _bare(bare), _direct(office))
            rounds: list[tuple[Milliseconds, ...]] = []
            for n in range(ROUNDS + 1):
                tell(f"check-ins: round {n} of {ROUNDS}")
                codes = [next(booked) for _ in range(2 * SAMPLES)]
                given = (codes[:SAMPLES], codes[SAMPLES:], codes[SAMPLES:])
                rounds.append(tuple(_timed(one, stickers) for one, stickers in zip(tries, given, strict=True)))
        # The first round only warms up.
        yield _line(*(Milliseconds.median_of(kind) for kind in zip(*rounds[1:], strict=True)))


def _timed(once: Callable[[Sticker], None], stickers: Iterable[Sticker]) -> Milliseconds:
    samples = []
    for sticker in stickers:
        began = monotonic_ns()
        once(sticker)
        samples.append(monotonic_ns() - began)
    return Milliseconds.of(samples)


def _request(server: Server, office: Office) -> Callable[[Sticker], None]:
    kiosk = server.kiosk_client(office)

    def once(sticker: Sticker) -> None:
        said = kiosk.send_json("/api/kiosk/check-ins", {"request_id": str(uuid4()), "text": sticker.scan_code})
        assert said["result"] == "ticket", said

    return once


def _bare(bare: Server) -> Callable[[Sticker], None]:
    visitor = bare.visitor()

    def once(sticker: Sticker) -> None:
        visitor.send_json("/", {"request_id": str(uuid4()), "text": sticker.scan_code})

    return once


def _direct(office: Office) -> Callable[[Sticker], None]:
    device = read_session().scalars(select(Device).where(Device.kind == DeviceKind.KIOSK)).one()
    kiosk, keys = Kiosk(device.id, device.office_id), office.keyring
    actor = f"device:{kiosk.id}"

    def once(sticker: Sticker) -> None:
        check_in(Caller(actor, str(uuid4())), keys, kiosk, sticker.scan_code, (), office.now())
        db.session.remove()  # as at the end of a request

    return once


def _line(request: Milliseconds, bare: Milliseconds, direct: Milliseconds) -> Line:
    raw = {
        "what": "bare route + entry point called directly",
        **(bare + direct).to_json(),
        "bare": bare.to_json(),
        "direct": direct.to_json(),
    }
    ratio = request.p50 / (bare + direct).p50
    return Line("check_in_request", request.to_json(), raw, ratio, f"p50 ≤ {AIM_MS:.0f} ms", request.p50 <= AIM_MS)
