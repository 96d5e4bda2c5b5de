"""The virtual printer behind every way that bytes can take: TCP, a terminal (serial, usblp), a USB bus.

Behind each it is the same machine with the same troubles; only the last piece of the way is another.
"""

import array
import contextlib
import errno
import os
import select
import socket
import threading
import time
import tty
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import usb.core
import usb.util
from PIL import Image
from usb.backend import IBackend

from kiosk.devices.transport import Transport
from kiosk.devices.transport_serial import SerialTransport
from kiosk.devices.transport_tcp import SEND_BUFFER, TcpTransport
from kiosk.devices.transport_usb import UsbTransport
from kiosk.devices.transport_usblp import UsblpTransport
from kiosk.devices.virtual_printer import VirtualPrinterServer
from kiosk.job import Job
from kiosk.printer_profile import PrinterProfile
from kiosk.printing import make_job

VENDOR, PRODUCT, SERIAL = 0x04B8, 0x0202, "SCRATCH1"


def wanted() -> bool:
    """Somebody stands there and waits for the paper."""
    return True


def job(profile: PrinterProfile, height: int = 900, uid: int = 1) -> Job:
    """A white slip, and a black bar that marks it void."""
    white = Image.new("1", (profile.width_dots, height), 1)
    return make_job(UUID(int=uid), white, Image.new("1", (profile.width_dots, 40), 0), profile)


@contextmanager
def tcp(server: VirtualPrinterServer, folder: Path) -> Iterator[Transport]:  # noqa: ARG001 - others need it
    """In the network."""
    yield TcpTransport("127.0.0.1", server.port)


@contextmanager
def serial(server: VirtualPrinterServer, folder: Path) -> Iterator[Transport]:
    """On a serial port: a terminal is one without the wire."""
    with _terminal(server, folder) as path:
        yield SerialTransport(path, "115200", "none")


@contextmanager
def usblp(server: VirtualPrinterServer, folder: Path) -> Iterator[Transport]:
    """Behind a device file. A terminal's differs from the printer driver's by the port's status, which it lacks."""
    with _terminal(server, folder) as path:
        yield UsblpTransport(path)


@contextmanager
def usb_bus(server: VirtualPrinterServer, folder: Path) -> Iterator[Transport]:  # noqa: ARG001 - others need it
    """On a USB bus."""
    bus = Bus(server.port)
    with contextlib.closing(UsbTransport(VENDOR, PRODUCT, backend=bus)) as transport:
        yield transport


WAYS = {"network": tcp, "serial": serial, "usblp": usblp, "usb": usb_bus}


@contextmanager
def _terminal(server: VirtualPrinterServer, folder: Path) -> Iterator[Path]:
    """A device file; what is written there reaches the printer, what it answers can be read there."""
    ours, theirs = os.openpty()
    tty.setraw(theirs)
    path = folder / "lp0"
    path.symlink_to(os.ttyname(theirs))
    over = threading.Event()
    with socket.create_connection(("127.0.0.1", server.port)) as printer:
        printer.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER)
        thread = threading.Thread(target=_carry, args=(ours, printer, over), daemon=True)
        thread.start()
        try:
            yield path
        finally:
            over.set()
            thread.join(timeout=5)
            os.close(theirs)


def _carry(terminal: int, printer: socket.socket, over: threading.Event) -> None:
    """Until the end, or until the printer is gone: then so is the other end of the terminal."""
    printer.settimeout(0.02)
    try:
        while not over.is_set():
            readable = select.select([terminal, printer.fileno()], [], [], 0.02)[0]
            if printer.fileno() in readable:
                os.write(terminal, printer.recv(4096) or _gone())
            data = memoryview(os.read(terminal, 4096) if terminal in readable else b"")
            while data and not over.is_set():
                with contextlib.suppress(TimeoutError):
                    data = data[printer.send(data) :]
    except OSError:
        pass
    finally:
        os.close(terminal)


def _only(endpoint: int, right: int) -> None:
    if endpoint != right:
        raise usb.core.USBError("Entity not found", errno=errno.ENOENT)


def _gone() -> bytes:
    raise ConnectionResetError("the printer is gone")


