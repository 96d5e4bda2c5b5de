"""Set the project up: `python3 scripts/setup.py serve|demo|test|all`, with nothing but the machine's own Python.

serve what a server in service needs and nothing else
demo  what `make demo` needs: server, kiosk, fonts and browser parts; no Debian packages, no compiler
test  also what checks and tests need: their Python packages, Chromium and PostgreSQL
all   also evdev, which only a kiosk with a real scanner uses, and QEMU for the tests on a real kernel (make test-rig)

Python packages come by hashed locks, browser parts by package-lock.json, from wherever this machine fetches
packages: no address is written here. What was done is remembered in .venv/setup.json by the hash of what it
was made from, so that a second run has nothing to do.
"""

from __future__ import annotations  # an older Python must come as far as the sentence that refuses it

import fcntl
import hashlib
import importlib.util
import json
import os
import shlex
import shutil
import subprocess
import sys
import sysconfig
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
STAMPS = VENV / "setup.json"
LEVELS = ("serve", "demo", "test", "all")
OLDEST_PYTHON = (3, 11)
OLDEST_NODE = 18  # the first whose npm keeps a lock without addresses
UV = str(VENV / "bin" / "uv")
UV_INSTALL = (UV, "pip", "install", "--quiet", "--python", str(PYTHON))
PIP = (str(PYTHON), "-m", "pip", "--disable-pip-version-check")
ONLY_HASHED = ("--no-deps", "--require-hashes")
NO_BUILDING = ("--only-binary", ":all:")  # a build would fetch its own tools, which no lock names
PLACES = (
    *("server/static/vendor", "display/static/vendor", "kiosk/screen/static/vendor"),
    *("server/fonts", "kiosk/fonts"),
)
INPUT_HEADER = Path("/usr/include/linux/input.h")
ADMIN_PATH = os.pathsep.join((os.environ.get("PATH", os.defpath), "/usr/sbin", "/sbin"))
RIG_PROGRAMS = {  # what tests/rig starts, and whose Debian packages they are
    "qemu-system-x86_64": "qemu-system-x86",
    "busybox": "busybox-static",
    "cpio": "cpio",
    "depmod": "kmod",
    "modprobe": "kmod",
}


class SetupError(Exception):
    """A step failed: what happened, to what, what to do next."""


class LeftOut(Exception):
    """A step cannot be done on this machine and nothing else needs it."""


@dataclass(frozen=True)
class Step:
    """One thing to do, unless it was done from the same files and its result still stands."""

    name: str
    act: Callable[[], None]
    made_from: tuple[str, ...] = ()
    stands: Callable[[], bool] = lambda: True

    def digest(self) -> str:
        """Hash of what the step is made from."""
        hashed = hashlib.sha256()
        for name in self.made_from:
            hashed.update(name.encode() + b"\0" + (ROOT / name).read_bytes() + b"\0")
        return hashed.hexdigest()


def main(words: list[str]) -> int:
    """Bring the checkout up to a level; 0 when it is there, 1 with a sentence when it is not."""
    if sys.version_info < OLDEST_PYTHON:
        return refuse(f"Python {sys.version.split()[0]} is too old; try: make setup PYTHON=python3.11")
    if len(words) != 1 or words[0] not in LEVELS:
        return refuse(f"say how far: python3 scripts/setup.py {'|'.join(LEVELS)}")
    began = time.monotonic()
    # Two set-ups at once would install into one environment; the second waits for the first.
    with (ROOT / "pyproject.toml").open("rb") as gate:
        fcntl.flock(gate, fcntl.LOCK_EX)
        try:
            done = [step.name for step in steps(words[0]) if perform(step)]
        except SetupError as error:
            return refuse(str(error))
    took = time.monotonic() - began
    print(f"set-up ({words[0]}): {'done' if done else 'nothing to do'}, {took:.1f} s", flush=True)
    return 0


def refuse(sentence: str) -> int:
    """Say on standard error why set-up stopped."""
    print(f"set-up stopped: {sentence}", file=sys.stderr)
    return 1


