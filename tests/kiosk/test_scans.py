"""What a scan is that is no code of ours: told by its class and length, and by the layout in which it makes sense."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiosk.devices.keymap import LAYOUTS, ScanAssembler
from kiosk.scans import SHAPE, ScannerSetup, retyped, shape_of, typed_otherwise, why_unread
from madoguchi import codes
from tests.kiosk.fake_input import scanned
from tests.kiosk.fake_office import BOOKED, NOTICE

HOSTS = ("madoguchi.example:8000",)
LINK = f"https://{HOSTS[0]}/b/{NOTICE}"
APPLICATION = "12345678901234567890123"


def why(text: str, *postcard: str) -> str:
    read = codes.read(text, HOSTS)
    assert isinstance(read, codes.Unread)
    return why_unread(text, read, HOSTS, ScannerSetup(postcard=frozenset(postcard)))


@pytest.mark.parametrize(
    ("text", "shape"),
    [
        (APPLICATION, "digits-23"),
        ("]Q1" + APPLICATION, "digits-23"),
        ("A1B-000123", "capitals-10"),
        ("a1B000123", "letters-9"),
        ("https://www.kojinbango-card.example/?id=1", "link-41"),
        ("]d2HTTP://X/", "link-9"),
        ("12;34", "ascii-5"),
        ("資格確認書", "text-5"),
        ("a\nb", "text-3"),
        ("", ""),
        ("]Q1", ""),
    ],
)
def test_a_code_has_a_class_and_a_length(text: str, shape: str) -> None:
    assert shape_of(text) == shape


@given(st.text(min_size=1, max_size=200))
def test_a_shape_tells_nothing_else(text: str) -> None:
    assert shape_of(text) == "" or SHAPE.fullmatch(shape_of(text))


@pytest.mark.parametrize(
    ("text", "refused"),
    [
        ("https://www.kojinbango-card.example/?id=" + APPLICATION, "wrong_code"),
        ("4901234567894", "wrong_code"),
        ("AB123456C", "wrong_code"),
        ("0123,\x1a\x1a\x1a,19800401", "wrong_code"),
        ("]C1010491\x1d17", "wrong_code"),
        ("\ufffd\ufffd{", "wrong_code"),
        ("%" * 300, "wrong_code"),
        (BOOKED[:-2], "unreadable"),
        (BOOKED[:4] + "\x1a" + BOOKED[5:], "unreadable"),
        (LINK[:-2], "unreadable"),
        ("", "unreadable"),
    ],
    ids=[
        "link",
        "goods",
        "residence card",
        "no keys",
        "GS1",
        "no text",
        "endless",
        "cut",
        "a key lost",
        "link cut",
        "no",
    ],
)
def test_somebody_elses_code_is_told_from_one_of_ours_that_did_not_come_over(text: str, refused: str) -> None:
    assert why(text) == refused


def test_the_postcards_own_code_is_known_by_what_was_learned_of_it() -> None:
    other = APPLICATION[::-1]

    assert [why(text, "digits-23") for text in (APPLICATION, other, other[:-1])] == [
        *["other_code"] * 2,
        "wrong_code",
    ]
    assert why("B1C-000123", "capitals-10") == "other_code"


def seen(text: str, set_to: str, read_as: str) -> str:
    """What the kiosk reads when the scanner is set to another layout than the kiosk."""
    assembler = ScanAssembler(read_as)
    (scan,) = [scan for event in scanned(text, set_to) for scan in assembler.feed(event)]
    assert isinstance(scan, bytearray)
    return scan.decode()


@pytest.mark.parametrize(("set_to", "read_as"), [("us", "jp"), ("jp", "us")])
def test_a_scanner_set_to_another_layout_shows_by_the_first_link_of_ours(set_to: str, read_as: str) -> None:
    read = seen(LINK, set_to, read_as)

    assert isinstance(codes.read(read, HOSTS), codes.Unread)
    assert retyped(read, read_as, set_to) == LINK
    assert typed_otherwise(read, HOSTS, read_as)


@pytest.mark.parametrize("layout", sorted(LAYOUTS))
def test_somebody_elses_link_does_not(layout: str) -> None:
    for set_to in LAYOUTS:
        assert not typed_otherwise(seen("https://elsewhere.example/b/" + NOTICE, set_to, layout), HOSTS, layout)


@given(st.text(max_size=60))
def test_whatever_is_read_can_be_retyped(text: str) -> None:
    for read_as in LAYOUTS:
        assert retyped(text, read_as, read_as) == text
        for set_to in LAYOUTS:
            assert len(retyped(text, read_as, set_to)) == len(text)