class Bus(IBackend):  # type: ignore[misc]  # pyusb has no types
    """A USB bus with one printer on it, where libusb has the machine's: pyusb itself is the real one.

    The interface is claimed only where the kernel's driver has let go, transfers need a claimed interface and end
    at their time, as libusb's do.
    """

    def __init__(
        self,
        port: int,
        *,
        plugged: bool = True,
        interface_class: int = 7,
        endpoints: tuple[tuple[int, int], ...] = ((0x81, 2), (0x02, 2)),
        port_status: int = 0x18,
        gives_back: bool = True,
        refuses_to_claim: bool = False,
    ) -> None:
        self._port = port
        self._printer: socket.socket | None = None
        self._interface_class, self._endpoints = interface_class, endpoints
        self._port_status = port_status
        self._gives_back, self._refuses_to_claim = gives_back, refuses_to_claim
        self.plugged = plugged
        self.kernel_driver = True

    def enumerate_devices(self) -> list[str]:
        return ["printer"] if self.plugged else []

    def get_device_descriptor(self, _dev: str) -> SimpleNamespace:
        return SimpleNamespace(
            bLength=18,
            bDescriptorType=1,
            bcdUSB=0x200,
            bDeviceClass=0,
            bDeviceSubClass=0,
            bDeviceProtocol=0,
            bMaxPacketSize0=64,
            idVendor=VENDOR,
            idProduct=PRODUCT,
            bcdDevice=0x100,
            iManufacturer=1,
            iProduct=2,
            iSerialNumber=3,
            bNumConfigurations=1,
            address=2,
            bus=1,
            port_number=1,
            port_numbers=(1,),
            speed=3,
        )

    def get_configuration_descriptor(self, _dev: str, config: int) -> SimpleNamespace:
        if config:
            raise IndexError
        return SimpleNamespace(
            bLength=9,
            bDescriptorType=2,
            wTotalLength=32,
            bNumInterfaces=2,
            bConfigurationValue=1,
            iConfiguration=0,
            bmAttributes=0xC0,
            bMaxPower=1,
            extra_descriptors=[],
        )

    def get_interface_descriptor(self, _dev: str, intf: int, alt: int, _config: int) -> SimpleNamespace:
        """The first is not to be printed to: some printers have a storage or a hub's panel there."""
        if intf > 1 or alt:
            raise IndexError
        return SimpleNamespace(
            bLength=9,
            bDescriptorType=4,
            bInterfaceNumber=intf,
            bAlternateSetting=0,
            bNumEndpoints=len(self._endpoints) if intf else 0,
            bInterfaceClass=self._interface_class if intf else 3,
            bInterfaceSubClass=1,
            bInterfaceProtocol=2,
            iInterface=0,
            extra_descriptors=[],
        )

    def get_endpoint_descriptor(self, _dev: str, ep: int, _intf: int, _alt: int, _config: int) -> SimpleNamespace:
        address, kind = self._endpoints[ep]
        return SimpleNamespace(
            bLength=7,
            bDescriptorType=5,
            bEndpointAddress=address,
            bmAttributes=kind,
            wMaxPacketSize=512,
            bInterval=0,
            bRefresh=0,
            bSynchAddress=0,
            extra_descriptors=[],
        )

    def open_device(self, _dev: str) -> str:
        self._there()
        return "handle"

    def close_device(self, _handle: str) -> None:
        self._hang_up()

    def get_configuration(self, _handle: str) -> int:
        return 1

    def is_kernel_driver_active(self, _handle: str, _intf: int) -> bool:
        return self.kernel_driver

    def detach_kernel_driver(self, _handle: str, _intf: int) -> None:
        self.kernel_driver = False

    def attach_kernel_driver(self, _handle: str, _intf: int) -> None:
        if not self._gives_back:
            raise usb.core.USBError("Resource busy", errno=errno.EBUSY)
        self.kernel_driver = True

    def claim_interface(self, _handle: str, intf: int) -> None:
        if self.kernel_driver or self._refuses_to_claim or intf != 1:
            raise usb.core.USBError("Resource busy", errno=errno.EBUSY)
        self._printer = socket.create_connection(("127.0.0.1", self._port))
        self._printer.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER)

    def release_interface(self, _handle: str, _intf: int) -> None:
        self._hang_up()

    def bulk_write(self, _handle: str, ep: int, _intf: int, data: "array.array[int]", timeout: int) -> int:
        _only(ep, 0x02)
        with self._transfer(timeout) as printer:
            return printer.send(data.tobytes())

    def bulk_read(self, _handle: str, ep: int, _intf: int, buff: "array.array[int]", timeout: int) -> int:
        _only(ep, 0x81)
        with self._transfer(timeout) as printer:
            received = printer.recv(len(buff)) or _gone()
        buff[: len(received)] = array.array("B", received)
        return len(received)

    def ctrl_transfer(
        self, _handle: str, kind: int, request: int, value: int, index: int, data: "array.array[int]", _timeout: int
    ) -> int:
        """Class request 1 is the port's status; 6 asks for a descriptor, here the text of the serial number."""
        self._there()
        if (kind, request, value, index) == (0xA1, 1, 0, 1):
            data[0] = self._port_status
            return 1
        text = "\u0409" if value == 0x300 else SERIAL
        raw = text.encode("utf-16-le")
        answer = bytes((len(raw) + 2, 3)) + raw
        answer = answer[: len(data)]
        data[: len(answer)] = array.array("B", answer)
        return len(answer)

    def _there(self) -> None:
        if not self.plugged:
            raise usb.core.USBError("No such device (it may have been disconnected)", errno=errno.ENODEV)

    @contextmanager
    def _transfer(self, timeout: int) -> Iterator[socket.socket]:
        self._there()
        if self._printer is None or timeout <= 0:
            raise ValueError("an interface that is not claimed, or a transfer without end")
        self._printer.settimeout(timeout / 1000)
        try:
            yield self._printer
        except TimeoutError:
            raise usb.core.USBTimeoutError("Operation timed out", errno=errno.ETIMEDOUT) from None
        except OSError:
            self.plugged = False
            self._there()

    def _hang_up(self) -> None:
        printer, self._printer = self._printer, None
        if printer is not None:
            printer.close()


def wait_for(what: Callable[[], Any], seconds: float = 5.0) -> None:
    """Until it is so. AssertionError when it does not come to pass."""
    until = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < until, "it did not come to pass"
        time.sleep(0.005)
