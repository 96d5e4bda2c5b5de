"""One visitor's way through the whole program, on real processes: server, kiosk, printer on the network, Chromium."""

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

import pytest
import zxingcpp
from playwright.sync_api import Browser, Page, expect

from kiosk.devices.virtual_printer import VirtualPrinterServer
from madoguchi import codes
from madoguchi.demo_story import CODE, scan
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

pytestmark = [pytest.mark.journey, pytest.mark.browser]


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


@pytest.fixture
def place(office: Office, tmp_path: Path) -> Iterator[Place]:
    """Server and kiosk as processes, a printer on the network; on each kind of database."""
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


def _books(page: Page, url: str, sticker: Sticker) -> str:
    """Sign in, first day with places, first time, confirm; gives the booking code on the page."""
    page.goto(url)
    page.fill("input[name=credential_id]", sticker.credential_id)
    page.fill("input[name=password]", sticker.password)
    page.click("main form button")
    page.click("a[href*='/book/2026-11-30']")
    page.locator("input[name=slot]:not([disabled])").first.check()
    page.click("main form button")
    page.click("main form[action*='/book/confirm/'] button")
    found = CODE.search(page.locator("main").inner_text())
    assert found is not None, page.locator("main").inner_text()
    return found[0]


def _calls(page: Page, place: Place) -> None:
    """Sign in as a clerk, open window 3, press 次を呼ぶ."""
    page.goto(f"{place.url}/desk")
    page.fill("input[name=name]", place.clerk.name)
    page.fill("input[name=password]", place.clerk.password)
    page.click("main form button[type=submit]")
    page.click("form[action*='/desk/windows/3/open'] button")
    page.click("form[action*='call-next'] button")


def test_a_resident_books_scans_gets_a_ticket_is_called_and_the_board_says_so(place: Place, browser: Browser) -> None:
    """The whole line: the paper carries the ticket's code for another reader, the panel and the board its number."""
    board = browser.new_context(viewport={"width": 1920, "height": 1080}).new_page()
    board.goto(f"{place.url}/boards/pair/{place.pairing}")
    panel = browser.new_context(viewport={"width": 1080, "height": 1920}).new_page()
    panel.goto(place.panel)

    code = _books(browser.new_context(locale="ja-JP").new_page(), place.url, place.sticker)
    scan(str(place.scan_socket), code)
    (printed,) = place.printer.wait_for_papers(1, timeout=20)
    assert printed.paper.cut
    assert not printed.paper.faults
    (mark,) = zxingcpp.read_barcodes(printed.paper.image.convert("L"))
    on_paper = codes.read(mark.text, ())
    assert isinstance(on_paper, codes.Code)
    assert on_paper.kind is codes.Kind.TICKET
    expect(panel.locator("body")).to_contain_text("1")

    _calls(browser.new_context().new_page(), place)
    expect(board.locator("#number")).to_have_text("1")
    expect(board.locator("#window")).to_have_text("3")
