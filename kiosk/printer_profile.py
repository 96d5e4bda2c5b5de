"""What a printer model can do: one TOML file per model in printer_profiles/.

A profile says when it was tried and how. Whatever nobody has tried on the real model says so at every start: a wrong
width cuts the number off.
"""

import logging
import re
import tomllib
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, Final

PROFILES: Final = Path(__file__).resolve().parent.parent / "printer_profiles"
NEVER: Final = "never"
HOW: Final = {
    "never": "nobody has tried it",
    "twin": "tried with the virtual printer of its width and answers",
    "rig": "tried with a simulated printer on a real kernel's USB",
    "paper": "tried on the real printer",
}
"""How a profile was verified, from the least to the most that this proves."""

_NAME = re.compile(r"[a-z0-9][a-z0-9-]*")

log = logging.getLogger(__name__)


_KINDS: Final[dict[str, tuple[type, ...]]] = {
    "name": (str,),
    "model": (str,),
    "width_dots": (int,),
    "dpi": (int,),
    "cutter": (bool,),
    "status_replies": (bool,),
    "paper_s": (float, int),
    "verified_on": (str,),
    "verified_how": (str,),
}


class ProfileFault(ValueError):
    """A profile that cannot be used; the message names file and key and says what to do."""


@dataclass(frozen=True)
class PrinterProfile:
    """One printer model."""

    name: str
    model: str
    width_dots: int
    dpi: int
    cutter: bool
    status_replies: bool
    paper_s: float
    """Seconds from the last byte until a slip is out: the end of the paper is noticed only on the way."""
    verified_on: str
    verified_how: str

    @property
    def width_mm(self) -> float:
        """How much of the paper's width can be printed on."""
        return self.width_dots * 25.4 / self.dpi

    def dots(self, millimetres: float) -> int:
        """A length on the paper in dots."""
        return round(millimetres * self.dpi / 25.4)

    @property
    def verified(self) -> bool:
        """Whether somebody has tried it on the real model."""
        return self.verified_how == "paper"


def names(folder: Path = PROFILES) -> list[str]:
    """The profiles there are."""
    return sorted(path.stem for path in folder.glob("*.toml"))


def load_profile(name: str, folder: Path = PROFILES) -> PrinterProfile:
    """The profile of this name. Raises ProfileFault."""
    path = folder / f"{name}.toml"
    if not _NAME.fullmatch(name) or not path.is_file():
        raise ProfileFault(f"there is no printer profile {name!r}; choose one of {', '.join(names(folder))}")
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ProfileFault(f"{path.name}: {error}") from error
    return _checked(path.name, {"name": name, **values})


def warn_if_unverified(profile: PrinterProfile) -> None:
    """Say loudly what is not proven."""
    if not profile.verified:
        log.warning(
            "PRINTER PROFILE NOT VERIFIED on the real printer: %s (%s), %s. Run `madoguchi kiosk print-test`, look at "
            'the edges and the cut, then write the date into verified_on and "paper" into verified_how.',
            profile.name,
            profile.model,
            HOW[profile.verified_how],
        )


def _checked(file: str, values: dict[str, Any]) -> PrinterProfile:
    for key, kinds in _KINDS.items():
        if key not in values:
            raise ProfileFault(f"{file}: {key} is missing; see virtual-80mm.toml")
        if type(values[key]) not in kinds:
            raise ProfileFault(f"{file}: {key} must be {kinds[0].__name__}, not {values[key]!r}")
    if unknown := set(values) - set(_KINDS):
        raise ProfileFault(f"{file}: nobody knows {', '.join(sorted(unknown))}; take it out")
    profile = PrinterProfile(**values)
    _check_ranges(file, profile)
    return profile


def _check_ranges(file: str, profile: PrinterProfile) -> None:
    if not 300 <= profile.width_dots <= 1000 or profile.width_dots % 8:
        raise ProfileFault(f"{file}: width_dots must be a multiple of 8 from 304 to 1000")
    if not 150 <= profile.dpi <= 400:
        raise ProfileFault(f"{file}: dpi must be from 150 to 400")
    if not 0 <= profile.paper_s <= 10:
        raise ProfileFault(f"{file}: paper_s must be from 0 to 10 seconds")
    if profile.verified_how not in HOW:
        raise ProfileFault(f"{file}: verified_how must be one of {', '.join(HOW)}")
    if (profile.verified_on == NEVER) != (profile.verified_how == NEVER):
        raise ProfileFault(f'{file}: verified_on and verified_how are both "{NEVER}", or neither is')
    if profile.verified_on != NEVER:
        try:
            date.fromisoformat(profile.verified_on)
        except ValueError as error:
            raise ProfileFault(f'{file}: verified_on must be a date (2026-11-30) or "{NEVER}"') from error