def steps(level: str) -> list[Step]:
    """What a level consists of, in order."""
    npm_files = ("package.json", "package-lock.json", ".npmrc")
    vendor_files = ("package-lock.json", "scripts/vendor.py")
    wanted = [
        Step("Python environment .venv", make_environment, (), PYTHON.exists),
        Step("build tools", install_build_tools, ("requirements/build.txt",), (VENV / "bin/uv").exists),
        packages("server"),
        *([] if level == "serve" else [packages("kiosk")]),
        Step("madoguchi itself", install_project, ("pyproject.toml",), (VENV / "bin/madoguchi").exists),
        Step("fonts and browser parts", fetch_browser_parts, npm_files, (ROOT / "node_modules").exists),
        Step("fonts and browser parts put in place", place_browser_parts, vendor_files, all_in_place),
    ]
    if level in ("test", "all"):
        debian = Step("Debian packages", install_debian_packages, (), lambda: not missing_programs())
        wanted += [packages("dev"), debian]
    if level == "all":
        wanted.append(Step("evdev, for a real scanner", install_evdev, ("requirements/kiosk-hardware.txt",)))
        wanted.append(Step("Debian packages of the rig", install_rig, (), lambda: not missing_for_rig()))
    return wanted


def packages(name: str) -> Step:
    """The step that installs one of the locks."""
    lock = f"requirements/{name}.txt"
    return Step(f"Python packages for {name}", lambda: install_lock(lock), (lock,))


def perform(step: Step) -> bool:
    """Do a step unless it is done; say in one line what was done and how long it took."""
    digest = step.digest()
    if stamps().get(step.name) == digest and step.stands():
        return False
    began = time.monotonic()
    try:
        step.act()
    except LeftOut as reason:
        print(f"  left out  {step.name}: {reason}", flush=True)
        return False
    STAMPS.write_text(json.dumps({**stamps(), step.name: digest}, indent=1), encoding="utf-8")
    print(f"  {time.monotonic() - began:6.1f} s  {step.name}", flush=True)
    return True


def stamps() -> dict[str, str]:
    """Digest of each step done so far; an environment made anew knows of none."""
    try:
        known: dict[str, str] = json.loads(STAMPS.read_text(encoding="utf-8"))
    except (FileNotFoundError, json.JSONDecodeError):
        return {}
    return known


def make_environment() -> None:
    """`.venv` with pip; one that works is left as it is, because other people may be using it."""
    if PYTHON.exists() and succeeds([*PIP, "--version"]):
        return
    if importlib.util.find_spec("ensurepip") is None:
        install_from_debian(["python3-venv"], "Python's venv module is missing")
    run([sys.executable, "-m", "venv", "--clear", str(VENV)], "look whether the disk is full or .venv in use")


def install_build_tools() -> None:
    """uv and hatchling, by pip: the only installer that every Python brings along."""
    pip_install("requirements/build.txt")


def install_lock(lock: str) -> None:
    """Exactly what a lock says, by uv; where uv cannot, by pip, which heeds the machine's pip settings."""
    if not succeeds([*UV_INSTALL, *ONLY_HASHED, *NO_BUILDING, "-r", lock]):
        print("         uv could not fetch them; pip tries, which takes longer", flush=True)
        pip_install(lock)


def pip_install(lock: str, *, building: tuple[str, ...] = NO_BUILDING) -> None:
    """Exactly what a lock says, by pip."""
    hint = "see that this machine's pip reaches its packages (python3 -m pip config list), then run it again"
    run([*PIP, "install", "-qq", *ONLY_HASHED, *building, "-r", lock], hint)


def install_project() -> None:
    """The checkout itself, so that `madoguchi` runs what is in it."""
    without_fetching = ["--offline", "--no-deps", "--no-build-isolation"]
    run([*UV_INSTALL, *without_fetching, "--editable", "."], "see what pyproject.toml lacks")


def fetch_browser_parts() -> None:
    """What package-lock.json names, into node_modules; Node comes from a wheel where the machine has none."""
    hint = "see that this machine's npm reaches its packages (npm config list), then run it again"
    run(["npm", "ci", "--ignore-scripts", "--no-progress"], hint, node())


def node() -> dict[str, str]:
    """An environment in which `npm` is found: the machine's own, or that of the locked wheel."""
    path = os.environ.get("PATH", "")
    if not usable_node(path):
        path = f"{VENV / 'bin'}{os.pathsep}{path}"
        if not usable_node(path):
            install_lock("requirements/node.txt")
    return {**os.environ, "PATH": path}


