"""The command line as somebody types it: what it refuses is one sentence that says what to do."""

import os
import subprocess
import sys
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

import pytest

from server.command_words import WORDS
from server.commands import COMMANDS, NOTICES
from server.sample import FILES
from server.settings import Settings
from tests.architecture.refusals import raised_by
from tests.conftest import environment_for, settings_for
from tests.ports import free_port
from tests.serving import serving

Madoguchi = Callable[..., "subprocess.CompletedProcess[str]"]
# What the command gives is drawn or read a moment before, or its refusal is caught: the booking stays on the work list.
CANNOT_HAPPEN = {
    *("bad_request_id", "repeated_with_other_body", "shown_once", "unknown_device"),
    *("booking_not_found", "booking_state", "no_free_place", "notice_not_ready", "slot_full", "slot_not_bookable"),
    *("too_late_to_cancel", "unknown_entry", "unknown_slot"),
}


def run(settings: Settings | None, *words: str) -> "subprocess.CompletedProcess[str]":
    """The command as a process, with an office's settings or none."""
    given = {name: value for name, value in os.environ.items() if not name.startswith("MADOGUCHI_")}
    return subprocess.run(  # noqa: S603 - our own words
        [Path(sys.executable).with_name("madoguchi"), *words],
        env={**given, **(environment_for(settings) if settings else {})},
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        check=False,
    )


@pytest.fixture
def madoguchi(tmp_path: Path) -> Madoguchi:
    """The command, with the settings of a new installation."""
    settings = settings_for(f"sqlite:///{tmp_path / 'new.db'}")
    return lambda *words: run(settings, *words)


def test_before_the_first_upgrade_a_command_says_that_it_is_needed(madoguchi: Madoguchi) -> None:
    done = madoguchi("offices", "load", "anything.toml")
    assert (done.returncode, done.stderr) == (1, "the database is empty; run `madoguchi db upgrade` first\n")


def test_a_refusal_says_what_happened_to_what_and_what_to_do(madoguchi: Madoguchi, tmp_path: Path) -> None:
    assert madoguchi("db", "upgrade").returncode == 0
    assert madoguchi("offices", "load", "nowhere.toml").stderr == (
        "the office's file nowhere.toml cannot be used: No such file or directory;"
        " docs/offices.md says how it is written\n"
    )
    sample = FILES / "honcho.toml"
    (tmp_path / "office.toml").write_text(sample.read_text("utf-8").replace('lane = "pickup"', 'lane = "x"'), "utf-8")
    done = madoguchi("offices", "load", str(tmp_path / "office.toml"))
    assert done.stderr.startswith(f"the office's file {tmp_path / 'office.toml'} cannot be used: services[1].lane: ")
    done = madoguchi("notices", "add", "no-number", "--office", "honcho")
    assert done.stderr.startswith("what was given is no notice number: ")
    assert "no-number" not in done.stderr
    done = madoguchi("slots", "make", "--office", "minami")
    assert done.stderr.startswith("there is no office with the code minami; ")


def test_a_database_out_of_reach_is_said_without_a_password() -> None:
    nowhere = f"postgresql+psycopg://madoguchi:secret@127.0.0.1:{free_port()}/madoguchi"
    done = run(settings_for(nowhere), "slots", "check")
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert done.stderr.startswith("the database cannot be used: ")
    assert "secret" not in done.stderr


def test_every_refusal_of_a_command_has_a_sentence() -> None:
    commands = [*COMMANDS.values(), *NOTICES.values()]
    raised = set().union(*(raised_by(f"{command.__module__}.{command.__name__}") for command in commands))
    assert raised - CANNOT_HAPPEN == WORDS.keys()


def test_a_server_that_answers_says_where_and_on_what(tmp_path: Path) -> None:
    settings = settings_for(f"sqlite:///{tmp_path / 'new.db'}")
    assert run(settings, "db", "upgrade").returncode == 0
    with serving(settings, tmp_path) as (server,):
        said = server.log.read_text("utf-8")
    assert said == f"madoguchi {version('madoguchi')} answers at {server.url} (SQLite)\n"


def test_the_version_is_said() -> None:
    assert run(None, "--version").stdout == f"madoguchi {version('madoguchi')}\n"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--port", "0"], "'0' is no port from 1 to 65534"),
        (["--port", "65535"], "'65535' is no port"),
        (["--at", "nonsense"], "'nonsense' is no moment with an offset"),
        (["--at", "2026-12-01T09:00"], "'2026-12-01T09:00' is no moment with an offset"),
        (["--data", "/proc/office"], "--data /proc/office cannot be used as a folder"),
        (["--data", __file__], "cannot be used as a folder (File exists)"),
    ],
)
def test_a_word_that_the_demonstration_cannot_mean_is_refused_at_once(words: list[str], said: str) -> None:
    done = run(None, "demo", *(words if "--port" in words else ["--port", str(free_port()), *words]))
    assert done.returncode != 0
    assert said in done.stderr
    assert done.stderr.count("\n") == 1
