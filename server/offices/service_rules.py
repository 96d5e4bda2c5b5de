"""手続の取り扱い (pure): how people get to a service, from when to when, and what they bring."""

from collections.abc import Mapping
from datetime import date
from enum import StrEnum
from typing import Final, Protocol

from madoguchi.ruby import Said
from madoguchi.texts import name_in

Documents = dict[str, list[dict[str, str]]]
"""Case → what to bring in it, each a sentence by language; cases without anything are left out."""


class Mode(StrEnum):
    """How people get to a service; it may be in several ways."""

    NOTICE = "notice"
    """予約（通知書）: on the web by whoever has a notice."""
    OPEN = "open"
    """予約（どなたでも）: on the web without a notice."""
    PHONE = "phone"
    """電話予約: by phone."""
    WALK_IN = "walk_in"
    """予約なし: come and take a number."""


ON_THE_WEB: Final = frozenset({Mode.NOTICE, Mode.OPEN})
BOOKABLE: Final = ON_THE_WEB | {Mode.PHONE}
"""What can be booked at all can be booked by phone."""

CASES: Final = ("everyone", "legal_representative", "proxy", "no_notice")
"""The cases of lists of documents, in the order in which they are read."""


class Offered(Protocol):
    """What the rules need of a service as an office offers it."""

    @property
    def modes(self) -> frozenset[Mode]:
        """How people get to it."""

    valid_from: date | None
    valid_to: date | None


def offered_on(offer: Offered, day: date) -> bool:
    """Whether the office offers the service on a day; the first and the last day belong to it."""
    return (offer.valid_from or day) <= day <= (offer.valid_to or day)


def to_bring(documents: Mapping[str, list[dict[str, str]]], lang: str) -> list[tuple[str, list[Said]]]:
    """(case, sentences) in the order in which they are read."""
    return [
        (case, [Said(name_in(sentence, lang)) for sentence in documents[case]]) for case in CASES if documents.get(case)
    ]
