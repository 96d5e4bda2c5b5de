"""An office's policy: what it may be, and from which day it counts."""

from dataclasses import fields
from datetime import date, datetime, timedelta

import pytest

from server.db import read_session, transaction
from server.offices.models import Policy
from server.offices.policy import (
    ALLOWED,
    OfficePolicy,
    UnknownPolicy,
    at_hour,
    check_pool_value,
    check_value,
    policy_of,
)
from server.offices.queries import policy_on
from tests.server.city import MONDAY, City

DEFAULT = OfficePolicy()


@pytest.mark.parametrize("name", [f.name for f in fields(OfficePolicy)])
def test_every_default_is_allowed(name: str) -> None:
    check_value(name, getattr(DEFAULT, name))


@pytest.mark.parametrize(
    ("name", "just", "not_any_more"),
    [
        ("slot_minutes", 60, 25),
        ("slot_minutes", 5, 0),
        ("walk_in_percent", 0, -1),
        ("walk_in_percent", 100, 101),
        ("hold_minutes", 1, 0),
        ("list_hour", 24, 25),
        ("party_max", 1, 0),
        ("rate_per_hour", 1, 0),
    ],
)
def test_values_at_the_limits(name: str, just: int, not_any_more: int) -> None:
    check_value(name, just)
    with pytest.raises(UnknownPolicy):
        check_value(name, not_any_more)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("slot_length", 15),
        ("__module__", "server.offices.policy"),
        ("slot_minutes", "15"),
        ("slot_minutes", True),
        ("closes_with_list", 1),
        ("closes_with_list", None),
        ("walk_in_by_hour", 25),
        ("walk_in_by_hour", {"mon": 101}),
        ("walk_in_by_hour", {"mon": True}),
        ("walk_in_by_hour", {"monday": 20}),
        ("walk_in_by_hour", {"24": 20}),
        ("walk_in_by_hour", {"10 mon": 20}),
        ("places_by_hour", {"010": 20}),
        ("places_by_hour", {"10": -1}),
        ("places_by_hour", {"10": 8.0}),
        ("walk_in_by_hour", {"10": 25.0}),
    ],
)
def test_a_name_nobody_knows_or_another_type_is_refused(key: str, value: object) -> None:
    with pytest.raises(UnknownPolicy) as refused:
        check_value(key, value)
    assert refused.value.facts == {"key": key}


def test_a_table_of_hours_names_weekdays_hours_or_both() -> None:
    check_value("walk_in_by_hour", {"mon": 0, "9": 100, "sat 10": 50, "sun 0": 1, "23": 2})


@pytest.mark.parametrize(
    ("moment", "value"),
    [("2026-12-05T10:15", 1), ("2026-12-05T11:00", 2), ("2026-12-04T10:59", 3), ("2026-12-04T09:00", None)],
)
def test_of_a_table_of_hours_the_narrowest_entry_counts(moment: str, value: int | None) -> None:
    table = {"10": 3, "sat": 2, "sat 10": 1}
    assert at_hour(table, datetime.fromisoformat(f"{moment}+09:00")) == value


@pytest.mark.parametrize(("key", "value"), [("size", 0), ("rate_per_hour", 6), ("walk_in_by_hour", {"mon": 10})])
def test_what_a_pool_may_say_for_itself(key: str, value: object) -> None:
    check_pool_value(key, value)


@pytest.mark.parametrize(
    ("key", "value"), [("size", -1), ("size", True), ("hold_minutes", 5), ("rate_per_hour", 0), ("colour", "red")]
)
def test_what_a_pool_may_not_say_for_itself(key: str, value: object) -> None:
    with pytest.raises(UnknownPolicy):
        check_pool_value(key, value)


def test_each_length_of_slots_divides_the_hour() -> None:
    lengths = ALLOWED["slot_minutes"]
    assert [n for n in range(1, 61) if n in lengths] == [n for n in range(5, 61) if 60 % n == 0]


def test_later_values_win_and_forgotten_names_are_passed_over() -> None:
    found = policy_of([("hold_minutes", 5), ("hold_minutes", 7), ("coffee_minutes", 3)])
    assert found == OfficePolicy(hold_minutes=7)


def test_a_value_counts_from_its_day_on(city: City) -> None:
    with transaction() as tx:
        for day, minutes in ((MONDAY, 5), (MONDAY + timedelta(days=7), 20), (date(2000, 1, 1), 8)):
            tx.session.add(Policy(office_id=city.here, valid_from=day, key="hold_minutes", value=minutes, by="kanri"))

    days = (-1, 0, 6, 7, 400)
    found = [policy_on(read_session(), city.here, MONDAY + timedelta(days=n)).hold_minutes for n in days]
    assert found == [8, 5, 5, 20, 20]
