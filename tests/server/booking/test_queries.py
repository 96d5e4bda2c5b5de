"""What residents and the phone desk are shown of places."""

from datetime import date, timedelta

import pytest

from server.booking.models import Channel
from server.booking.queries import TimePlaces, Wish, open_times
from server.clock import business_date
from server.db import read_session
from server.offices.queries import office_by_code, policy_on, service_by_code
from tests.conftest import Office


def _times(office: Office, day: date) -> list[TimePlaces]:
    rows, now = read_session(), office.clock.now()
    here = office_by_code(rows, "honcho").id
    wish = Wish(here, (service_by_code(rows, here, "pickup").id,), Channel.PHONE)
    return open_times(rows, wish, day, policy_on(rows, here, business_date(now)), now)


def test_the_times_of_a_day_come_in_their_order(office: Office) -> None:
    starts = [places.starts_at for places in _times(office, business_date(office.clock.now()) + timedelta(days=1))]
    assert starts == sorted(starts)
    assert len(starts) == 35  # 8:30 to 17:15 in quarters of an hour


@pytest.mark.parametrize("day", [date.min, date.max])
def test_a_day_at_the_end_of_the_calendar_has_no_times(sqlite_office: Office, day: date) -> None:
    assert _times(sqlite_office, day) == []
