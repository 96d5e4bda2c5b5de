"""後日郵送: who agreed at a window gets a row for the back room, which sends the card or takes it back."""

from uuid import UUID, uuid4

import pytest
from sqlalchemy import select

from server.audit import AuditEntry
from server.db import read_session
from server.desk.service import finish
from server.errors import ChangedMeanwhile
from server.issuance.models import NoticeState
from server.issuance.notice_codes import MyNumberRefused
from server.issuance.service import NoticeNotReady
from server.mailing.models import Mailing
from server.mailing.queries import Letter, sent, to_send
from server.mailing.rules import ConsentMissing, LetterUnreadable, MailingMoved, MailingState, UnknownMailing
from server.mailing.service import Moved, move
from server.offices.queries import office_by_code
from server.queueing.rules import ChangedSince, MoreStops, NoCard, Outcome
from tests.fakes import asked_by
from tests.server.city import City, Person


@pytest.fixture
def family(city: City) -> tuple[City, list[Person]]:
    """Three people with one booking are called to window 3."""
    people = city.people(3)
    _, booking = city.booked("10:00", person=people[0], family=people[1:])
    city.scan(city.code(booking))
    city.open(3)
    city.call_next(3)
    return city, people


Family = tuple[City, list[Person]]


def waiting(city: City) -> list[Letter]:
    """What the back room has to send."""
    read_session().rollback()
    return list(to_send(read_session(), city.here))


def post(city: City, mailing: UUID, state: MailingState = MailingState.SENT, letter: str = "") -> Moved:
    """A press in the back room."""
    return move(asked_by("staff:2"), city.here, mailing, state, city.now, letter)


def test_each_who_agrees_has_a_row_and_the_notice_is_booked_for_no_more(family: Family) -> None:
    city, people = family
    city.finish(3, position=2)
    city.finish(3, Outcome.LATER_BY_MAIL)

    assert [(one.ticket, one.person, one.notice, one.consented, one.promised_at) for one in waiting(city)] == [
        (1, 1, "H1H-000001", True, city.now),
        (1, 3, "H1H-000003", True, city.now),
    ]
    assert [city.notice(person).state.value for person in people] == ["by_mail", "handed_over", "by_mail"]
    with pytest.raises(NoticeNotReady):
        city.hold(people[0], "14:00")
    rows = read_session().scalars(select(AuditEntry).where(AuditEntry.verb == "mailing.promise")).all()
    assert [(row.actor, row.facts["people"]) for row in rows] == [(f"staff:{city.clerk()}", [1]), (rows[0].actor, [3])]


def test_nothing_is_sent_to_whom_did_not_agree(family: Family) -> None:
    city, people = family
    with pytest.raises(ConsentMissing):
        finish(asked_by("staff:2"), city.window(3).id, Outcome.LATER_BY_MAIL, city.now)
    assert (waiting(city), city.notice(people[0]).state) == ([], NoticeState.READY)


def test_undone_within_a_minute_it_is_as_if_nobody_had_agreed_and_can_be_done_again(family: Family) -> None:
    city, people = family
    city.finish(3, Outcome.LATER_BY_MAIL)
    city.clock.forward(seconds=60)
    city.undo(3)
    assert (waiting(city), city.notice(people[0]).state) == ([], NoticeState.READY)

    city.finish(3, Outcome.LATER_BY_MAIL, position=1)
    city.finish(3, Outcome.LATER_BY_MAIL, position=2)
    city.undo(3)
    assert [one.person for one in waiting(city)] == [1]


def test_what_has_gone_to_the_post_is_not_undone(family: Family) -> None:
    city, people = family
    city.finish(3, Outcome.LATER_BY_MAIL)
    post(city, waiting(city)[0].uid)
    with pytest.raises(ChangedSince):
        city.undo(3)
    assert city.notice(people[1]).state is NoticeState.BY_MAIL
    assert len(waiting(city)) == 2


def test_a_card_without_a_notice_is_known_by_that_days_ticket(city: City) -> None:
    city.come_without_booking()
    city.open(3)
    city.call_next(3)
    city.finish(3, Outcome.LATER_BY_MAIL)
    (one,) = waiting(city)
    assert (one.ticket, one.person, one.notice, one.service) == (1, 1, "", "カードの受け取り")


