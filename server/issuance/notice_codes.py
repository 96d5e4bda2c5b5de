"""How numbers and words on a notice are read (pure)."""

import unicodedata

from madoguchi import codes, mynumber
from server.errors import Invalid


class MyNumberRefused(Invalid):
    """What was sent may be a My Number: it is refused before anything keeps it."""

    code = "my_number"


class NoticeNumberUnreadable(Invalid):
    """A notice number is three letters or digits and six digits."""

    code = "notice_number"


def plain(text: str) -> str:
    """Typed text as it was meant: width, case, spaces and hyphens do not matter. Raises MyNumberRefused."""
    refuse_my_number(text)
    return "".join(c for c in unicodedata.normalize("NFKC", text).upper() if c not in " -‐‑–—ー−")


def refuse_my_number(*texts: str) -> None:
    """Raise MyNumberRefused if one of the texts may be a My Number (番号法 19条, 20条: we have no business with it)."""
    for text in texts:
        if mynumber.may_be_my_number(text.encode("utf-8", "surrogatepass")):
            raise MyNumberRefused


def notice_number(text: str) -> str:
    """The nine characters of a notice number. Raises MyNumberRefused, NoticeNumberUnreadable."""
    refuse_my_number(text)
    number = codes.notice_number(text)
    if number is None:
        raise NoticeNumberUnreadable
    return number


def shown_number(number: str) -> str:
    """The number as it is printed: 3 characters, hyphen, 6 digits."""
    return f"{number[:3]}-{number[3:]}"
