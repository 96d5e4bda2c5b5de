"""The languages: how each writes days, times and counted things, and which its readers' browsers ask for.

One file of `languages/` is one language (docs/languages.md); a file more is a language more.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time
from importlib.resources import files
from typing import Any, Final

import yaml

PLACEHOLDER: Final = re.compile(r"\{(\w+)(?::(\w+))?\}")
"""{name} or {name:type}; a type says in which way something is counted."""

# libyaml reads the catalogue ten times as fast; a kiosk starts with it.
LOADER: Final = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

_ERAS: Final = (
    (date(2019, 5, 1), "令和", 2019),
    (date(1989, 1, 8), "平成", 1989),
    (date(1926, 12, 25), "昭和", 1926),
    (date(1912, 7, 30), "大正", 1912),
    (date(1873, 1, 1), "明治", 1868),  # the Western calendar came in its sixth year
)


@dataclass(frozen=True)
class Language:
    """One language. `weekdays` and `heads` (short ones) begin with Monday, `months` with January.

    `reference`: a draft, marked as such until a native speaker has read it. `browsers`: the beginnings of the tags that
    mean this language, `not_browsers` of those that do not although they begin so. `texts`: key → text. `names`: what
    offices call things in Japanese → what it is called here.
    `tag` is what a page's `lang` says where it is not the code; `letters`: pages bring a font for it.
    """

    code: str
    order: int
    name: str
    day: str
    short_day: str
    clock: str
    moment: str
    month: str
    cell: str
    between: str
    weekdays: tuple[str, ...]
    heads: tuple[str, ...]
    months: tuple[str, ...] = ("",) * 12
    short_months: tuple[str, ...] = ("",) * 12
    reference: bool = False
    letters: bool = False
    full_hour: str = ""
    tag: str = ""
    fallback: str = "ja"
    browsers: tuple[str, ...] = ()
    not_browsers: tuple[str, ...] = ()
    texts: Mapping[str, str] = field(default_factory=dict, repr=False)
    names: Mapping[str, str] = field(default_factory=dict, repr=False)

    def __post_init__(self) -> None:
        """A week has seven days, a year twelve months. Raises ValueError."""
        for name, wanted in (("weekdays", 7), ("heads", 7), ("months", 12), ("short_months", 12)):
            if len(getattr(self, name)) != wanted:
                raise ValueError(f"{self.code}: {name} must be {wanted}")

    @property
    def html_lang(self) -> str:
        """As browsers and screen readers know the language."""
        return self.tag or self.code

    def of_day(self, pattern: str, day: date) -> str:
        """A day in one of the language's patterns."""
        facts = {
            "year": str(day.year),
            "era_year": japanese_year(day),
            "month": str(day.month),
            "month_name": self.months[day.month - 1],
            "month_short": self.short_months[day.month - 1],
            "day": str(day.day),
            "weekday": self.weekdays[day.weekday()],
            "head": self.heads[day.weekday()],
        }
        return fill(pattern, facts)

    def of_time(self, moment: time | datetime) -> str:
        """The time of day, as the clock of the moment's own zone shows it."""
        pattern = self.clock if moment.minute or not self.full_hour else self.full_hour
        return fill(pattern, {"hour": str(moment.hour), "minute": f"{moment.minute:02}"})

    def of_moment(self, moment: datetime) -> str:
        """Day and time."""
        return fill(self.moment, {"date": self.of_day(self.day, moment), "time": self.of_time(moment)})


def fill(pattern: str, facts: Mapping[str, str]) -> str:
    """The pattern with its placeholders filled; those with a type are counted. Raises KeyError for a lacking fact."""
    return PLACEHOLDER.sub(lambda found: counted(found[2], facts[found[1]]), pattern)


