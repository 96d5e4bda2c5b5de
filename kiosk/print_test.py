"""`madoguchi kiosk print-test`: a page that shows what a printer can do, and the profile that follows from it.

Edges, scale, cut and codes are looked at by whoever stands there; the printer's own answers are read by the program.
"""

import sys
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from PIL import Image, ImageDraw

from kiosk.config import ConfigFault, load_config
from kiosk.devices.escpos_symbols import barcode, qr
from kiosk.devices.ports import PrinterStatus
from kiosk.job import Job
from kiosk.printer_profile import HOW, PrinterProfile, load_profile, names
from kiosk.printing import job_of
from kiosk.raster import Fonts, NoFont, Press
from kiosk.run import open_printer
from kiosk.slip import VOID_IN, Rule, TextLine, void_mark
from madoguchi.texts import Texts
from madoguchi.wire import Outcome

DEADLINE_S: Final = 20.0
BAR_DOTS: Final = 320
WIDTHS: Final = (384, 432, 512, 576, 640, 832)
QR_DOTS: Final = {"A": 2, "B": 3, "C": 4, "D": 6}
CODE_128_DOTS: Final = {"E": 1, "F": 2, "G": 3}
_CODE_128: Final = 73
_QUIET: Final = 4
_WHITE, _BLACK = 1, 0


@dataclass(frozen=True)
class Answers:
    """What somebody saw on the page; None is not looked at. `codes`: the letters whose code a scanner reads."""

    width: int | None = None
    bar_mm: float | None = None
    cut: bool | None = None
    codes: str | None = None


QUESTIONS: Final = {
    "width": f"the highest number in the steps whose black end is whole ({', '.join(map(str, WIDTHS))}): ",
    "bar_mm": "the length of the thick bar in mm (40 at 203 dpi, 45 at 180): ",
    "cut": "was the paper cut? (yes/no): ",
    "codes": "the letters of the codes that your scanner reads (A to G): ",
}


def main(config_path: Path, answers: Answers, ask: Callable[[str], str] | None) -> int:
    """Print the page, ask what `answers` leave open, propose a profile. 1 if nothing came out.

    `ask` is None where nobody can be asked.
    """
    try:
        config = load_config(config_path).printer
        profile = config.profile
        # Whether the model answers is to be found out, so it is asked whatever the profile says.
        printer = open_printer(replace(config, profile=replace(profile, status_replies=True)))
        job = page(replace(profile, cutter=True), Fonts())
    except (ConfigFault, NoFont, OSError) as error:
        sys.stderr.write(f"nothing can be printed: {error}\n")
        return 1
    try:
        before = printer.status()
        outcome = printer.print(job, DEADLINE_S, lambda: True)
        after = printer.status()
    finally:
        printer.close()
    _say(f"before: {_told(before)}", f"outcome: {outcome.value}", f"after: {_told(after)}")
    if outcome is Outcome.NOT_PRINTED:
        sys.stderr.write("the page was not printed: mend what is told above; is the kiosk still running?\n")
        return 1
    if ask is not None:
        answers = _asked(answers, ask)
    _say(*proposal(answers, after.complete, profile))
    return 0


def page(profile: PrinterProfile, fonts: Fonts) -> Job:
    """The page for a printer that is taken to be of this profile."""
    press = Press(fonts, profile)
    head = press.draw(
        (
            TextLine("印刷テスト", 6, bold=True, center=True),
            TextLine(f"{profile.name}", 3.4, center=True),
            TextLine(f"{profile.width_dots} dots, {profile.dpi} dpi", 3.4, center=True),
            Rule(),
            TextLine("左右の線が紙に出ているか（mm）", 2.8),
        )
    )
    steps = press.draw((TextLine("黒い端まで出ている最大の数字", 2.8),))
    scale = press.draw((TextLine(f"太い線の長さ（{BAR_DOTS}）", 2.8),))
    codes = press.draw((Rule(), TextLine("読み取れる記号", 2.8)))
    foot = press.draw((Rule(), TextLine("小さな文字 番号札 0123456789 ABCDEF", 2.2), TextLine("ここで切れるか", 3.4)))
    pictures = [head, ruler(profile), steps, *map(step, WIDTHS), scale, bar(profile), codes, *symbols(profile), foot]
    void = press.draw(void_mark(Texts.load().say, VOID_IN, profile.width_mm))
    return job_of(uuid.uuid4(), pictures, void, profile)


def ruler(profile: PrinterProfile) -> Image.Image:
    """Millimetres from the first dot on, and a line at the first and the last dot that can be printed."""
    picture = Image.new("1", (profile.width_dots, 56), _WHITE)
    draw = ImageDraw.Draw(picture)
    for mm in range(int(profile.width_mm) + 1):
        x = min(profile.dots(mm), profile.width_dots - 1)
        draw.line((x, 0, x, 40 if mm % 10 == 0 else 28 if mm % 5 == 0 else 16), fill=_BLACK)
        if mm % 10 == 0 and mm:
            draw.text((x - 6, 42), str(mm), fill=_BLACK)
    for x in (0, profile.width_dots - 2):
        draw.rectangle((x, 0, x + 1, picture.height), fill=_BLACK)
    return picture


def step(width: int) -> Image.Image:
    """A line of so many dots with a black end: a head that is narrower loses it."""
    picture = Image.new("1", (width, 30), _WHITE)
    draw = ImageDraw.Draw(picture)
    draw.line((0, 14, width, 14), fill=_BLACK)
    draw.rectangle((width - 8, 0, width, 27), fill=_BLACK)
    label = Image.new("1", (24, 12), _WHITE)
    ImageDraw.Draw(label).text((2, 0), str(width), fill=_BLACK)
    label = label.resize((48, 24))
    picture.paste(label, (width - 64, 2))
    return picture


