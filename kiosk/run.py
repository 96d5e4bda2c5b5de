"""The kiosk's loop: events from scanner, screen, server and printer go into the dialogue, its orders come out.

The loop itself waits for nothing but the next event: what takes time is done by the threads of kiosk/hands.py.
"""

import contextlib
import logging
import queue
import signal
import sys
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from kiosk.agent import Agent
from kiosk.config import ConfigFault, KioskConfig, PrinterConfig, ScannerConfig, load_config
from kiosk.devices.ports import Printer, Scanner
from kiosk.devices.printer_escpos import EscposPrinter
from kiosk.devices.transport import Transport
from kiosk.dialogue import Action, Event, Note, Print, Scanned, Show, StateSeen, Tick, Touched
from kiosk.hands import Asker, Ear, Heartbeat, Post, PrintRoom, Watchman
from kiosk.printer_profile import warn_if_unverified
from kiosk.raster import GETA, Fonts, NoFont, Press
from kiosk.reception_client import ReceptionClient
from kiosk.screen.server import ScreenServer
from madoguchi.mynumber import wipe
from madoguchi.texts import Texts
from madoguchi.wire import KioskState, Task, TicketView

TICK_S: Final = 0.25
END_S: Final = 15.0
"""How long a ticket that is being made may still take when the kiosk is told to stop."""

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Stop:
    """The kiosk is to end."""


class Kiosk:
    """Everything of one kiosk, put together."""

    def __init__(self, config: KioskConfig, scanner: Scanner, printer: Printer, texts: Texts, fonts: Fonts) -> None:
        self._events: queue.SimpleQueue[Event | Stop] = queue.SimpleQueue()
        self._stopping = threading.Event()
        self._scanner, self._printer, self._fonts = scanner, printer, fonts
        self._names = ""
        self._agent = Agent(
            lambda: str(uuid.uuid4()),
            config.language,
            texts.languages,
            one_way_printer=not config.printer.profile.status_replies,
            scanner=config.scanner.setup,
        )
        server = config.server
        self._client = ReceptionClient(server.url, server.token, server.timeout_s, server.ca_file)
        self._asker = Asker(self._client, self._events.put)
        profile = config.printer.profile
        self._print_room = PrintRoom(
            printer, profile, Press(fonts, profile), texts.say, self._events.put, lambda: self._agent.printing
        )
        self._ear = Ear(scanner, self._events.put, self._stopping)
        self._watchman = watch_inputs(scanner, config.scanner.guard, self._events.put, self._stopping)
        self._heartbeat = Heartbeat(self._client, self._asker, self._events.put, self._stopping)
        self._screen = ScreenServer(texts, config.screen_host, config.screen_port, self._touched)
        self._warm_up(texts.languages)

    @property
    def url(self) -> str:
        """Where the panel's page is."""
        return self._screen.url

    def start(self) -> None:
        """Begin to serve visitors."""
        self._do(self._agent.start())
        self._print_room.look()
        for thread in (self._asker, self._print_room, self._ear, self._heartbeat):
            thread.start()
        if self._watchman is not None:
            self._watchman.start()

    def stop(self) -> None:
        """End soon; may be called from a signal handler."""
        self._events.put(Stop())

    def loop(self) -> None:
        """Serve visitors until stopped; a ticket that is being made is finished and reported."""
        until: float | None = None
        ticked = time.monotonic()
        while until is None or (self._agent.busy and time.monotonic() < until):
            event = self._next()
            now = time.monotonic()
            if isinstance(event, Stop):
                until = now + END_S
                self._stopping.set()
            elif event is not None:
                self._handle(event, now)
            if now - ticked >= TICK_S:
                ticked = now
                self._handle(Tick(), now)

    def close(self) -> None:
        """Let go of everything, in the order in which it is needed."""
        self._stopping.set()
        self._print_room.stop(timeout=END_S)
        self._asker.stop(timeout=5)
        self._ear.join(timeout=5)
        if self._watchman is not None:
            self._watchman.join(timeout=5)
        self._heartbeat.join(timeout=5)
        self._scanner.close()
        self._printer.close()
        self._screen.close()
        self._client.close()

    def _next(self) -> Event | Stop | None:
        try:
            return self._events.get(timeout=TICK_S)
        except queue.Empty:
            return None

    def _handle(self, event: Event, now: float) -> None:
        try:
            if isinstance(event, StateSeen):
                self._learn_names(event.state)
            self._do(self._agent.handle(event, now))
        except Exception:
            # One event that we cannot handle must not end the kiosk. Its kind is told, never its content.
            log.exception("handling %s failed", type(event).__name__)
        finally:
            if isinstance(event, Scanned):
                wipe(event.payload)

    def _learn_names(self, state: KioskState) -> None:
        """The office's own names are the only words on screen and paper that we could not try before."""
        self._screen.name_office(state.office)
        names = "".join("".join(entry.values()) for entry in (state.office, *(s.name for s in state.services)))
        if names != self._names:
            self._names = names
            if missing := self._fonts.missing(names):
                log.warning(
                    "no font has %s: slips show the name in another language, or %s", " ".join(sorted(missing)), GETA
                )

    def _do(self, actions: list[Action]) -> None:
        for action in actions:
            match action:
                case Show(page, language):
                    self._screen.show(page, language)
                case Print():
                    self._print_room.inbox.put(action)
                case Note(kind, length):
                    log.info("scan: %s, %d bytes", kind, length)
                case _:
                    self._asker.inbox.put(action)

    def _touched(self, button: str, value: str) -> None:
        self._events.put(Touched(button, value))

    def _warm_up(self, languages: tuple[str, ...]) -> None:
        """Draw a slip that nobody prints: fonts, the fixed sentences and python-escpos are then in memory."""
        for language in languages:
            self._print_room.make(Print(_SAMPLE, uuid.UUID(int=0), language))