def test_only_cards_are_sent_and_what_else_somebody_came_for_is_done(city: City) -> None:
    city.come_without_booking("pin")
    city.open(1)
    city.call_next(1)
    for outcome in (Outcome.LATER_BY_MAIL, Outcome.STOPPED):
        with pytest.raises(NoCard):
            city.finish(1, outcome)
    city.add(1, "pickup")
    city.finish(1, Outcome.LATER_BY_MAIL, position=2)
    assert city.finish(1).over
    assert [one.service for one in waiting(city)] == ["カードの受け取り"]


def test_who_is_to_be_served_elsewhere_is_not_ended_with_the_card(city: City) -> None:
    city.come_without_booking()
    city.open(3)
    city.call_next(3)
    city.add(3, "pin")
    with pytest.raises(MoreStops):
        city.finish(3, Outcome.LATER_BY_MAIL)
    assert not city.finish(3, Outcome.LATER_BY_MAIL, position=1).over
    assert waiting(city)[0].ticket == 1
    city.pass_on(3)


def test_a_card_is_sent_with_the_number_of_its_letter(family: Family) -> None:
    city, _ = family
    city.finish(3, Outcome.LATER_BY_MAIL)
    first = waiting(city)[0].uid
    city.clock.forward(minutes=200)
    assert post(city, first, letter="１２３−４５−６７８９０−１").state == "sent"

    assert len(waiting(city)) == 2
    (gone,) = sent(read_session(), city.here, city.now)
    assert (gone.uid, gone.sent_at, gone.letter) == (first, city.now, "123-45-67890-1")
    with pytest.raises(MailingMoved):
        post(city, first)
    post(city, first, MailingState.TO_SEND)
    assert len(waiting(city)) == 3


@pytest.mark.parametrize("was_sent", [True, False])
def test_what_comes_back_or_is_not_sent_can_be_booked_for_and_sent_again(family: Family, was_sent: bool) -> None:
    city, people = family
    city.finish(3, Outcome.LATER_BY_MAIL)
    first = waiting(city)[0].uid
    if was_sent:
        post(city, first)
    post(city, first, MailingState.RETURNED)
    assert city.notice(people[0]).state is NoticeState.READY
    with pytest.raises(MailingMoved):
        post(city, first)

    _, booking = city.booked("14:00", person=people[0])
    city.scan(city.code(booking))
    city.call_next(3)
    city.finish(3, Outcome.LATER_BY_MAIL)
    assert [one.ticket for one in waiting(city)] == [1, 1, 2]


@pytest.mark.parametrize("letter", ["123", "x2345678901", "1234567890123"])
def test_a_letter_has_eleven_digits_or_nothing_is_sent(family: Family, letter: str) -> None:
    city, _ = family
    city.finish(3, Outcome.LATER_BY_MAIL)
    with pytest.raises(LetterUnreadable):
        post(city, waiting(city)[0].uid, letter=letter)
    with pytest.raises(MyNumberRefused):
        post(city, waiting(city)[0].uid, letter="123456789018")
    assert len(waiting(city)) == 3


def test_another_offices_cards_are_unknown_here(family: Family) -> None:
    city, _ = family
    city.finish(3, Outcome.LATER_BY_MAIL)
    mine, kita = waiting(city)[0].uid, office_by_code(read_session(), "kita").id
    assert list(to_send(read_session(), kita)) == []
    for office, mailing in ((kita, mine), (city.here, uuid4())):
        with pytest.raises(UnknownMailing):
            move(asked_by("staff:2"), office, mailing, MailingState.SENT, city.now)


def test_the_same_press_again_is_the_same_answer(family: Family) -> None:
    city, _ = family
    city.finish(3, Outcome.LATER_BY_MAIL)
    mine, by = waiting(city)[0].uid, asked_by("staff:2")
    answers = [move(by, city.here, mine, MailingState.SENT, city.now) for _ in range(2)]
    assert answers[0] == answers[1]


def test_one_card_is_in_one_letter_says_the_database(family: Family) -> None:
    city, _ = family
    city.finish(3, Outcome.LATER_BY_MAIL)
    one, two, _ = read_session().scalars(select(Mailing).order_by(Mailing.id))
    with pytest.raises(ChangedMeanwhile):
        city.set_row(two, notice_id=one.notice_id)
