"""支援措置: a restricted notice answers everybody outside as if there were none, in the same words and the same way."""

from collections.abc import Callable
from uuid import UUID

import pytest
from flask.testing import FlaskClient

from madoguchi import codes
from madoguchi.wire import CONTRACT
from server.auth.rules import Locked, SignInFailed
from server.db import read_session
from server.issuance.service import NoticeNotFound, find_by_number, find_by_uid, sign_in
from tests.fakes import asked_by
from tests.server.city import City, Person
from tests.server.statements import statements_of


@pytest.fixture
def person(city: City) -> Person:
    """Somebody with a sticker whose notice nobody may know of."""
    person = city.person()
    restrict(city, person)
    return person


def restrict(city: City, person: Person, *, restricted: bool = True) -> None:
    """As the import does."""
    city.set_row(city.notice(person), restricted=restricted)


def the_same(city: City, ways: list[Callable[[], object]]) -> list[str]:
    """What the database hears each time; it must be the same."""
    heard = []
    for way in ways:
        with statements_of(city.office.app) as statements:
            way()
        heard.append(statements)
    assert heard[0] == heard[1]
    return heard[0]


def test_its_right_password_fails_as_an_unknown_id_does(city: City, person: Person) -> None:
    def enter(ident: str) -> Callable[[], object]:
        def way() -> None:
            with pytest.raises(SignInFailed):
                sign_in(city.keyring, ident, person.sticker.password, city.now)

        return way

    assert len(the_same(city, [enter(person.sticker.credential_id), enter("ZZZZZ2")])) > 3
    for _ in range(4):
        enter(person.sticker.credential_id)()
    with pytest.raises(Locked):
        sign_in(city.keyring, person.sticker.credential_id, person.sticker.password, city.now)


def test_its_scan_code_leads_to_the_page_of_an_unknown_one(city: City, person: Person) -> None:
    pages = []

    def scan(code: str) -> Callable[[], object]:
        return lambda: pages.append(without_tokens(city.office.client().get(f"/b/{code}").text.replace(code, "…")))

    the_same(city, [scan(person.sticker.scan_code), scan(scan_code_of_nobody())])
    assert pages[0] == pages[1]
    assert person.sticker.credential_id not in pages[0]


def without_tokens(page: str) -> str:
    """A page without what is drawn anew each time."""
    return "\n".join(line for line in page.splitlines() if "csrf" not in line and "request_id" not in line)


def test_a_session_that_was_open_shows_nothing_more(city: City) -> None:
    person, client = city.person(), city.office.client()
    sign_in_through_the_page(client, person)
    assert client.get("/book").status_code == 200
    restrict(city, person)

    assert client.get("/book").status_code == 404


def sign_in_through_the_page(client: FlaskClient, person: Person) -> None:
    """Type both words into the form."""
    token = client.get("/").text.partition('name="csrf_token" value="')[2].partition('"')[0]
    words = {"credential_id": person.sticker.credential_id, "password": person.sticker.password}
    assert client.post("/sign-in", data={"csrf_token": token, **words}).status_code == 303


def test_nobody_can_book_for_it(city: City) -> None:
    person = city.person()
    held = city.hold(person, "10:00")
    restrict(city, person)

    with pytest.raises(NoticeNotFound):
        city.book(person, held.booking)
    with pytest.raises(NoticeNotFound):
        city.hold(person, "10:15")


def test_the_kiosk_answers_its_codes_as_unknown_ones(city: City) -> None:
    person, booking = city.booked("10:00")
    restrict(city, person)
    client = city.office.client()
    headers = {"Authorization": f"Bearer {city.kiosk_token}", "X-Madoguchi-Contract": str(CONTRACT)}
    unknown = city.code(UUID(int=7))
    for known, other in ((person.sticker.scan_code, scan_code_of_nobody()), (city.code(booking), unknown)):
        answers = list[tuple[int, bytes]]()

        def scan(text: str, answers: list[tuple[int, bytes]] = answers) -> Callable[[], object]:
            def way() -> None:
                body = {"request_id": asked_by("x").request_id, "text": text}
                answer = client.post("/api/kiosk/check-ins", json=body, headers=headers)
                answers.append((answer.status_code, answer.data))

            return way

        the_same(city, [scan(known), scan(other)])
        assert answers[0] == answers[1]
        assert answers[0][0] == 404

    restrict(city, person, restricted=False)
    assert city.scan(city.code(booking)).ticket.number == 1


def scan_code_of_nobody() -> str:
    """A whole code that stands on no notice."""
    return codes.from_bits(codes.Kind.NOTICE, bytes(7)).text


def test_the_phone_desk_does_not_find_it(city: City, person: Person) -> None:
    uid = city.notice(person).uid

    with pytest.raises(NoticeNotFound):
        find_by_number(city.keyring, read_session(), person.sticker.number)
    with pytest.raises(NoticeNotFound):
        find_by_uid(read_session(), uid)
