"""A city with room for races: the sample city, and a hall with fifty windows."""

from typing import Any

import pytest

from server.booking.places import extend_slots
from server.offices.service import load_office
from tests.conftest import Office
from tests.fakes import MONDAY_NINE
from tests.server.city import City
from tests.server.renewed import standing_office, standing_on_postgresql, standing_on_sqlite

__all__ = ["city", "hall", "standing_office", "standing_on_postgresql", "standing_on_sqlite"]

WINDOWS = 50
HALL: dict[str, Any] = {
    "code": "hall",
    "name": {"ja": "見本市 臨時交付会場", "en": "Mihon City Hall B"},
    "tel": "0120-000-002",
    "policy": {"closes_with_list": False},
    "opening": [{"days": ["mon"], "opens": "8:30", "closes": "17:15"}],
    "lanes": [{"code": "pickup", "name": {"ja": "受取", "en": "Pick-up"}, "first": 1, "last": 900}],
    "services": [{"code": "pickup", "name": {"ja": "カードの受け取り", "en": "Pick up a card"}, "lane": "pickup"}],
    "windows": [{"number": n} for n in range(1, WINDOWS + 1)],
}


def load_hall() -> None:
    """Set up the hall in this app's database."""
    extend_slots(load_office(HALL, "test", MONDAY_NINE).id, MONDAY_NINE)


@pytest.fixture
def city(standing_office: Office) -> City:
    """The sample city, Monday at nine, on each kind of database."""
    return City(standing_office)


@pytest.fixture
def hall(standing_office: Office) -> City:
    """The hall: fifty windows, one lane."""
    load_hall()
    return City(standing_office, "hall")
