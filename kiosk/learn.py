"""`madoguchi kiosk learn`: the class and length of the postcard's own code, from samples; its content is forgotten."""

import json
import sys
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from kiosk.config import ConfigFault, load_config
from kiosk.devices.ports import ScanLost, Scanner
from kiosk.run import open_scanner
from kiosk.scans import shape_of
from madoguchi import codes
from madoguchi.mynumber import may_be_my_number, wipe

PATIENCE_S: Final = 120.0


def main(config_path: Path, samples: int) -> int:
    """Ask for so many postcards and say the line for kiosk.toml. 1 when nothing could be learned."""
    try:
        scanner = open_scanner(load_config(config_path).scanner)
    except (ConfigFault, OSError) as error:
        sys.stderr.write(f"nothing can be learned: {error}\n")
        return 1
    _say(f"Hold the code at the upper right of {samples} different postcards to the scanner.")
    try:
        shapes = learn(scanner, samples)
    finally:
        scanner.close()
    if not shapes:
        sys.stderr.write(
            "nothing was learned: no scan came, or none that may be learned; is the kiosk still running?\n"
        )
        return 1
    _say("Write into kiosk.toml, under [scanner]:\n")
    _say(f"postcard = {json.dumps(sorted(shapes))}")
    return 0


def learn(scanner: Scanner, samples: int, patience_s: float = PATIENCE_S) -> set[str]:
    """The shapes of so many scans; fewer when none comes for `patience_s` seconds."""
    shapes: set[str] = set()
    learned = 0
    while learned < samples:
        scan = scanner.read(patience_s)
        if scan is None:
            break
        shape, told = ("", "not read whole, once more") if isinstance(scan, ScanLost) else _look(scan)
        if shape:
            learned += 1
            shapes.add(shape)
        _say(f"{learned} of {samples}: {told}")
    return shapes


def _look(scan: bytearray) -> tuple[str, str]:
    """What may be learned of a scan, and what to say of it; the scan is wiped."""
    if may_be_my_number(scan):
        wipe(scan)
        return "", "may be a My Number: wiped, not learned"
    text = scan.decode("utf-8", "replace")
    wipe(scan)
    if isinstance(codes.read(text, (urlsplit(text.strip()).netloc,)), codes.Code):
        return "", "a code of ours: not learned"
    shape = shape_of(text)
    return shape, shape or "nothing in it"


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()
