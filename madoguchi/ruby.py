"""Readings of kanji as the texts write them, 予約《よやく》 or ｜1人《ひとり》, and what each place makes of them.

Pure. `｜` marks where the base begins when it is more than the kanji before 《.
"""

import re
from typing import Final

from markupsafe import Markup, escape

_RUBY: Final = re.compile(r"(?:｜([^｜《》]+)|([々〇㐀-鿿豈-﫿]+))《([ぁ-ゖァ-ヺー]+)》")
_HTML_READING: Final = re.compile(r"<rt>.*?</rt>")


class Said(str):
    """A sentence for people: as HTML it bears its readings; whatever else stands in it is escaped."""

    __slots__ = ()

    def __html__(self) -> str:
        """For templates."""
        return html(self)


def html(text: str) -> Markup:
    """The text with <ruby>, safe to stand between tags; not for attributes.

    One element as a whole: a button lays out its pieces side by side, and a sentence is one piece.
    """
    safe = str(escape(str(text)))
    if "《" not in safe:
        return Markup(safe)  # noqa: S704 - escaped above
    with_readings = _RUBY.sub(r"<ruby>\1\2<rt>\3</rt></ruby>", safe)
    return Markup(f"<span>{with_readings}</span>")  # noqa: S704 - escaped above


def plain(text: str) -> str:
    """The text without readings: for attributes, titles, files, SMS. Takes what `html` made, too."""
    if isinstance(text, Markup):
        return Markup(_HTML_READING.sub("", text)).striptags()  # noqa: S704 - tags are taken out
    return _RUBY.sub(r"\1\2", text)


def kana(text: str) -> str:
    """The readings in place of what they are the readings of: for paper, where they would be too small above it."""
    return _RUBY.sub(r"\3", text)
