"""The opening rules of an office's file, and what is wrong with some."""

import tomllib

import pytest

from server.offices.office_file import OfficeFileUnusable
from server.offices.opening_file import line_of, rules_in

OFFERED = ("pickup", "pin")
NINE_TO_FIVE = 'opens = "9:00"\ncloses = "17:00"\n'


def lines(text: str) -> list[str]:
    """The rules of one table, a line each."""
    return [line_of(rule) for rule in rules_in([tomllib.loads(text)], OFFERED)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (f'days = ["mon", "tue"]\n{NINE_TO_FIVE}', ["mon,tue 9:00-17:00 (last 17:00, 17:00)"]),
        (
            'days = ["sun", 2026-12-29, "2026-12-30"]\nclosed = true',
            ["sun closed", "2026-12-29 closed", "2026-12-30 closed"],
        ),
        (
            f'days = ["mon"]\nbreak = ["12:00", "13:00"]\nlast_walk_in = "16:30"\n{NINE_TO_FIVE}',
            ["mon 9:00-12:00 (last 12:00, 12:00)", "mon 13:00-17:00 (last 17:00, 16:30)"],
        ),
        (
            f'nth = [2, "last"]\nweekdays = ["sat"]\nmonths = [4, 5]\n'
            f'services = ["pickup"]\nadds = true\n{NINE_TO_FIVE}',
            ["nth 2,last sat in months 4,5 9:00-17:00 (last 17:00, 17:00) only pickup added"],
        ),
        ('after = "holiday"\nclosed = true', ["+1 after holidays closed"]),
        (
            'after = { nth = [3], weekdays = ["sat"] }\ndays_after = -1\nclosed = true',
            ["-1 after nth 3 sat closed"],
        ),
        ('yearly = ["12-29", "01-03"]\nclosed = true', ["yearly 1229-0103 closed"]),
        ("holidays = true\nclosed = true\nsubstitutes = false", ["holidays without substitutes closed"]),
        (
            f'holidays = true\non_closed_weekday = "open"\nvalid_from = 2027-04-01\n{NINE_TO_FIVE}',
            ["holidays 9:00-17:00 (last 17:00, 17:00) on closed weekdays: open from 2027-04-01"],
        ),
        (
            'from = "2027-10-07 8:00"\nto = "2027-10-09 13:00"\noutage = true\nservices = ["pin"]',
            ["outage 2027-10-07 8:00 – 2027-10-09 13:00 only pin"],
        ),
        ('from = "2027-10-07 0:00"\nto = "2027-10-07 24:00"', ["closure 2027-10-07 0:00 – 2027-10-07 24:00"]),
        ('preset = "maintenance"', ["+1 after nth 3 sat closed"]),
        ('preset = "year_end"\nvalid_to = 2030-03-31', ["yearly 1229-0103 closed to 2030-03-31"]),
    ],
)
def test_a_table_becomes_rules(text: str, expected: list[str]) -> None:
    assert lines(text) == expected


@pytest.mark.parametrize(
    ("text", "key"),
    [
        (NINE_TO_FIVE, ""),
        (f'days = ["mon"]\nholidays = true\n{NINE_TO_FIVE}', ""),
        ('days = ["mon"]\nopens = "9:00"', ".closes"),
        (f"days = []\n{NINE_TO_FIVE}", ".days"),
        (f'days = ["mon"]\nlast_booked = "18:00"\n{NINE_TO_FIVE}', ".last_booked"),
        (f'days = ["mon"]\nservices = ["passport"]\n{NINE_TO_FIVE}', ".services"),
        (f'days = ["mon"]\nservices = []\n{NINE_TO_FIVE}', ".services"),
        (f'days = ["mon"]\nbreak = ["8:00", "13:00"]\n{NINE_TO_FIVE}', ".break"),
        (f'days = ["mon"]\nvalid_from = 2027-04-01\nvalid_to = 2027-03-31\n{NINE_TO_FIVE}', ".valid_to"),
        (f'days = ["mon"]\ncolour = "red"\n{NINE_TO_FIVE}', ".colour"),
        (f'days = ["mon"]\nclosed = true\n{NINE_TO_FIVE}', ".opens"),
        ('days = ["mon"]\nclosed = true\nadds = true', ".adds"),
        (f"days = [2026-12-05T10:00:00]\n{NINE_TO_FIVE}", ".days"),
        (f'days = ["mon"]\nvalid_from = 2027-04-01T00:00:00\n{NINE_TO_FIVE}', ".valid_from"),
        ('yearly = ["99999999999999999999-01", "01-03"]\nclosed = true', ".yearly"),
        (f'days = ["mon"]\nopens = "{"9" * 5000}:00"\ncloses = "17:00"', ".opens"),
        (f'nth = [6]\nweekdays = ["sat"]\n{NINE_TO_FIVE}', ".nth"),
        (f"nth = [2]\n{NINE_TO_FIVE}", ".weekdays"),
        (f'nth = [2]\nweekdays = ["sat"]\nmonths = [13]\n{NINE_TO_FIVE}', ".months"),
        ('after = "holiday"\ndays_after = 40\nclosed = true', ".days_after"),
        ("after = { nth = [3] }\nclosed = true", ".after.weekdays"),
        ('yearly = ["12-29"]\nclosed = true', ".yearly"),
        ('yearly = ["12-29", "02-30"]\nclosed = true', ".yearly"),
        ('holidays = true\non_closed_weekday = "perhaps"\nclosed = true', ".on_closed_weekday"),
        ('from = "2027-10-07"\nto = "2027-10-09 13:00"', ".from"),
        ('from = "2027-10-09 8:00"\nto = "2027-10-07 13:00"', ".to"),
        ('from = "2027-10-07 8:00"\nto = "2027-10-09 0:00"', ".to"),
        (f"days = [2100-01-01]\n{NINE_TO_FIVE}", ".days"),
        (f'days = ["mon"]\nvalid_from = 1999-12-31\n{NINE_TO_FIVE}', ".valid_from"),
        ('from = "2026-12-07 8:00"\nto = "2100-01-01 13:00"', ".to"),
        ('preset = "lunch"', ".preset"),
    ],
)
def test_a_table_that_cannot_be_meant_names_its_key_and_what_to_do(text: str, key: str) -> None:
    with pytest.raises(OfficeFileUnusable) as refused:
        lines(text)
    assert refused.value.facts["key"] == f"opening[1]{key}"
    assert refused.value.facts["fault"]
