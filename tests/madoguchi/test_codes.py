"""Our codes: every slip of a finger is caught, every way of writing them is understood, nothing else is."""

import secrets
from collections.abc import Callable
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from madoguchi import codes, mynumber
from madoguchi.codes import ALPHABET, Code, Kind, Unread

HOSTS = ["yoyaku.city.mihon.example", "127.0.0.1:8000"]
NOTICE = codes.from_bits(Kind.NOTICE, b"notice 62 of Mihon")
BOOKING = codes.from_bits(Kind.BOOKING, b"booking 62 of Mihon")
kinds = st.sampled_from(Kind)
every_code = st.builds(codes.from_bits, kinds, st.binary(min_size=7, max_size=32))


class TestMaking:
    def test_the_same_bits_always_make_the_same_code(self) -> None:
        # Another code from these bits would break every notice that is in the post.
        assert (NOTICE.text, BOOKING.text) == ("NDSQQ8TB3CM5", "BC9QPYTV9S")

    @pytest.mark.parametrize(("kind", "length"), [(Kind.NOTICE, 12), (Kind.BOOKING, 10), (Kind.TICKET, 12)])
    def test_a_code_is_its_letter_its_chance_and_its_check_character(self, kind: Kind, length: int) -> None:
        text = codes.new(kind, secrets.token_bytes).text
        assert (text[0], len(text), text[-1]) == (kind.value, length, codes.check_character(text[:-1]))

    @given(kinds, st.integers(0, 2**56 - 1))
    def test_no_code_has_eight_digits_in_a_row(self, kind: Kind, number: int) -> None:
        # 5 bits below 10 are a digit: this makes bodies that are nothing but digits
        digits = int("".join(f"{int(d):05b}" for d in f"{number % 10**10:010d}"), 2) << 6
        runs = "".join(c if c.isdigit() else " " for c in codes.from_bits(kind, digits.to_bytes(7)).text)
        assert max(map(len, runs.split()), default=0) < 8

    @pytest.mark.parametrize("kind", Kind)
    def test_too_few_bits_are_refused(self, kind: Kind) -> None:
        with pytest.raises(ValueError, match="bits"):
            codes.from_bits(kind, b"four")

    def test_new_asks_for_as_many_bytes_as_it_needs(self) -> None:
        asked: list[int] = []

        def rng(length: int) -> bytes:
            asked.append(length)
            return bytes(range(length))

        assert [len(codes.new(kind, rng).text) for kind in Kind] == [12, 10, 12]
        assert asked == [7, 5, 7]

    def test_for_people_it_is_printed_in_groups(self) -> None:
        assert Code(Kind.BOOKING, "B7K3F9QXMC").grouped == "B-7K3F-9QXM-C"
        assert Code(Kind.NOTICE, "N7K3F9QXM2PC").grouped == "N-7K3F9-QXM2P-C"

    def test_a_character_that_is_not_ours_has_no_check_character(self) -> None:
        with pytest.raises(ValueError, match="substring"):
            codes.check_character("BUCKET")


class TestSlips:
    @given(every_code)
    def test_every_single_wrong_character_is_caught(self, code: Code) -> None:
        for place, right in enumerate(code.text):
            for wrong in set(ALPHABET) - {right}:
                assert not isinstance(codes.read(code.text[:place] + wrong + code.text[place + 1 :], HOSTS), Code)

    @given(every_code)
    def test_every_swap_of_two_neighbours_is_caught(self, code: Code) -> None:
        text = code.text
        for place in range(len(text) - 1):
            swapped = text[:place] + text[place + 1] + text[place] + text[place + 2 :]
            assert swapped == text or not isinstance(codes.read(swapped, HOSTS), Code)

    @given(every_code)
    def test_what_came_over_only_in_part_is_unreadable(self, code: Code) -> None:
        for end in range(1, len(code.text)):
            assert codes.read(code.text[:end], HOSTS) is Unread.UNREADABLE

    def test_a_wrong_check_character_is_unreadable_not_wrong(self) -> None:
        other = "0" if BOOKING.text[-1] != "0" else "1"
        assert codes.read(BOOKING.text[:-1] + other, HOSTS) is Unread.UNREADABLE


