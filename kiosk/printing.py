"""Picture + printer profile → the bytes of a job, and a job → the printer.

python-escpos writes the bytes (its Dummy printer); the transports are ours. A job never changes after it was made:
its hash is what the server learns, and it is checked before the first byte leaves and again before the cut.
"""

import contextlib
import io
import logging
import os
import tempfile
from collections.abc import Callable, Iterable
from functools import cache
from typing import Any, Final, Protocol
from uuid import UUID

from PIL import Image

from kiosk.devices.ports import Still
from kiosk.job import BAND, Job
from kiosk.printer_profile import PrinterProfile
from madoguchi.wire import Outcome

# A printer obeys these bytes wherever they stand, also inside a picture: status, recover, power off, clear buffer.
_REAL_TIME: Final = (b"\x10\x04", b"\x10\x05", b"\x10\x14")

_INVERTED: Final = bytes(0xFF ^ byte for byte in range(256))  # a set bit is white in a picture, black on paper

_LIBRARY_KEYS: Final = ("ESCPOS_CAPABILITIES_PICKLE_DIR", "ESCPOS_CAPABILITIES_FILE", "ESCPOS_CAPABILITIES_DEBUG")

log = logging.getLogger(__name__)


class TakesJobs(Protocol):
    """What a job needs of a printer."""

    def print(self, job: Job, deadline_s: float, still: Still) -> Outcome:
        """Put it on paper."""


def make_job(uid: UUID, picture: Image.Image, void: Image.Image, profile: PrinterProfile) -> Job:
    """The bytes that print this picture and cut once; `void` is what marks the paper if nobody wants it any more.

    Raises ValueError when a picture is not as wide as the print head.
    """
    if picture.width != profile.width_dots:
        raise ValueError(f"a slip must be {profile.width_dots} dots wide, not {picture.width}")
    return job_of(uid, [picture], void, profile)


def job_of(uid: UUID, pictures: Iterable[Image.Image], void: Image.Image, profile: PrinterProfile) -> Job:
    """The bytes that print pictures of any width below each other and cut once."""
    printer = _byte_writer(profile)
    # The library prints remarks to standard output, where ours is read by other programs.
    with contextlib.redirect_stdout(io.StringIO()):
        printer.hw("INIT")
        for picture in pictures:
            # The library's image() gives the same bytes (a test compares them) but goes through a colour picture:
            # 12 ms here and some 50 on a Raspberry Pi, while somebody waits.
            printer._raw(raster(picture))
        begin = bytes(printer.output)
        printer.cut()
    cut = bytes(printer.output)[len(begin) :]
    return Job.of(uid, begin, cut, raster(void) + cut)


def raster(picture: Image.Image) -> bytes:
    """GS v 0: the picture in raster bands. Raises ValueError when it is not black and white and of whole bytes."""
    if picture.mode != "1" or picture.width % 8:
        raise ValueError(f"a picture must be black and white and a multiple of 8 dots wide, not {picture.width}")
    row = picture.width // 8
    black = without_real_time_commands(picture.tobytes().translate(_INVERTED))
    bands = []
    for top in range(0, picture.height, BAND):
        height = min(BAND, picture.height - top)
        bands.append(b"\x1dv0\x00" + row.to_bytes(2, "little") + height.to_bytes(2, "little"))
        bands.append(black[top * row : (top + height) * row])
    return b"".join(bands)


def send(job: Job, printer: TakesJobs, deadline_s: float, wanted: Callable[[], UUID | None]) -> Outcome:
    """Print a job whose bytes are still the ones that were hashed, for the visitor who is still there.

    `wanted` tells for which job somebody stands at the kiosk now. It is asked before the first byte and before the
    cut: so nobody ever gets the paper of somebody else.
    """

    def still() -> bool:
        return wanted() == job.uid and job.intact()

    if not still():
        log.error("print job %s is not what was made, or nobody's any more; it is not sent", job.uid)
        return Outcome.NOT_PRINTED
    return printer.print(job, deadline_s, still)


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
    temporary one at each start; the environment may name a folder that is not there, or models of its own. Here it
    gets a folder that goes away again; so there is never an old pickle, and nothing is taken from the environment.
    """
    root = logging.getLogger()
    handlers = list(root.handlers)
    usual, named = tempfile.tempdir, {key: os.environ.pop(key) for key in _LIBRARY_KEYS if key in os.environ}
    with tempfile.TemporaryDirectory(prefix="madoguchi-") as folder, contextlib.redirect_stdout(io.StringIO()):
        tempfile.tempdir = folder
        try:
            from escpos.capabilities import Profile
            from escpos.printer import Dummy
        finally:
            tempfile.tempdir = usual
            os.environ.update(named)
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
