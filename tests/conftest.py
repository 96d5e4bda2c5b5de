"""Fixtures: databases, and the sample city's office as an app in this process."""

import base64
import shutil
from collections.abc import Callable, Iterator
from contextvars import Context
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import hypothesis
import pytest
from flask import Flask
from flask.testing import FlaskClient
from flask_migrate import upgrade
from playwright.sync_api import Browser as Chromium
from playwright.sync_api import Playwright, sync_playwright

from server import MIGRATIONS, create_app
from server.auth.passwords import Passwords
from server.db import db
from server.edge import Parts
from server.keys import Keyring
from server.sample import SampleStaff, found_city
from server.settings import Settings
from tests.browsers import QUIET, WITH_SOUND, chromium
from tests.databases import Cluster, postgres_cluster
from tests.fakes import MONDAY_NINE, StandingClock

# How long an example takes says more about the machine than about the program.
hypothesis.settings.register_profile("madoguchi", deadline=None)
hypothesis.settings.load_profile("madoguchi")

PEPPER = b"pepper of the sample city, tests only"


def settings_for(database_url: str, **more: object) -> Settings:
    """Settings of a test's process."""
    values: dict[str, object] = {
        "database_url": database_url,
        "secret_key": "secret key of the sample city, for tests only",
        "pepper": PEPPER,
        "base_url": "http://127.0.0.1:8000",
        "cookie_secure": False,
        "rate_limits": False,
        "log_level": "WARNING",
    }
    return Settings(**{**values, **more})  # type: ignore[arg-type]  # names and values stand together above


def environment_for(settings: Settings) -> dict[str, str]:
    """The same settings as the environment of a process."""
    return {
        "MADOGUCHI_DATABASE_URL": settings.database_url,
        "MADOGUCHI_SECRET_KEY": settings.secret_key,
        "MADOGUCHI_PEPPER": base64.b64encode(settings.pepper).decode(),
        "MADOGUCHI_COOKIE_SECURE": "0",
        "MADOGUCHI_LOG_LEVEL": "WARNING",
    }


class Browser(FlaskClient):
    """A browser without scripts. Each request runs in a context of its own, as when it is served.

    In the test's own app context all requests would share `g`, and with it who is signed in.
    """

    def open(self, *args: Any, **kwargs: Any) -> Any:
        """The answer."""
        return Context().run(super().open, *args, **kwargs)


@dataclass
class Office:
    """The sample city in this process: app, clock, keys, staff."""

    app: Flask
    clock: StandingClock
    staff: list[SampleStaff]
    settings: Settings
    passwords: Passwords = field(default_factory=Passwords)

    @property
    def keyring(self) -> Keyring:
        """The app's keys."""
        parts: Parts = self.app.extensions["madoguchi"]
        return parts.keyring

    def client(self) -> FlaskClient:
        """A browser without scripts."""
        return Browser(self.app, self.app.response_class)

    def account(self, role: str) -> SampleStaff:
        """The first account of a role."""
        return next(s for s in self.staff if s.role == role)


def _found(database_url: str) -> list[SampleStaff]:
    app = create_app(settings_for(database_url), StandingClock(MONDAY_NINE))
    with app.app_context():
        upgrade(directory=str(MIGRATIONS))
        staff = found_city(Passwords(), MONDAY_NINE)
        db.session.remove()
        db.engine.dispose()
    return staff


@pytest.fixture(scope="session")
def playwright_() -> Iterator[Playwright]:
    """The one driver of browsers: a second one beside it in the same thread would not start."""
    with sync_playwright() as driver:
        yield driver


@pytest.fixture(scope="session")
def browser(playwright_: Playwright) -> Iterator[Chromium]:
    """Chromium as `board-screen` starts it: it may sound without being touched. Each test opens contexts of its own."""
    running = playwright_.chromium.launch(executable_path=chromium(), args=[*QUIET, WITH_SOUND])
    yield running
    running.close()


@pytest.fixture(scope="session")
def silent_browser(playwright_: Playwright) -> Iterator[Chromium]:
    """Chromium as anybody starts it: no sound before the page was touched."""
    running = playwright_.chromium.launch(executable_path=chromium(), args=list(QUIET))
    yield running
    running.close()


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    """A PostgreSQL of the tests' own. Its absence is a failure."""
    with postgres_cluster() as running:
        yield running


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[SampleStaff]]:
    """A SQLite file with the sample city."""
    path = tmp_path_factory.mktemp("template") / "city.db"
    staff = _found(f"sqlite:///{path}")
    return path, staff


@pytest.fixture(scope="session")
def postgres_template(cluster: Cluster) -> tuple[str, list[SampleStaff]]:
    """Name of a PostgreSQL database with the sample city."""
    url = cluster.create()
    return url.rpartition("/")[2], _found(url)


MakeDatabase = Callable[[], tuple[str, list[SampleStaff]]]


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)])
def city_database(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[str, list[SampleStaff]]:
    """Address of a fresh database with the sample city, on each kind of database; and its staff."""
    if request.param == "sqlite":
        template, staff = request.getfixturevalue("sqlite_template")
        return _copy_of(template, tmp_path), staff
    name, staff = request.getfixturevalue("postgres_template")
    return request.getfixturevalue("cluster").create(name), staff


@pytest.fixture
def office(city_database: tuple[str, list[SampleStaff]]) -> Iterator[Office]:
    """The sample city, Monday 2026-11-30 at nine, on each kind of database."""
    yield from _office(*city_database)


@pytest.fixture
def sqlite_office(sqlite_template: tuple[Path, list[SampleStaff]], tmp_path: Path) -> Iterator[Office]:
    """The same on SQLite only: for what does not touch the database in its own way (pages, guards)."""
    template, staff = sqlite_template
    yield from _office(_copy_of(template, tmp_path), staff)


def _copy_of(template: Path, folder: Path) -> str:
    path = folder / "city.db"
    shutil.copy(template, path)
    return f"sqlite:///{path}"


def _office(database_url: str, staff: list[SampleStaff]) -> Iterator[Office]:
    clock, settings = StandingClock(MONDAY_NINE), settings_for(database_url)
    app = create_app(settings, clock)
    with app.app_context():
        yield Office(app, clock, staff, settings)
        db.session.remove()
        db.engine.dispose()
