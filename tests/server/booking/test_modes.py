"""How people get to a service: by notice, openly, by phone, without a booking – and on which days."""

from datetime import date, timedelta

import pytest

from server.booking.models import Channel
from server.booking.queries import Wish, open_days, open_times
from server.booking.rules import SlotNotBookable
from server.booking.service import hold_slot
from server.db import read_session, transaction
from server.offices.policy import OfficePolicy
from server.offices.queries import UnknownService, offer_by_code
from server.offices.service_rules import Mode
from tests.fakes import asked_by
from tests.server.city import MONDAY, City

TUESDAY = MONDAY + timedelta(days=1)


def offer(city: City, *modes: Mode, code: str = "pickup", first: date | None = None, last: date | None = None) -> None:
    """The office offers a service so, from and to these days."""
    with transaction() as tx:
        row = offer_by_code(tx.session, city.here, code)
        row.modes, row.valid_from, row.valid_to = frozenset(modes or Mode), first, last


def hold(city: City, channel: Channel, time: str = "10:15") -> None:
    """Somebody with a notice wants this time."""
    person = city.person()
    hold_slot(asked_by(person.actor), city.keyring, [person.notice], city.slot(time), channel, "ja", city.now)


@pytest.mark.parametrize(
    ("mode", "channels"),
    [
        (Mode.NOTICE, {Channel.WEB, Channel.PHONE, Channel.COUNTER}),
        (Mode.OPEN, {Channel.WEB, Channel.PHONE, Channel.COUNTER}),
        (Mode.PHONE, {Channel.PHONE, Channel.COUNTER}),
        (Mode.WALK_IN, {Channel.COUNTER}),
    ],
)
def test_each_channel_books_the_services_that_can_be_booked_so(city: City, mode: Mode, channels: set[Channel]) -> None:
    offer(city, mode)
    for channel, time in zip(Channel, ("10:15", "11:00", "12:00"), strict=True):
        if channel in channels:
            hold(city, channel, time)
            continue
        with pytest.raises(SlotNotBookable) as refused:
            hold(city, channel, time)
        assert refused.value.facts == {"reason": "service"}


def test_a_booking_cannot_be_moved_to_a_day_on_which_the_service_has_ended(city: City) -> None:
    person, booking = city.booked("10:15")
    offer(city, last=MONDAY)

    with pytest.raises(SlotNotBookable):
        city.move(person, booking, "10:15", TUESDAY)
    city.move(person, booking, "11:00")


def test_days_outside_the_services_validity_are_closed_in_the_calendar(city: City) -> None:
    offer(city, first=TUESDAY, last=TUESDAY + timedelta(days=1))
    service = offer_by_code(read_session(), city.here, "pickup").service_id
    policy = OfficePolicy(closes_with_list=False)
    wish = Wish(city.here, (service,), Channel.WEB)
    days = open_days(read_session(), wish, policy, city.now)
    times = [len(open_times(read_session(), wish, MONDAY + timedelta(days=n), policy, city.now)) for n in range(4)]

    assert [d.reason for d in days[:4]] == ["service", None, None, "service"]
    assert (times[0], times[1] > 0, times[2] > 0, times[3]) == (0, True, True, 0)
    with pytest.raises(SlotNotBookable):
        hold(city, Channel.PHONE)


def test_the_kiosk_takes_walk_ins_only_for_services_that_take_them_today(city: City) -> None:
    city.come_without_booking("pin")
    offer(city, Mode.NOTICE, Mode.PHONE, code="pin")
    offer(city, code="certificate", first=TUESDAY)

    for code in ("pin", "certificate"):
        with pytest.raises(UnknownService):
            city.come_without_booking(code)
    city.at(city.now + timedelta(days=1))
    city.come_without_booking("certificate")
