"""IOKit's registry: services of drivers and their properties. Everybody may read it."""

import ctypes
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from edgeprof_agent.sensors.apple.bindings import IO_KIT, IO_KIT_FUNCTIONS
from edgeprof_agent.sensors.apple.c_library import load_library
from edgeprof_agent.sensors.apple.core_foundation import CoreFoundation, Reference

_NAME_BYTES = 128  # io_name_t


class Service:
    """One entry of the registry, held until it is closed."""

    def __init__(self, registry: "IORegistry", port: int) -> None:
        self.port = port
        self._registry = registry

    @property
    def name(self) -> str:
        """The entry's name."""
        buffer = ctypes.create_string_buffer(_NAME_BYTES)
        failed = self._registry.library.IORegistryEntryGetName(self.port, buffer)
        return "" if failed else buffer.value.decode("utf-8", "replace")

    @contextmanager
    def property(self, key: str) -> Iterator[Reference | None]:
        """Give one property; ``None`` if there is none. One costs a hundredth of reading all."""
        core_foundation = self._registry.core_foundation
        found = self._registry.library.IORegistryEntryCreateCFProperty(self.port, core_foundation.key(key), None, 0)
        with core_foundation.owned(found) as reference:
            yield reference

    def integer(self, key: str) -> int | None:
        """Return a property that is a number."""
        with self.property(key) as reference:
            return self._registry.core_foundation.integer(reference)

    def content(self, key: str) -> bytes | None:
        """Return a property that is data."""
        with self.property(key) as reference:
            return self._registry.core_foundation.content(reference)

    def close(self) -> None:
        """Let go of the entry."""
        self._registry.library.IOObjectRelease(self.port)


class IORegistry:
    """The services of drivers."""

    def __init__(self, root: Path, core_foundation: CoreFoundation) -> None:
        """Load the library.

        Raises:
            LibraryMissingError: this is no Mac.
        """
        self.library = load_library(root, IO_KIT, IO_KIT_FUNCTIONS)
        self.core_foundation = core_foundation

    def services(self, kind: str) -> list[Service]:
        """Return the services of a class, each to be closed by the caller."""
        iterator = ctypes.c_uint32()
        # the call takes over the dictionary that IOServiceMatching has created
        matching = self.library.IOServiceMatching(kind.encode())
        if matching is None or self.library.IOServiceGetMatchingServices(0, matching, ctypes.byref(iterator)):
            return []
        try:
            return [Service(self, port) for port in iter(lambda: self.library.IOIteratorNext(iterator), 0)]
        finally:
            self.library.IOObjectRelease(iterator)

    @contextmanager
    def service(self, kind: str, name: str | None = None) -> Iterator[Service | None]:
        """Give the first service of a class, or the first of this name; ``None`` if there is none."""
        services = self.services(kind)
        try:
            yield next((service for service in services if name is None or service.name == name), None)
        finally:
            for service in services:
                service.close()

    def power_source(self) -> str | None:
        """Return what powers the Mac: ``AC Power``, ``Battery Power`` or ``UPS Power``."""
        with self.core_foundation.owned(self.library.IOPSCopyPowerSourcesInfo()) as info:
            if info is None:
                return None
            return self.core_foundation.text(self.library.IOPSGetProvidingPowerSourceType(info))
