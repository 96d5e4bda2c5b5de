"""The wheel in an environment of its own: what it holds, and what it says where a part's packages are missing."""

import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest

from scripts import setup

ROOT = Path(__file__).parents[2]
BIN = Path(sys.executable).parent
WHEEL = f"madoguchi-{version('madoguchi')}-py3-none-any.whl"


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of an environment with the wheel and nothing else in it."""
    folder = tmp_path_factory.mktemp("wheel")
    python = folder / "v" / "bin" / "python"
    made: list[list[str | Path]] = [
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", folder],
        [sys.executable, "-m", "venv", "--without-pip", folder / "v"],
        [BIN / "uv", "pip", "install", "--offline", "--no-deps", "--python", python, folder / WHEEL],
    ]
    for words in made:
        subprocess.run(words, cwd=ROOT, check=True, capture_output=True)  # noqa: S603 - our own words
    return folder / "v"


@pytest.mark.parametrize(
    ("words", "parts"),
    [(["secrets", "new"], "server"), (["kiosk", "--config", "kiosk.toml"], "kiosk"), (["demo"], "server,kiosk")],
)
def test_a_missing_part_is_one_sentence_that_names_what_to_install(
    installed: Path, words: list[str], parts: str
) -> None:
    done = subprocess.run([installed / "bin" / "madoguchi", *words], capture_output=True, text=True, check=False)  # noqa: S603 - our own words
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == (f"packages for this command are not installed: pip install '{WHEEL}[{parts}]' brings them\n")


def test_pages_letters_and_samples_are_in_the_wheel(installed: Path) -> None:
    (site,) = (installed / "lib").glob("python3*/site-packages")
    for name in (
        "server/static/vendor/fonts/biz-udpgothic.css",
        "server/static/vendor/licences/fontsource-biz-udpgothic.txt",
        "display/static/vendor/socket.io.esm.min.js",
        "kiosk/fonts/BIZUDGothic-Regular.ttf",
        "server/fonts/BIZUDGothic-Regular.ttf",
        "server/emergency/writer.py",
        "server/templates/base.html",
        "server/samples/honcho.toml",
        "migrations/env.py",
        "printer_profiles/virtual-80mm.toml",
    ):
        assert (site / name).is_file(), name


def test_a_server_in_service_is_set_up_without_kiosk_tests_and_debian_packages() -> None:
    names = {step.name for step in setup.steps("serve")}
    assert "Python packages for server" in names
    assert not {n for n in names if "kiosk" in n or "dev" in n or "Debian" in n}
    assert names < {step.name for step in setup.steps("demo")} < {step.name for step in setup.steps("test")}
