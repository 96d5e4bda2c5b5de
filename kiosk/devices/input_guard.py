"""Keyboards and mice that somebody plugs in: told once each, and taken so that nothing they type reaches the panel."""

import logging
from collections.abc import Callable

from kiosk.devices.evdev_scanner import InputDevice, KernelDevice
from kiosk.devices.inputs import Input, inputs, strangers

log = logging.getLogger(__name__)


class InputGuard:
    """Holds what is not ours. A device counts from the second look on: links to a scanner come after the scanner."""

    def __init__(
        self,
        scanner_at: Callable[[], str | None],
        look_around: Callable[[], tuple[Input, ...]] = inputs,
        open_device: Callable[[str], InputDevice] = KernelDevice,
    ) -> None:
        self._scanner_at = scanner_at
        self._look_around = look_around
        self._open_device = open_device
        self._seen: set[Input] = set()
        self._held: dict[Input, InputDevice | None] = {}

    def look(self) -> tuple[Input, ...]:
        """The strangers that are new; from now on they are held, and those that went away are let go."""
        now = set(strangers(self._look_around(), self._scanner_at()))
        for gone in set(self._held) - now:
            self._let_go(gone)
        stayed, self._seen = now & self._seen, now
        new = tuple(one for one in stayed if one not in self._held)
        for one in stayed:
            if self._held.get(one) is None:
                self._held[one] = self._take(one)
        return new

    def close(self) -> None:
        """Let go of everything."""
        for one in tuple(self._held):
            self._let_go(one)

    def _take(self, one: Input) -> InputDevice | None:
        """The device, held; None when it may not be held yet: tried again with the next look."""
        device = None
        try:
            device = self._open_device(one.path)
            device.grab()
        except OSError as error:
            if device is not None:
                device.close()
            if one not in self._held:
                log.warning("%s (%s) cannot be held: %s", one.name, one.usb_id, error.strerror)
            return None
        log.warning("%s (%s) is none of ours: what it types is ignored", one.name, one.usb_id)
        return device

    def _let_go(self, one: Input) -> None:
        device = self._held.pop(one)
        if device is not None:
            device.close()
