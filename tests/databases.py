"""Real databases for tests: SQLite files and a PostgreSQL cluster of the tests' own, each copied from a template.

A template holds the migrated schema with the sample city in it, so that a test begins with an office.
"""

import os
import pwd
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path

import psycopg

from tests.ports import free_port

PROGRAMS = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda p: int(p.parent.name))


class PostgresMissing(RuntimeError):
    """There is no PostgreSQL server to start. It is a needed part of the tests, so this is a failure, not a skip."""


@dataclass(frozen=True)
class Cluster:
    """A running PostgreSQL of the tests' own."""

    folder: Path
    port: int
    numbers: "count[int]"

    def url(self, name: str) -> str:
        """Address of a database in the form of the program's settings."""
        return f"postgresql+psycopg://postgres@127.0.0.1:{self.port}/{name}"

    def create(self, template: str | None = None) -> str:
        """A new database; gives its address."""
        name = f"test_{next(self.numbers)}"
        with psycopg.connect(
            f"host=127.0.0.1 port={self.port} user=postgres dbname=postgres", autocommit=True
        ) as connection:
            connection.execute(f"CREATE DATABASE {name}" + (f" TEMPLATE {template}" if template else ""))
        return self.url(name)


@contextmanager
def postgres_cluster() -> Iterator[Cluster]:
    """Start a cluster in a folder of its own and end it again."""
    program = next(
        (p for p in (*(p / "pg_ctl" for p in reversed(PROGRAMS)), _found("pg_ctl")) if p and p.exists()), None
    )
    if program is None:
        raise PostgresMissing(
            "no PostgreSQL server found; `make setup` installs it (Debian: apt-get install postgresql)"
        )
    folder = Path(tempfile.mkdtemp(prefix="madoguchi-pg-"))
    if os.geteuid() == 0:
        postgres = pwd.getpwnam("postgres")
        os.chown(folder, postgres.pw_uid, postgres.pw_gid)
    port = free_port()
    data = folder / "data"
    try:
        _run(
            [
                program.with_name("initdb"),
                "-D",
                data,
                "-U",
                "postgres",
                "--auth=trust",
                "-E",
                "UTF8",
                "--locale=C",
                "--no-sync",
            ]
        )
        options = f"-p {port} -k {folder} -c listen_addresses=127.0.0.1 -c fsync=off -c max_connections=200"
        _run([program, "-D", data, "-w", "-t", "60", "-l", folder / "log", "-o", options, "start"])
        yield Cluster(folder, port, count(1))
    finally:
        _run([program, "-D", data, "-m", "immediate", "-w", "stop"], check=False)
        shutil.rmtree(folder, ignore_errors=True)


def _run(command: Sequence[str | Path], *, check: bool = True) -> None:
    """PostgreSQL refuses to run as root: there it runs as the user its package made."""
    words = [str(word) for word in command]
    if os.geteuid() == 0:
        words = ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups", *words]
    done = subprocess.run(words, capture_output=True, text=True, cwd="/", check=False, timeout=120)  # noqa: S603 - our own words
    if check and done.returncode:
        raise RuntimeError(f"{words[0]} … {words[-1]}: {done.stdout}{done.stderr}")


def _found(program: str) -> Path | None:
    path = shutil.which(program)
    return Path(path) if path else None


def wait_until(condition: object, timeout_s: float = 10.0, what: str = "it") -> None:
    """Wait for a condition to hold, with a limit."""
    assert callable(condition)
    deadline = time.monotonic() + timeout_s
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError(f"{what} did not come about within {timeout_s} s")
        time.sleep(0.01)
