"""交付通知書: notices are registered, found, and opened with the words of their sticker."""

import re

import pytest
from sqlalchemy import text

from madoguchi import codes
from server.auth.rules import Locked, SignInFailed
from server.db import read_session
from server.errors import ChangedMeanwhile, Refusal
from server.issuance.models import NoticeState
from server.issuance.notice_codes import MyNumberRefused, NoticeNumberUnreadable
from server.issuance.service import (
    NoticeNotFound,
    find_by_number,
    find_by_scan_code,
    register_notice,
    sign_in,
)
from server.keys import STICKER_ALPHABET
from server.offices.queries import UnknownOffice, UnknownService
from server.repeats import Request
from tests.server.city import City, Person
from tests.server.statements import statements_of

WRONG = "AAAA2222"


@pytest.fixture
def person(city: City) -> Person:
    """Somebody whose notice has come by post."""
    return city.person()


def enter(city: City, credential_id: str, password: str) -> int:
    """Type both words into the form."""
    return sign_in(city.keyring, credential_id, password, city.now)


class TestRegistering:
    """A notice is written down, and its sticker printed this once."""

    def test_the_sticker_holds_words_that_cannot_be_mistaken(self, person: Person) -> None:
        sticker = person.sticker

        assert re.fullmatch(f"[{STICKER_ALPHABET}]{{6}}", sticker.credential_id)
        assert re.fullmatch(f"[{STICKER_ALPHABET}]{{8}}", sticker.password)
        assert not set("0O1ILB8") & set(STICKER_ALPHABET)
        assert isinstance(codes.read(sticker.scan_code, hosts=()), codes.Code)

    def test_the_database_keeps_neither_password_nor_scan_code(self, city: City, person: Person) -> None:
        row = " ".join(map(str, read_session().execute(text("SELECT * FROM notices")).one()))

        assert person.sticker.password not in row
        assert person.sticker.scan_code not in row
        assert city.notice(person).state is NoticeState.READY

    def test_a_number_stands_once(self, city: City, person: Person) -> None:
        with pytest.raises(ChangedMeanwhile) as refused:
            register_notice(city.keyring, "honcho", "pickup", person.sticker.number, "test", city.now)
        assert "number_key" in refused.value.facts["constraint"]

    @pytest.mark.parametrize(
        ("site", "service", "number", "refusal"),
        [
            ("honcho", "pickup", "A1B-12345", NoticeNumberUnreadable),
            ("honcho", "pickup", "1234 5678 9018", MyNumberRefused),
            ("nishi", "pickup", "A1B-000123", UnknownOffice),
            ("kita", "pin", "A1B-000123", UnknownService),
        ],
    )
    def test_what_cannot_be_meant_is_refused(
        self, city: City, site: str, service: str, number: str, refusal: type[Refusal]
    ) -> None:
        with pytest.raises(refusal):
            register_notice(city.keyring, site, service, number, "test", city.now)


class TestFinding:
    """A notice is found by what is printed on it."""

    @pytest.mark.parametrize("typed", ["H1H000001", "h1h-000001", "Ｈ１Ｈ－０００００１", " H1H 000 001 "])
    def test_by_its_number_however_it_is_typed(self, city: City, person: Person, typed: str) -> None:
        assert find_by_number(city.keyring, read_session(), typed).id == person.notice

    def test_an_unknown_number_is_not_found(self, city: City) -> None:
        with pytest.raises(NoticeNotFound):
            find_by_number(city.keyring, read_session(), "A1B-000123")

    def test_by_its_scan_code_and_by_no_other(self, city: City, person: Person) -> None:
        scan = codes.Code(codes.Kind.NOTICE, person.sticker.scan_code)
        other = codes.from_bits(codes.Kind.NOTICE, bytes(7))

        assert getattr(find_by_scan_code(city.keyring, read_session(), scan), "id", None) == person.notice
        assert find_by_scan_code(city.keyring, read_session(), other) is None


