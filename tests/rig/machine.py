"""A machine at the entrance: Debian's kernel under QEMU, on this machine's own files, told what to do line by line."""

import contextlib
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

from tests.rig.kernel import ROOT, kernel_and_files, program

BOOT_S: Final = 240.0
ANSWER_S: Final = 240.0
MEMORY_MB: Final = 512
LINES: Final = ("world", "drivers")
_KERNEL_WORDS: Final = (
    "console=ttyS0 quiet loglevel=4 mitigations=off nokaslr tsc=reliable no_timer_check cryptomgr.notests "
    "random.trust_cpu=on audit=0 selinux=0 apparmor=0 rcupdate.rcu_expedited=1 panic=-1 rdinit=/init"
)


class GuestError(Exception):
    """What was asked of the guest failed there."""


class Line:
    """Asks one part of the guest, one thing at a time."""

    def __init__(self, path: Path) -> None:
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.settimeout(ANSWER_S)
        until = time.monotonic() + 30
        while True:
            try:
                self._socket.connect(str(path))
                break
            except OSError:
                if time.monotonic() > until:
                    raise
                time.sleep(0.02)
        self._answers = self._socket.makefile("rb")
        self.pid = 0

    def wait_until_here(self) -> None:
        """Until that part says that it is there. Raises TimeoutError or GuestError."""
        self.pid = self._next()["here"]

    def ask(self, do: str, /, **words: Any) -> Any:
        """The answer. Raises GuestError."""
        self._socket.sendall(json.dumps({"do": do, "with": words}).encode() + b"\n")
        answer = self._next()
        if "error" in answer:
            raise GuestError(f"{do}: {answer['error']}\n{answer['trace']}")
        return answer["result"]

    def close(self) -> None:
        """Hang up."""
        self._answers.close()
        self._socket.close()

    def _next(self) -> dict[str, Any]:
        said = self._answers.readline()
        if not said:
            raise GuestError("the guest has ended")
        answer: dict[str, Any] = json.loads(said)
        return answer


class Machine:
    """`with Machine() as machine:` – `world` is the hands at the machine, `drivers` our own drivers inside it."""

    world: Line
    drivers: Line

    def __init__(self) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="rig-"))
        self._qemu: subprocess.Popen[bytes] | None = None
        self._lines: list[Line] = []

    def __enter__(self) -> Self:
        """Boot. Raises RigMissing, or GuestError with what the machine said last."""
        try:
            self._boot()
        except BaseException as error:
            said = self._said()
            self.__exit__(None, None, None)
            if isinstance(error, OSError | GuestError):
                raise GuestError(f"the machine did not start: {error}\n{said}") from error
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Switch it off, as one pulls a plug: nothing in it is kept."""
        for line in self._lines:
            with contextlib.suppress(OSError):
                line.close()
        if self._qemu is not None:
            self._qemu.kill()
            self._qemu.wait()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _boot(self) -> None:
        with (self._folder / "qemu.log").open("wb") as log:
            self._qemu = subprocess.Popen(  # noqa: S603 - our own words
                self._command(), stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT
            )
        self._lines = [Line(self._folder / name) for name in LINES]
        self.world, self.drivers = self._lines
        self.world.wait_until_here()
        self.world.ask("start", words=[sys.executable, "-m", "tests.rig.guest.drivers"], port="drivers")
        self.drivers.wait_until_here()

    def _command(self) -> list[str]:
        vmlinux, initrd, extra = kernel_and_files()
        python = os.path.realpath(sys.executable)  # the agent needs nothing but Python itself
        command = [
            program("qemu-system-x86_64"),
            *("-M", "q35,usb=off,smbus=off,sata=off,vmport=off,hpet=off,i8042=off", "-cpu", "max"),
            # One processor, and a clock that counts what it did: a busy host holds up all of the guest at once, its
            # clock included, and never the reader alone.
            *("-accel", "tcg", "-smp", "1", "-icount", "shift=0,sleep=on", "-m", str(MEMORY_MB)),
            *("-nodefaults", "-no-user-config", "-display", "none", "-vga", "none", "-no-reboot"),
            *("-kernel", str(vmlinux), "-initrd", str(initrd)),
            *("-append", f"{_KERNEL_WORDS} rig.root={ROOT} rig.python={python}"),
            *("-serial", f"file:{self._folder}/console"),
            *("-netdev", "user,id=net", "-device", "virtio-net-pci,netdev=net"),
            *("-device", "virtio-serial-pci"),
        ]
        for folder, tag in (("/", "host"), (str(extra), "extra")):
            shared = f"local,path={folder},mount_tag={tag},security_model=none,readonly=on,multidevs=remap"
            command += ["-virtfs", shared]
        for name in LINES:
            command += ["-chardev", f"socket,id={name},path={self._folder}/{name},server=on,wait=off"]
            command += ["-device", f"virtserialport,chardev={name},name={name}"]
        return command

    def _said(self) -> str:
        files = (self._folder / "qemu.log", self._folder / "console")
        return "".join(path.read_text(errors="replace")[-3000:] for path in files if path.exists())
