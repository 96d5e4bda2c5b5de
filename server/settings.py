"""Every setting of the server process: its name, unit, default and check; read once, at start.

Office policy (booking period, grace, hold minutes …) is not here: it is data, edited by staff (`offices/policy.py`).
"""

import base64
import binascii
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from datetime import timedelta
from pathlib import Path
from typing import Any, Self
from urllib.parse import urlsplit

PREFIX = "MADOGUCHI_"


class SettingsError(ValueError):
    """A setting is missing or unusable; the text names it and says what to do."""


def _setting(doc: str, **kwargs: Any) -> Any:
    return field(metadata={"doc": doc}, **kwargs)


@dataclass(frozen=True)
class Settings:
    """What a server process needs to know before it starts. Frozen: nothing changes it at run time."""

    database_url: str = _setting("Address of the database: `sqlite:////path/file.db` or `postgresql+psycopg://…`.")
    secret_key: str = _setting("Signs cookies and forms; 32 characters or more. `madoguchi secrets new` makes one.")
    pepper: bytes = _setting(
        "Key of all codes and look-up keys, kept outside the database; base64 of 32 bytes or more."
    )
    pepper_key_id: int = _setting("Number of the pepper in use; stored beside each key, for rotation.", default=1)
    base_url: str = _setting(
        "Address under which residents reach the booking pages; it is in every printed code.",
        default="http://127.0.0.1:8000",
    )
    extra_hosts: tuple[str, ...] = _setting(
        "Further hosts whose `/b/…` links are ours (comma separated), e.g. after a move.", default=()
    )
    listen: str = _setting("Address and port the server listens on.", default="127.0.0.1:8000")
    proxy_count: int = _setting(
        "Number of trusted proxies in front (0 = none); the real address is taken through them.", default=0
    )
    cookie_secure: bool = _setting("`1`: cookies only over TLS. `0` only on loopback, as in the demo.", default=True)
    rate_limits: bool = _setting("`1`: limits per address are on. Off only for measurements.", default=True)
    rate_limit_storage: str = _setting(
        "Where limits are counted: `memory://`, or `redis://…` when there is more than one process.",
        default="memory://",
    )
    message_queue: str = _setting(
        "Redis address that carries board messages between processes; empty with one process.", default=""
    )
    clock_offset_s: float = _setting(
        "Seconds added to the wall clock (trials and training only; 0 in service).", default=0.0
    )
    heartbeat_s: float = _setting("Seconds between the boards' heartbeats.", default=2.0)
    sweep_s: float = _setting("Seconds between runs of the tidying jobs.", default=30.0)
    emergency_folder: str = _setting(
        "Folder on another machine's share for the emergency lists (非常用一覧), each office's in the folder of its"
        " code, which must be there; empty: none.",
        default="",
    )
    log_level: str = _setting("`DEBUG`, `INFO`, `WARNING` or `ERROR`.", default="INFO")

    @classmethod
    def from_env(cls, environ: Mapping[str, str] | None = None) -> Self:
        """Settings from the environment, or from the file named by MADOGUCHI_CONFIG (lines NAME=value).

        Raises SettingsError naming the first setting that is missing, unknown or unusable.
        """
        values = dict(os.environ if environ is None else environ)
        if path := values.get(PREFIX + "CONFIG"):
            values = {**read_file(Path(path)), **values}
        known = {PREFIX + f.name.upper(): f for f in fields(cls)}
        unknown = sorted(k for k in values if k.startswith(PREFIX) and k not in known and k != PREFIX + "CONFIG")
        if unknown:
            raise SettingsError(f"{unknown[0]} is no setting of the server; see docs/configuration.md")
        given = {f.name: _read(name, f.type, values[name]) for name, f in known.items() if name in values}
        missing = [n for n, f in known.items() if f.name not in given and f.name in REQUIRED]
        if missing:
            raise SettingsError(f"{missing[0]} is not set; `madoguchi secrets new` and docs/configuration.md help")
        settings = cls(**given)
        settings.check()
        return settings

    def check(self) -> None:
        """Refuse settings under which the office would not be safe."""
        if len(self.secret_key) < 32:
            raise SettingsError(
                f"{PREFIX}SECRET_KEY has fewer than 32 characters; make one with `madoguchi secrets new`"
            )
        if len(self.pepper) < 32:
            raise SettingsError(f"{PREFIX}PEPPER has fewer than 32 bytes; make one with `madoguchi secrets new`")
        if not self.base_url.startswith(("http://", "https://")) or self.base_url.endswith("/"):
            raise SettingsError(f"{PREFIX}BASE_URL must be http(s)://host without a slash at the end")
        if not self.database_url.startswith(("sqlite:///", "postgresql+psycopg://")):
            raise SettingsError(f"{PREFIX}DATABASE_URL must begin with sqlite:/// or postgresql+psycopg://")
        if self.emergency_folder and not Path(self.emergency_folder).is_absolute():
            raise SettingsError(f"{PREFIX}EMERGENCY_FOLDER must begin with a slash")
        if not 0.1 <= self.heartbeat_s <= 4:
            raise SettingsError(
                f"{PREFIX}HEARTBEAT_S must lie between 0.1 and 4: boards call themselves stale at 4.5 s"
            )

    @property
    def hosts(self) -> tuple[str, ...]:
        """Hosts whose links the kiosk accepts: the public one first."""
        return (self.base_url.split("://", 1)[1], *self.extra_hosts)

    @property
    def public_url(self) -> str:
        """The address that a telephone can open; empty where there is none but this machine's own."""
        host = urlsplit(self.base_url).hostname
        return "" if host in ("localhost", "127.0.0.1", "::1") else self.base_url

    @property
    def clock_offset(self) -> timedelta:
        """The offset as a length of time."""
        return timedelta(seconds=self.clock_offset_s)


REQUIRED = ("database_url", "secret_key", "pepper")


def read_file(path: Path) -> dict[str, str]:
    """Lines `NAME=value`; blank lines and lines that begin with # are passed over."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except OSError as error:
        raise SettingsError(f"settings file {path} cannot be read: {error.strerror}") from error
    pairs = (line.partition("=") for line in map(str.strip, lines) if line and not line.startswith("#"))
    return {name.strip(): value.strip() for name, _, value in pairs}


def _read(name: str, kind: Any, text: str) -> Any:
    try:
        return _READERS[str(getattr(kind, "__name__", kind))](text.strip())
    except (ValueError, KeyError, binascii.Error) as error:
        raise SettingsError(
            f"{name}: {text!r} is not usable ({error})" if kind is not bytes else f"{name}: no base64"
        ) from error


_READERS: dict[str, Callable[[str], Any]] = {
    "str": str,
    "bytes": lambda text: base64.b64decode(text, validate=True),
    "int": int,
    "float": float,
    "bool": lambda text: {"1": True, "0": False}[text],
    "tuple[str, ...]": lambda text: tuple(part.strip() for part in text.split(",") if part.strip()),
    "tuple": lambda text: tuple(part.strip() for part in text.split(",") if part.strip()),
}
