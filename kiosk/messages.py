"""What a visitor is told for which answer (pure): the one table from codes to texts.

A code that nobody told us about, or facts that do not fit, lead to "out of service, please ask staff": the screen
is never blank and never shows a code word.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time
from enum import StrEnum
from typing import Any, Final

from madoguchi.texts import Texts
from madoguchi.wire import KioskState, RefusalView


class Tone(StrEnum):
    """What the visitor can do now; the page's sign and colour follow from it, never colour alone."""

    AGAIN = "again"
    CAREFUL = "careful"
    WAIT = "wait"
    STAFF = "staff"
    DONE = "done"


@dataclass(frozen=True)
class Say:
    """A text and its facts; the language comes later, for the visitor may change it."""

    key: str
    facts: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True)
class Telling:
    """How one refusal is told. `counts`: two such codes in a row and staff come. `walk_in`: it offers 予約なし.
    `calls`: for this reason staff are called at once. `picture`: what is to be held to the scanner instead.
    """

    key: str
    tone: Tone = Tone.STAFF
    counts: bool = False
    walk_in: bool = False
    calls: str = ""
    picture: str = ""


OUT_OF_ORDER: Final = Telling("kiosk.outoforder")

REFUSALS: Final[Mapping[str, Telling]] = {
    "unreadable": Telling("kiosk.unreadable", Tone.AGAIN, counts=True),
    "wrong_code": Telling("kiosk.wrongcode", Tone.AGAIN, counts=True),
    "other_code": Telling("kiosk.othercode", Tone.AGAIN, counts=True, picture="label"),
    "my_number": Telling("kiosk.mynumber", Tone.CAREFUL, counts=True),
    "code_unknown": Telling("kiosk.notfound.scan", Tone.AGAIN, counts=True),
    "not_booked": Telling("kiosk.notbooked", Tone.STAFF, walk_in=True),
    "wrong_day": Telling("kiosk.wrongday"),
    "wrong_office": Telling("kiosk.wrongsite"),
    "wrong_period": Telling("kiosk.wrongperiod"),
    "booking_cancelled": Telling("kiosk.cancelled", Tone.STAFF, walk_in=True),
    "too_early": Telling("kiosk.tooearly", Tone.WAIT),
    "office_closed": Telling("kiosk.closed", Tone.WAIT),
    "service_not_now": Telling("kiosk.service.notnow", Tone.WAIT),
    "walk_ins_closed": Telling("kiosk.walkin.closed", Tone.WAIT),
    "ask_staff": Telling("kiosk.askstaff", Tone.STAFF, calls="legal_deadline"),
    "contract_mismatch": OUT_OF_ORDER,
    "not_paired": Telling("kiosk.notpaired"),
    "busy": Telling("kiosk.busy", Tone.AGAIN),
    "changed_meanwhile": Telling("kiosk.please.rescan", Tone.AGAIN),
    "step_state": Telling("kiosk.please.rescan", Tone.AGAIN),
    "repeated_with_other_body": Telling("kiosk.please.rescan", Tone.AGAIN),
    # A visitor can do nothing about these: kiosk and office do not fit together, or the lane has no number left.
    "bad_request_id": OUT_OF_ORDER,
    "booking_state": OUT_OF_ORDER,
    "not_understood": OUT_OF_ORDER,
    "numbers_used_up": OUT_OF_ORDER,
    "party_too_large": OUT_OF_ORDER,
    "unknown_service": OUT_OF_ORDER,
}


def telling(refusal: RefusalView) -> Telling:
    """The row for a refusal."""
    return REFUSALS.get(refusal.code, OUT_OF_ORDER)


def say_refusal(refusal: RefusalView, state: KioskState | None) -> Say:
    """The text for a refusal, with its facts as values that a text can show."""
    if refusal.code == "office_closed":
        opening = _value(refusal.facts.get("next_opening"))
        return say_closed(opening if isinstance(opening, datetime) else None, state)
    if refusal.code == "service_not_now":
        return _say_not_now(_value(refusal.facts.get("next_opening")))
    facts = {name: value for name, raw in refusal.facts.items() if (value := _value(raw)) is not None}
    if refusal.code == "walk_ins_closed" and state is not None:
        facts.setdefault("tel", state.tel)
    return Say(telling(refusal).key, facts)


def _say_not_now(again: object) -> Say:
    if not isinstance(again, datetime):
        return Say("kiosk.service.notnow.nodate")
    return Say("kiosk.service.notnow", {"date": again.date(), "time": again})


def say_closed(opening: datetime | None, state: KioskState | None) -> Say:
    """Closed until when; in the morning "closed for today" would be wrong."""
    if opening is None:
        return Say("kiosk.closed.nodate")
    if state is not None and opening.date() == state.now.date():
        return Say("kiosk.opens", {"time": opening})
    return Say("kiosk.closed", {"date": opening.date(), "time": opening})


def told(texts: Texts, say: Say, language: str) -> str:
    """The sentence. When a text and its facts do not fit together: out of order, please ask staff."""
    try:
        return texts.say(say.key, language, **say.facts)
    except (KeyError, ValueError):
        return texts.say(OUT_OF_ORDER.key, language)


def _value(raw: Any) -> object | None:
    """A fact of the wire as a text can show it: moments are read, names stay names."""
    if isinstance(raw, bool) or raw is None:
        return None
    if isinstance(raw, int):
        return raw
    if isinstance(raw, str):
        return _moment(raw)
    if isinstance(raw, dict) and isinstance(raw.get("ja"), str):
        return {str(language): str(name) for language, name in raw.items()}
    return None


def _moment(raw: str) -> object:
    for kind in (date, datetime, time):
        try:
            return kind.fromisoformat(raw)
        except ValueError:
            continue
    return raw
