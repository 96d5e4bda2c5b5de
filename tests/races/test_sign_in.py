"""Many try passwords at once: no more than five of them are heard, and a right one is let in."""

from functools import partial

import pytest

from server.auth.passwords import Passwords
from server.auth.rules import Role
from server.auth.service import add_staff
from server.auth.service import sign_in as staff_sign_in
from server.issuance.service import sign_in
from tests.races.together import Deed, at_once, codes, done
from tests.server.city import City

pytestmark = pytest.mark.race
RIGHT, WRONG = "mihon-shi-no-mado", "mihon-shi-no-kado"


@pytest.mark.parametrize("known", [True, False])
def test_of_twenty_wrong_sticker_passwords_at_once_five_are_heard(city: City, known: bool) -> None:
    ident = city.person().sticker.credential_id if known else "ZZZZZ2"
    answers = at_once(city.office.app, [partial(sign_in, city.keyring, ident, "AAAA2222", city.now)] * 20)

    assert codes(answers) == ["locked"] * 15 + ["sign_in_failed"] * 5


@pytest.mark.parametrize("name", ["sato", "suzuki"])
def test_of_twelve_wrong_staff_passwords_at_once_five_are_heard(city: City, name: str) -> None:
    passwords = Passwords()
    add_staff(passwords, "sato", Role.CLERK, RIGHT, city.here, "kanri", city.now)
    answers = at_once(city.office.app, [partial(staff_sign_in, passwords, city.keyring, name, WRONG, city.now)] * 12)

    assert codes(answers) == ["locked"] * 7 + ["sign_in_failed"] * 5


def test_the_right_password_many_times_at_once_is_right_each_time(city: City) -> None:
    person = city.person()
    words = (person.sticker.credential_id, person.sticker.password)
    wrong: Deed = partial(sign_in, city.keyring, words[0], "AAAA2222", city.now)
    right: Deed = partial(sign_in, city.keyring, *words, city.now)
    answers = at_once(city.office.app, [right] * 10 + [wrong] * 3)

    assert codes(answers) == ["sign_in_failed"] * 3
    assert done(answers) == [person.notice] * 10
