"""Objects of CoreFoundation, and what is in them."""

import ctypes
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from edgeprof_agent.sensors.apple.bindings import (
    CORE_FOUNDATION,
    CORE_FOUNDATION_FUNCTIONS,
    ENCODING_UTF8,
    NUMBER_SINT32,
    NUMBER_SINT64,
)
from edgeprof_agent.sensors.apple.c_library import load_library

_LONGEST_TEXT = 512

Reference = int
"""The address of an object. It is checked to be of the kind that is asked for: another kind ends the process."""


class CoreFoundation:
    """Makes objects and reads them. An object of another kind than the one asked for counts as absent."""

    def __init__(self, root: Path) -> None:
        """Load the library.

        Raises:
            LibraryMissingError: this is no Mac.
        """
        self._library = load_library(root, CORE_FOUNDATION, CORE_FOUNDATION_FUNCTIONS)
        self._kinds = {
            kind: int(getattr(self._library, f"CF{kind}GetTypeID")())
            for kind in ("String", "Number", "Data", "Array", "Dictionary")
        }
        self._keys: dict[str, Reference] = {}

    def release(self, reference: Reference) -> None:
        """Let go of an object that was created or copied for the caller."""
        self._library.CFRelease(reference)

    @contextmanager
    def owned(self, reference: Reference | None) -> Iterator[Reference | None]:
        """Release an object at the end; ``None`` stays ``None``."""
        try:
            yield reference
        finally:
            if reference is not None:
                self.release(reference)

    def key(self, text: str) -> Reference:
        """Return a string that is kept: for the few that are asked for again and again."""
        if text not in self._keys:
            made = self._library.CFStringCreateWithCString(None, text.encode(), ENCODING_UTF8)
            if made is None:
                raise MemoryError(f"no CFString of {text}")
            self._keys[text] = made
        return self._keys[text]

    def close(self) -> None:
        """Release the strings that were kept. They are made anew if asked for again."""
        while self._keys:
            self.release(self._keys.popitem()[1])

    def text(self, reference: Reference | None) -> str | None:
        """Return a string's text; ``None`` of one beyond 511 bytes."""
        if not self._is(reference, "String"):
            return None
        buffer = ctypes.create_string_buffer(_LONGEST_TEXT)
        if not self._library.CFStringGetCString(reference, buffer, _LONGEST_TEXT, ENCODING_UTF8):
            return None
        return buffer.value.decode("utf-8", "replace")

    def integer(self, reference: Reference | None) -> int | None:
        """Return a number's value."""
        value = ctypes.c_int64()
        if not self._is(reference, "Number"):
            return None
        is_exact = self._library.CFNumberGetValue(reference, NUMBER_SINT64, ctypes.byref(value))
        return value.value if is_exact else None

    def content(self, reference: Reference | None) -> bytes | None:
        """Return the bytes of data."""
        if not self._is(reference, "Data"):
            return None
        address = self._library.CFDataGetBytePtr(reference)
        return ctypes.string_at(address, self._library.CFDataGetLength(reference)) if address else b""

    def unsigned_at(self, reference: Reference | None, offset: int) -> int | None:
        """Return the 64 bits at an offset of data as the machine orders them, without copying the rest."""
        if not self._is(reference, "Data") or self._library.CFDataGetLength(reference) < offset + 8:
            return None
        return ctypes.c_uint64.from_address(self._library.CFDataGetBytePtr(reference) + offset).value

    def items(self, reference: Reference | None) -> list[Reference]:
        """Return what an array holds, borrowed from it."""
        if not self._is(reference, "Array"):
            return []
        library = self._library
        return [
            item
            for index in range(library.CFArrayGetCount(reference))
            if (item := library.CFArrayGetValueAtIndex(reference, index)) is not None
        ]

    def value(self, reference: Reference | None, key: str) -> Reference | None:
        """Return what a dictionary holds under a key, borrowed from it."""
        if not self._is(reference, "Dictionary"):
            return None
        found: Reference | None = self._library.CFDictionaryGetValue(reference, self.key(key))
        return found

    def is_dictionary(self, reference: Reference | None) -> bool:
        """Tell whether it is one."""
        return self._is(reference, "Dictionary")

    def new_array(self, items: list[Reference]) -> Reference:
        """Create an array that holds these."""
        library = self._library
        callbacks = ctypes.c_char.in_dll(library, "kCFTypeArrayCallBacks")
        made: Reference = library.CFArrayCreateMutable(None, 0, ctypes.addressof(callbacks))
        for item in items:
            library.CFArrayAppendValue(made, item)
        return made

    def copy_with(self, dictionary: Reference, key: str, value: Reference) -> Reference:
        """Create a copy of a dictionary in which a key has this value."""
        copy: Reference = self._library.CFDictionaryCreateMutableCopy(None, 0, dictionary)
        self._library.CFDictionarySetValue(copy, self.key(key), value)
        return copy

    def new_numbers(self, numbers: dict[str, int]) -> Reference:
        """Create a dictionary of 32-bit numbers."""
        library = self._library
        callbacks = [
            ctypes.addressof(ctypes.c_char.in_dll(library, f"kCFTypeDictionary{part}CallBacks"))
            for part in ("Key", "Value")
        ]
        made: Reference = library.CFDictionaryCreateMutable(None, 0, *callbacks)
        for key, number in numbers.items():
            with self.owned(library.CFNumberCreate(None, NUMBER_SINT32, ctypes.byref(ctypes.c_int32(number)))) as value:
                library.CFDictionarySetValue(made, self.key(key), value)
        return made

    def _is(self, reference: Reference | None, kind: str) -> bool:
        return reference is not None and self._library.CFGetTypeID(reference) == self._kinds[kind]
