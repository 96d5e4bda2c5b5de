"""docs/configuration.md says of every setting what the program says, and of no other."""

import ast
import re
import tomllib
from dataclasses import MISSING, Field, fields
from pathlib import Path
from typing import Any

import pytest

from kiosk.config import load_config
from server.commands import new_secrets
from server.settings import PREFIX, Settings, SettingsError, read_file
from tests.architecture.project import ROOT, calls, dotted, modules, own_files, text_of

DOC = "docs/configuration.md"
NAMES = {PREFIX + setting.name.upper() for setting in fields(Settings)}
# Methods with which kiosk/config.py takes a key out of a table.
TAKES = ("table.text", "table.texts", "table.number", "table.port", "table.one_of", "table.path")


def default_of(setting: Field[Any]) -> str:
    """A default as the table writes it."""
    if setting.default is MISSING:
        return "required"
    if isinstance(setting.default, bool):
        return f"`{setting.default:d}`"
    if isinstance(setting.default, float):
        return f"`{setting.default:g}`"
    return "empty" if setting.default in ("", ()) else f"`{setting.default}`"


def rows() -> dict[str, list[str]]:
    """The tables' rows by their first cell."""
    cells = [line.strip("| ").split(" | ") for line in text_of(DOC).splitlines() if line.startswith("| `")]
    return {row[0].strip("`"): row[1:] for row in cells}


def keys_of_the_kiosk() -> set[str]:
    """Every key that kiosk/config.py asks for; those named in its choices of kind, too."""
    tree = next(module.tree for module in modules("kiosk") if module.name == "kiosk/config.py")
    words = [call.args[0] for call in calls(tree) if dotted(call.func) in TAKES]
    asked = {word.value for word in words if isinstance(word, ast.Constant)}
    choices = [node for node in ast.walk(tree) if isinstance(node, ast.Assign) and dotted(node.targets[0]) == "keys"]
    return {str(word) for word in asked} | {key for node in choices for key in ast.literal_eval(node.value).values()}


@pytest.mark.parametrize("setting", fields(Settings), ids=lambda setting: str(setting.name))
def test_a_setting_stands_in_the_table_with_its_default_and_meaning(setting: Field[Any]) -> None:
    _, default, meaning = rows()[PREFIX + setting.name.upper()]
    assert (default, meaning) == (default_of(setting), setting.metadata["doc"])


def test_the_table_has_no_setting_that_the_server_does_not_know() -> None:
    assert {name for name in rows() if name.startswith(PREFIX)} == NAMES


@pytest.mark.parametrize("name", [n for n in own_files() if n.endswith(".md") or n.startswith("docs/")])
def test_no_document_speaks_of_a_setting_that_does_not_exist(name: str) -> None:
    mentioned = set(re.findall(rf"{PREFIX}[A-Z_]+[A-Z]", text_of(name)))
    assert mentioned - NAMES <= {PREFIX + "CONFIG"}


@pytest.fixture
def example(tmp_path: Path) -> Path:
    """The document's example as a file, with what is optional in it."""
    file = tmp_path / "madoguchi.env"
    block = text_of(DOC).partition("```sh\n")[2].partition("```")[0]
    file.write_text(block.replace("#" + PREFIX, PREFIX), "utf-8")
    return file


def test_the_example_file_is_refused_while_it_has_no_keys_of_its_own(example: Path) -> None:
    with pytest.raises(SettingsError, match="SECRET_KEY"):
        Settings.from_env({PREFIX + "CONFIG": str(example)})


def test_the_example_file_is_taken_with_keys(example: Path, capsys: pytest.CaptureFixture[str]) -> None:
    new_secrets()
    keys = dict(line.split("=", 1) for line in capsys.readouterr().out.splitlines())
    settings = Settings.from_env({PREFIX + "CONFIG": str(example), **keys})
    assert settings.hosts == ("yoyaku.example.lg.jp", "yoyaku-old.example.lg.jp")
    assert set(read_file(example)) <= NAMES


def test_every_key_of_kiosk_toml_stands_in_the_table_and_no_other() -> None:
    documented = {name.split("] ")[1] for name in rows() if name.startswith("[")}
    assert documented == keys_of_the_kiosk()


def test_the_example_of_kiosk_toml_is_taken_by_the_kiosk(tmp_path: Path) -> None:
    example = text_of("docs/kiosk.md").partition("```toml\n")[2].partition("```")[0]
    (tmp_path / "token").write_text("token-of-the-entrance", "ascii")
    (tmp_path / "token").chmod(0o600)
    file = tmp_path / "kiosk.toml"
    file.write_text(example.replace("/etc/madoguchi/kiosk-token", str(tmp_path / "token")), "utf-8")
    known = {(table, key) for table, keys in tomllib.loads(example).items() for key in keys}
    assert load_config(file).server.token == "token-of-the-entrance"  # noqa: S105 - the one written above
    assert {f"[{table}] {key}" for table, key in known} <= set(rows())


def test_the_pages_that_the_document_leads_to_are_there() -> None:
    leads = re.findall(r"\]\((\w+\.md)\)", text_of(DOC))
    assert leads
    assert all((ROOT / "docs" / name).exists() for name in leads)
