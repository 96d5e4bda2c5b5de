"""Picture + printer profile → the bytes of a job, and a job → the printer.

python-escpos writes the bytes (its Dummy printer); the transports are ours. A job never changes after it was made:
its hash is what the server learns, and it is checked once more before the first byte leaves.
"""

import contextlib
import hashlib
import io
import logging
import tempfile
from dataclasses import dataclass
from functools import cache
from typing import Any, Final, Protocol
from uuid import UUID

from PIL import Image

from kiosk.printer_profile import PrinterProfile
from madoguchi.wire import Outcome

# A printer obeys these bytes wherever they stand, also inside a picture: status, recover, power off, clear buffer.
_REAL_TIME: Final = (b"\x10\x04", b"\x10\x05", b"\x10\x14")

_INVERTED: Final = bytes(0xFF ^ byte for byte in range(256))  # a set bit is white in a picture, black on paper
BAND: Final = 960
"""Rows sent with one command: what every printer's buffer holds."""

log = logging.getLogger(__name__)


class TakesJobs(Protocol):
    """What a job needs of a printer."""

    def print(self, job: bytes, deadline_s: float) -> Outcome:
        """Put it on paper."""


@dataclass(frozen=True)
class Job:
    """One paper as the server knows it: the uid it gave, the bytes, and their hash."""

    uid: UUID
    data: bytes
    sha256: str

    @classmethod
    def of(cls, uid: UUID, data: bytes) -> "Job":
        """A job with the hash of its bytes."""
        return cls(uid, data, hashlib.sha256(data).hexdigest())

    def intact(self) -> bool:
        """Whether the bytes still are those that the hash names."""
        return hashlib.sha256(self.data).hexdigest() == self.sha256


def make_job(uid: UUID, picture: Image.Image, profile: PrinterProfile) -> Job:
    """The bytes that print this picture and cut once."""
    printer = _byte_writer(profile)
    # The library prints remarks to standard output, where ours is read by other programs.
    with contextlib.redirect_stdout(io.StringIO()):
        printer.hw("INIT")
        # The library's image() gives the same bytes (a test compares them) but goes through a colour picture:
        # 12 ms here and some 50 on a Raspberry Pi, while somebody waits.
        printer._raw(raster(picture, profile.width_dots))
        printer.cut()
    return Job.of(uid, bytes(printer.output))


def raster(picture: Image.Image, width_dots: int) -> bytes:
    """GS v 0: the picture in raster bands. Raises ValueError when it is not as wide as the print head."""
    if picture.mode != "1" or picture.width != width_dots:
        raise ValueError(f"a slip must be black and white and {width_dots} dots wide, not {picture.width}")
    row = width_dots // 8
    black = without_real_time_commands(picture.tobytes().translate(_INVERTED))
    bands = []
    for top in range(0, picture.height, BAND):
        height = min(BAND, picture.height - top)
        bands.append(b"\x1dv0\x00" + row.to_bytes(2, "little") + height.to_bytes(2, "little"))
        bands.append(black[top * row : (top + height) * row])
    return b"".join(bands)


def send(job: Job, printer: TakesJobs, deadline_s: float) -> Outcome:
    """Print a job whose bytes are still the ones that were hashed."""
    if not job.intact():
        log.error("print job %s is not what was made; it is not sent", job.uid)
        return Outcome.NOT_PRINTED
    return printer.print(job.data, deadline_s)


def without_real_time_commands(black: bytes) -> bytes:
    """The dots, with one more wherever their bytes would be a command that acts at once.

    The dot lies beside another black one: nobody sees it, and no code loses a module by it.
    """
    for command in _REAL_TIME:
        black = black.replace(command, b"\x18" + command[1:])
    return black


def _byte_writer(profile: PrinterProfile) -> Any:
    kind, base = _escpos()
    return kind(profile=base(profile))


@cache
def _escpos() -> tuple[Any, Any]:
    """python-escpos and a way to give it our profile, loaded once.

    Its import reads a pickle that a power cut may have cut short, or else leaves a new folder in the system's
    temporary one at each start. Here it gets a folder that goes away again; so there is never an old pickle.
    """
    root = logging.getLogger()
    handlers = list(root.handlers)
    usual = tempfile.tempdir
    with tempfile.TemporaryDirectory(prefix="madoguchi-") as folder, contextlib.redirect_stdout(io.StringIO()):
        tempfile.tempdir = folder
        try:
            from escpos.capabilities import Profile
            from escpos.printer import Dummy
        finally:
            tempfile.tempdir = usual
            for handler in set(root.handlers) - set(handlers):
                root.removeHandler(handler)  # logging is set up by who starts the program, not by a library

    def base(ours: PrinterProfile) -> Any:
        features = {"paperFullCut": ours.cutter, "paperPartCut": False, "bitImageRaster": True}
        made = Profile(columns=ours.width_dots // 12, features=features)
        made.profile_data = _as_library_profile(ours)
        return made

    return Dummy, base


def _as_library_profile(profile: PrinterProfile) -> dict[str, Any]:
    return {
        "name": profile.model,
        "codePages": {"0": "CP437"},
        "colors": {"0": "black"},
        "fonts": {"0": {"name": "Font A", "columns": profile.width_dots // 12}},
        "media": {
            "dpi": profile.dpi,
            "width": {"mm": round(profile.width_mm), "pixels": profile.width_dots},
        },
    }
