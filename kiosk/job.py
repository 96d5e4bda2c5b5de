"""One paper as the server knows it: bytes that never change after they were made, and their hash (pure)."""

import hashlib
from dataclasses import dataclass
from typing import Final
from uuid import UUID

BAND: Final = 960
"""Rows of a picture sent with one command: what every printer's buffer holds."""


@dataclass(frozen=True)
class Job:
    """A paper: the uid that the server gave, the picture, the cut that makes it a paper, and the hash of both.

    `void` is printed in place of the cut when the paper turns out to be nobody's: it says so, and is cut as well.
    """

    uid: UUID
    picture: bytes
    cut: bytes
    void: bytes
    sha256: str

    @classmethod
    def of(cls, uid: UUID, picture: bytes, cut: bytes, void: bytes) -> "Job":
        """A job with the hash of its bytes."""
        return cls(uid, picture, cut, void, hashlib.sha256(picture + cut).hexdigest())

    @property
    def data(self) -> bytes:
        """The bytes of the whole paper."""
        return self.picture + self.cut

    def intact(self) -> bool:
        """Whether the bytes still are those that the hash names."""
        return hashlib.sha256(self.data).hexdigest() == self.sha256
