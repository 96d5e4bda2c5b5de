"""The 12-digit rule: no way of writing a My Number gets past, and nothing of it stays behind."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from madoguchi.mynumber import check_digit_ok, may_be_my_number, wipe

CANARY = "983205673214"  # the example of the ministry's formula; belongs to nobody
WRONG_CHECK = "983205673215"
FULL_WIDTH = str.maketrans("0123456789", "０１２３４５６７８９")
twelve_digits = st.text("0123456789", min_size=12, max_size=12)


def with_check_digit(eleven: str) -> str:
    """The formula as the ordinance writes it: P_n from the right, Q_n = n+1 up to the sixth, then n-5."""
    rest = sum(int(p) * (n + 1 if n <= 6 else n - 5) for n, p in enumerate(reversed(eleven), 1)) % 11
    return eleven + str(0 if rest <= 1 else 11 - rest)


class TestCheckDigit:
    def test_the_published_example_is_right(self) -> None:
        assert check_digit_ok(CANARY.encode())

    @given(st.text("0123456789", min_size=11, max_size=11))
    def test_of_ten_last_digits_exactly_the_ordinances_is_right(self, eleven: str) -> None:
        right = [last for last in "0123456789" if check_digit_ok((eleven + last).encode())]
        assert right == [with_check_digit(eleven)[-1]]

    @pytest.mark.parametrize("digits", ["", "98320567321", "9832056732140", "98320567321X", "9832-0567-32"])
    def test_what_is_not_twelve_digits_has_no_check_digit(self, digits: str) -> None:
        assert not check_digit_ok(digits.encode())


def spellings(number: str) -> list[str]:
    groups = (number[:4], number[4:8], number[8:])
    return [
        number,
        number.translate(FULL_WIDTH),
        *(separator.join(groups) for separator in (" ", "-", "　", "－", "ー", "−", "‐", "\u00a0", " - ")),
        "－".join(groups).translate(FULL_WIDTH),
    ]


class TestWholePayload:
    @given(twelve_digits)
    def test_twelve_digits_are_refused_whatever_their_check_digit(self, number: str) -> None:
        assert all(may_be_my_number(spelling.encode()) for spelling in spellings(number))

    @pytest.mark.parametrize(
        "around",
        [
            "{}",
            " {} ",
            "{}\r\n",
            "\x02{}\x03",
            "]Q1{}",
            "]C0{}",
            "]d2{}",
            "\x02]C0{}\x03",
            "\ufeff{}",
            "\u200b{}",
        ],
    )
    @pytest.mark.parametrize("number", [CANARY, WRONG_CHECK])
    def test_what_a_scanner_puts_around_makes_no_difference(self, around: str, number: str) -> None:
        assert may_be_my_number(around.format(number).encode())

    @pytest.mark.parametrize("separator", ["-", " ", "ー", "\x1d"])
    def test_separators_may_stand_anywhere(self, separator: str) -> None:
        assert may_be_my_number(separator.join(WRONG_CHECK).encode())

    @pytest.mark.parametrize("zero", [0x0660, 0x0966, 0x1D7CE, 0x1D7F6], ids=["arabic", "hindi", "bold", "mono"])
    def test_other_forms_of_digits_are_digits(self, zero: int) -> None:
        assert may_be_my_number("".join(chr(zero + int(digit)) for digit in WRONG_CHECK).encode())

    @pytest.mark.parametrize("length", [0, 1, 8, 10, 11, 13, 14, 16, 23])
    def test_other_lengths_are_somebody_elses_numbers(self, length: int) -> None:
        assert not may_be_my_number(("9832056732140" * 2)[:length].encode())

    @pytest.mark.parametrize("number", ["7123456789012", "4011001098993", "7010705000725"])
    def test_a_corporate_number_has_thirteen_digits_and_passes(self, number: str) -> None:
        assert not any(may_be_my_number(text.encode()) for text in (number, number.translate(FULL_WIDTH)))


class TestAmongOtherText:
    @pytest.mark.parametrize("around", ["個人番号{}です", "A{}A", "https://city.mihon.example/?id={}&x=1", "1件 {} X"])
    @pytest.mark.parametrize("spelling", spellings(CANARY))
    def test_a_number_that_checks_is_found(self, around: str, spelling: str) -> None:
        assert may_be_my_number(around.format(spelling).encode())

    @pytest.mark.parametrize("spelling", spellings(WRONG_CHECK))
    def test_a_number_that_does_not_check_is_something_else(self, spelling: str) -> None:
        assert not may_be_my_number(f"parcel {spelling} of Mihon".encode())

    @pytest.mark.parametrize("text", [f"no. 1{CANARY}", f"no. {CANARY}1", f"no. 98320567{CANARY}"])
    def test_a_longer_run_of_digits_is_something_else(self, text: str) -> None:
        assert not may_be_my_number(text.encode())

    def test_groups_of_four_count_only_when_nothing_else_stands_between(self) -> None:
        assert not may_be_my_number(b"window 9832, number 0567, ticket 3214")

    def test_it_is_found_behind_other_groups_of_four(self) -> None:
        assert may_be_my_number(b"slip 2026 9832 0567 3214")

    def test_it_is_found_between_bytes_that_are_no_text(self) -> None:
        assert may_be_my_number(b"\xff\xfe\xe3" + CANARY.encode() + b"\xf0\x9f\x80")


class TestAnyPayload:
    @given(st.binary(max_size=400))
    def test_no_bytes_whatever_make_it_fail(self, payload: bytes) -> None:
        assert may_be_my_number(payload) == may_be_my_number(bytearray(payload))

    @given(
        st.text(st.characters(exclude_categories=["Cs"]), max_size=200),
        twelve_digits,
        st.text("日本語 -", max_size=9),
    )
    def test_text_around_does_not_hide_a_number(self, before: str, eleven: str, after: str) -> None:
        number = with_check_digit(eleven[:11])
        assert may_be_my_number(f"{before}。{number}。{after}".encode())

    @pytest.mark.parametrize("piece", [b"1", b"1234 ", "１".encode(), "日".encode(), b"\xe3", b"]C0", b" "])
    def test_a_long_payload_takes_time_in_proportion(self, piece: bytes) -> None:
        payload = bytearray(piece * (400_000 // len(piece)))
        started = time.process_time()
        may_be_my_number(payload)
        assert time.process_time() - started < 2  # anything quadratic takes minutes

    def test_the_buffer_is_left_free_and_unchanged(self) -> None:
        buffer = bytearray(CANARY.encode())
        assert may_be_my_number(buffer)
        assert buffer == CANARY.encode()
        buffer.clear()  # would raise BufferError while somebody still looks into it


def test_wiping_leaves_zeros_in_the_same_place() -> None:
    buffer = bytearray(CANARY.encode())
    with memoryview(buffer) as same_place:
        wipe(buffer)
        assert same_place.tobytes() == bytes(12)
