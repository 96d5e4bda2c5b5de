"""The running office of a journey: server and kiosk as processes, a printer on the network."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from playwright.sync_api import Page

from kiosk.devices.virtual_printer import VirtualPrinterServer
from server.auth.service import add_board, add_kiosk, start_pairing
from server.db import read_session
from server.issuance.service import Sticker
from server.offices.queries import office_by_code
from server.sample import SampleStaff, new_notice
from tests.conftest import Office
from tests.databases import wait_until
from tests.fakes import MONDAY_NINE
from tests.ports import free_port
from tests.serving import ROOT, serving


@dataclass
class Place:
    """The running office of this journey."""

    url: str
    panel: str
    pairing: str
    scan_socket: Path
    printer: VirtualPrinterServer
    sticker: Sticker
    clerk: SampleStaff


@contextmanager
def running(office: Office, tmp_path: Path) -> Iterator[Place]:
    """Server and kiosk as processes, a printer on the network."""
    honcho = office_by_code(read_session(), "honcho").id
    _, token = add_kiosk(office.keyring, honcho, "入口", "test", MONDAY_NINE)
    board = add_board(honcho, "待合", "test", MONDAY_NINE)
    pairing = start_pairing(office.keyring, board, "test", MONDAY_NINE, timedelta(hours=1))
    sticker = new_notice(office.keyring, "honcho", MONDAY_NINE)
    socket, panel = tmp_path / "scan.sock", free_port()
    with (
        serving(office.settings, tmp_path) as servers,
        VirtualPrinterServer(tmp_path / "papers") as printer,
        _kiosk(tmp_path, servers[0].url, token, printer.port, panel),
    ):
        yield Place(
            servers[0].url, f"http://127.0.0.1:{panel}/", pairing, socket, printer, sticker, office.account("clerk")
        )


@contextmanager
def _kiosk(folder: Path, server: str, token: str, printer: int, panel: int) -> Iterator[None]:
    config, log = folder / "kiosk.toml", folder / "kiosk.log"
    config.write_text(
        f"""[server]
url = {json.dumps(server)}
token = {json.dumps(token)}
[scanner]
kind = "simulated"
socket = {json.dumps(str(folder / "scan.sock"))}
[printer]
kind = "network"
host = "127.0.0.1"
port = {printer}
profile = "virtual-80mm"
[screen]
port = {panel}
""",
        encoding="utf-8",
    )
    with log.open("wb") as out:
        process = subprocess.Popen(  # noqa: S603 - our own words
            [sys.executable, "-m", "madoguchi.cli", "kiosk", "--config", str(config)],
            cwd=ROOT,
            env=dict(os.environ),
            stdout=out,
            stderr=out,
        )
    try:
        wait_until(lambda: "kiosk ready" in log.read_text("utf-8"), 30, "the kiosk")
        yield
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(15)


def open_window(page: Page, place: Place, number: int) -> None:
    """Sign in as a clerk and open a window."""
    page.goto(f"{place.url}/desk")
    page.fill("input[name=name]", place.clerk.name)
    page.fill("input[name=password]", place.clerk.password)
    page.click("main form button[type=submit]")
    page.click(f"form[action*='/desk/windows/{number}/open'] button")
