"""Make the locks again: requirements/*.txt from pyproject.toml, package-lock.json from package.json.

Each lock names versions and hashes and no place to fetch from: that is the business of the machine that
installs. A word on the command line goes to uv, e.g. `make lock ARGS=--upgrade`.
"""

import json
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from scripts.setup import ROOT, UV, SetupError, node

REQUIREMENTS = ROOT / "requirements"

# Later locks take the versions of earlier ones, so that all of them can be installed side by side.
LOCKS = {
    "server": ["pyproject.toml", "--extra", "server"],
    "kiosk": ["pyproject.toml", "--extra", "kiosk"],
    "kiosk-hardware": ["pyproject.toml", "--extra", "kiosk-hardware", "--group", "kiosk-hardware-build"],
    "dev": ["--group", "dev"],
    "build": ["--group", "build"],
    "node": ["--group", "node"],
}
OPTIONS = [
    "--quiet",
    "--universal",
    "--python-version=3.11",
    "--generate-hashes",
    "--no-emit-index-url",
    "--no-emit-find-links",
    "--custom-compile-command=make lock",
]
FORBIDDEN = {"gevent-websocket": "with it gunicorn's gevent worker answers 500 to every WebSocket"}
ADDRESS = re.compile(r"https?://|--(extra-)?index-url|--find-links", re.IGNORECASE)


def main(words: list[str]) -> int:
    """Make all locks, then look whether they keep what we promise of them."""
    done: list[str] = []
    for name, sources in LOCKS.items():
        lock_python(name, sources, done, words)
        done.append(name)
    lock_browser_parts(upgrade="--upgrade" in words)
    faults = [fault for path in (*lock_files(), ROOT / "package-lock.json") for fault in faults_of(path)]
    print("\n".join(faults) or f"{len(LOCKS)} Python locks and package-lock.json made")
    return 1 if faults else 0


def lock_files() -> list[Path]:
    """The Python locks, in the order in which they are made."""
    return [REQUIREMENTS / f"{name}.txt" for name in LOCKS]


def lock_python(name: str, sources: list[str], earlier: list[str], words: list[str]) -> None:
    """One lock; the versions it has already stay unless uv is told to upgrade."""
    constraints = [word for other in earlier for word in ("--constraints", f"requirements/{other}.txt")]
    output = ["--output-file", f"requirements/{name}.txt"]
    run([UV, "pip", "compile", *OPTIONS, *sources, *constraints, *words, *output])


def lock_browser_parts(*, upgrade: bool) -> None:
    """package-lock.json, without places to fetch from and without requests for money."""
    environment = node()
    with tempfile.TemporaryDirectory() as folder:
        for name in ("package.json", ".npmrc", *(() if upgrade else ("package-lock.json",))):
            if (ROOT / name).exists():
                (Path(folder) / name).write_bytes((ROOT / name).read_bytes())
        run(["npm", "install", "--package-lock-only", "--ignore-scripts"], cwd=Path(folder), env=environment)
        lock = json.loads((Path(folder) / "package-lock.json").read_text(encoding="utf-8"))
    for package in lock["packages"].values():
        package.pop("resolved", None)
        package.pop("funding", None)
    (ROOT / "package-lock.json").write_text(json.dumps(lock, indent=2) + "\n", encoding="utf-8")


def faults_of(path: Path) -> list[str]:
    """What a lock must not hold."""
    text = path.read_text(encoding="utf-8")
    lines = (line.strip() for line in text.splitlines() if ADDRESS.search(line))
    addresses = [f"{path.name} names an address: {line}" for line in lines]
    packages = [f"{path.name} holds {name}: {why}" for name, why in FORBIDDEN.items() if f"{name}==" in text]
    return addresses + packages


def run(command: list[str], *, cwd: Path = ROOT, env: dict[str, str] | None = None) -> None:
    """Run a program; its own words are the best account of what went wrong."""
    subprocess.run(command, cwd=cwd, env=env or dict(os.environ), check=True)


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except (SetupError, subprocess.CalledProcessError) as error:
        sys.exit(f"the locks could not be made: {error}")
