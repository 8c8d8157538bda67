"""Tables of System Management BIOS, written as firmware writes them."""

import struct


def memory_device(
    *,
    device_locator: str = "",
    bank_locator: str = "",
    size_mb: int = 16384,
    kind: int = 0x1A,
    data_bits: int = 64,
    speed: int = 3200,
    configured: int = 3200,
    length: int = 0x28,
) -> bytes:
    """One structure of type 17 of SMBIOS 2.7 (DSP0134, 7.18), or of a shorter, older one."""
    strings = [text.encode() for text in (device_locator, bank_locator) if text]
    body = bytearray(0x28)
    struct.pack_into("<BBH", body, 0, 17, length, 0x1100)
    struct.pack_into("<HHH", body, 0x08, data_bits, data_bits, size_mb)
    body[0x10] = 1 if device_locator else 0
    body[0x11] = len(strings) if bank_locator else 0
    body[0x12] = kind
    struct.pack_into("<H", body, 0x15, speed)
    struct.pack_into("<H", body, 0x20, configured)
    return bytes(body[:length]) + b"\0".join(strings or [b""]) + b"\0\0"


def table(*structures: bytes) -> bytes:
    """A whole table: something else before, the structures, and the end."""
    bios = bytes([0, 0x12, 0, 0]) + bytes(0x0E) + b"Maker\x001.0\0\0"
    return bios + b"".join(structures) + bytes([127, 4, 0xFE, 0xFF]) + b"\0\0"
