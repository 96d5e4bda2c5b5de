"""The rules of cards that are sent (pure)."""

import re
from enum import Enum

from server.errors import Conflict, Invalid, NotFound, NotNow


class MailingState(Enum):
    """Where a card stands that is to be sent."""

    TO_SEND = "to_send"
    SENT = "sent"
    RETURNED = "returned"  # did not arrive, or is not sent after all: it is fetched at a window again


class ConsentMissing(NotNow):
    """A card is sent only to whom agreed to it at the window."""

    code = "consent_missing"


class UnknownMailing(NotFound):
    """There is no such mailing here."""

    code = "unknown_mailing"


class MailingMoved(Conflict):
    """The mailing is there already, or was returned: somebody was faster."""

    code = "mailing_state"


class LetterUnreadable(Invalid):
    """The number of a registered letter has eleven digits, as on its label: 123-45-67890-1."""

    code = "letter_number"


_NEXT = {
    MailingState.TO_SEND: (MailingState.SENT, MailingState.RETURNED),
    MailingState.SENT: (MailingState.TO_SEND, MailingState.RETURNED),  # pressed by mistake; came back
    MailingState.RETURNED: (),
}


def check_move(state: MailingState, wanted: MailingState) -> None:
    """Raise MailingMoved unless a mailing may go from one state to the other."""
    if wanted not in _NEXT[state]:
        raise MailingMoved(state=state.value)


def letter_number(digits: str) -> str:
    """The number of a registered letter, as its label shows it, of its digits; empty if none is given.

    Raises LetterUnreadable.
    """
    if not digits:
        return ""
    if not re.fullmatch("[0-9]{11}", digits):
        raise LetterUnreadable
    return f"{digits[:3]}-{digits[3:5]}-{digits[5:10]}-{digits[10]}"
