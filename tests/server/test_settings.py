"""Settings are read once, checked at start, and a fault names the setting."""

import base64
from datetime import timedelta
from pathlib import Path

import pytest

from server.settings import Settings, SettingsError

GOOD = {
    "MADOGUCHI_DATABASE_URL": "sqlite:////srv/madoguchi/office.db",
    "MADOGUCHI_SECRET_KEY": "s" * 32,
    "MADOGUCHI_PEPPER": base64.b64encode(b"p" * 32).decode(),
}


def test_three_settings_are_enough() -> None:
    settings = Settings.from_env(GOOD)

    assert (settings.pepper, settings.cookie_secure, settings.proxy_count) == (b"p" * 32, True, 0)
    assert settings.hosts == ("127.0.0.1:8000",)


@pytest.mark.parametrize("name", sorted(GOOD))
def test_each_of_them_is_needed(name: str) -> None:
    with pytest.raises(SettingsError, match=f"^{name} is not set"):
        Settings.from_env({key: value for key, value in GOOD.items() if key != name})


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("SECRET_KEY", "s" * 31),
        ("PEPPER", base64.b64encode(b"p" * 31).decode()),
        ("PEPPER", "no base64!"),
        ("PEPPER_KEY_ID", "one"),
        ("BASE_URL", "yoyaku.example.lg.jp"),
        ("BASE_URL", "https://yoyaku.example.lg.jp/"),
        ("DATABASE_URL", "mysql://localhost/madoguchi"),
        ("DATABASE_URL", "postgresql://localhost/madoguchi"),
        ("COOKIE_SECURE", "yes"),
        ("PROXY_COUNT", "1.5"),
        ("HEARTBEAT_S", "0.05"),
        ("HEARTBEAT_S", "4.1"),
        ("HEARTBEAT_S", "often"),
    ],
)
def test_what_is_not_usable_is_refused_by_name(name: str, text: str) -> None:
    with pytest.raises(SettingsError, match=f"MADOGUCHI_{name}"):
        Settings.from_env({**GOOD, f"MADOGUCHI_{name}": text})


def test_a_refused_secret_is_not_shown() -> None:
    with pytest.raises(SettingsError) as refused:
        Settings.from_env({**GOOD, "MADOGUCHI_PEPPER": "half a pepper"})
    assert "half a pepper" not in str(refused.value)


def test_a_name_nobody_knows_is_refused_before_it_is_forgotten() -> None:
    with pytest.raises(SettingsError, match="MADOGUCHI_DATABSE_URL is no setting"):
        Settings.from_env({**GOOD, "MADOGUCHI_DATABSE_URL": "sqlite:///office.db"})


def test_a_file_holds_what_the_environment_does_not_say(tmp_path: Path) -> None:
    path = tmp_path / "madoguchi.env"
    lines = [f"{name}={value}" for name, value in GOOD.items()]
    path.write_text("\n".join(["# keys of 見本市", "", *lines, "MADOGUCHI_SWEEP_S = 5"]), encoding="utf-8")
    settings = Settings.from_env({"MADOGUCHI_CONFIG": str(path), "MADOGUCHI_SWEEP_S": "7", "PATH": "/bin"})

    assert (settings.secret_key, settings.pepper, settings.sweep_s) == ("s" * 32, b"p" * 32, 7.0)


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"nowhere\.env"):
        Settings.from_env({"MADOGUCHI_CONFIG": str(tmp_path / "nowhere.env")})


@pytest.mark.parametrize(
    ("address", "public"),
    [("https://yoyaku.example.lg.jp",) * 2, ("http://127.0.0.1:8000", ""), ("http://localhost:8000", "")],
)
def test_an_address_of_this_machine_alone_is_not_public(address: str, public: str) -> None:
    assert Settings.from_env({**GOOD, "MADOGUCHI_BASE_URL": address}).public_url == public


def test_hosts_are_the_public_one_and_the_former_ones() -> None:
    given = {"MADOGUCHI_BASE_URL": "https://yoyaku.example.lg.jp", "MADOGUCHI_EXTRA_HOSTS": "old.example.jp, , a.jp:81"}
    settings = Settings.from_env({**GOOD, **given})

    assert settings.hosts == ("yoyaku.example.lg.jp", "old.example.jp", "a.jp:81")


def test_the_clock_can_be_set_off_for_trials() -> None:
    assert Settings.from_env({**GOOD, "MADOGUCHI_CLOCK_OFFSET_S": "-90.5"}).clock_offset == timedelta(seconds=-90.5)
