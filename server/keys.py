"""Keys made with the pepper: what the database may know of a secret is only its HMAC-SHA256.

The pepper lives outside the database (`settings.pepper`); `key_id` names it, so that it can be replaced.
argon2id is only for passwords that people choose: generated ones have enough chance in them.
"""

import hmac
import secrets
from dataclasses import dataclass
from uuid import UUID

from madoguchi import codes

# No 0 O 1 I L B 8: they are mistaken for each other on a sticker.
STICKER_ALPHABET = "2345679ACDEFGHJKMNPQRSTUVWXYZ"


@dataclass(frozen=True)
class Keyring:
    """Makes look-up keys and codes from the pepper."""

    pepper: bytes
    key_id: int

    def key(self, purpose: str, text: str) -> str:
        """The look-up key (64 hex digits) of a normalised secret or number, separate for each purpose."""
        return hmac.new(self.pepper, f"{purpose}\0{text}".encode(), "sha256").hexdigest()

    def booking_code(self, booking: UUID) -> codes.Code:
        """The booking's code: made from its uid, so that its page can show it again though it is stored nowhere."""
        return codes.from_bits(
            codes.Kind.BOOKING, hmac.digest(self.pepper, b"booking-code\0" + booking.bytes, "sha256")
        )


def sticker_word(length: int) -> str:
    """A random word for a sticker: booking id or password."""
    return "".join(secrets.choice(STICKER_ALPHABET) for _ in range(length))
