"""Reads what llama-bench of llama.cpp writes with `--output jsonl` or `json`: one object for each test.

The keys are those of llama.cpp's tools/llama-bench/llama-bench.cpp, whose set grows. The few that tell of the test
itself must be there. All others say how it was set up, and are kept as options, known here or not.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from datetime import datetime, timezone
from pathlib import Path
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from edgeprof.errors import EdgeprofError

_MOST_BYTES = 16 << 20
_AS_JSONL = "write it with llama-bench --output jsonl"
_DERIVED = ("avg_", "stddev_", "samples_")

_Tokens = Annotated[int, Meta(ge=0, le=2**31 - 1)]
_Count = Annotated[int, Meta(ge=0, le=2**63 - 1)]
_DurationNs = Annotated[int, Meta(ge=1, le=10**15)]

# llama-bench's keys whose values mean the same under the names that edgeprof's engines give them.
_RENAMED = {
    "n_threads": "threads",
    "n_batch": "batch",
    "n_ubatch": "micro_batch",
    "n_gpu_layers": "gpu_layers",
    "n_cpu_moe": "cpu_moe_layers",
    "type_k": "cache_type_k",
    "type_v": "cache_type_v",
}
_FLASH_ATTENTION = {"-1": "auto", "0": "off", "1": "on", "false": "off", "true": "on"}


@dataclass(frozen=True, slots=True, kw_only=True)
class BenchSubject:
    """What was tested: a model, by a build of llama-bench, on a machine. ``model_size`` is in bytes."""

    build_commit: str
    build_number: int
    cpu_info: str
    gpu_info: str = ""
    backends: str = ""
    model_filename: str
    model_type: str
    model_size: _Count
    model_n_params: _Count


@dataclass(frozen=True, slots=True, kw_only=True)
class BenchTest:
    """One test: its sizes in tokens, the duration of each repetition, and the options, sorted by name."""

    subject: BenchSubject
    options: tuple[tuple[str, str], ...]
    prompt_tokens: int
    decode_tokens: int
    depth_tokens: int
    start_wall_ns: int
    durations_ns: tuple[int, ...]

    @property
    def is_combined(self) -> bool:
        """Whether it timed a prompt and the generation after it as one, as ``-pg`` asks for."""
        return bool(self.prompt_tokens and self.decode_tokens)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Timed:
    """The keys that tell of the test itself."""

    n_prompt: _Tokens
    n_gen: _Tokens
    n_depth: _Tokens = 0
    test_time: datetime
    samples_ns: Annotated[tuple[_DurationNs, ...], Meta(min_length=1)]


_TOLD = {field.name for kind in (BenchSubject, _Timed) for field in fields(kind)}


def read_llama_bench(path: Path) -> tuple[BenchTest, ...]:
    """Read all tests of a file, in its order.

    Raises:
        EdgeprofError: the file cannot be read, is no JSON, or holds something else than results of llama-bench.
    """
    tests = tuple(_test(row, f"{path}: result {number}") for number, row in enumerate(_rows(path), 1))
    if not tests:
        raise EdgeprofError(f"{path} holds no results: {_AS_JSONL}")
    return tests


def _rows(path: Path) -> Iterator[object]:
    content = _content(path).strip()
    if content.startswith(b"["):
        try:
            yield from msgspec.json.decode(content, type=list[object])
        except msgspec.DecodeError as error:
            raise EdgeprofError(f"{path} is cut short or no JSON ({error}): {_AS_JSONL}") from error
        return
    for number, line in enumerate(content.splitlines(), 1):
        if not line.strip():
            continue
        try:
            yield msgspec.json.decode(line)
        except msgspec.DecodeError as error:
            raise EdgeprofError(f"{path}: line {number} is no JSON: {_AS_JSONL}") from error


def _content(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            content = file.read(_MOST_BYTES + 1)
    except OSError as error:
        raise EdgeprofError(f"{path} cannot be read: {error.strerror}; give a file of llama-bench's results") from error
    if len(content) > _MOST_BYTES:
        raise EdgeprofError(f"{path} is larger than {_MOST_BYTES} bytes: give a file of llama-bench's results")
    return content


def _test(row: object, where: str) -> BenchTest:
    try:
        subject, timed = msgspec.convert(row, BenchSubject), msgspec.convert(row, _Timed)
    except msgspec.ValidationError as error:
        raise EdgeprofError(f"{where} is not llama-bench's: {error}; {_AS_JSONL}") from error
    assert isinstance(row, dict)
    if not timed.n_prompt and not timed.n_gen:
        raise EdgeprofError(f"{where} has neither prompt nor generation: leave it out")
    return BenchTest(
        subject=subject,
        options=tuple(sorted(_option(name, value) for name, value in _set_up(row).items())),
        prompt_tokens=timed.n_prompt,
        decode_tokens=timed.n_gen,
        depth_tokens=timed.n_depth,
        start_wall_ns=_nanoseconds(timed.test_time),
        durations_ns=timed.samples_ns,
    )


def _set_up(row: Mapping[str, Any]) -> dict[str, Any]:
    """The keys that say how a test was set up: all but the test's own and what is computed from its durations."""
    return {name: value for name, value in row.items() if name not in _TOLD and not name.startswith(_DERIVED)}


def _option(name: str, value: object) -> tuple[str, str]:
    text = value if isinstance(value, str) else msgspec.json.encode(value).decode()
    if name == "flash_attn" and text in _FLASH_ATTENTION:
        return "flash_attention", _FLASH_ATTENTION[text]
    return _RENAMED.get(name, name), text


def _nanoseconds(time: datetime) -> int:
    """Since 1970. llama-bench writes UTC, to the second."""
    return round((time if time.tzinfo else time.replace(tzinfo=timezone.utc)).timestamp()) * 10**9
