"""What the office says no to.

A refusal is not a fault: it is an answer with a stable `code`, on which a kiosk, a page and a translation act.
The leaf classes stand beside the rules that raise them and are named as the office would say it.
"""

from typing import Any, ClassVar


class Refusal(Exception):
    """The office's own no. `facts` are plain values that the text for `code` may show."""

    code: ClassVar[str] = "refused"

    def __init__(self, **facts: Any) -> None:
        """`facts` must be JSON values and hold nothing personal."""
        super().__init__(self.code)
        self.facts = facts


class NotFound(Refusal):
    """There is no such thing, or none that may be spoken of."""

    code = "not_found"


class Conflict(Refusal):
    """Somebody else was first, or the thing has changed meanwhile."""

    code = "conflict"


class NotAllowed(Refusal):
    """This person or device has no right to it."""

    code = "not_allowed"


class NotNow(Refusal):
    """It would be allowed at another time."""

    code = "not_now"


class Invalid(Refusal):
    """What was sent cannot be meant."""

    code = "invalid"


class Busy(Refusal):
    """The database did not become free in time; nothing was done, asking again is safe."""

    code = "busy"


class ChangedMeanwhile(Conflict):
    """A constraint of the database had the last word."""

    code = "changed_meanwhile"


class RepeatedWithOtherBody(Conflict):
    """The same request id came with another body."""

    code = "repeated_with_other_body"
