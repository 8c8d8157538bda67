"""Temperatures by IOKit's HID clients: what chips before macOS 14 tell that the controller does not."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from edgeprof_agent.sensors.apple.bindings import IO_HID_FUNCTIONS, IO_KIT
from edgeprof_agent.sensors.apple.c_library import load_library
from edgeprof_agent.sensors.apple.core_foundation import CoreFoundation, Reference

# kHIDPage_AppleVendor and kHIDUsage_AppleVendor_TemperatureSensor
_MATCHING = {"PrimaryUsagePage": 0xFF00, "PrimaryUsage": 5}
_TEMPERATURE = 15  # kIOHIDEventTypeTemperature; a field's number is that of its event, shifted by 16 bits


class HidTemperatures:
    """The temperature sensors that the HID event system knows."""

    def __init__(self, root: Path, core_foundation: CoreFoundation) -> None:
        """Connect to the event system.

        Raises:
            LibraryMissingError: this macOS has no such functions.
        """
        self._library = load_library(root, IO_KIT, IO_HID_FUNCTIONS)
        self._core_foundation = core_foundation
        self._client: Reference | None = self._library.IOHIDEventSystemClientCreate(None)
        if self._client is not None:
            with core_foundation.owned(core_foundation.new_numbers(_MATCHING)) as matching:
                self._library.IOHIDEventSystemClientSetMatching(self._client, matching)

    def read(self) -> list[tuple[str, float]]:
        """Return names and degrees Celsius of the sensors that answer."""
        core_foundation = self._core_foundation
        found = []
        with self._services() as services:
            for service in services:
                product = self._library.IOHIDServiceClientCopyProperty(service, core_foundation.key("Product"))
                with core_foundation.owned(product):
                    name = core_foundation.text(product)
                event = self._library.IOHIDServiceClientCopyEvent(service, _TEMPERATURE, 0, 0)
                with core_foundation.owned(event):
                    if name and event is not None:
                        found.append((name, self._library.IOHIDEventGetFloatValue(event, _TEMPERATURE << 16)))
        return found

    def close(self) -> None:
        """End the connection."""
        if self._client is not None:
            self._core_foundation.release(self._client)
            self._client = None

    @contextmanager
    def _services(self) -> Iterator[list[Reference]]:
        if self._client is None:
            yield []
            return
        with self._core_foundation.owned(self._library.IOHIDEventSystemClientCopyServices(self._client)) as services:
            yield self._core_foundation.items(services)