def bar(profile: PrinterProfile) -> Image.Image:
    """A bar whose length tells how fine the dots are."""
    picture = Image.new("1", (profile.width_dots, 24), _WHITE)
    ImageDraw.Draw(picture).rectangle((0, 4, BAR_DOTS - 1, 19), fill=_BLACK)
    return picture


def symbols(profile: PrinterProfile) -> Iterator[Image.Image]:
    """Codes from small to large, each with its letter, as many beside each other as there is room for."""
    made = [(letter, _qr(f"TEST-{letter}", dots)) for letter, dots in QR_DOTS.items()]
    made += [(letter, _code_128(f"TEST-{letter}", dots)) for letter, dots in CODE_128_DOTS.items()]
    row: list[Image.Image] = []
    for letter, code in made:
        labelled = Image.new("1", (code.width, code.height + 26), _WHITE)
        labelled.paste(code, (0, 26))
        small = Image.new("1", (8, 12), _WHITE)
        ImageDraw.Draw(small).text((1, 0), letter, fill=_BLACK)
        labelled.paste(small.resize((16, 24)), (code.width // 2 - 8, 0))
        if row and sum(one.width for one in row) + labelled.width > profile.width_dots:
            yield _beside(row, profile.width_dots)
            row = []
        row.append(labelled)
    yield _beside(row, profile.width_dots)


def proposal(answers: Answers, answered: bool, used: PrinterProfile) -> list[str]:
    """What follows from what was seen, and whether the printer answered everything that it was asked."""
    if answers.width is None or answers.bar_mm is None or answers.cut is None:
        return ["look at the page, then run it again with --width, --bar-mm, --cut and --codes for a profile"]
    dpi = min((180, 203, 300), key=lambda dpi: abs(BAR_DOTS * 25.4 / dpi - answers.bar_mm))  # type: ignore[operator]  # checked above
    fits = [
        profile
        for profile in map(load_profile, names())
        if (profile.width_dots, profile.dpi, profile.cutter, profile.status_replies)
        == (answers.width, dpi, answers.cut, answered)
    ]
    said = [_legible(answers.codes, used)] if answers.codes is not None else []
    if fits:
        fits.sort(key=lambda profile: (profile.name != used.name, profile.name))
        said.append("profiles that fit; take that of your model:")
        said += [f"  {profile.name}: {profile.model}, {HOW[profile.verified_how]}" for profile in fits]
        return [*said, 'after a look at a real slip: verified_on = today, verified_how = "paper" in its file']
    return [
        *said,
        "no profile fits; make a file of your own in printer_profiles/:",
        'model = "the name on the printer"',
        f"width_dots = {answers.width}",
        f"dpi = {dpi}",
        f"cutter = {str(answers.cut).lower()}",
        f"status_replies = {str(answered).lower()}",
        "paper_s = 2.0",
        'verified_on = "never"',
        'verified_how = "never"',
    ]


def _legible(read: str, profile: PrinterProfile) -> str:
    lost = sorted({**QR_DOTS, **CODE_128_DOTS}.keys() - set(read.upper()))
    if not lost:
        return "all codes are read"
    # The code of a slip: 21 modules and its quiet zone, in whole dots.
    needed = {letter for letter, dots in QR_DOTS.items() if dots >= 3}
    harm = "the slip's own code is not in danger" if needed.isdisjoint(lost) else "the slip's own code may not be read"
    return f"not read: {', '.join(lost)}; {harm} at {profile.dpi} dpi"


def _told(status: PrinterStatus) -> str:
    if not status.complete and not status.fault:
        return "the printer does not answer (all of) DLE EOT"
    return f"paper {status.paper.value}, cover {status.cover.value}, {status.line.value}"


def _asked(answers: Answers, ask: Callable[[str], str]) -> Answers:
    """Ask until an answer can be understood; an empty one leaves it open."""
    readers: dict[str, Callable[[str], Any]] = {"width": int, "bar_mm": float, "cut": yes_or_no, "codes": str}
    for name, question in QUESTIONS.items():
        while getattr(answers, name) is None and (said := ask(question).strip()):
            try:
                answers = replace(answers, **{name: readers[name](said)})
            except ValueError:
                _say("that cannot be read")
    return answers


def yes_or_no(said: str) -> bool:
    """Raises ValueError for anything else."""
    if said.lower() not in ("yes", "y", "no", "n"):
        raise ValueError(said)
    return said.lower().startswith("y")


def _qr(payload: str, dots: int) -> Image.Image:
    code = qr(payload.encode("ascii"), "M", dots)
    picture = Image.new("1", [side + 2 * _QUIET * dots for side in code.size], _WHITE)
    picture.paste(code, (_QUIET * dots, _QUIET * dots))
    return picture


def _code_128(payload: str, dots: int) -> Image.Image:
    bars = barcode(_CODE_128, b"{B" + payload.encode("ascii"), dots, 56).convert("1")
    picture = Image.new("1", (bars.width + 20 * dots, bars.height + 8), _WHITE)
    picture.paste(bars, (10 * dots, 0))
    return picture


def _beside(row: list[Image.Image], width: int) -> Image.Image:
    picture = Image.new("1", (width, max(one.height for one in row)), _WHITE)
    x = 0
    for one in row:
        picture.paste(one, (x, 0))
        x += one.width
    return picture


def _say(*lines: str) -> None:
    sys.stdout.write("".join(f"{line}\n" for line in lines))
    sys.stdout.flush()
