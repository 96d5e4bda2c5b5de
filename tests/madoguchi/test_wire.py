"""What crosses the wire: every reviewed example is read and written back unchanged, the rest is refused."""

import json
from copy import deepcopy
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from madoguchi import wire

EXAMPLES = Path(__file__).parents[1] / "contracts" / "examples"
KINDS: dict[str, type[wire.Message]] = {
    "board_picture": wire.BoardPicture,
    "call_message": wire.CallMessage,
    "check_in_already": wire.CheckInAnswer,
    "check_in_reprint": wire.CheckInAnswer,
    "check_in_request": wire.CheckInRequest,
    "check_in_ticket": wire.CheckInAnswer,
    "heartbeat": wire.Heartbeat,
    "kiosk_state": wire.KioskState,
    "print_report": wire.PrintReport,
    "refusal_wrong_day": wire.RefusalView,
    "refusal_wrong_office": wire.RefusalView,
    "scanner_test": wire.ScannerTest,
    "staff_call": wire.StaffCall,
    "waiting": wire.Waiting,
    "walk_in_request": wire.WalkInRequest,
}


def example(name: str) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads((EXAMPLES / f"{name}.json").read_text("utf-8"))
    return loaded


def places(value: object, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Where values stand in an example: every field of every object, every item of every list."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [place for key, item in inner for place in ((*path, key), *places(item, (*path, key)))]


def spoilt(message: dict[str, Any], place: tuple[Any, ...]) -> dict[str, Any]:
    """The message with a fraction, which no field takes, in this place."""
    changed = deepcopy(message)
    inner: Any = changed
    for key in place[:-1]:
        inner = inner[key]
    inner[place[-1]] = 1.5
    return changed


def test_every_example_file_is_known_here() -> None:
    assert sorted(KINDS) == sorted(path.stem for path in EXAMPLES.glob("*.json"))


@pytest.mark.parametrize("name", KINDS)
def test_an_example_is_read_and_written_back_unchanged(name: str) -> None:
    written = KINDS[name].from_json(example(name)).to_json()
    as_file = json.dumps(written, ensure_ascii=False, indent=2) + "\n"
    assert as_file == (EXAMPLES / f"{name}.json").read_text("utf-8")


@pytest.mark.parametrize("name", KINDS)
def test_an_unknown_key_is_left_alone(name: str) -> None:
    newer = example(name) | {"said_by_a_newer_server": True}
    assert KINDS[name].from_json(newer) == KINDS[name].from_json(example(name))


@pytest.mark.parametrize("name", KINDS)
def test_a_missing_field_is_named(name: str) -> None:
    for field in example(name).keys() - vars(KINDS[name]).keys():  # what has a default only newer servers say
        short = {key: value for key, value in example(name).items() if key != field}
        with pytest.raises(ValueError, match=f"^{field}: missing"):
            KINDS[name].from_json(short)


@pytest.mark.parametrize("name", KINDS)
def test_a_value_of_another_type_is_refused_wherever_it_stands(name: str) -> None:
    for place in places(example(name)):
        if "facts" in place[:-1]:
            continue  # facts are free: the text for the code says what it needs
        with pytest.raises(ValueError, match=f"^{place[0]}"):
            KINDS[name].from_json(spoilt(example(name), place))


@pytest.mark.parametrize("value", [None, [], "ticket", 7])
def test_what_is_no_object_is_refused(value: object) -> None:
    with pytest.raises(ValueError, match="CallMessage: expected an object"):
        wire.CallMessage.from_json(value)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        pytest.param("kind", "shout", id="a kind we do not know"),
        pytest.param("kind", "CALL", id="a kind in another case"),
        pytest.param("number", True, id="true is no number"),
        pytest.param("number", -1, id="no number is below 0"),
        pytest.param("number", "62", id="digits in quotes are no number"),
        pytest.param("at", "2026-11-30T10:04:12", id="a time without offset"),
        pytest.param("at", "10時4分", id="a time in words"),
    ],
)
def test_a_call_that_cannot_be_meant_is_refused_by_its_field(field: str, value: object) -> None:
    with pytest.raises(ValueError, match=f"^{field}: expected"):
        wire.CallMessage.from_json(example("call_message") | {field: value})


def test_a_fault_deep_inside_is_named_with_its_way() -> None:
    picture = example("board_picture")
    picture["waiting"]["lanes"][1]["name"] = {"en": "Renewal"}
    with pytest.raises(ValueError, match=r"^waiting\.lanes\[1\]\.name: expected a name"):
        wire.BoardPicture.from_json(picture)


def test_the_refused_value_itself_is_not_repeated_in_the_fault() -> None:
    with pytest.raises(ValueError, match=r"^outcome") as caught:
        wire.PrintReport.from_json(example("print_report") | {"outcome": "983205673214"})
    assert "9832" not in str(caught.value)


@pytest.mark.parametrize(
    "spelling", ["{0193796C-3B10-7A52-9C3E-6D1F8B0A3E75}", "0193796c3b107a529c3e6d1f8b0a3e75", "62"]
)
def test_a_uid_has_one_spelling(spelling: str) -> None:
    answer = example("check_in_ticket")
    answer["ticket"]["uid"] = spelling
    with pytest.raises(ValueError, match=r"^ticket\.uid: expected a uid"):
        wire.CheckInAnswer.from_json(answer)


@pytest.mark.parametrize("sha256", ["", "9f2c", "9F" * 32, "zz" * 32, "9f" * 33])
def test_a_print_report_names_its_paper_by_a_whole_hash(sha256: str) -> None:
    with pytest.raises(ValueError, match=r"^sha256"):
        wire.PrintReport(sha256, wire.Outcome.PRINTED)


def test_a_time_without_offset_is_not_sent_either() -> None:
    call = wire.CallMessage(17, wire.CallKind.CALL, 62, 3, datetime.fromisoformat("2026-11-30T10:04:12"))
    with pytest.raises(ValueError, match="offset"):
        call.to_json()


def test_messages_are_values() -> None:
    call = wire.CallMessage.from_json(example("call_message"))
    assert call == wire.CallMessage.from_json(example("call_message"))
    with pytest.raises(AttributeError):
        call.number = 63  # type: ignore[misc]  # this is what must not work
