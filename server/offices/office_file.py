"""An office's file: TOML read so that a fault names its key and says what to write instead."""

import re
import tomllib
from collections.abc import Collection
from datetime import date
from pathlib import Path
from typing import Any, Self

from server.auth.forms import may_be_kept
from server.errors import Invalid
from server.offices.opening_changes import FIRST_YEAR, LAST_YEAR

YEARS = f"of the years {FIRST_YEAR} to {LAST_YEAR}"
CODE = re.compile(r"[A-Za-z0-9-]+")


class OfficeFileUnusable(Invalid):
    """The office's file says something that cannot be meant."""

    code = "office_file"


def read_office_file(path: Path) -> dict[str, Any]:
    """The parsed TOML of an office's file. Raises OfficeFileUnusable naming file and fault."""
    try:
        return tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except (OSError, tomllib.TOMLDecodeError) as error:
        raise OfficeFileUnusable(file=str(path), fault=str(error)) from error
    except UnicodeDecodeError as error:
        raise OfficeFileUnusable(file=str(path), fault="it is not in UTF-8; save it as UTF-8") from error
    except (ValueError, RecursionError) as error:
        fault = "a number in it is too long, or lists stand too deep in lists; write whole numbers and tables as shown"
        raise OfficeFileUnusable(file=str(path), fault=fault) from error


def refuse_unkept(value: object, where: str = "") -> None:
    """Raise OfficeFileUnusable for the first text or key that may not be kept; it is not said again."""
    if isinstance(value, str) and not may_be_kept(value):
        fault = "it may hold a My Number (12 digits), a line break or letters that nobody sees; take them out"
        raise OfficeFileUnusable(key=where, fault=fault)
    if isinstance(value, dict):
        for key, one in value.items():
            refuse_unkept(key, where or "(the name of a key)")
            refuse_unkept(one, f"{where}.{key}".lstrip("."))
    if isinstance(value, list):
        for n, one in enumerate(value, start=1):
            refuse_unkept(one, f"{where}[{n}]")


class Row:
    """One table of the file, which knows where it stands. Every reading raises OfficeFileUnusable naming the key."""

    def __init__(self, values: object, where: str, known: Collection[str]) -> None:
        """`where` names the table, e.g. `services[2]`, counted from one; keys that are not `known` are refused."""
        self.where = where
        if not isinstance(values, dict):
            raise OfficeFileUnusable(key=where, fault="write a table with keys here")
        self.values: dict[str, Any] = values
        for key in values:
            if key not in known:
                raise self.fault(key, f"nobody knows this key; known are {', '.join(known)}")

    @classmethod
    def all_of(cls, values: object, where: str, known: Collection[str]) -> list[Self]:
        """The tables of a list."""
        if not isinstance(values, list):
            raise OfficeFileUnusable(key=where, fault="write a list of tables here")
        return [cls(value, f"{where}[{n}]", known) for n, value in enumerate(values, start=1)]

    def fault(self, key: str, what_to_do: str) -> OfficeFileUnusable:
        """The refusal for one key."""
        return OfficeFileUnusable(key=f"{self.where}.{key}".lstrip("."), fault=what_to_do)

    def __contains__(self, key: str) -> bool:
        """Whether the file states this key."""
        return key in self.values

    def text(self, key: str, default: str | None = None, longest: int = 40) -> str:
        """A text of at most so many characters."""
        value = self._stated(key, default)
        if not isinstance(value, str) or not 1 <= len(value) <= longest:
            raise self.fault(key, f"write a text of 1 to {longest} characters")
        return value

    def code(self, key: str) -> str:
        """A word that stands in addresses."""
        value = self.text(key)
        if not CODE.fullmatch(value):
            raise self.fault(key, "write Latin letters, digits and hyphens only")
        return value

    def number(self, key: str, default: int | None = None, most: int = 9999) -> int:
        """A whole number from one."""
        value = self._stated(key, default)
        if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= most:
            raise self.fault(key, f"write a whole number from 1 to {most}")
        return value

    def truth(self, key: str, default: bool) -> bool:
        """True or false."""
        value = self.values.get(key, default)
        if not isinstance(value, bool):
            raise self.fault(key, "write true or false")
        return value

    def day(self, key: str) -> date | None:
        """A day as 2027-03-31; an empty text says that there is none."""
        value = self.values.get(key, "")
        try:
            return None if value == "" else day_in(value)
        except ValueError:
            raise self.fault(key, f'write a day as "2027-03-31", {YEARS}, or "" for none') from None

    def names(self, key: str, default: dict[str, str] | None = None, longest: int = 80) -> dict[str, str]:
        """A name in Japanese and English."""
        return names_in(self._stated(key, default), f"{self.where}.{key}".lstrip("."), longest)

    def one_of(self, key: str, known: Collection[str], default: str | None = None) -> str:
        """One of the words that are known."""
        value = self._stated(key, default)
        if not isinstance(value, str) or value not in known:
            raise self.fault(key, f"write one of {', '.join(known) or '(there is none)'}")
        return value

    def some_of(self, key: str, known: Collection[str], default: Collection[str]) -> list[str]:
        """A list of words that are known."""
        value = self.values.get(key, list(default))
        if not isinstance(value, list) or any(not isinstance(word, str) or word not in known for word in value):
            raise self.fault(key, f"write a list of {', '.join(known) or '(there is none)'}")
        return value

    def _stated(self, key: str, default: Any) -> Any:
        value = self.values.get(key, default)
        if value is None:
            raise self.fault(key, "is missing: write it")
        return value


def day_in(value: object) -> date:
    """A day of the file, as TOML or as text. Raises ValueError for anything else, and outside the years we plan for."""
    day = value if type(value) is date else date.fromisoformat(str(value))
    if not FIRST_YEAR <= day.year <= LAST_YEAR:
        raise ValueError(day)
    return day


def names_in(value: object, where: str, longest: int) -> dict[str, str]:
    """A name or a sentence in Japanese and English. Raises OfficeFileUnusable."""
    languages = ("ja", "en")
    if not isinstance(value, dict) or {*value} != {*languages}:
        raise OfficeFileUnusable(key=where, fault='write { ja = "…", en = "…" }')
    if any(not isinstance(text, str) or not 1 <= len(text) <= longest for text in value.values()):
        raise OfficeFileUnusable(key=where, fault=f"write texts of 1 to {longest} characters")
    return {lang: value[lang] for lang in languages}
