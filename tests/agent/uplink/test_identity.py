"""Who the device is, and which boot this is."""

import re
from pathlib import Path

import pytest

from edgeprof.errors import EdgeprofError
from edgeprof_agent.uplink.identity import boot_id, device_id

MACHINE_ID = "0123456789abcdef0123456789abcdef"


def root_with(folder: Path, name: str, content: str) -> Path:
    file = folder / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(content)
    return folder


def test_a_configured_identity_is_taken_as_it_is(tmp_path: Path) -> None:
    assert device_id("jetson-07", tmp_path, tmp_path / "state") == "jetson-07"
    assert not (tmp_path / "state").exists()


def test_the_machine_id_is_hashed_and_gives_the_same_identity_every_time(tmp_path: Path) -> None:
    root = root_with(tmp_path, "etc/machine-id", MACHINE_ID + "\n")
    identity = device_id("", root, tmp_path / "state")
    assert re.fullmatch("[0-9a-f]{32}", identity)
    assert identity != MACHINE_ID
    assert device_id("", root, tmp_path / "elsewhere") == identity
    other = root_with(tmp_path / "other", "etc/machine-id", MACHINE_ID[::-1])
    assert device_id("", other, tmp_path / "state") != identity


@pytest.mark.parametrize("content", [None, "", "uninitialized\n"])
def test_without_a_machine_id_a_random_identity_is_kept(tmp_path: Path, content: str | None) -> None:
    root = tmp_path if content is None else root_with(tmp_path, "etc/machine-id", content)
    identity = device_id("", root, tmp_path / "state")
    assert re.fullmatch("[0-9a-f]{32}", identity)
    assert device_id("", root, tmp_path / "state") == identity
    assert device_id("", root, tmp_path / "another") != identity


def test_an_identity_that_cannot_be_kept_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(EdgeprofError, match="device-id cannot be written"):
        device_id("", tmp_path, tmp_path / "file" / "state")


def test_the_boot_is_the_kernels(tmp_path: Path) -> None:
    text = "d5dd0937-2d4d-4a5e-90c5-2bd9a3ac0e27"
    root = root_with(tmp_path, "proc/sys/kernel/random/boot_id", text + "\n")
    assert boot_id(root) == bytes.fromhex(text.replace("-", ""))
    assert len(boot_id(Path("/"))) == 16


def test_a_boot_that_cannot_be_told_is_an_error(tmp_path: Path) -> None:
    root = root_with(tmp_path, "proc/sys/kernel/random/boot_id", "not a uuid")
    with pytest.raises(EdgeprofError, match="which boot this is"):
        boot_id(root)
