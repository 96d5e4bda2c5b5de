"""Keeps the board on the television: a full-screen browser, started when the server answers, again whenever it ends.

`madoguchi board-screen --url …` calls `main`. SIGTERM or SIGINT ends the browser and then the program.
"""

import logging
import os
import shutil
import signal
import subprocess
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Final

log = logging.getLogger(__name__)

CHROMIUMS: Final = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
FIREFOXES: Final = ("firefox", "firefox-esr")
ANSWER_TIMEOUT_S: Final = 5.0
ASK_AGAIN_S: Final = 1.0
FIRST_PAUSE_S: Final = 1.0
LONGEST_PAUSE_S: Final = 30.0
HEALTHY_S: Final = 60.0  # a browser that ran for so long did not fail to start
END_GRACE_S: Final = 5.0
LOOK_EVERY_S: Final = 0.1

CHROMIUM_FLAGS: Final = (
    "--kiosk",
    "--autoplay-policy=no-user-gesture-required",  # the chime rings without anybody touching the screen
    "--no-first-run",
    "--no-default-browser-check",
    "--noerrdialogs",
    "--hide-crash-restore-bubble",  # after a power cut nobody is there to close it
    "--password-store=basic",  # no question about a key ring
    "--disable-pinch",
    "--overscroll-history-navigation=0",
    # A television that says it is off, or a window behind another, must not slow the page.
    "--disable-background-timer-throttling",
    "--disable-backgrounding-occluded-windows",
    "--disable-renderer-backgrounding",
    # The network reaches nothing but the office; nothing here shall try.
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-domain-reliability",
    "--disable-sync",
    "--disable-breakpad",
    "--disable-features=Translate,OptimizationHints,MediaRouter",
)

FIREFOX_PREFERENCES: Final = {
    "media.autoplay.default": 0,
    "media.autoplay.blocking_policy": 0,
    "browser.sessionstore.resume_from_crash": False,
    "browser.shell.checkDefaultBrowser": False,
    "browser.aboutwelcome.enabled": False,
    "browser.translations.enable": False,
    "datareporting.policy.dataSubmissionEnabled": False,
    "toolkit.telemetry.enabled": False,
    "app.update.enabled": False,
    "app.normandy.enabled": False,
    "browser.safebrowsing.malware.enabled": False,
    "browser.safebrowsing.phishing.enabled": False,
    "network.captive-portal-service.enabled": False,
    "network.connectivity-service.enabled": False,
    "dom.min_background_timeout_value": 4,
}


class NoBrowser(Exception):
    """No browser was found; the text says which were looked for."""


@dataclass(frozen=True)
class Pauses:
    """How long to wait before the next start: longer and longer, short again after a long healthy run."""

    first: float = FIRST_PAUSE_S
    longest: float = LONGEST_PAUSE_S
    healthy: float = HEALTHY_S

    def after(self, ran: float, before: float) -> float:
        """The next pause, when the last run took `ran` seconds and the last pause was `before`."""
        if ran >= self.healthy or before == 0:
            return self.first
        return min(self.longest, before * 2)


def find_browser(which: Callable[[str], str | None] = shutil.which) -> Path:
    """The first browser on this machine, Chromium before Firefox. Raises NoBrowser."""
    for name in (*CHROMIUMS, *FIREFOXES):
        if (path := which(name)) is not None:
            return Path(path)
    raise NoBrowser(f"no browser found; looked for {', '.join((*CHROMIUMS, *FIREFOXES))}")


def is_firefox(browser: Path) -> bool:
    """Whether the browser takes Firefox's arguments."""
    return browser.name.startswith("firefox")


def command_line(browser: Path, url: str, profile: Path, *, as_root: bool = False) -> list[str]:
    """How to start the browser full screen on `url` with a profile of its own."""
    if is_firefox(browser):
        return [str(browser), "--kiosk", "--no-remote", "--profile", str(profile), url]
    # Chromium refuses to run as root with its sandbox; a board that only ever opens the office's page may do without.
    unboxed = ["--no-sandbox"] if as_root else []
    return [str(browser), *CHROMIUM_FLAGS, *unboxed, f"--user-data-dir={profile}", url]


