"""A USB printer through libusb: where the kernel's driver is missing, or the printer is of no class that it knows.

The interface stays ours between jobs; the kernel's driver gets it back when the kiosk ends.
"""

import contextlib
import errno
import logging
from typing import Any, Final

import usb.core
import usb.util

from kiosk.devices.ports import SILENT, PrinterStatus
from kiosk.devices.transport import PIECE, left
from kiosk.devices.transport_usblp import read_port_status

PRINTER_CLASS: Final = 7
_STATUS_MS: Final = 500
_GET_PORT_STATUS: Final = (0xA1, 1)

log = logging.getLogger(__name__)


class UsbTransport:
    """Finds a printer by vendor and product, and by serial number where there are two alike.

    `backend` is pyusb's; None takes the machine's libusb.
    """

    def __init__(self, vendor: int, product: int, serial: str = "", backend: Any = None) -> None:
        self._ids = {"idVendor": vendor, "idProduct": product}
        self._serial = serial
        self._backend = backend
        self._claimed: UsbConnection | None = None

    def open(self, until: float) -> "UsbConnection":  # noqa: ARG002 - opening does not wait
        """The printer that is ours already, or claim it. OSError when it is not there, not ours or in use."""
        if self._claimed is None or self._claimed.gone:
            self.close()
            self._claimed = self._claim()
        return self._claimed

    def close(self) -> None:
        """Give it back."""
        claimed, self._claimed = self._claimed, None
        if claimed is not None:
            claimed.release()

    def _claim(self) -> "UsbConnection":
        device = self._find()
        if device is None:
            raise OSError(errno.ENODEV, "no USB printer {idVendor:04x}:{idProduct:04x}".format(**self._ids))
        try:
            try:
                configuration = device.get_active_configuration()
            except usb.core.USBError:
                device.set_configuration()
                configuration = device.get_active_configuration()
            return UsbConnection(device, _printer_interface(configuration))
        except BaseException:
            usb.util.dispose_resources(device)
            raise

    def _find(self) -> Any:
        def is_it(device: Any) -> bool:
            return not self._serial or bool(device.serial_number == self._serial)

        try:
            return usb.core.find(custom_match=is_it, backend=self._backend, **self._ids)
        except usb.core.NoBackendError:
            raise OSError(errno.ENOSYS, "libusb is not installed (apt-get install libusb-1.0-0)") from None
        except ValueError as error:  # the serial number may not be read without permission
            raise OSError(errno.EACCES, f"the printer does not tell its serial number: {error}") from None


class UsbConnection:
    """A claimed interface. Endpoints are those that its descriptor names."""

    def __init__(self, device: Any, interface: Any) -> None:
        self.gone = False
        self._device = device
        self._number = interface.bInterfaceNumber
        self._is_printer = interface.bInterfaceClass == PRINTER_CLASS
        self._out, self._in = _bulk(interface, usb.util.ENDPOINT_OUT), _bulk(interface, usb.util.ENDPOINT_IN)
        self._took_over = False
        with contextlib.suppress(NotImplementedError):  # other systems have no such driver
            if device.is_kernel_driver_active(self._number):
                device.detach_kernel_driver(self._number)
                self._took_over = True
        try:
            usb.util.claim_interface(device, self._number)
        except usb.core.USBError:
            self._give_back()
            raise

    def write(self, data: memoryview, until: float) -> int:
        """A piece."""
        try:
            return int(self._device.write(self._out, bytes(data[:PIECE]), _ms(until)))
        except usb.core.USBTimeoutError:
            return 0
        except usb.core.USBError:
            self.gone = True
            raise

    def read(self, until: float) -> bytes:
        """An answer; nothing from a printer that has no way to give one."""
        if self._in is None:
            return b""
        try:
            return bytes(self._device.read(self._in, PIECE, _ms(until)))
        except usb.core.USBTimeoutError:
            return b""
        except usb.core.USBError:
            self.gone = True
            raise

    def flush(self, until: float) -> bool:  # noqa: ARG002 - others wait
        """What was written the printer has taken."""
        return True

    def said(self) -> PrinterStatus:
        """The port's status, as printers of the class have one."""
        if not self._is_printer:
            return SILENT
        try:
            return read_port_status(
                self._device.ctrl_transfer(*_GET_PORT_STATUS, 0, self._number, 1, timeout=_STATUS_MS)[0]
            )
        except (usb.core.USBError, IndexError):
            return SILENT

    def close(self) -> None:
        """It stays ours for the next job."""

    def release(self) -> None:
        """Give interface and driver back."""
        with contextlib.suppress(usb.core.USBError):
            usb.util.release_interface(self._device, self._number)
        self._give_back()

    def _give_back(self) -> None:
        if self._took_over:
            self._took_over = False
            try:
                self._device.attach_kernel_driver(self._number)
            except (usb.core.USBError, NotImplementedError) as error:
                log.warning("the kernel's printer driver is not back (%s); plug the printer in again for it", error)
        usb.util.dispose_resources(self._device)


def _printer_interface(configuration: Any) -> Any:
    """The interface of the printer class, else the first that takes data: some makers have a class of theirs."""
    takes = [interface for interface in configuration if _bulk(interface, usb.util.ENDPOINT_OUT) is not None]
    if not takes:
        raise OSError(errno.ENXIO, "the USB device has nothing to print to; look at vendor and product")
    return next((one for one in takes if one.bInterfaceClass == PRINTER_CLASS), takes[0])


def _bulk(interface: Any, direction: int) -> int | None:
    for endpoint in interface:
        address = endpoint.bEndpointAddress
        if (
            usb.util.endpoint_direction(address) == direction
            and usb.util.endpoint_type(endpoint.bmAttributes) == usb.util.ENDPOINT_TYPE_BULK
        ):
            return int(address)
    return None


def _ms(until: float) -> int:
    """For libusb 0 is for ever."""
    return max(1, round(left(until) * 1000))
