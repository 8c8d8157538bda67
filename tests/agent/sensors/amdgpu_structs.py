"""Tables of AMD's firmware as C lays them out, to hold the parser's offsets against.

Fields in the order of the kernel's kgd_pp_interface.h; those that are not read are named for the room that they take.
"""

import ctypes
from collections.abc import Sequence

_TYPES = {1: ctypes.c_uint8, 2: ctypes.c_uint16, 4: ctypes.c_uint32, 8: ctypes.c_uint64}
_HEADER = "size:2 format:1 content:1"
_CLOCKS = "clocks:2*14"
_ACTIVITY = "gfx_busy:2 memory_busy:2"
_LINKS = "links:2*4 accumulated:4*2 pcie:8*5"
_LIMITS = "cycles:4 prochot:4 ppt:4 socket:4 regulator:4 memory:4 locks:4"
_APU_CLOCKS = "average:2*6 current:2*6 core_clocks:2*8 l3_clocks:2*2 status:4 fan:2"
_APU = f"temperatures:2*12 {_ACTIVITY.replace('memory_busy', 'video_busy')} time:8 powers:2*12 {_APU_CLOCKS} gap:2*3"

STRUCTS = {
    (1, 0): f"time:8 temperatures:2*6 {_ACTIVITY} video:2 power:2 joules:4 {_CLOCKS} status:4 fan:2 link:1*2",
    (1, 1): f"temperatures:2*6 {_ACTIVITY} video:2 power:2 joules:8 time:8 {_CLOCKS} status:4 fan:2 link:2*3 acc:4*2 "
    "hbm:2*4",
    (1, 4): f"temperatures:2*3 power:2 {_ACTIVITY} video:2*4 energy:8 time:8 status:4 locks:4 {_LINKS} xgmi:8*16 "
    "stamp:8 gfx:2*8 soc:2*4 v:2*4 d:2*4 u:2 gap:2",
    (
        1,
        5,
    ): f"temperatures:2*3 power:2 {_ACTIVITY} video:2*4 jpeg:2*32 energy:8 time:8 status:4 locks:4 {_LINKS} nak:4*2 "
    "xgmi:8*16 stamp:8 gfx:2*8 soc:2*4 v:2*4 d:2*4 u:2 gap:2",
    (1, 6): f"temperatures:2*3 power:2 {_ACTIVITY} energy:8 time:8 {_LIMITS} rest:4*300",
    (1, 7): f"temperatures:2*3 power:2 {_ACTIVITY} peak:8 energy:8 time:8 {_LIMITS} rest:4*300",
    (2, 2): f"{_APU} throttle:8",
    (2, 3): f"{_APU} throttle:8 averages:2*12",
    (2, 4): f"{_APU} throttle:8 averages:2*12 volts:2*3 amperes:2*3",
    (3, 0): "temperatures:2*19 gfx_busy:2 vcn:2 ipu:2*8 c0:2*16 dram_reads:2 dram_writes:2 ipu_traffic:2*2 time:8 "
    "socket_power:4 ipu_power:2 apu_power:4 gfx_power:4 dgpu_power:4 cores_power:4 core_powers:2*16 system:2 "
    "limits:2*2 average:2*8 core_clocks:2*16 highest:2*2 prochot:4 sustained:4 fast:4 slow:4 core:4 gfx:4 soc:4 "
    "filter:4",
}
STRUCTS[1, 2] = f"{STRUCTS[1, 1]} stamp:8"
STRUCTS[1, 3] = f"{STRUCTS[1, 2]} volts:2*3 gap:2 throttle:8"
STRUCTS[1, 8] = STRUCTS[1, 7]


def table(revision: tuple[int, int], **values: int) -> bytes:
    """Return a table of this revision with these fields; the bits of the others are all set."""
    kind = _structure(f"{_HEADER} {STRUCTS[revision]}".split())
    made = kind.from_buffer_copy(b"\xff" * ctypes.sizeof(kind))
    header = {"size": ctypes.sizeof(kind), "format": revision[0], "content": revision[1]}
    for name, value in {**header, **values}.items():
        assert hasattr(made, name), name
        setattr(made, name, value)
    return bytes(made)


def _structure(fields: Sequence[str]) -> type[ctypes.Structure]:
    class Table(ctypes.LittleEndianStructure):
        pass

    members: list[tuple[str, type]] = []
    for field in fields:
        name, _, kind = field.partition(":")
        size, _, count = kind.partition("*")
        one = _TYPES[int(size)]
        members.append((name, one * int(count) if count else one))
    Table._fields_ = members
    return Table