def firefox_settings() -> str:
    """The text of `user.js`, Firefox's way to be told what Chromium takes as flags."""
    words = {True: "true", False: "false"}
    lines = []
    for name, value in FIREFOX_PREFERENCES.items():
        written = words[value] if isinstance(value, bool) else str(value)
        lines.append(f'user_pref("{name}", {written});\n')
    return "".join(lines)


def prepare_profile(browser: Path, profile: Path) -> None:
    """The profile's folder, without the locks that a power cut left behind."""
    profile.mkdir(parents=True, exist_ok=True, mode=0o700)
    if is_firefox(browser):
        (profile / "user.js").write_text(firefox_settings(), encoding="utf-8")
    for lock in ("SingletonLock", "SingletonCookie", "SingletonSocket", "lock"):
        (profile / lock).unlink(missing_ok=True)


def wait_until_answered(url: str, stop: threading.Event, pause: float = ASK_AGAIN_S) -> bool:
    """Until the server answers, whatever it says, or `stop`: a browser's own error page would stay for ever."""
    told = False
    while not stop.is_set():
        if answers(url):
            return True
        if not told:
            log.warning("waiting until %s answers", url)
            told = True
        stop.wait(pause)
    return False


def answers(url: str) -> bool:
    """Whether somebody speaks HTTP there."""
    try:
        urllib.request.urlopen(url, timeout=ANSWER_TIMEOUT_S).close()  # noqa: S310 - the caller's own server
    except urllib.error.HTTPError as error:
        error.close()
        return error.code < 500
    except OSError:
        return False
    return True


def keep_running(
    command: Sequence[str], ready: Callable[[], bool], stop: threading.Event, pauses: Pauses = Pauses()
) -> int:
    """Start the command, again whenever it ends, until `stop`; returns how often it was started."""
    starts, pause = 0, 0.0
    while not stop.is_set() and ready():
        began = time.monotonic()
        starts += 1
        run_once(command, stop)
        if stop.is_set():
            break
        pause = pauses.after(time.monotonic() - began, pause)
        log.warning("the browser ended; starting it again in %.0f s", pause)
        stop.wait(pause)
    return starts


def run_once(command: Sequence[str], stop: threading.Event) -> None:
    """One life of the browser, ended early when `stop` is set."""
    # A session of its own: a browser is many processes, and all of them must go.
    try:
        process = subprocess.Popen(command, start_new_session=True)  # noqa: S603 - built by command_line
    except OSError as error:
        log.error("the browser does not start: %s", error)
        return
    while process.poll() is None:
        if stop.wait(LOOK_EVERY_S):
            _end(process)


def _end(process: subprocess.Popen[bytes]) -> None:
    _signal_all(process, signal.SIGTERM)
    try:
        process.wait(END_GRACE_S)
    except subprocess.TimeoutExpired:
        _signal_all(process, signal.SIGKILL)
        process.wait()


def _signal_all(process: subprocess.Popen[bytes], number: signal.Signals) -> None:
    try:
        os.killpg(process.pid, number)
    except ProcessLookupError:
        return  # it went by itself


@contextmanager
def ending_on_signals(stop: threading.Event) -> Iterator[None]:
    """SIGTERM and SIGINT set `stop`; afterwards they mean again what they meant before."""

    def end(_number: int, _frame: FrameType | None) -> None:
        stop.set()

    before = {number: signal.signal(number, end) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def main(url: str, browser: str | None = None, profile: str | None = None) -> int:
    """Show `url` full screen until told to end; 1 where there is no browser."""
    try:
        chosen = Path(browser) if browser else find_browser()
    except NoBrowser as error:
        log.error("%s", error)
        return 1
    folder = Path(profile) if profile else Path.home() / ".local" / "state" / "madoguchi" / "board"
    as_root = os.geteuid() == 0
    if as_root and not is_firefox(chosen):
        log.warning("started as root: the browser runs without its sandbox; give the board a user of its own")
    stop = threading.Event()

    def ready() -> bool:
        prepare_profile(chosen, folder)
        return wait_until_answered(url, stop)

    with ending_on_signals(stop):
        keep_running(command_line(chosen, url, folder, as_root=as_root), ready, stop)
    return 0
