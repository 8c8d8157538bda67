from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edgeprof_agent.sensors.perf_event import PerfEvent
from edgeprof_agent.sensors.perf_unit import (
    UnreadableEventError,
    counting_cpus,
    cpu_list,
    describe_event,
    encode_terms,
    event_bytes,
)

FORMATS = {"event": "config:0-7,32-35", "umask": "config:8-15", "inv": "config:23", "threshold": "config1:24-31"}


def write(folder: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(f"{text}\n")
    return folder


@pytest.mark.parametrize(
    ("terms", "fields"),
    [
        ("event=0x04,umask=0x03", {"config": 0x304}),
        ("event=0x04,umask=0x03,inv", {"config": 0x800304}),
        ("event=0x10a", {"config": 0x10000000A}),  # the high bits go into the second range
        ("event=10,threshold=0xff", {"config": 10, "config1": 0xFF000000}),
        ("umask=0", {"config": 0}),
        ("inv=,event=1", {"config": 0x800001}),
    ],
)
def test_terms_go_where_their_formats_say(terms: str, fields: dict[str, int]) -> None:
    assert encode_terms(terms, FORMATS) == fields


@pytest.mark.parametrize("terms", ["", "unknown=1", "event=-1", "event=0x1000", "umask=256", "event=x", "=1"])
def test_terms_that_do_not_fit_are_refused(terms: str) -> None:
    with pytest.raises(UnreadableEventError):
        encode_terms(terms, FORMATS)


def test_a_unit_describes_its_events(tmp_path: Path) -> None:
    unit = write(tmp_path, {"type": "24", "format/event": "config:0-7", "format/umask": "config:8-15"})
    assert describe_event(unit, "event=0x05,umask=0xcf") == PerfEvent(24, 0xCF05)
    with pytest.raises(UnreadableEventError):
        describe_event(unit, "event=0x05,../type=1")
    (unit / "type").unlink()
    with pytest.raises(UnreadableEventError):
        describe_event(unit, "event=0x05")


@pytest.mark.parametrize(
    ("scale", "unit", "size"),
    [
        ("6.103515625e-5", "MiB", 64),
        ("64", "Bytes", 64),
        ("2.3283064365386962890625e-10", "Joules", None),
        ("nan", "MiB", None),
        ("0", "MiB", None),
        ("-1", "MiB", None),
    ],
)
def test_what_a_count_means(scale: str, unit: str, size: float | None, tmp_path: Path) -> None:
    write(tmp_path, {"events/x.scale": scale, "events/x.unit": unit})
    assert event_bytes(tmp_path, "x") == size


@pytest.mark.parametrize(
    ("text", "cpus"),
    [("0", (0,)), ("0,48\n", (0, 48)), ("2-4,7", (2, 3, 4, 7)), ("", ()), ("4-2", ()), ("a", ()), ("0-99999", ())],
)
def test_lists_of_cpus(text: str, cpus: tuple[int, ...]) -> None:
    assert cpu_list(text) == cpus


def test_a_unit_that_names_no_cpu_cannot_count(tmp_path: Path) -> None:
    with pytest.raises(UnreadableEventError):
        counting_cpus(tmp_path)


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=30), st.text(max_size=20) | st.from_regex(r"config[0-9]?:[0-9,-]{0,8}", fullmatch=True))
def test_garbage_is_refused_or_makes_numbers_of_64_bits(terms: str, format_text: str) -> None:
    cpu_list(terms)
    for text in (terms, "event=3"):
        try:
            fields = encode_terms(text, {"event": format_text, "": format_text})
        except UnreadableEventError:
            continue
        assert all(0 <= value < 2**64 for value in fields.values())
