"""The guest's world, pid 1: plugs devices in and out, types, keeps paper, and starts the kiosk's process."""

import base64
import contextlib
import fcntl
import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

ROOT: Final = Path(os.environ["root"])  # noqa: SIM112 - as the kernel's command line hands it on
sys.path.insert(0, str(ROOT))

from tests.rig.guest.usb import Gadget, Keyboard, UsbPrinter, open_node  # noqa: E402
from tests.rig.guest.wire import open_port, serve  # noqa: E402

BUSYBOX: Final = "/mod/busybox"
SERVICE_USER: Final = 990
GROUPS: Final = {"lp": 7, "input": 991}  # with these numbers where the machine has none of its own
_EVIOCGRAB: Final = 0x40044590
PIECE: Final = 1 << 20
NEAR: Final = 200  # bytes between two key presses of a scan, as the kernel gives them
OVERLAP: Final = 1 << 13


class World:
    """What a test can do to the machine at the entrance."""

    def __init__(self) -> None:
        self._gadgets: dict[str, Gadget] = {}
        self._printer: UsbPrinter | None = None
        self._held: dict[str, int] = {}
        self._children: dict[int, subprocess.Popen[bytes]] = {}
        self._panel: Panel | None = None

    def plug(self, name: str, **gadget: Any) -> None:
        """A device: a new one when it is described, else the one of that name again."""
        if gadget:
            self._gadgets[name] = Gadget(**gadget)
        self._gadgets[name].plug()

    def unplug(self, name: str) -> None:
        """Pull a device's plug."""
        self._gadgets[name].unplug()

    def throw_away(self, name: str) -> None:
        """Unplug a device for good."""
        if name in self._gadgets:
            self._gadgets.pop(name).throw_away()

    def type(self, name: str, function: str = "hid.keys", **how: Any) -> float:
        """Let a keyboard type; the longest time between two reports, in milliseconds."""
        return Keyboard(self._gadgets[name], function).type(**how)

    def plug_printer(self, **gadget: Any) -> None:
        """Switch the printer on, a new one when it is described."""
        if gadget:
            self._printer = UsbPrinter(Gadget(**gadget))
        self._the_printer.plug()

    def unplug_printer(self) -> None:
        """Pull the printer's plug."""
        self._the_printer.unplug()

    def printer_becomes(self, **changes: Any) -> None:
        """Paper out, cover open and so on."""
        self._the_printer.become(**changes)

    def take_paper(self) -> str:
        """What the printer has received since, in base64."""
        return base64.b64encode(self._the_printer.take_paper()).decode()

    @property
    def _the_printer(self) -> UsbPrinter:
        assert self._printer is not None
        return self._printer

    def inputs(self) -> dict[str, str]:
        """Number of each input device and its serial number or name."""
        found = {}
        for event in sorted(Path("/sys/class/input").glob("event*")):
            with contextlib.suppress(OSError):
                serial = (event / "device/uniq").read_text().strip()
                found[event.name] = serial or (event / "device/name").read_text().strip()
        return found

    def hold(self, path: str) -> None:
        """Another program takes a device for itself, as a kiosk that was not ended does."""
        line = open_node(Path(path), os.O_RDONLY)
        self._held[path] = line
        if path.startswith("/dev/input/"):
            fcntl.ioctl(line, _EVIOCGRAB, 1)

    def listen(self, path: str) -> None:
        """Another program reads a device, too, as the console does."""
        self._held[path] = open_node(Path(path), os.O_RDONLY | os.O_NONBLOCK)

    def heard(self, path: str) -> int:
        """How many bytes it has read by now; it ends."""
        try:
            return len(os.read(self._held[path], 1 << 16))
        except BlockingIOError:
            return 0
        finally:
            self.let_go(path)

    def let_go(self, path: str) -> None:
        """That program ends."""
        if path in self._held:
            os.close(self._held.pop(path))

    def permit(self, path: str, mode: int) -> None:
        """Change who may use a device."""
        Path(path).chmod(mode)

    def is_there(self, path: str) -> bool:
        """Whether there is such a file."""
        return Path(path).exists()

    def wait_for(self, path: str, there: bool = True, seconds: float = 30.0) -> str:
        """Until a file is there, or is gone; gives what a link leads to. Raises TimeoutError."""
        until = time.monotonic() + seconds
        while os.path.exists(path) != there:  # noqa: PTH110 - says no to what may not be looked at, too
            if time.monotonic() > until:
                raise TimeoutError(f"{path} there: {not there}, after {seconds} s")
            time.sleep(0.02)
        return os.path.realpath(path)

    def rest(self, seconds: float) -> None:
        """Let time pass."""
        time.sleep(seconds)

    def udev(self, rules: str) -> None:
        """Start what names devices and says who may use them, with rules of our own."""
        _write(Path("/run/udev/rules.d/99-rig.rules"), rules)
        self._start("/usr/lib/systemd/systemd-udevd")
        self.wait_for("/run/udev/control")

    def settle(self) -> None:
        """Until udev has dealt with what is plugged in and out."""
        _run("udevadm", "settle", "-t", "60")

    def watch(self, port: int) -> None:
        """Look at the kiosk's panel from now on, once it is there."""
        panel = Panel(port)
        panel.start()
        self._panel = panel

    def panel(self, after: int, page: str, seconds: float) -> tuple[int, dict[str, Any]]:
        """The first page of this name that was shown behind so many pages, and which it was. Raises TimeoutError."""
        assert self._panel is not None
        return self._panel.wait_for(after, page, seconds)

    def shown(self) -> int:
        """How many pages the panel has shown."""
        return len(self._panel.seen) if self._panel else 0

    def network(self) -> None:
        """The host is 10.0.2.2."""
        for words in ("link set lo up", "link set eth0 up", "addr add 10.0.2.15/24 dev eth0"):
            _run(BUSYBOX, "ip", *words.split())

    def memory_holds(self, pid: int, forms: dict[str, list[str]]) -> list[str]:
        """Which of these the memory of a process holds: parts in hex by name, one after another and close together."""
        return sorted({name for piece in _memory(pid) for name in _found(piece, forms)})

    def files_hold(self, forms: dict[str, list[str]]) -> list[str]:
        """Which of them the files hold that were written since the machine was started, logs included."""
        written = ("find", "/rw/u", "/run", "/dev/shm", "-type", "f")  # noqa: S108 - to look into it, not to use it
        files = self.run(command=" ".join(written)).splitlines()
        return sorted(f"{file}: {name}" for file in files for name in _found(_content(file), forms))

    def start(self, words: list[str], port: str = "", files: dict[str, str] | None = None) -> int:
        """Start a program as the kiosk's service user; `port` becomes its line to the test. Its pid."""
        for path, content in (files or {}).items():
            _write(Path(path), content)
        return self._start(*words, port=port, user=SERVICE_USER)

    def _start(self, *words: str, port: str = "", user: int | None = None) -> int:
        name = port or Path(words[0]).name
        with Path(f"/run/{name}.log").open("ab") as log:
            line = open_port(port) if port else subprocess.DEVNULL
            child = subprocess.Popen(  # noqa: S603 - our own words
                words,
                stdin=line,
                stdout=line if port else log,
                stderr=log,
                cwd=ROOT,
                user=user,
                group=user,
                extra_groups=None if user is None else [_group(name) or 0 for name in GROUPS],
                env={**os.environ, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"},
            )
        self._children[child.pid] = child
        return child.pid

    def signal(self, pid: int, name: str) -> None:
        """Stop a process, let it go on, end it."""
        os.kill(pid, signal.Signals[name])

    def ended(self, pid: int) -> int:
        """Wait for a process to end; its code."""
        return self._children.pop(pid).wait(120)

    def says(self, name: str, words: str, after: int, seconds: float) -> bool:
        """Whether a program says this in its log, behind so many characters, before the time is over."""
        until = time.monotonic() + seconds
        while words not in self.log(name)[after:] and time.monotonic() < until:
            time.sleep(0.05)
        return words in self.log(name)[after:]

    def log(self, name: str) -> str:
        """What a program said on its error output."""
        path = Path(f"/run/{name}.log")
        return path.read_text(errors="replace") if path.exists() else ""

    def run(self, *, command: str) -> str:
        """What a command of the shell says."""
        ended = subprocess.run([BUSYBOX, "sh", "-c", command], capture_output=True, timeout=120, check=False)  # noqa: S603 - tests' own
        return (ended.stdout + ended.stderr).decode(errors="replace")


class Panel(threading.Thread):
    """Somebody who keeps looking at the kiosk's panel."""

    def __init__(self, port: int) -> None:
        super().__init__(daemon=True)
        self.seen: list[dict[str, Any]] = []
        self._address = ("127.0.0.1", port)

    def run(self) -> None:
        """Until the kiosk ends."""
        while True:
            try:
                with socket.create_connection(self._address) as connection, connection.makefile("rwb") as lines:
                    lines.write(f"GET /events HTTP/1.1\r\nHost: 127.0.0.1:{self._address[1]}\r\n\r\n".encode())
                    lines.flush()
                    for line in lines:
                        if line.startswith(b'data: {"start"'):
                            self.seen.append(json.loads(line.removeprefix(b"data: ")))
            except OSError:
                time.sleep(0.2)

    def wait_for(self, after: int, page: str, seconds: float) -> tuple[int, dict[str, Any]]:
        """As World.panel."""
        until = time.monotonic() + seconds
        while True:
            for number, shown in enumerate(self.seen[after:], after):
                if shown["page"] == page:
                    return number, shown
            if time.monotonic() > until:
                raise TimeoutError(f"no page {page}, only {[shown['page'] for shown in self.seen[after:]]}")
            time.sleep(0.05)


def _memory(pid: int) -> Iterator[bytes]:
    """What a process could write into a core file, in pieces that overlap, without those that are empty."""
    with Path(f"/proc/{pid}/mem").open("rb", buffering=0) as memory:
        for line in Path(f"/proc/{pid}/maps").read_text().splitlines():
            span, rights, *_ = line.split()
            start, end = (int(place, 16) for place in span.split("-"))
            for at in range(start, end, PIECE) if rights.startswith("rw") else ():
                memory.seek(at)
                piece = memory.read(min(PIECE + OVERLAP, end - at))
                if piece.strip(b"\0"):
                    yield piece


def _found(data: bytes, forms: dict[str, list[str]]) -> list[str]:
    return [name for name, parts in forms.items() if _holds(data, [bytes.fromhex(part) for part in parts])]


def _holds(data: bytes, parts: list[bytes]) -> bool:
    at = data.find(parts[0])
    while at >= 0:
        behind = at + len(parts[0])
        for part in parts[1:]:
            next_at = data.find(part, behind, behind + NEAR + len(part))
            if next_at < 0:
                break
            behind = next_at + len(part)
        else:
            return True
        at = data.find(parts[0], at + 1)
    return False


def _content(file: str) -> bytes:
    try:
        return Path(file).read_bytes()
    except OSError:
        return b""


def _run(*words: str) -> None:
    subprocess.run(words, check=True, capture_output=True, timeout=120)  # noqa: S603 - our own words


def _write(path: Path, content: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content)


def _make_room_for_the_service_user() -> None:
    """A user without rights who may read the checkout and its Python, wherever they lie."""
    with Path("/etc/group").open("a") as groups:
        for name, number in GROUPS.items():
            if _group(name) is None:
                groups.write(f"{name}:x:{number}:\n")
    for place in (ROOT, Path(sys.executable).resolve()):
        for folder in place.parents:
            folder.chmod(folder.stat().st_mode | 0o055)


def _group(name: str) -> int | None:
    found = re.search(rf"^{name}:[^:]*:(\d+):", Path("/etc/group").read_text(), re.MULTILINE)
    return int(found[1]) if found else None


def main() -> None:
    """Until the machine is switched off."""
    _make_room_for_the_service_user()
    world = World()
    deeds = {name: getattr(world, name) for name in dir(world) if not name.startswith("_")}
    serve(open_port("world"), deeds)


if __name__ == "__main__":
    main()
