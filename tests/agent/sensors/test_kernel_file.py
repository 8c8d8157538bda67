from pathlib import Path

import pytest

from edgeprof_agent.sensors.kernel_file import KernelFile, bytes_behind, read_int, read_text, source_of


def open_descriptors() -> int:
    return len(list(Path("/dev/fd").iterdir()))


@pytest.mark.parametrize(
    ("content", "text"),
    [
        (b"k10temp\n", "k10temp"),
        (b"Raspberry Pi 5\0", "Raspberry Pi 5"),
        (b"brcm,a\0brcm,b\0", "brcm,a\0brcm,b"),
        (b"\0" * 4096, None),
        (b"", None),
        (b"\xff\n", "\ufffd"),
    ],
)
def test_text_is_stripped(tmp_path: Path, content: bytes, text: str | None) -> None:
    (tmp_path / "file").write_bytes(content)
    assert read_text(tmp_path / "file") == text


def test_what_cannot_be_read_is_none(tmp_path: Path) -> None:
    assert read_text(tmp_path / "missing") is None
    assert read_text(tmp_path) is None
    assert read_int(tmp_path / "missing") is None


@pytest.mark.parametrize(
    ("content", "number"),
    [(b"42\n", 42), (b"-256000\n", -256000), (b"7\n" + b"\0" * 100, 7), (b"\n", None), (b"unknown\n", None)],
)
def test_integers(tmp_path: Path, content: bytes, number: int | None) -> None:
    path = tmp_path / "file"
    path.write_bytes(content)
    assert read_int(path) == number
    file = KernelFile(path)
    assert file.read_int() == number
    file.close()


def test_an_open_file_shows_what_is_written_later(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text("1\n")
    file = KernelFile(path)
    assert file.read_int() == 1
    path.write_text("22\n")
    assert file.read_int() == 22
    file.close()


def test_a_file_that_comes_late_or_back_is_opened(tmp_path: Path) -> None:
    path = tmp_path / "file"
    file = KernelFile(path)
    assert file.read_int() is None
    with pytest.raises(FileNotFoundError):
        file.read()
    path.write_text("1\n")
    assert file.read_int() == 1
    file.close()
    path.write_text("2\n")
    assert file.read_int() == 2
    file.close()


def test_closing_leaves_no_descriptor_open(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text("1\n")
    before = open_descriptors()
    file = KernelFile(path)
    file.read()
    assert open_descriptors() == before + 1
    file.close()
    file.close()
    assert open_descriptors() == before


def test_a_long_list_is_read_to_its_end(tmp_path: Path) -> None:
    path = tmp_path / "file"
    content = b"".join(b"line %d\n" % number for number in range(20_000))
    path.write_bytes(content)
    file = KernelFile(path)
    assert file.read() == content[:65536]
    assert file.read_whole() == content
    file.close()


def test_sources_are_named_as_on_the_device(tmp_path: Path) -> None:
    assert source_of(tmp_path / "sys/class/x", tmp_path) == "/sys/class/x"


def test_sizes_are_found_by_their_keys() -> None:
    assert bytes_behind(b"SwapTotal:  2 kB\nMemTotal:  1 kB\n", b"MemTotal:") == 1024
    assert bytes_behind(b"MemTotal:  1 kB\n", b"SwapTotal:") is None
