"""The speed of a run's model, and what the next run on the device knows of it."""

from dataclasses import replace
from pathlib import Path

import pytest

from edgeprof_agent.models.planned import planned_facts
from edgeprof_agent.models.presets import parse_spec
from edgeprof_agent.models.speed import KV_ELEMENT_BYTES, Speed
from edgeprof_agent.workload.engine_messages import RequestTimes
from edgeprof_agent.workload.kept_speeds import SpeedMeter, keep_speed, kept_speed

MODEL = planned_facts(parse_spec("synth:llama-3.2-1b@q4_0"))
OTHER = planned_facts(parse_spec("synth:llama-3.2-1b@q8_0"))
SPEED = Speed(prefill_seconds_per_token=0.01, decode_seconds_per_token=0.1, context_seconds_per_token=1e-5)
MS = 1_000_000
PREFILL = RequestTimes(
    index=0,
    prompt_tokens=100,
    reused_tokens=0,
    depth_tokens=0,
    start_monotonic_ns=0,
    prefill_end_monotonic_ns=200 * MS,
    token_gaps_ns=(),
    token_counts=(),
    end_monotonic_ns=200 * MS,
)
DECODE = replace(
    PREFILL, prompt_tokens=0, depth_tokens=50, prefill_end_monotonic_ns=0, token_gaps_ns=(90 * MS, 40 * MS, 40 * MS)
)


def test_the_speed_is_that_of_prompts_and_of_tokens_after_the_first() -> None:
    meter = SpeedMeter(MODEL)
    meter.note([PREFILL])
    assert meter.speed is None
    meter.note([DECODE])
    assert meter.speed is not None
    assert meter.speed.prefill_seconds_per_token == pytest.approx(0.002)
    speed = meter.speed
    assert speed.decode_seconds_per_token + 51 * speed.context_seconds_per_token == pytest.approx(0.040)
    cache_bytes = MODEL.kv_elements_per_token * KV_ELEMENT_BYTES
    ratio = speed.context_seconds_per_token / speed.decode_seconds_per_token
    assert ratio == pytest.approx(cache_bytes / MODEL.weight_bytes_read_per_token)


def test_depths_that_lie_apart_tell_what_context_adds() -> None:
    meter = SpeedMeter(MODEL)
    meter.note([PREFILL])
    for depth, gap_ms in ((0, 40), (1000, 60), (2000, 80)):
        meter.note([replace(DECODE, depth_tokens=depth, token_gaps_ns=(90 * MS, gap_ms * MS, gap_ms * MS))])
    assert meter.speed is not None
    assert meter.speed.context_seconds_per_token == pytest.approx(2e-5)
    assert meter.speed.decode_seconds_per_token == pytest.approx(0.040 - 2e-5)


def test_depths_that_noise_has_turned_round_tell_nothing_of_context() -> None:
    meter = SpeedMeter(MODEL)
    meter.note([PREFILL])
    for depth, gap_ms in ((0, 60), (1000, 40)):
        meter.note([replace(DECODE, depth_tokens=depth, token_gaps_ns=(90 * MS, gap_ms * MS, gap_ms * MS))])
    assert meter.speed is not None
    assert meter.speed.context_seconds_per_token > 0


def test_what_is_reused_or_short_or_together_tells_nothing() -> None:
    meter = SpeedMeter(MODEL)
    meter.note([replace(PREFILL, reused_tokens=90)])
    meter.note([DECODE, replace(DECODE, index=1)])
    meter.note([replace(DECODE, token_counts=(8, 8, 8))])
    meter.note([DECODE])
    assert meter.speed is None


def test_a_speed_is_kept_by_engine_and_model(tmp_path: Path) -> None:
    assert kept_speed(tmp_path, "mlx", MODEL, {}) is None
    keep_speed(tmp_path, "mlx", MODEL, {}, SPEED)
    assert kept_speed(tmp_path, "mlx", MODEL, {}) == SPEED
    assert kept_speed(tmp_path, "llama-cpp-python", MODEL, {}) is None
    assert kept_speed(tmp_path, "mlx", OTHER, {}) is None


def test_options_that_have_not_run_are_taken_for_the_defaults(tmp_path: Path) -> None:
    slow = replace(SPEED, prefill_seconds_per_token=0.02)
    keep_speed(tmp_path, "mlx", MODEL, {"threads": "1", "batch": "8"}, slow)
    assert kept_speed(tmp_path, "mlx", MODEL, {"batch": "8", "threads": "1"}) == slow
    assert kept_speed(tmp_path, "mlx", MODEL, {"threads": "1"}) is None
    keep_speed(tmp_path, "mlx", MODEL, {}, SPEED)
    assert kept_speed(tmp_path, "mlx", MODEL, {"threads": "1"}) == SPEED
    assert kept_speed(tmp_path, "mlx", MODEL, {"threads": "1", "batch": "8"}) == slow


def test_the_latest_speeds_are_kept(tmp_path: Path) -> None:
    for number in range(250):
        keep_speed(tmp_path, f"engine-{number}", MODEL, {}, SPEED)
    keep_speed(tmp_path, "engine-100", MODEL, {}, replace(SPEED, prefill_seconds_per_token=0.5))
    assert kept_speed(tmp_path, "engine-0", MODEL, {}) is None
    assert kept_speed(tmp_path, "engine-249", MODEL, {}) == SPEED
    newest = kept_speed(tmp_path, "engine-100", MODEL, {})
    assert newest is not None
    assert newest.prefill_seconds_per_token == 0.5


def test_a_file_that_was_cut_off_is_begun_anew(tmp_path: Path) -> None:
    (tmp_path / "speeds.json").write_bytes(b'{"mlx')
    assert kept_speed(tmp_path, "mlx", MODEL, {}) is None
    keep_speed(tmp_path, "mlx", MODEL, {}, SPEED)
    assert kept_speed(tmp_path, "mlx", MODEL, {}) == SPEED
