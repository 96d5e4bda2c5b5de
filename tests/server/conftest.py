"""The sample city with short words for what people do there."""

import pytest

from tests.conftest import Office
from tests.server.city import City


@pytest.fixture
def city(office: Office) -> City:
    """The sample city, Monday at nine, on each kind of database."""
    return City(office)