def full_width(text: str) -> str:
    return "".join(chr(ord(character) + 0xFEE0) for character in text)


class TestSpellings:
    @given(every_code)
    def test_every_code_is_read_back_bare_and_grouped(self, code: Code) -> None:
        assert codes.read(code.text, HOSTS) == codes.read(code.grouped, HOSTS) == code

    @pytest.mark.parametrize(
        "spell",
        [
            pytest.param(str.lower, id="lower case"),
            pytest.param(full_width, id="full width"),
            pytest.param(lambda text: full_width(text.lower()), id="full width, lower case"),
            pytest.param(lambda text: "-".join(text), id="hyphens everywhere"),
            pytest.param("－".join, id="full-width hyphens"),
            pytest.param("ー".join, id="long vowel marks"),
            pytest.param("−".join, id="minus signs"),
            pytest.param(" ".join, id="spaces"),
            pytest.param("　".join, id="full-width spaces"),
            pytest.param(lambda text: f"  {text}　", id="spaces around"),
            pytest.param("]Q1{}".format, id="AIM prefix of a 2D code"),
            pytest.param("]C0{}".format, id="AIM prefix of Code 128"),
            pytest.param(lambda text: text.replace("1", "I").replace("0", "O"), id="letters for digits"),
            pytest.param(lambda text: text.replace("1", "l").replace("0", "o"), id="small letters for digits"),
        ],
    )
    @given(code=every_code)
    def test_every_spelling_of_a_code_is_understood(self, spell: Callable[[str], str], code: Code) -> None:
        assert codes.read(spell(code.text), HOSTS) == code

    @pytest.mark.parametrize("host", HOSTS)
    @pytest.mark.parametrize("scheme", ["http", "https", "HTTPS"])
    def test_a_notice_is_read_from_the_link_to_our_booking_page(self, scheme: str, host: str) -> None:
        assert codes.read(f"{scheme}://{host}/b/{NOTICE.text}", HOSTS) == NOTICE

    def test_case_and_hyphens_do_not_matter_in_our_link_either(self) -> None:
        link = f"]Q1https://Yoyaku.City.Mihon.example/b/{NOTICE.grouped.lower()}"
        assert codes.read(link, HOSTS) == NOTICE

    def test_a_ticket_is_read_from_the_link_on_its_slip_and_from_no_other(self) -> None:
        ticket = codes.of_ticket(UUID("0193796c-3b10-7a52-9c3e-6d1f8b0a3e75"))

        assert codes.read(f"https://{HOSTS[0]}/t/{ticket.text}", HOSTS) == ticket
        assert codes.read(f"https://{HOSTS[0]}/t/{ticket.text}?lang=zh-Hans", HOSTS) == ticket
        assert codes.read(f"https://{HOSTS[0]}/t/{ticket.text}?next=x", HOSTS) is Unread.WRONG_CODE
        assert codes.read(f"https://{HOSTS[0]}/b/{ticket.text}", HOSTS) is Unread.WRONG_CODE
        assert codes.read(f"https://{HOSTS[0]}/t/{NOTICE.text}", HOSTS) is Unread.WRONG_CODE

    def test_a_torn_code_in_our_own_link_is_unreadable(self) -> None:
        assert codes.read(f"https://{HOSTS[0]}/b/{NOTICE.text[:-1]}", HOSTS) is Unread.UNREADABLE

    def test_a_scanner_that_follows_the_caps_lock_reads_our_links_too(self) -> None:
        link = f"https://{HOSTS[0]}/b/{NOTICE.text}"

        assert codes.read(link.upper(), HOSTS) == codes.read(link.swapcase(), HOSTS) == NOTICE
        assert codes.read(f"HTTPS://{HOSTS[0]}/T/{NOTICE.text}", HOSTS) is Unread.WRONG_CODE


