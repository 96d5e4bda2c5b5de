"""The sample city with short words for what people do there."""

import pytest

from tests.conftest import Office
from tests.server.city import City
from tests.server.renewed import standing_office, standing_on_postgresql, standing_on_sqlite

__all__ = ["city", "standing_office", "standing_on_postgresql", "standing_on_sqlite"]


@pytest.fixture
def city(standing_office: Office) -> City:
    """The sample city, Monday at nine, on each kind of database."""
    return City(standing_office)