def usable_node(path: str) -> bool:
    """Are node and npm on this path, and new enough?"""
    found = shutil.which("node", path=path)
    if found is None or shutil.which("npm", path=path) is None:
        return False
    answer = subprocess.run([found, "--version"], capture_output=True, text=True).stdout
    major = answer.strip().removeprefix("v").split(".")[0]
    return major.isdigit() and int(major) >= OLDEST_NODE


def place_browser_parts() -> None:
    """From node_modules to where server, board, kiosk and slip look for them."""
    run([sys.executable, str(ROOT / "scripts" / "vendor.py")], "delete node_modules and run it again")


def all_in_place() -> bool:
    """Does every folder of fetched parts exist?"""
    return all((ROOT / place).is_dir() for place in PLACES)


def missing_programs() -> list[str]:
    """Debian packages of the programs that tests start and this machine lacks."""
    postgresql = shutil.which("initdb") or any(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    found = {"chromium": shutil.which("chromium"), "postgresql": postgresql}
    return [package for package, program in found.items() if not program]


def install_debian_packages() -> None:
    """Chromium, which the browser tests drive, and PostgreSQL, which the tests start for themselves."""
    if missing := missing_programs():
        install_from_debian(missing, f"the tests need {' and '.join(missing)}")


def missing_for_rig() -> list[str]:
    """Debian packages of the programs that start the rig's machine and this machine lacks."""
    lacking = [package for name, package in RIG_PROGRAMS.items() if not shutil.which(name, path=ADMIN_PATH)]
    return list(dict.fromkeys(lacking))


def install_rig() -> None:
    """QEMU and what puts a first file system together; the kernel itself is fetched by the first run."""
    if missing := missing_for_rig():
        install_from_debian(missing, f"the tests on a real kernel need {', '.join(missing)}")


def install_from_debian(names: list[str], why: str) -> None:
    """apt-get where we may; otherwise the line to type."""
    install = ["apt-get", "install", "--yes", "--no-install-recommends", *names]
    if shutil.which("apt-get") is None:
        raise SetupError(f"{why}, and there is no apt-get: install {', '.join(names)} by other means")
    if not (become_root := as_root()):
        raise SetupError(f"{why}. Type this, then run set-up again:\n  sudo {shlex.join(install)}")
    if not succeeds([*become_root, *install]):  # the lists may be old or absent
        run([*become_root, "apt-get", "update"], "see that this machine reaches its Debian mirror")
        run([*become_root, *install], "see what apt-get says above")


def as_root() -> list[str]:
    """The words before a command that make it run as root without asking; none when there are none."""
    quiet = ["env", "DEBIAN_FRONTEND=noninteractive"]
    if os.geteuid() == 0:
        return quiet
    sudo = shutil.which("sudo")
    if sudo and succeeds([sudo, "-n", "true"]):
        return [sudo, "-n", *quiet]
    return []


def install_evdev() -> None:
    """evdev has no wheels; building it needs setuptools, which its lock and the kiosk's name."""
    if lacking := lacking_for_evdev():
        raise LeftOut(
            f"this machine has no {' and no '.join(lacking)}. Only a kiosk with a real scanner needs it; "
            "for that: apt-get install gcc libc6-dev python3-dev, then run set-up again"
        )
    pip_install("requirements/kiosk-hardware.txt", building=("--no-build-isolation",))


def lacking_for_evdev() -> list[str]:
    """What of compiler and headers is not here."""
    compiler = (os.environ.get("CC") or str(sysconfig.get_config_var("CC") or "cc")).split()[0]
    headers = (Path(sysconfig.get_path("include")) / "Python.h", INPUT_HEADER)
    return [
        *(["C compiler"] if shutil.which(compiler) is None else []),
        *(str(header) for header in headers if not header.exists()),
    ]


def succeeds(command: list[str]) -> bool:
    """Run a program silently: did it end well?"""
    return subprocess.run(command, cwd=ROOT, capture_output=True).returncode == 0


def run(command: list[str], hint: str, environment: dict[str, str] | None = None) -> None:
    """Run a program silently; when it fails, show the end of what it said."""
    ended = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
    if ended.returncode != 0:
        said = "\n".join(f"  | {line}" for line in (ended.stdout + ended.stderr).splitlines()[-15:])
        raise SetupError(f"`{shlex.join(command)}` failed.\n{said}\n  What to do: {hint}.")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
