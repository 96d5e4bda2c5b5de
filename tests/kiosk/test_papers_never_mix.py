"""Many kiosks print at once: every paper is its visitor's, byte for byte, or says that it is nobody's."""

import threading
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from uuid import UUID

import pytest
import zxingcpp

from kiosk.devices.printer_escpos import EscposPrinter
from kiosk.devices.transport_tcp import TcpTransport
from kiosk.devices.virtual_printer import VirtualPrinterServer
from kiosk.dialogue import Event, Print, Printed
from kiosk.hands import PrintRoom
from kiosk.printer_profile import load_profile
from kiosk.raster import Fonts, Press
from madoguchi import codes
from madoguchi.texts import Texts
from madoguchi.wire import Outcome
from tests.kiosk.fake_office import ticket

KIOSKS, EACH = 20, 10
PROFILE = load_profile("virtual-80mm")
TEXTS = Texts.load()


@dataclass
class Place:
    """One kiosk's print room with a printer of its own. `gone`: jobs whose visitor does not wait."""

    printer: VirtualPrinterServer
    orders: list[Print]
    gone: set[UUID] = field(default_factory=set)
    reports: list[Event] = field(default_factory=list)
    session: UUID | None = None

    def __post_init__(self) -> None:
        printer = EscposPrinter(TcpTransport("127.0.0.1", self.printer.port), answer_s=10.0)
        self.room = PrintRoom(printer, PROFILE, Press(Fonts(), PROFILE), TEXTS.say, self.reports.append, self._wanted)

    def _wanted(self) -> UUID | None:
        """The session as it stands: who goes does so while the picture is on its way."""
        asked = self.session
        if asked in self.gone:
            self.session = None
        return asked

    def serve(self, start: threading.Barrier) -> None:
        """One visitor after another, as the kiosk's loop brings them."""
        start.wait()
        for order in self.orders:
            self.session = order.job
            self.room.inbox.put(order)
            self.room.inbox.put(None)
            self.room.run()


@pytest.fixture
def places(tmp_path: Path) -> Iterator[list[Place]]:
    with ExitStack() as stack:
        made = []
        for kiosk in range(KIOSKS):
            printer = stack.enter_context(VirtualPrinterServer(tmp_path / str(kiosk)))
            numbers = range(1 + kiosk * EACH, 1 + (kiosk + 1) * EACH)
            made.append(Place(printer, [Print(ticket(n), UUID(int=1000 + n), ("ja", "en")[n % 2]) for n in numbers]))
        yield made


def serve_all(places: list[Place]) -> None:
    start = threading.Barrier(len(places))
    threads = [threading.Thread(target=place.serve, args=(start,)) for place in places]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def test_two_hundred_papers_of_twenty_kiosks_are_each_their_own(places: list[Place]) -> None:
    serve_all(places)

    seen = set()
    for place in places:
        papers = [printed.paper for printed in place.printer.wait_for_papers(EACH, 10.0)]
        for order, paper, report in zip(place.orders, papers, place.reports, strict=True):
            job = place.room.make(order)
            assert report == Printed(order.job, job.sha256, Outcome.PRINTED)
            assert (paper.data, paper.cut, paper.faults) == (job.data, True, ())
            (code,) = zxingcpp.read_barcodes(
                paper.image.crop((0, paper.image.height - 500, 300, paper.image.height)).convert("L")
            )
            assert code.text == codes.of_ticket(order.ticket.uid).text
            seen.add(order.ticket.number)
    assert seen == set(range(1, KIOSKS * EACH + 1))


def test_whoever_goes_meanwhile_leaves_a_void_paper_and_the_next_gets_their_own(places: list[Place]) -> None:
    for place in places[:4]:
        place.gone = {order.job for order in place.orders[::2]}

    serve_all(places[:4])

    for place in places[:4]:
        expected = []
        for order, report in zip(place.orders, place.reports, strict=True):
            job = place.room.make(order)
            void = order.job in place.gone
            assert report == Printed(order.job, job.sha256, Outcome.NOT_PRINTED if void else Outcome.PRINTED)
            expected.append(job.picture + job.void if void else job.data)
        papers = [printed.paper for printed in place.printer.wait_for_papers(EACH, 10.0)]
        assert sorted(paper.data for paper in papers) == sorted(expected)
        assert [(paper.cut, paper.faults) for paper in papers] == [(True, ())] * EACH
