"""kiosk.toml: every setting of one kiosk, read once at start and checked (docs/kiosk.md).

A fault is one sentence with file, key and what to do. Nothing is taken from the environment.
"""

import ipaddress
import logging
import re
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from kiosk.devices.keymap import LAYOUTS
from kiosk.devices.transport_serial import FLOWS, SPEEDS
from kiosk.printer_profile import PrinterProfile, ProfileFault, load_profile
from kiosk.scanner_presets import known_ids, presets
from kiosk.scans import SHAPE, SUFFIXES, ScannerSetup
from madoguchi.texts import OFFERED

log = logging.getLogger(__name__)


class ConfigFault(ValueError):
    """The kiosk cannot start like this; the message is for whoever edits the file."""


@dataclass(frozen=True)
class ServerConfig:
    """Where the office's server is."""

    url: str
    token: str
    timeout_s: float
    ca_file: Path | None


@dataclass(frozen=True)
class ScannerConfig:
    """Which scanner: a Unix socket, an input device at a path, or the one with one of these ids; and how it is set.

    `guard`: other keyboards and mice are held, so that nothing they type reaches the panel.
    """

    kind: str
    place: Path | None
    ids: tuple[str, ...]
    setup: ScannerSetup
    guard: bool


@dataclass(frozen=True)
class PrinterConfig:
    """Which printer, of what model, and where: each kind has its own of the fields (docs/kiosk.md)."""

    kind: str
    profile: PrinterProfile
    place: Path = Path()
    host: str = ""
    port: int = 0
    vendor: int = 0
    product: int = 0
    serial: str = ""
    baud: str = ""
    flow: str = ""
    url: str = ""


@dataclass(frozen=True)
class KioskConfig:
    """All of kiosk.toml."""

    server: ServerConfig
    scanner: ScannerConfig
    printer: PrinterConfig
    screen_host: str
    screen_port: int
    language: str


_MISSING: Final = object()


class _Table:
    """One table of the file; what is not taken from it is unknown to us, and probably a typing mistake."""

    def __init__(self, file: Path, name: str, values: Any) -> None:
        self._where = f"{file}: [{name}]"
        if not isinstance(values, dict):
            raise ConfigFault(f"{self._where} must be a table")
        self._values: dict[str, Any] = dict(values)

    def fault(self, key: str, advice: str) -> ConfigFault:
        return ConfigFault(f"{self._where} {key}: {advice}")

    def text(self, key: str, default: object = _MISSING) -> str:
        value = self._take(key, str, "text in quotes", default)
        if isinstance(value, str) and not value.strip():
            raise self.fault(key, "is empty; write it or take the line out")
        return str(value)

    def texts(self, key: str) -> list[str]:
        """A list, empty where it is not there."""
        values = self._take(key, list, "a list of texts in quotes", [])
        if not all(isinstance(value, str) for value in values):
            raise self.fault(key, f"must be a list of texts in quotes, not {values!r}")
        return list(values)

    def number(self, key: str, low: float, high: float, default: object = _MISSING) -> float:
        value = self._take(key, (int, float), f"a number from {low:g} to {high:g}", default)
        if isinstance(value, bool) or not low <= float(value) <= high:
            raise self.fault(key, f"must be a number from {low:g} to {high:g}, not {value!r}")
        return float(value)

    def port(self, key: str, default: object = _MISSING, low: int = 1) -> int:
        value = self._take(key, int, "a port number", default)
        if isinstance(value, bool) or not low <= value <= 65535:
            raise self.fault(key, f"must be a port number from {low} to 65535, not {value!r}")
        return int(value)

    def one_of(self, key: str, choices: Mapping[str, object], default: object = _MISSING) -> str:
        value = self.text(key, default)
        if value not in choices:
            raise self.fault(key, f"must be one of {', '.join(choices)}, not {value!r}")
        return value

    def path(self, key: str) -> Path:
        return Path(self.text(key)).expanduser()

    def has(self, key: str) -> bool:
        return key in self._values

    def end(self) -> None:
        """Everything that is known has been taken."""
        if self._values:
            raise self.fault(", ".join(sorted(self._values)), "unknown; take it out or mend the spelling")

    def _take(self, key: str, kind: Any, wanted: str, default: object) -> Any:
        value = self._values.pop(key, default)
        if value is _MISSING:
            raise self.fault(key, f"is missing; give {wanted} (docs/kiosk.md)")
        if not isinstance(value, kind):
            raise self.fault(key, f"must be {wanted}, not {value!r}")
        return value


def load_config(path: Path) -> KioskConfig:
    """Read and check kiosk.toml. Raises ConfigFault."""
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigFault(f"{path}: cannot be read ({error.strerror}); name your kiosk.toml") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigFault(f"{path}: is no TOML file: {error}") from error
    tables = {name: _Table(path, name, values.pop(name, {})) for name in _READERS}
    if values:
        raise ConfigFault(f"{path}: nobody knows {', '.join(sorted(values))}; tables are {', '.join(_READERS)}")
    parts = {name: read(tables[name]) for name, read in _READERS.items()}
    for table in tables.values():
        table.end()
    host, port = parts["screen"]
    return KioskConfig(parts["server"], parts["scanner"], parts["printer"], host, port, parts["kiosk"])


