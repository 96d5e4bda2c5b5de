"""Families of scanners: the ids under which they are found, and how they are expected to be set."""

import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

PRESETS: Final = Path(__file__).with_name("scanner_presets.toml")


@dataclass(frozen=True)
class ScannerPreset:
    """One family; `ids` as vendor:product, where * stands for any product."""

    model: str
    ids: tuple[str, ...]
    layout: str
    suffix: str
    by_name_only: bool = False


@cache
def presets() -> dict[str, ScannerPreset]:
    """The families by name."""
    table = tomllib.loads(PRESETS.read_text(encoding="utf-8"))
    return {name: ScannerPreset(**{**row, "ids": tuple(row["ids"])}) for name, row in table.items()}


def known_ids() -> tuple[str, ...]:
    """The ids that say of themselves that somebody plugged in a scanner."""
    return tuple(usb_id for preset in presets().values() if not preset.by_name_only for usb_id in preset.ids)
