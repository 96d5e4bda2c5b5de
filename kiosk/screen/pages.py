"""Page + language → what the touch panel draws, as plain JSON values (pure).

The page's script knows no texts and no rules: it draws what stands here and sends back which button was touched.
"""

import re
from typing import Any

from kiosk.dialogue import Page
from kiosk.messages import Tone, told
from madoguchi.languages import LANGUAGES, language_of
from madoguchi.ruby import plain
from madoguchi.texts import Texts, name_in
from madoguchi.wire import Names

_SENTENCES = re.compile(r"(?<=。)(?![）」』”])|(?<=[.!?])\s+(?=[^\d\s])")

BUSY = ("checking", "printing", "starting")


def render(texts: Texts, page: Page, language: str, office: Names | None) -> dict[str, Any]:
    """Everything that the panel shows now."""

    def said(key: str) -> str:
        return texts.say(key, language)

    return {
        "page": page.name,
        "language": language,
        "lang": language_of(language).html_lang,
        "reference": said("mark.reference") if language_of(language).reference else "",
        "tone": page.tone.value,
        "picture": page.picture,
        "office": name_in(office, language) if office else "",
        "title": said("kiosk.welcome.title"),
        "text": _lines(texts, page, language),
        "hint": said("kiosk.scan.instruction")
        if page.name == "idle" and page.tone is not Tone.STAFF and not page.notes
        else "",
        "notes": [told(texts, note, language) for note in page.notes],
        "numberLabel": said("kiosk.given") if page.number is not None else "",
        "number": page.number,
        "choices": [
            {
                "button": "service",
                "value": choice.code,
                "label": name_in(choice.name, language),
                "picture": choice.picture,
            }
            for choice in page.choices
        ],
        "buttons": _buttons(texts, page, language),
        "languages": _languages(texts, language),
        "languageLabel": plain(said("kiosk.language")),
        "seconds": page.seconds,
    }


def sentences(text: str) -> list[str]:
    """One thought at a time: each sentence is a line of its own."""
    return [part.strip() for part in _SENTENCES.split(text) if part and part.strip()]


def _lines(texts: Texts, page: Page, language: str) -> list[str]:
    """The page's sentences; beside the number in big type, not once more the one that only says the number."""
    if page.text is None:
        return []
    lines = sentences(told(texts, page.text, language))
    others = [line for line in lines if page.number is None or str(page.number) not in line]
    return others or lines


def _buttons(texts: Texts, page: Page, language: str) -> list[dict[str, str]]:
    wanted = []
    if page.name == "warning":
        wanted.append(("continue", "kiosk.btn.back"))
    if page.walk_in:
        wanted.append(("walkin", "kiosk.btn.walkin"))
    if page.deadline:
        wanted.append(("deadline", "kiosk.btn.deadline"))
    if page.name in ("message", "services", "warning", "number"):
        wanted.append(("restart", "kiosk.btn.restart"))
    # Staff can be called from every page, also while the kiosk works.
    wanted.append(("staff", "kiosk.btn.staff"))
    return [{"button": name, "value": "", "label": texts.say(key, language)} for name, key in wanted]


def _languages(texts: Texts, language: str) -> list[dict[str, Any]]:
    """Each language is named in its own script."""
    return [
        {"value": code, "lang": one.html_lang, "label": one.name, "current": code == language}
        for code, one in LANGUAGES.items()
        if code in texts.languages
    ]
