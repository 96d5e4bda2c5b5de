"""Our codes: a letter for the kind, Crockford base32, a check character (pure).

The letter keeps them apart from every number of somebody else's; the alphabet has no I, L, O and U, so that
typed look-alikes can be put right; the check character catches every single wrong character and every swap of
two neighbours. No code has eight digits in a row, so that none is taken for, or hides, a person's number.
"""

import hashlib
import re
import unicodedata
from collections.abc import Callable, Collection
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from typing import Final
from uuid import UUID

ALPHABET: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
LONGEST: Final = 200
"""No code and no link to one is longer; what is longer is not looked at."""

_MEANT = str.maketrans("ILO", "110")
_SPACES_AND_HYPHENS = re.compile(r"[\s\-‐‑‒–—―−ーｰ\u00ad]+")
AIM_PREFIX: Final = re.compile(r"^\][A-Za-z][0-9A-Za-z]")
"""Some scanners tell the symbology first: ]Q1."""

_LINK = re.compile(
    r"(?i:https?)://(?P<host>[^/?#]+)/(?P<page>[bBtT])/(?P<code>[0-9A-Za-z-]+)(?:\?(?i:lang)=[A-Za-z-]+)?"
)
_NOTICE_NUMBER = re.compile(r"[0-9A-Z]{3}[0-9]{6}")
_EIGHT_DIGITS = re.compile(r"[0-9]{8}")


class Kind(StrEnum):
    """What a code stands for; the letter it begins with."""

    NOTICE = "N"
    BOOKING = "B"
    TICKET = "T"


class Unread(StrEnum):
    """Why there is no code: one of ours that did not come over whole, or none of ours. Also refusal codes."""

    UNREADABLE = "unreadable"
    WRONG_CODE = "wrong_code"


_CHARACTERS: Final = {Kind.NOTICE: 10, Kind.BOOKING: 8, Kind.TICKET: 10}
"""How many characters of chance stand between the letter and the check character."""


@dataclass(frozen=True)
class Code:
    """A code in its one spelling: upper case, no hyphens."""

    kind: Kind
    text: str

    @property
    def grouped(self) -> str:
        """As it is printed for people: B-7K3F-9QXM-C, N-7K3F9-QXM2P-C."""
        middle = self.text[1:-1]
        half = len(middle) // 2
        return "-".join((self.text[0], middle[:half], middle[half:], self.text[-1]))


def from_bits(kind: Kind, bits: bytes) -> Code:
    """The code that these bits make, always the same. Raises ValueError when they are too few."""
    wanted = 5 * _CHARACTERS[kind]
    if len(bits) * 8 < wanted:
        raise ValueError(f"a {kind.name.lower()} code needs {wanted} bits")
    value = int.from_bytes(bits) >> (len(bits) * 8 - wanted)
    body = kind + "".join(ALPHABET[value >> shift & 31] for shift in range(wanted - 5, -1, -5))
    text = body + check_character(body)
    if _EIGHT_DIGITS.search(text):
        return from_bits(kind, hashlib.sha256(bits).digest())
    return Code(kind, text)


def new(kind: Kind, rng: Callable[[int], bytes]) -> Code:
    """A code by chance; `rng` gives that many random bytes (`secrets.token_bytes`)."""
    return from_bits(kind, rng((5 * _CHARACTERS[kind] + 7) // 8))


@lru_cache(maxsize=8192)  # those of a day, for whoever looks for one of them
def of_ticket(ticket: UUID) -> Code:
    """The code on a ticket's slip: made from its uid, which kiosk and server both know."""
    return from_bits(Kind.TICKET, hashlib.sha256(ticket.bytes).digest())


def check_character(body: str) -> str:
    """The character that makes letter and middle a whole code. Raises ValueError for what is not in ALPHABET.

    The characters are elements of GF(32). Each counts twice (times x) as much as the one after it, and the
    whole sum is zero. A wrong character changes its own term and nothing else, so it always shows; two
    neighbours count differently, so their swap does too.
    """
    total = 0
    for character in body:
        total = _doubled(total ^ ALPHABET.index(character))
    return ALPHABET[total]


def read(text: str, hosts: Collection[str]) -> Code | Unread:
    """The code that was scanned or typed: bare in any spelling, or as a link to a page of ours.

    Capitals and small letters are alike, also in a link: a scanner may follow the lock of a keyboard.
    """
    if len(text) > LONGEST or any(unicodedata.category(character) in ("Cc", "Cs") for character in text):
        return Unread.UNREADABLE
    stripped = AIM_PREFIX.sub("", text.strip())
    if not stripped:
        return Unread.UNREADABLE
    link = _LINK.fullmatch(stripped)
    if not link:
        return _bare(stripped)
    if link["host"].lower() not in {host.lower() for host in hosts}:
        return Unread.WRONG_CODE
    found = _bare(link["code"])
    # Only the codes of notices and tickets are ever printed as links, each to its own page.
    printed = Kind.NOTICE if link["page"] in "bB" else Kind.TICKET
    return Unread.WRONG_CODE if isinstance(found, Code) and found.kind is not printed else found


def notice_number(text: str) -> str | None:
    """The number printed on a notice – 3 letters or digits, 6 digits – in its one spelling; None for all else."""
    plain = _plain(AIM_PREFIX.sub("", text.strip()))
    return plain if _NOTICE_NUMBER.fullmatch(plain) else None


def _plain(text: str) -> str:
    return _SPACES_AND_HYPHENS.sub("", unicodedata.normalize("NFKC", text)).upper()


def _bare(text: str) -> Code | Unread:
    plain = _plain(text).translate(_MEANT)
    if not plain or plain[0] not in "NBT" or set(plain) - set(ALPHABET):
        return Unread.WRONG_CODE
    kind = Kind(plain[0])
    length = _CHARACTERS[kind] + 2
    if len(plain) > length or _EIGHT_DIGITS.search(plain):
        return Unread.WRONG_CODE
    if len(plain) < length or check_character(plain[:-1]) != plain[-1]:
        return Unread.UNREADABLE
    return Code(kind, plain)


def _doubled(element: int) -> int:
    """Times x in GF(32), reduced by x^5 + x^2 + 1: x has 31 different powers, more than a code has places."""
    doubled = element << 1
    return doubled ^ 0b100101 if doubled & 32 else doubled
