"""What the command line says when the answer is no (pure): what happened, to what, and what to do.

In English, as all of the command line. What was typed as a notice's number is not said again: it may be another number.
"""

from collections.abc import Mapping

from server.errors import Refusal

WORDS = {
    "busy": "the database was not free in time and nothing was done; run the command again",
    "changed_meanwhile": (
        "what was given contradicts what the database holds ({constraint}) and nothing was done;"
        " perhaps it is there already"
    ),
    "file_encoding": "{file} is neither UTF-8 nor Shift_JIS and nothing was read; save it as one of these",
    "file_header": "the first line of {file} does not name its columns as docs/notices.md says, and nothing was read",
    "file_stands": "there is a file {file} already and nothing was written over it; print and delete it first",
    "holiday_day": "the table of holidays is of the years {first} to {last}; give a day or a year of these",
    "holiday_name": "a holiday needs a name of at most {most} characters; give it after the date",
    "mark_in_use": "notices bear {words}, so nothing was taken out; take the mark off these notices first",
    "mark_unusable": "a mark is 1 to 20 characters without spaces, commas, slashes and semicolons; nothing was changed",
    "my_number": "what was given may be a My Number and was not kept; give the number that is printed on the notice",
    "name_unusable": (
        "a name is one line of at most {most} characters, without letters that nobody sees, and holds no My Number;"
        " nothing was done"
    ),
    "name_taken": "there is an account {name} already; choose another name",
    "notice_not_found": "there is no notice of one of these numbers and nothing was done; look at the numbers",
    "notice_number": (
        "what was given is no notice number: look for three letters or digits and six digits, such as M1H-000123"
    ),
    "office_file": "the office's file {file} cannot be used: {fault}; docs/offices.md says how it is written",
    "password_too_short": "the password on standard input has fewer than {least} characters; give a longer one",
    "period_unusable": "a report is of one to {most} days, the first one first; look at --from and --to",
    "places_differ": "{differ} counts or bookings, named above with what to do, do not agree",
    "report_is_file": "{report} is the file of notices itself and nothing was done; give the report another name",
    "rule_unusable": "opening rules cannot be meant so ({fields}); docs/offices.md says how they are written",
    "unknown_holiday": "neither table nor library has a holiday on {day}; `madoguchi holidays show` prints a year",
    "unknown_office": "there is no office with the code {office}; `madoguchi offices load` makes one of its file",
    "unknown_policy": "there is no value {key}, or it cannot be what was given; docs/offices.md lists them",
    "unknown_pool": "the office {office} has no pool {pool}; give the name of one of its pools, or leave out --pool",
    "unknown_service": "the office {office} has no service {service}; give the code of one that its file names",
}


def sentence(refusal: Refusal, given: Mapping[str, object]) -> str:
    """The sentence for a refusal; `given` are the words of the command, which it may name."""
    facts = {**given, **refusal.facts}
    if isinstance(cause := refusal.__cause__, OSError):
        facts["fault"] = cause.strerror  # without the number and the name that Python puts around it
    elif "key" in refusal.facts and "fault" in refusal.facts:
        facts["fault"] = f"{refusal.facts['key']}: {refusal.facts['fault']}"
    try:
        return WORDS[refusal.code].format_map(facts)
    except KeyError:
        shown = ", ".join(f"{key}: {value}" for key, value in refusal.facts.items())
        return f"refused: {refusal.code}" + (f" ({shown})" if shown else "")
