"""The little of IPP (RFC 8010, 8011) that a raw queue of CUPS needs: requests to bytes, bytes to answers (pure)."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

PRINT_JOB, CANCEL_JOB, GET_JOB, GET_PRINTER = 0x0002, 0x0008, 0x0009, 0x000B
INTEGER, ENUM, NAME, URI, CHARSET, LANGUAGE, MIME = 0x21, 0x23, 0x42, 0x45, 0x47, 0x48, 0x49
END: Final = 0x03
_VERSION: Final = b"\x01\x01"
_OPERATION_GROUP: Final = b"\x01"

Attribute = tuple[int, str, str | int]
"""Tag, name and value."""


@dataclass(frozen=True)
class Answer:
    """What came back: below 0x0100 all went well. Of an attribute with many values, all of them."""

    status: int
    attributes: dict[str, list[str | int]]

    @property
    def ok(self) -> bool:
        """Whether it was done."""
        return self.status < 0x0100

    def number(self, name: str) -> int:
        """The first value of a number; 0 when it was not said."""
        value = next(iter(self.attributes.get(name, [])), 0)
        return value if isinstance(value, int) else 0

    def words(self, name: str) -> list[str]:
        """All values of a text."""
        return [str(value) for value in self.attributes.get(name, [])]


def request(operation: int, attributes: Iterable[Attribute], document: bytes = b"") -> bytes:
    """One request. The attributes that every request begins with are added."""
    first: list[Attribute] = [(CHARSET, "attributes-charset", "utf-8"), (LANGUAGE, "attributes-natural-language", "en")]
    head = _VERSION + operation.to_bytes(2, "big") + (1).to_bytes(4, "big") + _OPERATION_GROUP
    return head + b"".join(_written(*one) for one in [*first, *attributes]) + bytes((END,)) + document


def read_answer(data: bytes) -> Answer:
    """The attributes of all groups. Raises ValueError for what is no answer."""
    if len(data) < 9:
        raise ValueError("too short for an IPP answer")
    found: dict[str, list[str | int]] = {}
    at, name = 8, ""
    while at < len(data) and data[at] != END:
        tag, at = data[at], at + 1
        if tag < 0x10:
            continue  # a group begins
        spelt, at = _counted(data, at)
        value, at = _counted(data, at)
        name = spelt.decode("utf-8", "replace") or name
        number = tag in (INTEGER, ENUM)
        found.setdefault(name, []).append(
            int.from_bytes(value, "big", signed=True) if number else value.decode("utf-8", "replace")
        )
    return Answer(int.from_bytes(data[2:4], "big"), found)


def _written(tag: int, name: str, value: str | int) -> bytes:
    raw = value.to_bytes(4, "big", signed=True) if isinstance(value, int) else value.encode()
    return bytes((tag,)) + len(name).to_bytes(2, "big") + name.encode() + len(raw).to_bytes(2, "big") + raw


def _counted(data: bytes, at: int) -> tuple[bytes, int]:
    length = int.from_bytes(data[at : at + 2], "big")
    end = at + 2 + length
    if end > len(data):
        raise ValueError("an IPP answer that ends in the middle")
    return data[at + 2 : end], end