class TestSigningIn:
    """Booking id and password: five wrong ones close the id for a quarter of an hour."""

    def test_case_width_spaces_and_hyphens_do_not_matter(self, city: City, person: Person) -> None:
        ident, word = person.sticker.credential_id, person.sticker.password
        wide = "".join(chr(ord(c) + 0xFEE0) for c in word)

        assert enter(city, ident.lower(), f"{word[:4]}-{word[4:].lower()}") == person.notice
        assert enter(city, f" {ident} ", wide) == person.notice

    def test_a_wrong_password_and_an_unknown_id_are_told_apart_by_nobody(self, city: City, person: Person) -> None:
        for ident in (person.sticker.credential_id, "ZZZZZ2"):
            for _ in range(5):
                with pytest.raises(SignInFailed) as refused:
                    enter(city, ident, WRONG)
                assert refused.value.facts == {}
            with pytest.raises(Locked) as closed:
                enter(city, ident, WRONG)
            assert closed.value.facts == {"until": "2026-11-30T00:15:00+00:00"}

    def test_they_take_the_same_way_through_the_database(self, city: City, person: Person) -> None:
        ways = []
        for ident in (person.sticker.credential_id, "ZZZZZ2"):
            with statements_of(city.office.app) as statements, pytest.raises(SignInFailed):
                enter(city, ident, WRONG)
            ways.append(statements)

        assert ways[0] == ways[1]
        assert len(ways[0]) > 3

    def test_once_closed_the_right_password_does_not_open_it_either(self, city: City, person: Person) -> None:
        fail(city, person, 5)
        city.clock.forward(minutes=15, microseconds=-1)
        with pytest.raises(Locked):
            enter(city, person.sticker.credential_id, person.sticker.password)

        city.clock.forward(microseconds=1)
        assert enter(city, person.sticker.credential_id, person.sticker.password) == person.notice

    def test_the_right_password_ends_the_counting(self, city: City, person: Person) -> None:
        fail(city, person, 4)
        enter(city, person.sticker.credential_id, person.sticker.password)
        fail(city, person, 4)

        assert enter(city, person.sticker.credential_id, person.sticker.password) == person.notice

    def test_after_the_lock_counting_begins_anew_so_that_a_stranger_cannot_keep_it_closed(
        self, city: City, person: Person
    ) -> None:
        fail(city, person, 5)
        city.clock.forward(minutes=15)
        fail(city, person, 4)

        assert enter(city, person.sticker.credential_id, person.sticker.password) == person.notice

    def test_one_closed_notice_closes_no_other(self, city: City, person: Person) -> None:
        fail(city, person, 5)
        other = city.person()

        assert enter(city, other.sticker.credential_id, other.sticker.password) == other.notice

    def test_the_right_password_at_the_first_try_only_reads(self, city: City, person: Person) -> None:
        with statements_of(city.office.app) as statements:
            enter(city, person.sticker.credential_id, person.sticker.password)

        assert {statement.split()[0] for statement in statements} == {"SELECT"}

    def test_what_may_be_a_my_number_is_refused_before_anything_is_counted(self, city: City) -> None:
        with statements_of(city.office.app) as statements, pytest.raises(MyNumberRefused):
            enter(city, "123456789018", WRONG)

        assert statements == []


def fail(city: City, person: Person, times: int) -> None:
    """Type a wrong password so many times."""
    for _ in range(times):
        with pytest.raises(SignInFailed):
            enter(city, person.sticker.credential_id, WRONG)


def test_requests_keep_no_code_that_was_scanned(city: City) -> None:
    person, booking = city.booked("10:00")
    for text_ in (city.code(booking), person.sticker.scan_code):
        city.scan(text_)

    kept = " ".join(f"{r.body_hash} {r.answer}" for r in read_session().query(Request))
    assert city.code(booking) not in kept
    assert person.sticker.scan_code not in kept