_NAMES: Final = {"ja": "見本市役所 本庁", "en": "Mihon City Hall"}
_SAMPLE: Final = TicketView(
    *(uuid.UUID(int=0), 62, _NAMES, _NAMES, 2, None, datetime(2026, 11, 30, tzinfo=UTC), 0, _NAMES, None),
    tasks=tuple(Task),
)


def main(config_path: Path) -> int:
    """Run one kiosk until SIGTERM. 0 when it ended as asked, 1 when it could not start."""
    _set_up_logging()
    try:
        config = load_config(config_path)
        kiosk = build(config)
    except (ConfigFault, NoFont, OSError) as error:
        sys.stderr.write(f"the kiosk cannot start: {error}\n")
        return 1
    with _ending_on_signals(kiosk.stop):
        kiosk.start()
        sys.stdout.write(f"kiosk ready {kiosk.url}\n")
        sys.stdout.flush()
        try:
            kiosk.loop()
        finally:
            kiosk.close()
    log.info("the kiosk has ended")
    return 0


def build(config: KioskConfig) -> Kiosk:
    """The kiosk of a configuration, with its devices open. Raises NoFont or OSError."""
    if config.printer.kind != "virtual":
        warn_if_unverified(config.printer.profile)
    texts = Texts.load()
    fonts = Fonts()
    printer = open_printer(config.printer)
    scanner = open_scanner(config.scanner)
    try:
        return Kiosk(config, scanner, printer, texts, fonts)
    except BaseException:
        scanner.close()
        raise


def open_scanner(config: ScannerConfig) -> Scanner:
    """The scanner that is configured; a real one may come later than the kiosk."""
    if config.kind == "simulated":
        from kiosk.devices.simulated import SimulatedScanner

        assert config.place is not None  # noqa: S101 - load_config gives one to this kind
        return SimulatedScanner(config.place)
    from kiosk.devices.evdev_scanner import EvdevScanner
    from kiosk.devices.inputs import find_scanner, inputs

    where = str(config.place) if config.place else lambda: find_scanner(inputs(), config.ids)
    return EvdevScanner(where, config.setup.layout)


def watch_inputs(scanner: Scanner, guarded: bool, post: Post, stopping: threading.Event) -> Watchman | None:
    """Who looks after other keyboards and mice, where there is a real scanner and nobody has allowed them."""
    from kiosk.devices.evdev_scanner import EvdevScanner
    from kiosk.devices.input_guard import InputGuard

    return Watchman(InputGuard(scanner.at), post, stopping) if guarded and isinstance(scanner, EvdevScanner) else None


def open_printer(config: PrinterConfig) -> Printer:
    """The printer that is configured. Each way to one is loaded only where it is used."""
    profile = config.profile
    match config.kind:
        case "virtual":
            from kiosk.devices.simulated import VirtualPrinter

            return VirtualPrinter(config.place, profile.width_dots)
        case "file":
            from kiosk.devices.printer_file import FilePrinter

            return FilePrinter(config.place)
        case "cups":
            from kiosk.devices.printer_cups import CupsPrinter

            return CupsPrinter(config.url)
    return EscposPrinter(_transport(config), replies=profile.status_replies, paper_s=profile.paper_s)


def _transport(config: PrinterConfig) -> Transport:
    match config.kind:
        case "usblp":
            from kiosk.devices.transport_usblp import UsblpTransport

            return UsblpTransport(config.place)
        case "usb":
            try:
                from kiosk.devices.transport_usb import UsbTransport
            except ModuleNotFoundError:
                raise ConfigFault('[printer] kind = "usb" needs pyusb; the extra kiosk-hardware brings it') from None
            return UsbTransport(config.vendor, config.product, config.serial)
        case "serial":
            from kiosk.devices.transport_serial import SerialTransport

            return SerialTransport(config.place, config.baud, config.flow)
    from kiosk.devices.transport_tcp import TcpTransport

    return TcpTransport(config.host, config.port)


def _set_up_logging() -> None:
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s", stream=sys.stderr)
    for name in ("httpx", "httpcore", "werkzeug", "PIL"):
        logging.getLogger(name).setLevel(logging.WARNING)


@contextlib.contextmanager
def _ending_on_signals(stop: Callable[[], None]) -> Iterator[None]:
    """SIGTERM and Ctrl+C end the loop, not the program in the middle of a ticket."""
    before = {name: signal.signal(name, lambda *_: stop()) for name in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    finally:
        for name, handler in before.items():
            signal.signal(name, handler)
