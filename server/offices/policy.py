"""An office's policy (pure): values staff edit, dated. Capacity and admission read them as of the visit date,
booking period and deadlines as of now. What no row says is the default here.
"""

from collections.abc import Iterable
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


class UnknownPolicy(Invalid):
    """There is no such value, or it has another type."""

    code = "unknown_policy"


def check_value(key: str, value: Any) -> None:
    """Raise UnknownPolicy unless `key` is a policy and `value` of its type."""
    defaults = OfficePolicy()
    if not hasattr(defaults, key) or type(getattr(defaults, key)) is not type(value):
        raise UnknownPolicy(key=key)


def policy_of(values: Iterable[tuple[str, Any]]) -> OfficePolicy:
    """Later values win over earlier ones; names that are no longer known are passed over."""
    known = {f.name for f in fields(OfficePolicy)}
    return OfficePolicy(**{key: value for key, value in values if key in known})
