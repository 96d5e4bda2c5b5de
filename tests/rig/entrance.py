"""The whole kiosk at the entrance of the rig: `madoguchi kiosk` in the guest, a small office on this machine."""

import struct
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from kiosk.messages import Say, told
from kiosk.screen.pages import sentences
from madoguchi.texts import Texts
from tests.kiosk.fake_office import TOKEN, Office, OfficeServer
from tests.rig.keyboard import KEYS, keys_of, pressed, scanned
from tests.rig.machine import Line, Machine

CONFIG: Final = "/run/kiosk/kiosk.toml"
COMMAND: Final = (str(Path(sys.executable).parent / "madoguchi"), "kiosk", "--config", CONFIG)
PORT: Final = 8090
WAIT_S: Final = 120.0
TEXTS: Final = Texts.load()


def configured(office_port: int, scanner: str) -> str:
    """kiosk.toml."""
    return (
        f'[server]\nurl = "http://10.0.2.2:{office_port}"\ntoken = "{TOKEN}"\n'
        f'[scanner]\nkind = "evdev"\ndevice = "{scanner}"\nlayout = "us"\n'
        f'[printer]\nkind = "usblp"\npath = "/dev/usb/lp0"\nprofile = "epson-tm-t20iii"\n[screen]\nport = {PORT}\n'
    )


@dataclass
class Entrance:
    """What a resident, staff and somebody who reads the records can see."""

    world: Line
    office: Office
    pid: int
    seen: int = 0
    told: int = 0

    def scan(self, text: str) -> None:
        """Hold a code to the scanner; what is shown and told from now on counts."""
        self.from_now_on()
        self.world.ask("type", name="scanner", reports=scanned(text).hex(), gap_ms=0)

    def from_now_on(self) -> None:
        """What was shown and told until now does not count."""
        self.seen, self.told = self.world.ask("shown"), len(self.office.staff_calls)

    def sees(self, page: str, key: str = "", number: int | None = None) -> dict[str, Any]:
        """The resident sees this page with this text, sooner or later. AssertionError or GuestError if not."""
        at, shown = self.world.ask("panel", after=self.seen, page=page, seconds=WAIT_S)
        self.seen = at + 1
        if key:
            facts = {} if shown["number"] is None else {"number": shown["number"]}
            wanted = sentences(told(TEXTS, Say(key, facts), "ja"))
            assert set(shown["text"]) <= set(wanted), (shown["text"], wanted)
        assert number is None or shown["number"] == number
        panel: dict[str, Any] = shown
        return panel

    def staff_hear(self, reason: str) -> bool:
        """Whether staff are told this, sooner or later."""
        until = time.monotonic() + WAIT_S
        while reason not in self.office.staff_calls[self.told :] and time.monotonic() < until:
            time.sleep(0.05)
        return reason in self.office.staff_calls[self.told :]

    def recorded(self, *outcomes: str) -> bool:
        """Whether the office knows these outcomes of papers, and no others, sooner or later."""
        until = time.monotonic() + WAIT_S
        while tuple(self.office.papers.values())[-len(outcomes) :] != outcomes and time.monotonic() < until:
            time.sleep(0.05)
        return tuple(self.office.papers.values())[-len(outcomes) :] == outcomes

    def memory_holds(self, digits: str) -> list[str]:
        """In which forms the kiosk's memory, which a core file would be made of, holds these digits."""
        found: list[str] = self.world.ask("memory_holds", pid=self.pid, forms=forms_of(digits))
        return found

    def files_hold(self, digits: str) -> list[str]:
        """Which files of the machine, logs included, hold them, and in which forms."""
        found: list[str] = self.world.ask("files_hold", forms=forms_of(digits))
        return found

    def log(self) -> str:
        """What the kiosk has written."""
        written: str = self.world.ask("log", name="madoguchi")
        return written


@contextmanager
def entrance(machine: Machine, scanner: str) -> Iterator[Entrance]:
    """A kiosk that serves visitors until the end of the block."""
    office = Office()
    with OfficeServer(office) as server:
        machine.world.ask("network")
        pid = machine.world.ask("start", words=COMMAND, files={CONFIG: configured(server.port, scanner)})
        machine.world.ask("watch", port=PORT)
        here = Entrance(machine.world, office, pid)
        try:
            here.sees("idle")
            yield here
        finally:
            machine.world.ask("signal", pid=pid, name="SIGTERM")
            machine.world.ask("ended", pid=pid)


def forms_of(digits: str) -> dict[str, list[str]]:
    """In which forms a text can lie in memory or in a file: parts in hex, one after another."""
    usages = [usage for usage, _ in keys_of(digits)]
    codes = [KEYS[usage] for usage in usages]
    whole = {
        "ASCII": digits.encode(),
        "first two thirds in ASCII": digits[:8].encode(),
        "last two thirds in ASCII": digits[-8:].encode(),
        "UTF-16": digits.encode("utf-16-le"),
        "UTF-32": digits.encode("utf-32-le"),
        "digits as bytes": bytes(int(digit) for digit in digits if digit.isdecimal()),
        "key codes": bytes(codes),
        "key codes of 16 bits": struct.pack(f"<{len(codes)}H", *codes),
        "key codes of 32 bits": struct.pack(f"<{len(codes)}I", *codes),
        "USB's codes": bytes(usages),
    }
    # As the kernel gives them (kind 1, code, value 1), and as the scanner sends them.
    events = [struct.pack("<HHi", 1, code, 1) for code in codes]
    reports = [pressed(usage) for usage in usages]
    forms = {name: [text] for name, text in whole.items()} | {"key presses": events, "reports": reports}
    return {name: [part.hex() for part in parts] for name, parts in forms.items()}
