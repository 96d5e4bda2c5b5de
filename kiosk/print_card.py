"""`madoguchi kiosk self-test-card`: the card, on the kiosk's own printer or as a picture for another one."""

import sys
import uuid
from pathlib import Path

from kiosk.config import ConfigFault, load_config
from kiosk.hands import PRINT_DEADLINE_S
from kiosk.printing import make_job, send
from kiosk.raster import Fonts, NoFont, Press
from kiosk.run import open_printer
from kiosk.self_test import card
from kiosk.slip import VOID_IN, void_mark
from madoguchi.texts import Texts
from madoguchi.wire import Outcome


def main(config_path: Path, picture_path: Path | None) -> int:
    """Print the card, or write it to a file (PNG, in dots of the configured printer). 1 when it did not come out."""
    try:
        config = load_config(config_path).printer
        press, width_mm = Press(Fonts(), config.profile), config.profile.width_mm
        picture, void = press.draw(card(width_mm)), press.draw(void_mark(Texts.load().say, VOID_IN, width_mm))
        if picture_path is not None:
            picture.save(picture_path, "PNG", dpi=(config.profile.dpi, config.profile.dpi))
            return 0
        printer = open_printer(config)
    except (ConfigFault, NoFont, OSError) as error:
        sys.stderr.write(f"the card cannot be printed: {error}\n")
        return 1
    try:
        job = make_job(uuid.uuid4(), picture, void, config.profile)
        outcome = send(job, printer, PRINT_DEADLINE_S, lambda: job.uid)
    finally:
        printer.close()
    if outcome is Outcome.NOT_PRINTED:
        sys.stderr.write("the card was not printed: is the printer on and the kiosk stopped?\n")
    return int(outcome is Outcome.NOT_PRINTED)