def _server(table: _Table) -> ServerConfig:
    url = table.text("url").rstrip("/")
    split = urlsplit(url)
    if split.scheme not in ("http", "https") or not split.hostname or split.path or split.query:
        raise table.fault("url", "must be like https://madoguchi.example:8000, without a path")
    return ServerConfig(
        url,
        _token(table),
        table.number("timeout_s", 0.5, 30, 3.0),
        table.path("ca_file") if table.has("ca_file") else None,
    )


def _token(table: _Table) -> str:
    if table.has("token") == table.has("token_file"):
        raise table.fault("token", "give either token or token_file, as `madoguchi devices add-kiosk` printed it")
    if table.has("token"):
        return _one_word(table, "token", table.text("token"))
    path = table.path("token_file")
    try:
        token = path.read_text(encoding="ascii").strip()
        if path.stat().st_mode & 0o077:
            log.warning("%s can be read by others; chmod 600 it", path)
    except (OSError, UnicodeDecodeError) as error:
        raise table.fault("token_file", f"{path} cannot be read: {error}") from error
    return _one_word(table, "token_file", token)


def _one_word(table: _Table, key: str, token: str) -> str:
    if not token.isascii() or not token.isprintable() or not token or " " in token:
        raise table.fault(key, "is no device token; copy the whole line that `madoguchi devices` printed")
    return token


def _scanner(table: _Table) -> ScannerConfig:
    keys = {"simulated": "socket", "evdev": "device"}
    kind = table.one_of("kind", keys)
    shapes = table.texts("postcard")
    if wrong := next((shape for shape in shapes if not SHAPE.fullmatch(shape)), None):
        raise table.fault("postcard", f"{wrong!r} is no class and length; `madoguchi kiosk learn` says the line")
    model = presets().get(table.one_of("model", presets()) if kind == "evdev" and table.has("model") else "")
    setup = ScannerSetup(
        table.one_of("layout", LAYOUTS, model.layout if model else "us"),
        table.one_of("suffix", dict.fromkeys(SUFFIXES), model.suffix if model else "enter"),
        frozenset(shapes),
    )
    place = table.path(keys[kind]) if kind == "simulated" or table.has("device") else None
    others = table.one_of("others", {"ignored": True, "allowed": False}, "ignored") if kind == "evdev" else "allowed"
    return ScannerConfig(kind, place, model.ids if model else known_ids(), setup, others == "ignored")


def _printer(table: _Table) -> PrinterConfig:
    kind = table.one_of("kind", _PRINTERS)
    try:
        profile = load_profile(table.text("profile", "virtual-80mm" if kind == "virtual" else _MISSING))
    except ProfileFault as error:
        raise table.fault("profile", str(error)) from error
    return PrinterConfig(kind, profile, **_PRINTERS[kind](table))


def _usb_printer(table: _Table) -> dict[str, Any]:
    ids = table.text("device")
    if not _USB_IDS.fullmatch(ids):
        raise table.fault("device", 'must be vendor and product as lsusb shows them, such as "04b8:0e03"')
    vendor, product = (int(part, 16) for part in ids.split(":"))
    return {"vendor": vendor, "product": product, "serial": table.text("serial") if table.has("serial") else ""}


def _cups_printer(table: _Table) -> dict[str, Any]:
    url = table.text("url")
    split = urlsplit(url)
    if split.scheme not in ("http", "https") or not split.hostname or not split.path.startswith("/printers/"):
        raise table.fault("url", "must be like http://127.0.0.1:631/printers/kiosk")
    return {"url": url}


_USB_IDS: Final = re.compile(r"[0-9a-fA-F]{4}:[0-9a-fA-F]{4}")
_PRINTERS: Final[dict[str, Callable[[_Table], dict[str, Any]]]] = {
    "virtual": lambda table: {"place": table.path("folder")},
    "network": lambda table: {"host": table.text("host"), "port": table.port("port", 9100)},
    "usblp": lambda table: {"place": table.path("path")},
    "usb": _usb_printer,
    "serial": lambda table: {
        "place": table.path("path"),
        "baud": table.one_of("baud", SPEEDS, "38400"),
        "flow": table.one_of("flow", dict.fromkeys(FLOWS), "rtscts"),
    },
    "cups": _cups_printer,
    "file": lambda table: {"place": table.path("path")},
}


def _screen(table: _Table) -> tuple[str, int]:
    host = table.text("host", "127.0.0.1")
    loopback = host == "localhost"
    try:
        loopback = loopback or ipaddress.ip_address(host).is_loopback
    except ValueError:
        loopback = loopback or False
    if not loopback:
        raise table.fault("host", "the panel's page is for this machine only; use 127.0.0.1")
    return host, table.port("port", 8090, low=0)


def _kiosk(table: _Table) -> str:
    return table.one_of("language", dict.fromkeys(OFFERED), "ja")


_READERS: Final[dict[str, Callable[[_Table], Any]]] = {
    "server": _server,
    "scanner": _scanner,
    "printer": _printer,
    "screen": _screen,
    "kiosk": _kiosk,
}
