"""A whole kiosk at the entrance: real loop, simulated scanner, virtual network printer, a small office server."""

import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from kiosk.config import load_config
from kiosk.devices.virtual_printer import VirtualPrinterServer
from kiosk.run import Kiosk, build
from tests.kiosk.fake_office import TOKEN, Office, OfficeServer


def configured(folder: Path, office_url: str, printer: str) -> Path:
    """A kiosk.toml."""
    path = folder / "kiosk.toml"
    path.write_text(
        f'[server]\nurl = "{office_url}"\ntoken = "{TOKEN}"\ntimeout_s = 1.0\n'
        f'[scanner]\nkind = "simulated"\nsocket = "{folder}/scan.sock"\n'
        f"[printer]\n{printer}\n[screen]\nport = 0\n",
        encoding="utf-8",
    )
    return path


def scan(folder: Path, *lines: str | bytes) -> None:
    """Hold codes to the scanner."""
    with socket.socket(socket.AF_UNIX) as writer:
        writer.connect(str(folder / "scan.sock"))
        for line in lines:
            writer.sendall((line.encode() if isinstance(line, str) else line) + b"\n")


def wait_for(what: Callable[[], object], seconds: float = 10.0) -> None:
    """Until it is so. AssertionError when it does not come to pass."""
    until = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < until, "it did not come to pass"
        time.sleep(0.005)


@dataclass
class Entrance:
    """What a visitor and a tester can see and do."""

    kiosk: Kiosk
    office: Office
    printer: VirtualPrinterServer
    folder: Path
    seen: list[dict[str, Any]]

    def scan(self, *lines: str | bytes) -> None:
        scan(self.folder, *lines)

    @property
    def screen(self) -> dict[str, Any]:
        """What the panel shows now."""
        return self.seen[-1]

    def sees(self, page: str, seconds: float = 10.0) -> dict[str, Any]:
        """Wait for a page."""
        wait_for(lambda: self.screen["page"] == page, seconds)
        return self.screen

    def touch(self, button: str, value: str = "") -> None:
        """Touch the panel, as its page does."""
        url = self.kiosk.url
        token = httpx.get(url).text.split('name="kiosk-token" content="')[1].split('"')[0]
        ours = {"Origin": url.rstrip("/"), "X-Kiosk-Token": token}
        httpx.post(f"{url}touch", json={"button": button, "value": value}, headers=ours).raise_for_status()


@contextmanager
def entrance(folder: Path, office: Office, url: str) -> Iterator[Entrance]:
    """A kiosk that serves visitors until the end of the block."""
    with VirtualPrinterServer(folder / "tickets") as printer:
        network = f'kind = "network"\nhost = "127.0.0.1"\nport = {printer.port}\nprofile = "virtual-80mm"'
        kiosk = build(load_config(configured(folder, url, network)))
        loop = threading.Thread(target=kiosk.loop, name="kiosk loop")
        kiosk.start()
        loop.start()
        watching = _Watching(kiosk.url)
        try:
            yield Entrance(kiosk, office, printer, folder, watching.seen)
        finally:
            kiosk.stop()
            loop.join(timeout=20)
            kiosk.close()
            watching.join(timeout=5)


class _Watching(threading.Thread):
    """Somebody who keeps looking at the panel."""

    def __init__(self, url: str) -> None:
        super().__init__(daemon=True)
        self.url = url
        self.seen: list[dict[str, Any]] = []
        self.start()
        wait_for(lambda: self.seen)

    def run(self) -> None:
        try:
            with httpx.stream("GET", f"{self.url}events", timeout=30) as stream:
                for line in stream.iter_lines():
                    if line.startswith('data: {"start"'):
                        self.seen.append(json.loads(line.removeprefix("data: ")))
        except httpx.HTTPError:
            return  # the kiosk has ended


@contextmanager
def office_and_entrance(folder: Path) -> Iterator[Entrance]:
    """The same with the office's server running, and the first page on the panel."""
    office = Office()
    with OfficeServer(office) as server, entrance(folder, office, server.url) as here:
        here.sees("idle")
        yield here
