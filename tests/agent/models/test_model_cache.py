import hashlib
import os
import subprocess
import sys
from pathlib import Path

import pytest

from edgeprof.errors import EdgeprofError
from edgeprof_agent.models.hf_folder import FOLDER_FILES
from edgeprof_agent.models.model_cache import cached_model, refuse_without_room
from edgeprof_agent.models.presets import parse_spec

SPEC = parse_spec("synth:tiny@q4_0")
FOLDER_SPEC = parse_spec("synth:tiny-odd@mlx-q4")


def prepare(folder: Path) -> tuple[Path, list[float]]:
    """The path of the model, and the progress that was made: none when it was there."""
    ratios: list[float] = []
    path, found = cached_model(SPEC, folder, ratios.append)
    assert found.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    return path, ratios


def test_a_model_is_written_once(tmp_path: Path) -> None:
    path, first = prepare(tmp_path)
    assert path == tmp_path / "models" / "tiny@q4_0.gguf"
    assert first == sorted(first)
    assert first[-1] == 1.0
    inode = path.stat().st_ino
    assert prepare(tmp_path) == (path, [])
    assert path.stat().st_ino == inode


def test_nothing_unfinished_is_left(tmp_path: Path) -> None:
    path, _ = prepare(tmp_path)
    assert {file.name for file in path.parent.iterdir()} == {path.name, f"{path.name}.lock", f"{path.name}.v1.json"}


def damage_a_byte(path: Path) -> None:
    with path.open("r+b") as file:
        file.seek(-100, os.SEEK_END)
        byte = file.read(1)
        file.seek(-100, os.SEEK_END)
        file.write(bytes([byte[0] ^ 1]))
    os.utime(path, ns=(0, 0))  # whatever the clock's resolution: a write changes the time


def cut_short(path: Path) -> None:
    os.truncate(path, path.stat().st_size - 1)


@pytest.mark.parametrize("spoil", [damage_a_byte, cut_short, Path.unlink])
@pytest.mark.parametrize("name", FOLDER_FILES)
def test_a_folder_with_a_spoilt_file_is_written_again(tmp_path: Path, name: str, spoil) -> None:  # type: ignore[no-untyped-def] # pytest's parameter
    ratios: list[float] = []
    path, found = cached_model(FOLDER_SPEC, tmp_path, ratios.append)
    assert ratios == sorted(ratios)
    assert ratios[-1] == 1.0
    ratios.clear()
    assert cached_model(FOLDER_SPEC, tmp_path, ratios.append) == (path, found)
    assert ratios == []
    sound = {file.name: file.read_bytes() for file in path.iterdir()}
    assert set(sound) == set(FOLDER_FILES)
    spoil(path / name)
    again = cached_model(FOLDER_SPEC, tmp_path, ratios.append)[1]
    assert ratios[-1] == 1.0
    assert {file.name: file.read_bytes() for file in path.iterdir()} == sound
    assert again.sha256 == found.sha256
    assert not list(path.parent.glob("*.part"))


@pytest.mark.parametrize("spoil", [damage_a_byte, cut_short, Path.unlink])
def test_a_spoilt_model_is_written_again(tmp_path: Path, spoil) -> None:  # type: ignore[no-untyped-def] # pytest's parameter
    path, _ = prepare(tmp_path)
    sound = path.read_bytes()
    spoil(path)
    _, progress = prepare(tmp_path)
    assert progress[-1] == 1.0
    assert path.read_bytes() == sound


@pytest.mark.parametrize("content", [None, b"", b'{"file_bytes": 1'])
def test_a_model_without_its_record_is_written_again(tmp_path: Path, content: bytes | None) -> None:
    path, _ = prepare(tmp_path)
    record = path.with_name(f"{path.name}.v1.json")
    record.unlink()
    if content is not None:
        record.write_bytes(content)
    _, progress = prepare(tmp_path)
    assert progress[-1] == 1.0


def test_a_model_that_was_merely_touched_is_kept(tmp_path: Path) -> None:
    path, _ = prepare(tmp_path)
    inode = path.stat().st_ino
    os.utime(path, ns=(1, 1))
    prepare(tmp_path)
    assert path.stat().st_ino == inode
    assert prepare(tmp_path)[1] == []  # and not read again


def test_processes_that_ask_at_once_get_one_sound_model(tmp_path: Path) -> None:
    script = (
        "import sys; from pathlib import Path; from edgeprof_agent.models.presets import parse_spec;"
        "from edgeprof_agent.models.model_cache import cached_model;"
        "made = []; path, found = cached_model(parse_spec('synth:tiny@q4_0'), Path(sys.argv[1]), made.append);"
        "print(path.stat().st_ino, found.sha256, bool(made))"
    )
    processes = [
        subprocess.Popen([sys.executable, "-c", script, str(tmp_path)], stdout=subprocess.PIPE, text=True)
        for _ in range(4)
    ]
    outputs = [process.communicate()[0].split() for process in processes]
    assert [process.returncode for process in processes] == [0] * 4
    assert len({(inode, sha256) for inode, sha256, _ in outputs}) == 1
    assert sorted(made for *_, made in outputs) == ["False", "False", "False", "True"]


def test_a_disk_without_room_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    with pytest.raises(EdgeprofError) as caught:
        refuse_without_room(10**18, tmp_path, "synth:llama-3.1-8b@f16")
    assert str(caught.value).startswith("synth:llama-3.1-8b@f16 needs 1000000000.00 GB of disk, and ")
    assert "make room, or choose a smaller shape" in str(caught.value)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_disk_that_fills_up_meanwhile_leaves_nothing(tmp_path: Path) -> None:
    folder = tmp_path / "models"
    folder.mkdir()
    part = folder / "tiny@q4_0.gguf.part"
    part.symlink_to("/dev/full")
    with pytest.raises(EdgeprofError, match="the disk is full; make room, or choose a smaller shape"):
        cached_model(SPEC, tmp_path, lambda _: None)
    assert [file.name for file in folder.iterdir()] == ["tiny@q4_0.gguf.lock"]


def test_a_cache_that_is_no_folder_is_named(tmp_path: Path) -> None:
    (tmp_path / "models").write_text("in the way")
    with pytest.raises(EdgeprofError, match="models: the synthetic model cannot be written: File exists"):
        cached_model(SPEC, tmp_path, lambda _: None)