class TestRefused:
    @pytest.mark.parametrize(
        "text",
        [
            pytest.param(f"https://elsewhere.example/b/{NOTICE.text}", id="foreign host"),
            pytest.param(f"https://127.0.0.1:8001/b/{NOTICE.text}", id="our host, another port"),
            pytest.param(f"https://127.0.0.1/b/{NOTICE.text}", id="our host without its port"),
            pytest.param(f"https://{HOSTS[0]}@elsewhere.example/b/{NOTICE.text}", id="our host as user name"),
            pytest.param(f"https://x.{HOSTS[0]}/b/{NOTICE.text}", id="host below ours"),
            pytest.param(f"https://{HOSTS[0]}/b/{NOTICE.text}?next=/", id="query"),
            pytest.param(f"https://{HOSTS[0]}/b/{NOTICE.text}#top", id="fragment"),
            pytest.param(f"https://{HOSTS[0]}/b/{NOTICE.text}/", id="slash at the end"),
            pytest.param(f"https://{HOSTS[0]}/a/b/{NOTICE.text}", id="other path"),
            pytest.param(f"https://{HOSTS[0]}/c/{NOTICE.text}", id="other letter in the path"),
            pytest.param(f"ftp://{HOSTS[0]}/b/{NOTICE.text}", id="other scheme"),
            pytest.param(f"https://{HOSTS[0]}/b/{BOOKING.text}", id="a booking code is never a link"),
            pytest.param(f"https:／／{HOSTS[0]}／b／{NOTICE.text}", id="full-width link"),
            pytest.param("7123456789012", id="法人番号"),
            pytest.param("4901234567894", id="goods code"),
            pytest.param("ABC-123456", id="number printed on the official notice"),
            pytest.param("見本市役所", id="words"),
            pytest.param(NOTICE.text + "0", id="one character too many"),
            pytest.param(NOTICE.text * 2, id="two scans in one"),
            pytest.param("BUUUUUUUUU", id="a letter that is not in our alphabet"),
            pytest.param("---", id="nothing but hyphens"),
        ],
    )
    def test_what_is_not_ours_is_a_wrong_code(self, text: str) -> None:
        assert codes.read(text, HOSTS) is Unread.WRONG_CODE

    @pytest.mark.parametrize(
        "text",
        [
            pytest.param("", id="nothing"),
            pytest.param("   ", id="spaces"),
            pytest.param("]Q1", id="a prefix and nothing after it"),
            pytest.param(f"{BOOKING.text}\n", id="line end"),
            pytest.param(f"\x00{BOOKING.text}", id="zero byte"),
            pytest.param(f"{BOOKING.text[:5]}\x1d{BOOKING.text[5:]}", id="separator of a GS1 code"),
            pytest.param("\ud83d", id="half a character"),
            pytest.param("N" * 201, id="201 characters"),
            pytest.param("9" * 10_000, id="10,000 characters"),
        ],
    )
    def test_what_cannot_be_looked_at_is_unreadable(self, text: str) -> None:
        assert codes.read(text, HOSTS) is Unread.UNREADABLE

    @given(st.text(st.characters(), max_size=250))
    def test_no_text_whatever_makes_reading_fail(self, text: str) -> None:
        assert isinstance(codes.read(text, HOSTS), Code | Unread)

    @given(st.binary(max_size=250))
    def test_no_bytes_whatever_make_reading_fail(self, payload: bytes) -> None:
        assert isinstance(codes.read(payload.decode("utf-8", "surrogateescape"), HOSTS), Code | Unread)


@given(every_code)
def test_no_code_of_ours_looks_like_a_my_number(code: Code) -> None:
    for text in (code.text, code.grouped, f"]Q1{code.text}", f"https://{HOSTS[1]}/b/{code.text}"):
        assert not mynumber.may_be_my_number(text.encode())


def test_a_number_of_somebody_is_no_code_although_one_key_was_read_as_a_letter() -> None:
    body = "T2736470418"
    looks_right = body + codes.check_character(body)

    assert looks_right == "T27364704180"
    assert codes.read(looks_right, ()) is codes.Unread.WRONG_CODE
