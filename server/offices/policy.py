"""An office's policy (pure): values staff edit, dated. Capacity and admission read them as of the visit date,
booking period and deadlines as of now. What no row says is the default here.

A pool may have its own value of what capacity is made of (`POOL_KEYS`); what it does not say is its office's.
"""

import re
from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from server.errors import Invalid


@dataclass(frozen=True)
class OfficePolicy:
    """The values in force on one day."""

    slot_minutes: int = 15
    rate_per_hour: int = 4  # people a window serves in an hour, walk-ins included (総務省の手引: 概ね4名)
    walk_in_percent: int = 25  # share of the places kept for people without a booking …
    walk_in_by_hour: Mapping[str, int] = field(default_factory=dict)  # … where weekday or hour differ (`at_hour`)
    places_by_hour: Mapping[str, int] = field(default_factory=dict)  # places of an hour set by hand, not by rate
    web_percent: int = 100  # share of the bookable places the web may take; 100: no limit of its own
    phone_percent: int = 100  # the same for the telephone
    spread_from_minutes: int = 30  # slots at least this long spread their arrival times; 0: none does
    open_days_before: int = 45  # days ahead that booking opens
    hold_minutes: int = 10
    closes_with_list: bool = True  # web booking ends when the day list is made …
    list_hour: int = 15  # … at this hour of the open day before
    late_grace_minutes: int = 15
    walk_in_due_minutes: int = 20  # a walk-in counts as due this long after arriving …
    late_credit_minutes: int = 10  # … and who has missed the booked time by more than the grace, so much sooner
    booked_first_minutes: int = 2  # who has been due for longer goes before all who are merely due: booked people …
    walk_in_first_minutes: int = 160  # … and people without a booking
    not_ready_minutes: int = 30  # where people get ready first, who is not counts as ready after so long
    walk_ins_end_by_themselves: bool = True  # nobody more is received who would not be served by closing
    learning_days: int = 20  # so many days on which anybody came teach how long visits take and who stays away
    kiosk_reads_notice_numbers: bool = False  # the number printed on a notice checks in, where samples have shown it
    missed_return_calls: int = 2  # who was missed and comes back is due after so many others
    party_max: int = 6
    party_in: str = "consecutive"  # a party takes one slot after the other, or all its places in `one_slot`


# Slots begin anew with each hour, so their length must divide it.
LENGTHS = (5, 6, 10, 12, 15, 20, 30, 60)
# What each number may be; of a table of hours, each of its numbers.
ALLOWED: dict[str, Container[Any]] = {
    "slot_minutes": LENGTHS,
    "rate_per_hour": range(1, 61),
    "walk_in_percent": range(101),
    "walk_in_by_hour": range(101),
    "places_by_hour": range(1001),
    "web_percent": range(101),
    "phone_percent": range(101),
    "spread_from_minutes": (0, *LENGTHS),
    "open_days_before": range(367),
    "hold_minutes": range(1, 121),
    "list_hour": range(25),
    "late_grace_minutes": range(241),
    "walk_in_due_minutes": range(241),
    "learning_days": range(1, 101),
    "missed_return_calls": range(21),
    "late_credit_minutes": range(241),
    "booked_first_minutes": range(241),
    "walk_in_first_minutes": range(601),
    "not_ready_minutes": range(241),
    "party_max": range(1, 21),
    "party_in": ("one_slot", "consecutive"),
}


DEFAULT = OfficePolicy()
WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_HOUR = re.compile(rf"({'|'.join(WEEKDAYS)})|(({'|'.join(WEEKDAYS)}) )?(0|1?[1-9]|10|2[0-3])")

# What a pool may say for itself. `size` is how many staff or terminals are in it; windows are counted.
POOL_KEYS = frozenset(
    {"slot_minutes", "rate_per_hour", "walk_in_percent", "walk_in_by_hour", "places_by_hour", "web_percent"}
    | {"phone_percent", "size"}
)
SIZES = range(1001)


class UnknownPolicy(Invalid):
    """There is no such value, or it cannot be what was given."""

    code = "unknown_policy"


def check_value(key: str, value: Any) -> None:
    """Raise UnknownPolicy unless `key` is a policy and `value` one that it can have."""
    default = getattr(DEFAULT, key, None) if key in OfficePolicy.__dataclass_fields__ else None
    if type(value) is not type(default):
        raise UnknownPolicy(key=key)
    allowed = ALLOWED.get(key, (True, False))
    if isinstance(value, dict):
        right = all(type(n) is int and n in allowed and _HOUR.fullmatch(hour) for hour, n in value.items())
    else:
        right = value in allowed
    if not right:
        raise UnknownPolicy(key=key)


def check_pool_value(key: str, value: Any) -> None:
    """Raise UnknownPolicy unless a pool may have `key` for itself, and with this value."""
    if key not in POOL_KEYS or (key == "size" and (type(value) is not int or value not in SIZES)):
        raise UnknownPolicy(key=key)
    if key != "size":
        check_value(key, value)


def policy_of(values: Iterable[tuple[str, Any]], base: OfficePolicy = DEFAULT) -> OfficePolicy:
    """Later values win over earlier ones; names that are no longer known are passed over."""
    return replace(base, **{key: value for key, value in values if key in OfficePolicy.__dataclass_fields__})


def at_hour(values: Mapping[str, int], moment: datetime) -> int | None:
    """The value of a table of hours at a moment on the office's clock: `sat 10` before `sat` before `10`; or None."""
    day, hour = WEEKDAYS[moment.weekday()], str(moment.hour)
    return next((values[key] for key in (f"{day} {hour}", day, hour) if key in values), None)
