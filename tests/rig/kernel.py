"""The guest's kernel and first file system, made once from Debian packages into build/rig.

The kernel is whatever `linux-image-amd64` is today where this machine fetches packages; `make clean` forgets it. There
is no guest disk: the guest runs on this machine's own files, so all that is made here is what the kernel needs to find
them.
"""

import fcntl
import hashlib
import importlib.util
import lzma
import shutil
import subprocess
import tempfile
import zlib
from pathlib import Path
from typing import Final

from scripts.setup import ADMIN_PATH, RIG_PROGRAMS, as_root

ROOT: Final = Path(__file__).resolve().parents[2]
CACHE: Final = ROOT / "build" / "rig"
INIT: Final = Path(__file__).parent / "guest" / "init"
# What is loaded together; each list is in the order in which its modules need each other.
MODULES: Final = {
    "base": ("virtio_pci", "9pnet_virtio", "9p", "overlay", "virtio_console", "evdev"),
    "usb": ("configfs", "libcomposite", "dummy_hcd", "usb_f_printer", "usb_f_hid", "usblp", "usbhid", "hid_generic"),
    "net": ("virtio_net",),
}
OPTIONS: Final = {"dummy_hcd.ko": " num=4"}  # four USB sockets


class RigMissing(Exception):
    """This machine lacks something that the rig is made of: what, and what to do."""


def program(name: str) -> str:
    """Where a program is. Raises RigMissing."""
    found = shutil.which(name, path=ADMIN_PATH)
    if found is None:
        raise RigMissing(f"{name} is missing; `make setup` brings Debian's package {RIG_PROGRAMS.get(name, name)}")
    return found


def kernel_and_files() -> tuple[Path, Path, Path]:
    """Kernel, first file system, and the folder with udev; made if they are not there. Raises RigMissing."""
    for name in RIG_PROGRAMS:
        program(name)
    if importlib.util.find_spec("evdev") is None:
        raise RigMissing("evdev is missing; `make setup` builds it where there is a C compiler")
    made_from = hashlib.sha256(Path(__file__).read_bytes() + INIT.read_bytes()).hexdigest()
    stamp = CACHE / "made-from"
    CACHE.mkdir(parents=True, exist_ok=True)
    with (CACHE / "lock").open("w") as gate:
        fcntl.flock(gate, fcntl.LOCK_EX)
        if not stamp.exists() or stamp.read_text() != made_from:
            _make()
            stamp.write_text(made_from)
    return CACHE / "vmlinux", CACHE / "initrd.cpio", CACHE / "extra"


def _make() -> None:
    with tempfile.TemporaryDirectory(dir=CACHE) as name:
        work = Path(name)
        _unpack(_image_package(), work / "kernel")
        _unpack("udev", work / "udev")
        modules = next((work / "kernel/lib/modules").iterdir())
        version = modules.name
        (CACHE / "vmlinux").write_bytes(_uncompressed((work / f"kernel/boot/vmlinuz-{version}").read_bytes()))
        _run(program("depmod"), "-b", str(work / "kernel"), version)
        _make_initrd(work, version)
        extra = CACHE / "extra"
        shutil.rmtree(extra, ignore_errors=True)
        # The host's /lib and /bin are links into /usr; a real folder of that name over them would hide them.
        (extra / "usr").mkdir(parents=True)
        for part in ("bin", "lib", "usr/bin", "usr/lib"):
            if (work / "udev" / part).is_dir():
                shutil.copytree(
                    work / "udev" / part, extra / "usr" / Path(part).name, symlinks=True, dirs_exist_ok=True
                )


def _make_initrd(work: Path, version: str) -> None:
    root = work / "initrd"
    for folder in ("bin", "mod", "proc", "sys", "dev", "host", "extra", "rw", "new"):
        (root / folder).mkdir(parents=True)
    shutil.copy(program("busybox"), root / "bin/busybox")
    shutil.copy(INIT, root / "init")
    (root / "init").chmod(0o755)
    for group, names in MODULES.items():
        files = [file for name in names for file in _needed(work / "kernel", version, name)]
        for file in files:
            _copy_module(file, root / "mod")
        order = dict.fromkeys(_module_name(file) for file in files)
        (root / "mod" / f"{group}.list").write_text("".join(f"{m}{OPTIONS.get(m, '')}\n" for m in order))
    listed = "\n".join(str(path.relative_to(root)) for path in sorted(root.rglob("*")))
    made = _run(program("cpio"), "-o", "-H", "newc", "--quiet", cwd=root, said=listed.encode())
    (CACHE / "initrd.cpio").write_bytes(made)


def _needed(kernel: Path, version: str, module: str) -> list[Path]:
    said = _run(program("modprobe"), "-d", str(kernel), "-S", version, "-D", module).decode()
    return [Path(line.split()[1]) for line in said.splitlines() if line.startswith("insmod")]


def _module_name(file: Path) -> str:
    return file.name.removesuffix(".xz").removesuffix(".zst")


def _copy_module(file: Path, folder: Path) -> None:
    data = file.read_bytes()
    (folder / _module_name(file)).write_bytes(lzma.decompress(data) if file.suffix == ".xz" else data)


def _image_package() -> str:
    """The package that `linux-image-amd64` stands for today."""
    said = _with_fresh_lists("apt-cache", "depends", "--important", "linux-image-amd64").decode()
    return next(line.split()[-1] for line in said.splitlines() if "Depends: linux-image" in line)


def _unpack(package: str, folder: Path) -> None:
    with tempfile.TemporaryDirectory(dir=CACHE) as name:
        _with_fresh_lists("apt-get", "-qq", "-o", "APT::Sandbox::User=root", "download", package, cwd=Path(name))
        _run("dpkg-deb", "-x", str(next(Path(name).glob("*.deb"))), str(folder))


def _with_fresh_lists(*words: str, cwd: Path | None = None) -> bytes:
    """Ask apt; where its lists are old or absent, once more with new ones."""
    try:
        return _run(*words, cwd=cwd)
    except RigMissing:
        if not (become_root := as_root()):
            raise
        _run(*become_root, "apt-get", "update")
        return _run(*words, cwd=cwd)


def _uncompressed(image: bytes) -> bytes:
    """The ELF file inside a bzImage: QEMU starts it as it is, and an emulated machine unpacks nothing."""
    for magic, unpack in ((b"\xfd7zXZ\0", _unxz), (b"\x1f\x8b\x08", _gunzip)):
        at = -1
        while (at := image.find(magic, at + 1)) >= 0:
            try:
                found = unpack(image[at:])
            except (lzma.LZMAError, zlib.error):
                continue
            if found.startswith(b"\x7fELF"):
                return found
    raise RigMissing("no kernel found in the package's image; its compression is one that we do not know")


def _unxz(data: bytes) -> bytes:
    return lzma.LZMADecompressor().decompress(data)  # what follows it in the image is passed over


def _gunzip(data: bytes) -> bytes:
    return zlib.decompressobj(31).decompress(data)


def _run(*words: str, cwd: Path | None = None, said: bytes | None = None) -> bytes:
    ended = subprocess.run(words, cwd=cwd, input=said, capture_output=True, check=False)  # noqa: S603 - our own words
    if ended.returncode != 0:
        raise RigMissing(f"`{' '.join(words)}` failed: {ended.stderr.decode(errors='replace').strip()[-500:]}")
    return ended.stdout
