import ctypes

import pytest

from edgeprof_agent.ceilings.kernels import ABSENT, FILL, Kernel, copy_kernels, fill, read_kernels

SIZE = 1 << 20


@pytest.fixture
def memory() -> bytearray:
    return bytearray([FILL]) * SIZE


def address_of(memory: bytearray) -> int:
    return ctypes.addressof(ctypes.c_char.from_buffer(memory))


def named(kernels: tuple[Kernel, ...], name: str) -> Kernel:
    return next(kernel for kernel in kernels if kernel.name == name)


def test_filling_writes_every_byte(memory: bytearray) -> None:
    memory[:] = bytes(SIZE)
    fill(address_of(memory), SIZE)
    assert memory == bytes([FILL]) * SIZE


def test_searches_read_to_the_end_and_find_nothing(memory: bytearray) -> None:
    search = named(read_kernels(), "memchr")
    assert search.run(address_of(memory), SIZE) is None
    memory[-1] = ABSENT
    assert search.run(address_of(memory), SIZE) == address_of(memory) + SIZE - 1


def test_reading_kernels_change_nothing(memory: bytearray) -> None:
    for kernel in read_kernels():
        kernel.run(address_of(memory), SIZE)
    assert memory == bytes([FILL]) * SIZE


@pytest.mark.parametrize("kernel", [*read_kernels(), *copy_kernels()], ids=lambda kernel: kernel.name)
def test_bytes_moved_never_exceed_what_the_buffer_holds(kernel: Kernel) -> None:
    times_counted = 2 if kernel.name == "memmove" else 1
    assert 0.95 * SIZE < kernel.bytes_moved(SIZE) / times_counted <= SIZE


def test_memcpy_writes_one_half_and_counts_both(memory: bytearray) -> None:
    copy = named(copy_kernels(), "memcpy")
    half = copy.bytes_moved(SIZE) // 2
    memory[SIZE - half :] = b"x" * half
    copy.run(address_of(memory), SIZE)
    assert memory[:half] == b"x" * half
    assert memory[half] == FILL


def test_memmove_moves_the_buffer_by_a_page(memory: bytearray) -> None:
    memory[4096:] = b"x" * (SIZE - 4096)
    named(copy_kernels(), "memmove").run(address_of(memory), SIZE)
    assert memory == b"x" * SIZE
