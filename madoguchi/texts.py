"""What people read and hear, in each language we offer (pure).

`texts.yaml` is the office's catalogue, `texts_extra.yaml` what our screens need beside it. Seven languages
are drafted; offered is what a native speaker has approved and whose dates we can write (`OFFERED`).
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time
from importlib.resources import files
from typing import Final, Self

import yaml

OFFERED: Final = ("ja", "en")
"""Japanese first: it prevails, and speaks where another language has no text."""

_CATALOGUES: Final = ("texts.yaml", "texts_extra.yaml")
_PLACEHOLDER: Final = re.compile(r"\{(\w+)\}")
# libyaml reads the catalogue ten times as fast; a kiosk starts with it.
_LOADER: Final = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

_ERAS: Final = (
    (date(2019, 5, 1), "令和", 2019),
    (date(1989, 1, 8), "平成", 1989),
    (date(1926, 12, 25), "昭和", 1926),
    (date(1912, 7, 30), "大正", 1912),
    (date(1873, 1, 1), "明治", 1868),  # the Western calendar came in its sixth year
)
_WEEKDAYS_JA: Final = "月火水木金土日"
_WEEKDAYS_EN: Final = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS_EN: Final = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


@dataclass(frozen=True)
class Texts:
    """The catalogue: key → language → text."""

    by_key: Mapping[str, Mapping[str, str]]
    languages: tuple[str, ...] = OFFERED

    @classmethod
    def load(cls) -> Self:
        """Read the catalogues that come with the program."""
        by_key: dict[str, Mapping[str, str]] = {}
        for name in _CATALOGUES:
            by_key |= yaml.load(files("madoguchi").joinpath(name).read_text("utf-8"), _LOADER)  # noqa: S506 - safe
        return cls(by_key)

    def say(self, key: str, lang: str, /, **facts: object) -> str:
        """The text with its placeholders filled; in Japanese where the language is not offered or has none.

        A fact is words, a number, a day or time, a name in each language, or a list of words or numbers. Facts
        that the text does not show are left out: one refusal has one set of facts and many texts.
        Raises KeyError for an unknown key, ValueError for a fact that is lacking or cannot be shown.
        """
        said_in = self._language(key, lang)

        def filled(match: re.Match[str]) -> str:
            name = match[1]
            if name not in facts:
                raise ValueError(f"{key}: lacks {name}")
            return _shown(name, facts[name], said_in)

        return _PLACEHOLDER.sub(filled, self.by_key[key][said_in])

    def template(self, key: str, lang: str) -> str:
        """The text with its placeholders as they are, for a page that fills them itself."""
        return self.by_key[key][self._language(key, lang)]

    def placeholders(self, key: str, lang: str = "ja") -> frozenset[str]:
        """The names of the facts that a text shows."""
        return frozenset(_PLACEHOLDER.findall(self.by_key[key][lang]))

    def _language(self, key: str, lang: str) -> str:
        return lang if lang in self.languages and lang in self.by_key[key] else "ja"


def format_date(day: date, lang: str) -> str:
    """令和8年11月30日（月） or Mon 30 Nov 2026."""
    if lang == "en":
        return f"{_WEEKDAYS_EN[day.weekday()]} {day.day} {_MONTHS_EN[day.month - 1]} {day.year}"
    return f"{japanese_year(day)}{day.month}月{day.day}日（{_WEEKDAYS_JA[day.weekday()]}）"


def format_short_date(day: date, lang: str) -> str:
    """11月30日 or 30 Nov, for SMS: 11/30 and 30/11 are mistaken for each other."""
    return f"{day.day} {_MONTHS_EN[day.month - 1]}" if lang == "en" else f"{day.month}月{day.day}日"


def format_time(moment: time | datetime, lang: str) -> str:
    """10時15分 or 10:15, as the clock of the moment's own zone shows it."""
    if lang == "en":
        return f"{moment.hour}:{moment.minute:02}"
    return f"{moment.hour}時{moment.minute:02}分"


def japanese_year(day: date) -> str:
    """The year by era: 令和8年, the first of an era 元年; without era before the Western calendar."""
    if isinstance(day, datetime):
        day = day.date()
    for began, era, first in _ERAS:
        if day >= began:
            return f"{era}{'元' if day.year == first else day.year - first + 1}年"
    return f"{day.year}年"


def _shown(name: str, fact: object, lang: str) -> str:
    if isinstance(fact, date | time):
        return _shown_moment(name, fact, lang)
    if isinstance(fact, Mapping):
        return _shown(name, fact.get(lang, fact.get("ja")), lang)
    if isinstance(fact, list | tuple):
        return (", " if lang == "en" else "、").join(_shown(name, item, lang) for item in fact)
    if isinstance(fact, str | int) and not isinstance(fact, bool):
        return str(fact)
    raise ValueError(f"{name}: {type(fact).__name__} cannot be shown")


def _shown_moment(name: str, moment: date | time, lang: str) -> str:
    """A placeholder's name says which part of a moment it shows."""
    if isinstance(moment, datetime) and name == "when":
        return f"{format_date(moment, lang)} {format_time(moment, lang)}"
    if isinstance(moment, datetime) and name not in ("date", "from", "to", "shortdate"):
        moment = moment.time()
    if isinstance(moment, time):
        return format_time(moment, "en" if name == "t" else lang)  # an SMS has no room for 時 and 分
    return format_short_date(moment, lang) if name == "shortdate" else format_date(moment, lang)
