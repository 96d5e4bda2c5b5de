"""Printer models as data: all that ship are whole, and one that nobody tried says so."""

import logging
from pathlib import Path

import pytest

from kiosk.printer_profile import PROFILES, ProfileFault, load_profile, names, warn_if_unverified

SOUND = (PROFILES / "virtual-80mm.toml").read_text(encoding="utf-8")


def written(folder: Path, text: str) -> Path:
    (folder / "mihon.toml").write_text(text, encoding="utf-8")
    return folder


@pytest.mark.parametrize("name", names())
def test_every_profile_that_ships_can_be_loaded(name: str) -> None:
    profile = load_profile(name)

    assert profile.name == name
    assert 70 <= profile.width_mm <= 83
    assert profile.dots(profile.width_mm) == profile.width_dots


def test_the_models_that_offices_buy_are_there() -> None:
    assert set(names()) >= {
        "citizen-ct-s651",
        "epson-tm-m30iii",
        "epson-tm-t20iii",
        "epson-tm-t88vii",
        "seiko-rp-f10-80mm",
        "virtual-80mm",
    }


@pytest.mark.parametrize("name", sorted(set(names()) - {"virtual-80mm"}))
def test_a_profile_that_nobody_tried_says_so_loudly(name: str, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        warn_if_unverified(load_profile(name))

    assert "NOT VERIFIED" in caplog.text
    assert load_profile(name).model in caplog.text


def test_a_profile_that_was_tried_is_quiet(caplog: pytest.LogCaptureFixture) -> None:
    warn_if_unverified(load_profile("virtual-80mm"))

    assert caplog.text == ""


@pytest.mark.parametrize("name", ["", "mihon", "../kiosk", "Virtual-80mm", "virtual-80mm.toml"])
def test_a_name_that_is_no_profile_is_told_with_those_there_are(name: str) -> None:
    with pytest.raises(ProfileFault, match=r"choose one of .*epson-tm-t20iii"):
        load_profile(name)


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("width_dots = 576", "", "width_dots is missing"),
        ("width_dots = 576", 'width_dots = "576"', "width_dots must be int"),
        ("width_dots = 576", "width_dots = true", "width_dots must be int"),
        ("width_dots = 576", "width_dots = 575", "multiple of 8"),
        ("dpi = 203", "dpi = 8", "dpi must be from 150"),
        ("paper_s = 0.0", "paper_s = 60", "paper_s must be from 0"),
        ("cutter = true", "cutter = 1", "cutter must be bool"),
        ('"2026-11-21"', '"yesterday"', "must be a date"),
        ("dpi = 203", "dpi = 203\ncolour = true", "nobody knows colour"),
        ("dpi = 203", "dpi = ", "mihon.toml"),
    ],
)
def test_a_fault_names_file_and_key(tmp_path: Path, old: str, new: str, told: str) -> None:
    with pytest.raises(ProfileFault, match=told):
        load_profile("mihon", written(tmp_path, SOUND.replace(old, new)))
