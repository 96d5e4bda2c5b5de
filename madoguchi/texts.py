"""What people read and hear, in each language (pure).

`texts.yaml` is the office's catalogue, `texts_extra.yaml` what our screens need beside it; what they lack of a language
stands in its own file (languages.py).
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time
from importlib.resources import files
from typing import Final, Self

import yaml

from madoguchi.languages import LANGUAGES, LOADER, PLACEHOLDER, counted, language_of

OFFERED: Final = tuple(LANGUAGES)
"""Japanese first."""

_CATALOGUES: Final = ("texts.yaml", "texts_extra.yaml")


@dataclass(frozen=True)
class Texts:
    """The catalogue: key → language → text."""

    by_key: Mapping[str, Mapping[str, str]]
    languages: tuple[str, ...] = OFFERED

    @classmethod
    def load(cls) -> Self:
        """Read the catalogues that come with the program."""
        by_key: dict[str, dict[str, str]] = {}
        for name in _CATALOGUES:
            by_key |= yaml.load(files("madoguchi").joinpath(name).read_text("utf-8"), LOADER)  # noqa: S506 - safe
        for language in LANGUAGES.values():
            for key, text in language.texts.items():
                by_key.setdefault(key, {})[language.code] = text
        return cls(by_key)

    def say(self, key: str, lang: str, /, **facts: object) -> str:
        """The text with its placeholders filled; in Japanese where the language is not offered or has none.

        A fact is words, a number, a day or time, a name in each language, or a list of words or numbers. Facts
        that the text does not show are left out: one refusal has one set of facts and many texts. Kanji may bear
        their reading (ruby.py).
        Raises KeyError for an unknown key, ValueError for a fact that is lacking or cannot be shown.
        """
        said_in = self._language(key, lang)

        def filled(match: re.Match[str]) -> str:
            name = match[1]
            if name not in facts:
                raise ValueError(f"{key}: lacks {name}")
            return counted(match[2], _shown(name, facts[name], said_in))

        return PLACEHOLDER.sub(filled, self.by_key[key][said_in])

    def template(self, key: str, lang: str) -> str:
        """The text with its placeholders as they are, for a page that fills them itself."""
        return self.by_key[key][self._language(key, lang)]

    def placeholders(self, key: str, lang: str = "ja") -> frozenset[str]:
        """The names of the facts that a text shows."""
        return frozenset(found[1] for found in PLACEHOLDER.finditer(self.by_key[key][lang]))

    def _language(self, key: str, lang: str) -> str:
        return lang if lang in self.languages and lang in self.by_key[key] else "ja"


def name_in(names: Mapping[str, str], lang: str) -> str:
    """A name that an office gave to something: in this language, else as the language's file translates the Japanese
    one, else in the language that its readers know best. Raises KeyError where there is no Japanese one.
    """
    language = language_of(lang)
    return names.get(lang) or language.names.get(names["ja"]) or names.get(language.fallback) or names["ja"]


def format_date(day: date, lang: str) -> str:
    """令和8年11月30日（月） or Mon 30 Nov 2026."""
    language = language_of(lang)
    return language.of_day(language.day, day)


def format_short_date(day: date, lang: str) -> str:
    """11月30日 or 30 Nov, for SMS: 11/30 and 30/11 are mistaken for each other."""
    language = language_of(lang)
    return language.of_day(language.short_day, day)


def format_time(moment: time | datetime, lang: str) -> str:
    """10時15分 or 10:15, as the clock of the moment's own zone shows it."""
    return language_of(lang).of_time(moment)


def _shown(name: str, fact: object, lang: str) -> str:
    if isinstance(fact, date | time):
        return _shown_moment(name, fact, lang)
    if isinstance(fact, Mapping):
        try:
            return _shown(name, name_in(fact, lang), lang)
        except KeyError:
            fact = None
    if isinstance(fact, list | tuple):
        return language_of(lang).between.join(_shown(name, item, lang) for item in fact)
    if isinstance(fact, str | int) and not isinstance(fact, bool):
        return str(fact)
    raise ValueError(f"{name}: {type(fact).__name__} cannot be shown")


def _shown_moment(name: str, moment: date | time, lang: str) -> str:
    """A placeholder's name says which part of a moment it shows."""
    if isinstance(moment, datetime) and name == "when":
        return language_of(lang).of_moment(moment)
    if isinstance(moment, datetime) and name not in ("date", "from", "to", "shortdate"):
        moment = moment.time()
    if isinstance(moment, time):
        return format_time(moment, "en" if name == "t" else lang)  # an SMS has no room for 時 and 分
    return format_short_date(moment, lang) if name == "shortdate" else format_date(moment, lang)
