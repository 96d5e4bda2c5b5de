"""The pictograms of services: their names, and the one file that holds them all (pure).

Server and kiosk serve the same file; a picture is shown with `<use href="…/pictures.svg#card">`.
"""

from importlib.resources import files
from typing import Final

PICTURES: Final = (
    "card",
    "certificate",
    "pin",
    "apply",
    "moving",
    "address",
    "residence",
    "lost",
    "face",
    "return",
    "other",
)


def pictures_svg() -> bytes:
    """The file with one symbol for each name."""
    return files("madoguchi").joinpath("pictures.svg").read_bytes()
