from pathlib import PurePosixPath

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edgeprof_agent.recording.masks import Masks

SECRETS = {"host": ["blue-heron", "blue-heron.lan"], "user": ["maurice"], "serial": ["PF3XK0Q1"]}


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("Linux blue-heron.lan 6.8", "Linux host-1 6.8"),
        ("/home/maurice/model.gguf", "/home/user-1/model.gguf"),
        ("/home/pi/model.gguf", "/home/user-1/model.gguf"),
        ("Serial\t\t: 10000000abcdef01\n", "Serial\t\t: serial-1\n"),
        (
            "    Serial Number                     : 1320123456789\n",
            "    Serial Number                     : serial-1\n",
        ),
        ("POWER_SUPPLY_SERIAL_NUMBER=77123\n", "POWER_SUPPLY_SERIAL_NUMBER=serial-1\n"),
        ("board PF3XK0Q1", "board serial-1"),
        ("GPU-5a1bc0de-1234-5678-9abc-def012345678", "GPU-00000000-0000-0000-0000-000000000001"),
        ("root=PARTUUID=1a2b3c4d-02 ro", "root=PARTUUID=serial-1 ro"),
        ("b08dfa6083e7567a1921a715000001fb", "00000000000000000000000000000001"),
        ("de:ad:be:ef:00:01 DE-AD-BE-EF-00-01", "02:00:00:00:00:01 02:00:00:00:00:01"),
        ("enxdeadbeef0001: 12", "enx020000000001: 12"),
        ("inet 10.11.12.13/24", "inet 192.0.2.1/24"),
        ("fe80::dcad:beff:feef:1 and 2001:470:1f0b::2", "2001:db8::1 and 2001:db8::2"),
    ],
)
def test_secrets_are_replaced_by_their_like(text: str, masked: str) -> None:
    assert Masks(SECRETS).text(text) == masked


@pytest.mark.parametrize(
    "text",
    [
        "0000:04:00.0",
        "12:34:56",
        "1.16.2-debian-1.16.2-1",
        "535.183.01",
        "6.6.51+rpt-rpi-2712",
        "nvidia,p3768-0000+p3767-0005\0nvidia,tegra234\0",
        "Serial\t\t: 0000000000000000\n",
        "Serial Number : N/A\n",
        "127.0.0.1 ::1",
        "enp3s0: 8812346702 6123456 0 0",
        "f3,00000fff",
        "blue-herons",
    ],
)
def test_what_is_no_secret_stays(text: str) -> None:
    assert Masks(SECRETS).text(text) == text


def test_one_secret_has_one_placeholder_and_another_has_another() -> None:
    masks = Masks({})
    masked = masks.text("aa:bb:cc:dd:ee:01 aa:bb:cc:dd:ee:02 aa-bb-cc-dd-ee-01")
    assert masked == "02:00:00:00:00:01 02:00:00:00:00:02 02:00:00:00:00:01"
    assert masks.counts == {"mac": 2}


@pytest.mark.parametrize(
    ("path", "content", "masked"),
    [
        ("sys/class/dmi/id/product_serial", b"4CE0\n", b"serial-1\n"),
        ("proc/device-tree/serial-number", b"1422919082257\0", b"serial-1\0"),
        ("etc/machine-id", b"short\n", b"serial-1\n"),
        ("proc/sys/kernel/hostname", b"pi\n", b"host-1\n"),
        ("sys/class/net/eth0/address", b"de:ad:be:ef:00:01\n", b"02:00:00:00:00:01\n"),
        ("sys/class/hwmon/hwmon0/name", b"k10temp\n", b"k10temp\n"),
        ("sys/class/dmi/id/chassis_serial", b"Default string\n", b"Default string\n"),
    ],
)
def test_files_that_hold_one_secret(path: str, content: bytes, masked: bytes) -> None:
    assert Masks({}).content(PurePosixPath(path), content) == masked


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=200))
def test_masking_twice_masks_no_more(content: bytes) -> None:
    masks = Masks(SECRETS)
    path = PurePosixPath("proc/cpuinfo")
    once = masks.content(path, content)
    assert masks.content(path, once) == once


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=100), st.binary(max_size=100))
def test_a_known_secret_never_remains_as_a_word(before: bytes, after: bytes) -> None:
    masks = Masks({"host": ["blue-heron"]})
    masked = masks.content(PurePosixPath("proc/version"), before + b" blue-heron " + after)
    assert b" blue-heron " not in masked


@pytest.mark.timeout(20)
def test_long_lines_take_no_longer_than_their_length() -> None:
    text = "intr " + "12 0 " * 100_000 + "a" * 100_000 + ":" * 100_000
    assert Masks(SECRETS).text(text) == text
