"""A small office of the sample city on this machine: server, kiosk with simulated devices, board.

Every part is the real one, in a process of its own; only scanner and printer are simulated.
"""

import base64
import ctypes
import fcntl
import json
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import IO, Any

from madoguchi.demo_story import StoryBroken, play

UP_TIMEOUT_S = 60.0
PR_SET_PDEATHSIG = 1  # linux/prctl.h
STOP_TIMEOUT_S = 12.0
PAIRING_LASTS = timedelta(days=7)


class DemoFailed(RuntimeError):
    """It cannot start, or a part did not come up; the text says why, and where its log is."""


@dataclass
class Office:
    """What the demonstration has set up: addresses, sign-ins, folders."""

    web: str
    phone: str
    desk: str
    board: str
    kiosk_screen: str
    admin: str
    staff: list[dict[str, str]]
    scan_socket: str
    tickets: str
    notices: list[dict[str, str | None]]


@dataclass
class Parts:
    """The processes of the demonstration."""

    folder: Path
    running: list[tuple[str, "subprocess.Popen[bytes]"]] = field(default_factory=list)

    def start(self, name: str, words: list[str], environment: dict[str, str]) -> Path:
        """Start a part; gives its log."""
        log = self.folder / f"{name}.log"
        with log.open("wb") as out:
            process = subprocess.Popen(  # noqa: S603 - our own program, no words from outside
                # -P: what lies in the folder from which the demonstration is started is not ours to import
                [sys.executable, "-P", "-m", "madoguchi.cli", *words],
                env={**os.environ, **environment},
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                start_new_session=True,  # Ctrl-C reaches this process alone, which ends the parts in order
                preexec_fn=_ends_with(os.getpid()),
            )
        self.running.append((name, process))
        return log

    def check(self) -> None:
        """Raise DemoFailed if a part has ended."""
        for name, process in self.running:
            if process.poll() is not None:
                log = self.folder / f"{name}.log"
                end = "\n".join(log.read_text("utf-8", "replace").splitlines()[-12:])
                raise DemoFailed(f"the {name} has ended (exit code {process.returncode}); its log {log} ends:\n{end}")

    def wait(self, ready: Callable[[], bool], what: str) -> None:
        """Wait until a part is ready. Raises DemoFailed."""
        deadline = time.monotonic() + UP_TIMEOUT_S
        while not ready():
            self.check()
            if time.monotonic() > deadline:
                raise DemoFailed(f"{what} was not ready after {UP_TIMEOUT_S:.0f} s; see the logs in {self.folder}")
            time.sleep(0.05)

    def stop(self) -> None:
        """End the parts, the last started first; what does not end by itself is ended."""
        for _, process in reversed(self.running):
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
        for _, process in reversed(self.running):
            try:
                process.wait(STOP_TIMEOUT_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _ends_with(parent: int) -> Callable[[], None]:
    """What a part does before it begins: ask Linux to end it as soon as the demonstration is gone."""
    prctl = ctypes.CDLL(None).prctl

    def end_with_parent() -> None:
        prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
        if os.getppid() != parent:  # it was gone before we could ask
            os._exit(1)

    return end_with_parent


def main(port: int, data: Path | None, at: datetime | None, *, as_json: bool) -> int:
    """Run the demonstration until it is stopped. 0, or 1 with a sentence on standard error."""
    signal.signal(signal.SIGTERM, _interrupt)
    signal.signal(signal.SIGINT, _interrupt)
    try:
        for wanted in (port, port + 1):
            _check_free(wanted)
        with _folder(data) as folder:
            parts = Parts(folder)
            try:
                office = _set_up(parts, port, at)
                if as_json:
                    print(json.dumps(asdict(office), ensure_ascii=False), flush=True)
                else:
                    _tell(office, folder)
                while True:
                    parts.check()
                    time.sleep(0.2)
            finally:
                parts.stop()
    except (DemoFailed, StoryBroken) as error:
        print(f"madoguchi demo: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 0


def _interrupt(_number: int, _frame: object) -> None:
    # A second signal must not cut short the ending of the parts.
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    raise KeyboardInterrupt


@contextmanager
def _folder(data: Path | None) -> Iterator[Path]:
    """The folder of this demonstration: the one named, which stays, or a fresh one, which stays only after a failure.

    Raises DemoFailed if the folder cannot be used, or is used by another demonstration.
    """
    if data is not None:
        with _alone_in(data):
            yield data.resolve()
        return
    fresh = Path(tempfile.mkdtemp(prefix="madoguchi-demo-"))
    try:
        yield fresh
    except (DemoFailed, StoryBroken) as error:
        raise DemoFailed(f"{error}\nthe logs stay in {fresh}") from error
    except BaseException:
        shutil.rmtree(fresh, ignore_errors=True)
        raise


@contextmanager
def _alone_in(data: Path) -> Iterator[None]:
    """Make the folder if need be and keep other demonstrations out of it; Linux lets go when this process is gone."""
    try:
        data.mkdir(parents=True, exist_ok=True, mode=0o700)
        lock = (data / "demo.lock").open("wb")
    except OSError as error:
        raise DemoFailed(f"--data {data} cannot be used as a folder ({error.strerror}); choose another") from error
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise DemoFailed(f"another demonstration runs in {data}; end it, or choose another folder") from error
        yield


def _set_up(parts: Parts, port: int, at: datetime | None) -> Office:
    screen_port = port + 1
    environment = _server_environment(parts.folder, port, at)
    seeded = _seed(parts.folder, environment, around_the_clock=at is None)
    base = f"http://127.0.0.1:{port}"
    parts.start("server", ["serve"], environment)
    parts.wait(lambda: _answers(f"{base}/readyz"), "the server")
    config = _kiosk_config(parts.folder, base, seeded["kiosk_token"], screen_port)
    log = parts.start("kiosk", ["kiosk", "--config", str(config)], {})
    parts.wait(lambda: "kiosk ready" in log.read_text("utf-8", "replace"), "the kiosk")
    return Office(
        web=f"{base}/",
        phone=f"{base}/phone",
        desk=f"{base}/desk",
        board=f"{base}/boards/pair/{seeded['pairing']}",
        kiosk_screen=f"http://127.0.0.1:{screen_port}/",
        admin=f"{base}/admin",
        staff=seeded["staff"],
        scan_socket=str(parts.folder / "scan.sock"),
        tickets=str(parts.folder / "tickets"),
        notices=seeded["notices"],
    )


def _check_free(port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            raise DemoFailed(f"port {port} is taken ({error.strerror}); choose another with --port") from error


def _server_environment(folder: Path, port: int, at: datetime | None) -> dict[str, str]:
    keys = folder / "keys.json"
    if not keys.exists():
        made = {
            "MADOGUCHI_SECRET_KEY": secrets.token_urlsafe(48),
            "MADOGUCHI_PEPPER": base64.b64encode(secrets.token_bytes(32)).decode(),
        }
        _write_private(keys, json.dumps(made))
    offset = 0.0 if at is None else at.timestamp() - time.time()
    return {
        **json.loads(keys.read_text("utf-8")),
        "MADOGUCHI_DATABASE_URL": f"sqlite:///{folder / 'office.db'}",
        "MADOGUCHI_BASE_URL": f"http://127.0.0.1:{port}",
        "MADOGUCHI_LISTEN": f"127.0.0.1:{port}",
        "MADOGUCHI_COOKIE_SECURE": "0",
        "MADOGUCHI_CLOCK_OFFSET_S": repr(offset),
    }


def _write_private(path: Path, text: str) -> None:
    """Write a file that only its owner can read, from the first byte on."""
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
        file.write(text)


def _seed(folder: Path, environment: dict[str, str], *, around_the_clock: bool) -> dict[str, Any]:
    """Make or renew the sample city in the folder's database; gives sign-ins, notices and device secrets."""
    from flask_migrate import upgrade

    from server import MIGRATIONS, create_app
    from server.sample import seed_demo
    from server.settings import Settings

    app = create_app(Settings.from_env({**environment, "MADOGUCHI_LOG_LEVEL": "WARNING"}))
    kept = folder / "demo.json"
    known = json.loads(kept.read_text("utf-8")) if kept.exists() else None
    with app.app_context():
        upgrade(directory=str(MIGRATIONS))
        seeded = seed_demo(known, around_the_clock=around_the_clock, pairing_lasts=PAIRING_LASTS)
    _write_private(
        kept, json.dumps({"staff": seeded["staff"], "kiosk_token": seeded["kiosk_token"], "board": seeded["board"]})
    )
    return seeded


def _kiosk_config(folder: Path, base: str, token: str, screen_port: int) -> Path:
    config = folder / "kiosk.toml"
    tickets = folder / "tickets"
    tickets.mkdir(exist_ok=True)
    text = f"""# The demonstration's kiosk: simulated scanner and printer.
[server]
url = {json.dumps(base)}
token = {json.dumps(token)}

[scanner]
kind = "simulated"
socket = {json.dumps(str(folder / "scan.sock"))}

[printer]
kind = "virtual"
folder = {json.dumps(str(tickets))}
profile = "virtual-80mm"

[screen]
host = "127.0.0.1"
port = {screen_port}
"""
    _write_private(config, text)
    return config


def _answers(address: str) -> bool:
    import httpx

    try:
        return httpx.get(address, timeout=1.0).status_code == 200
    except httpx.HTTPError:
        return False


def _tell(office: Office, folder: Path) -> None:
    """Print addresses and sign-ins, and play the story once."""
    out = sys.stdout
    print("窓口 Madoguchi – 見本市 本庁 (demonstration, simulated scanner and printer)\n", file=out)
    for name in ("web", "phone", "desk", "board", "kiosk_screen", "admin"):
        print(f"  {name:13}{getattr(office, name)}", file=out)
    print("\n  sign-ins (staff)", file=out)
    for person in office.staff:
        print(f"    {person['name']:12} {person['password']}   {person['role']}", file=out)
    print("\n  notices (number, booking ID, password, scan code), new ones at each start", file=out)
    for notice in office.notices:
        print(
            f"    {notice['number']}  {notice['id']}  {notice['password']}  {notice['scan_code']}  {notice['note']}",
            file=out,
        )
    print(f"\n  scan by hand:   .venv/bin/madoguchi scan {office.scan_socket} CODE", file=out)
    print(f"  logs:           {folder}\n", file=out)
    out.flush()
    if office.notices[0]["note"] == "booked for now":
        play(office, _printed(out))
    else:
        print(f"No story: {office.notices[0]['note']} (--at says when the office's clock starts).", file=out)
    print("\nEverything runs until you press Ctrl-C.", file=out, flush=True)


def _printed(out: IO[str]) -> Callable[[str], None]:
    return lambda line: print(line, file=out, flush=True)
