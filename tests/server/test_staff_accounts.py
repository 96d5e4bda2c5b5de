"""Staff accounts and devices: who is let in, and who is not any more."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest

from server.auth.models import Staff
from server.auth.passwords import Passwords
from server.auth.rules import Locked, NotPaired, Role, SignInFailed
from server.auth.service import (
    NameTaken,
    PasswordTooShort,
    SignedIn,
    UnknownDevice,
    add_board,
    add_kiosk,
    add_staff,
    board_by_pairing,
    kiosk_of_token,
    sign_in,
    staff_by_id,
    start_pairing,
)
from server.db import db, read_session
from tests.server.city import City
from tests.server.statements import statements_of

RIGHT, WRONG = "mihon-shi-no-mado", "mihon-shi-no-kado"


class Counting:
    """Runs hashing here and counts it."""

    def __init__(self) -> None:
        """Nothing has been hashed yet."""
        self.runs = 0

    def __call__(self, function: Callable[..., Any], *args: Any) -> Any:
        """The result."""
        self.runs += 1
        return function(*args)


@pytest.fixture
def hashing() -> Counting:
    """How often a password was hashed."""
    return Counting()


@pytest.fixture
def clerk(city: City, hashing: Counting) -> SignedIn:
    """A new clerk."""
    return add_staff(Passwords(hashing), "sato", Role.CLERK, RIGHT, city.here, "kanri", city.now)


def enter(city: City, hashing: Counting, name: str, password: str) -> SignedIn:
    """Sign in."""
    return sign_in(Passwords(hashing), city.keyring, name, password, city.now)


def test_name_and_password_let_in(city: City, hashing: Counting, clerk: SignedIn) -> None:
    assert enter(city, hashing, "sato", RIGHT) == clerk
    assert clerk.role is Role.CLERK


def test_an_unknown_name_takes_the_same_way_as_a_wrong_password(city: City, hashing: Counting, clerk: SignedIn) -> None:
    ways = []
    for name in ("sato", "suzuki"):
        hashing.runs = 0
        with statements_of(city.office.app) as statements, pytest.raises(SignInFailed):
            enter(city, hashing, name, WRONG)
        ways.append((hashing.runs, statements))

    assert ways[0] == ways[1]
    assert ways[0][0] == 1
    assert clerk.name == "sato"


def test_while_a_password_is_hashed_no_connection_of_the_database_is_kept(city: City, clerk: SignedIn) -> None:
    kept: list[object] = []

    def hash_slowly(function: Callable[..., Any], *args: Any) -> Any:
        kept.append(db.engine.pool.checkedout())  # type: ignore[attr-defined]  # a queue of connections on each database
        return function(*args)

    assert sign_in(Passwords(hash_slowly), city.keyring, "sato", RIGHT, city.now) == clerk
    assert kept == [0]


@pytest.mark.usefixtures("clerk")
@pytest.mark.parametrize("name", ["sato", "suzuki"])
def test_five_wrong_passwords_close_a_name_for_a_quarter_of_an_hour(city: City, hashing: Counting, name: str) -> None:
    for _ in range(5):
        with pytest.raises(SignInFailed):
            enter(city, hashing, name, WRONG)
    hashed = hashing.runs
    with pytest.raises(Locked):
        enter(city, hashing, name, RIGHT)
    assert hashing.runs == hashed

    city.clock.forward(minutes=15)
    with pytest.raises(SignInFailed):
        enter(city, hashing, name, WRONG)


def test_an_account_that_is_closed_lets_nobody_in_and_its_sessions_end(
    city: City, hashing: Counting, clerk: SignedIn
) -> None:
    row = read_session().get_one(Staff, clerk.id)
    assert staff_by_id(clerk.id, clerk.generation) == clerk
    city.set_row(row, active=False)

    with pytest.raises(SignInFailed):
        enter(city, hashing, "sato", RIGHT)
    assert staff_by_id(clerk.id, clerk.generation) is None


def test_a_new_generation_ends_the_sessions_of_the_old_one(city: City, clerk: SignedIn) -> None:
    city.set_row(read_session().get_one(Staff, clerk.id), generation=clerk.generation + 1)

    assert staff_by_id(clerk.id, clerk.generation) is None
    assert staff_by_id(clerk.id, clerk.generation + 1) is not None
    assert staff_by_id(clerk.id + 99, 1) is None


def test_a_short_password_and_a_name_that_is_taken_are_refused(city: City, clerk: SignedIn) -> None:
    passwords = Passwords()
    with pytest.raises(PasswordTooShort):
        add_staff(passwords, "ito", Role.CLERK, "eleven-chars"[:11], city.here, "kanri", city.now)
    with pytest.raises(NameTaken):
        add_staff(passwords, clerk.name, Role.CLERK, RIGHT, city.here, "kanri", city.now)


def test_a_kiosks_token_opens_that_kiosk_only(city: City) -> None:
    uid, token = add_kiosk(city.keyring, city.here, "二番目", "kanri", city.now)

    assert kiosk_of_token(read_session(), city.keyring, token).uid == uid
    with pytest.raises(NotPaired):
        kiosk_of_token(read_session(), city.keyring, token + "x")


def test_a_pairing_code_lasts_a_quarter_of_an_hour(city: City) -> None:
    board = add_board(city.here, "待合", "kanri", city.now)
    code = start_pairing(city.keyring, board, "kanri", city.now)

    last = city.now + timedelta(minutes=15)
    assert board_by_pairing(read_session(), city.keyring, code, last - timedelta(microseconds=1)).uid == board
    with pytest.raises(NotPaired):
        board_by_pairing(read_session(), city.keyring, code, last)
    with pytest.raises(UnknownDevice):
        start_pairing(city.keyring, uuid4(), "kanri", city.now)
