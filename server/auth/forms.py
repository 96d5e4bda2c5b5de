"""What the forms about staff and devices send, read into plain values."""

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

from madoguchi.mynumber import may_be_my_number
from server.auth.rules import NameUnusable

LONGEST = 200
LONGEST_NAME = 40
LONGEST_PATH = 500


@dataclass(frozen=True)
class SignInForm:
    """Name and password as typed, and where to go afterwards."""

    name: str
    password: str
    next: str

    @classmethod
    def read(cls, form: Mapping[str, str], args: Mapping[str, str]) -> Self:
        """From the posted form, or from the address of its page."""
        return cls(
            form.get("name", "").strip(),
            form.get("password", ""),
            local_path(form.get("next") or args.get("next") or ""),
        )

    @property
    def may_be_meant(self) -> bool:
        """No account has such a long name or one with control characters: there is nothing to look up."""
        return 0 < len(self.name) <= LONGEST and is_line(self.name) and 0 < len(self.password) <= LONGEST


def local_path(text: str) -> str:
    """The path if it is one of ours, else nothing: a sign-in page that leads elsewhere is a trap (open redirect).

    Browsers read backslashes as slashes and leave out control characters, so neither may be in it.
    """
    fits = text.startswith("/") and not text.startswith("//") and len(text) <= LONGEST_PATH
    return text if fits and text.isprintable() and "\\" not in text else ""


def is_line(text: str) -> bool:
    """Whether a text is one line without control characters: a database may not even take them, and some turn the
    direction of what follows."""
    return all(unicodedata.category(c) not in ("Cc", "Cf", "Cs", "Zl", "Zp") for c in text)


def may_be_kept(text: str) -> bool:
    """Whether a text that came in by form, table or file is one line and no My Number; what is not is refused with
    the name of its field and never said again."""
    return is_line(text) and not may_be_my_number(text.encode())


def check_name(name: str) -> None:
    """Raise NameUnusable unless a name is one line of 1 to 40 characters that may be kept; it is not said again."""
    if not 1 <= len(name) <= LONGEST_NAME or not may_be_kept(name):
        raise NameUnusable(most=LONGEST_NAME)


def line_of(form: Mapping[str, str], field: str, longest: int = 40) -> str:
    """One typed line without blanks around it; nothing if it is too long, holds control characters, or could be a
    My Number, which is never kept."""
    text = form.get(field, "").strip()
    return text if len(text) <= longest and may_be_kept(text) else ""
