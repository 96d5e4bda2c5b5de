"""An office's policy (pure): values staff edit, dated. Capacity and admission read them as of the visit date,
booking period and deadlines as of now. What no row says is the default here.
"""

from collections.abc import Container, Iterable
from dataclasses import dataclass, fields
from typing import Any

from server.errors import Invalid


@dataclass(frozen=True)
class OfficePolicy:
    """The values in force on one day."""

    slot_minutes: int = 15
    rate_per_hour: int = 4  # people a window serves in an hour, walk-ins included (総務省の手引: 概ね4名)
    walk_in_percent: int = 25  # share of the rate kept for people without a booking
    open_days_before: int = 45  # days ahead that booking opens
    hold_minutes: int = 10
    closes_with_list: bool = True  # web booking ends when the preparation list is made …
    list_hour: int = 15  # … at this hour of the open day before
    late_grace_minutes: int = 15
    walk_in_due_minutes: int = 15  # a walk-in counts as due this long after arriving
    party_max: int = 6


# What each number may be. Slots begin anew with each hour, so their length must divide it.
ALLOWED: dict[str, Container[int]] = {
    "slot_minutes": (5, 6, 10, 12, 15, 20, 30, 60),
    "rate_per_hour": range(1, 61),
    "walk_in_percent": range(101),
    "open_days_before": range(367),
    "hold_minutes": range(1, 121),
    "list_hour": range(25),
    "late_grace_minutes": range(241),
    "walk_in_due_minutes": range(241),
    "party_max": range(1, 21),
}


class UnknownPolicy(Invalid):
    """There is no such value, or it cannot be what was given."""

    code = "unknown_policy"


def check_value(key: str, value: Any) -> None:
    """Raise UnknownPolicy unless `key` is a policy and `value` one that it can have."""
    kinds = {f.name: type(f.default) for f in fields(OfficePolicy)}
    if kinds.get(key) is not type(value) or value not in ALLOWED.get(key, (True, False)):
        raise UnknownPolicy(key=key)


def policy_of(values: Iterable[tuple[str, Any]]) -> OfficePolicy:
    """Later values win over earlier ones; names that are no longer known are passed over."""
    known = {f.name for f in fields(OfficePolicy)}
    return OfficePolicy(**{key: value for key, value in values if key in known})