def counted(kind: str | None, shown: str) -> str:
    """A number with its counter word and reading, where the placeholder asks for one. Raises ValueError."""
    if kind is None:
        return shown
    if kind not in COUNTERS:
        raise ValueError(f"{kind}: nothing is counted so")
    return COUNTERS[kind](int(shown))


def people(n: int) -> str:
    """｜1人《ひとり》, ｜2人《ふたり》, 3人《にん》."""
    alone = {1: "ひとり", 2: "ふたり"}.get(n)
    return f"｜{n}人《{alone}》" if alone else f"{n}人《にん》"


def minutes(n: int) -> str:
    """5分《ふん》, 10分《ぷん》."""
    return f"{n}分《{'ふん' if n % 10 in (2, 5, 7, 9) else 'ぷん'}》"


_DAYS: Final = {
    **{2: "ふつか", 3: "みっか", 4: "よっか", 5: "いつか", 6: "むいか", 7: "なのか", 8: "ようか", 9: "ここのか"},
    **{10: "とおか", 14: "じゅうよっか", 20: "はつか", 24: "にじゅうよっか"},
}


def days(n: int) -> str:
    """How many days: ｜1日《いちにち》, ｜7日《なのか》, 30日《にち》."""
    return _days(n, "いちにち")


def day_of_month(n: int) -> str:
    """Which day: as `days`, but the first is ｜1日《ついたち》."""
    return _days(n, "ついたち")


def _days(n: int, first: str) -> str:
    reading = first if n == 1 else _DAYS.get(n)
    return f"｜{n}日《{reading}》" if reading else f"{n}日《にち》"


COUNTERS: Final[Mapping[str, Callable[[int], str]]] = {
    "people": people,
    "minutes": minutes,
    "days": days,
    "day": day_of_month,
}


def japanese_year(day: date) -> str:
    """The year by era: 令和8年, the first of an era 元年; without era before the Western calendar."""
    if isinstance(day, datetime):
        day = day.date()
    for began, era, first in _ERAS:
        if day >= began:
            return f"{era}{'元' if day.year == first else day.year - first + 1}年"
    return f"{day.year}年"


def language_of(code: str) -> Language:
    """The language of a code, Japanese if there is none."""
    return LANGUAGES.get(code) or LANGUAGES["ja"]


def best_language(tags: Iterable[str]) -> str:
    """The language for a browser that asks for these tags, the dearest first.

    Who asks for none gets Japanese; who asks for others only, English: it is what more of them can read. A reader of
    traditional Chinese characters is not given simplified ones, though most browsers name a bare "zh" next.
    """
    barred: set[str] = set()
    asked = False
    for tag in (tag.lower() for tag in tags):
        asked = asked or tag != "*"
        for language in LANGUAGES.values():
            if _begins(tag, language.not_browsers):
                barred.add(language.code)
            elif language.code not in barred and _begins(tag, language.browsers):
                return language.code
    return "en" if asked else "ja"


def _begins(tag: str, with_one_of: Iterable[str]) -> bool:
    return any(tag == beginning or tag.startswith(f"{beginning}-") for beginning in with_one_of)


def _load() -> dict[str, Language]:
    """All languages, in the order in which they are offered."""
    found = [path for path in files("madoguchi").joinpath("languages").iterdir() if path.name.endswith(".yaml")]
    read = [_language(path.name.removesuffix(".yaml"), path.read_text("utf-8")) for path in found]
    return {language.code: language for language in sorted(read, key=lambda one: (one.order, one.code))}


def _language(code: str, source: str) -> Language:
    values: Any = yaml.load(source, LOADER)  # noqa: S506 - a safe loader
    try:
        given: dict[str, Any] = {name: tuple(v) if isinstance(v, list) else v for name, v in values.items()}
        return Language(code, **given)
    except TypeError as error:
        raise ValueError(f"languages/{code}.yaml: {error}") from None


LANGUAGES: Final[Mapping[str, Language]] = _load()
"""By code, Japanese first: it prevails, and speaks where another language has no text."""
