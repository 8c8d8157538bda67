"""Ticks into frames, without the sampler's thread."""

import logging
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import pytest

from edgeprof.catalogue import METRICS
from edgeprof.metric import Tier
from edgeprof.telemetry import Reading, SampledBlock, SampledFrame, dequantise
from edgeprof_agent.sampling import panel
from edgeprof_agent.sampling.cadence import Due
from edgeprof_agent.sampling.recorder import Recorder
from edgeprof_agent.sensors.sensor import Sensor
from tests.agent.sampling.stand_ins import (
    MEMORY,
    POWER,
    SECOND_NS,
    TEMPERATURE,
    TOTAL,
    ScriptedSensor,
    WorkerSensor,
    WoundClock,
    constant,
    counting,
)

FAST = Due(True, False, False, 0, 0)
SLOW = Due(True, True, False, 0, 0)
FRAME = Due(True, False, True, 0, 0)


class Bench:
    """A recorder, its clock and its frames."""

    def __init__(self, sensors: Sequence[Sensor]) -> None:
        self.clock = WoundClock()
        self.frames: list[SampledFrame] = []
        self.recorder = Recorder(sensors, self.frames.append, self.clock)

    def tick(self, due: Due) -> None:
        self.recorder.tick(due, self.clock.monotonic_ns())
        self.clock.advance(0.1)

    def blocks(self) -> dict[tuple[str, ...], SampledBlock]:
        """The last frame's blocks by the names of their metrics, without the agent's own."""
        return {
            tuple(channel.metric for channel in block.channels if not is_own(channel.metric)): block
            for block in self.frames[-1].blocks
        }


@contextmanager
def bench_of(*sensors: Sensor) -> Iterator[Bench]:
    bench = Bench(sensors)
    bench.recorder.start()
    yield bench
    bench.recorder.stop()


def is_own(metric: str) -> bool:
    return metric.startswith(("edgeprof_sensor_", "edgeprof_sampler_", "edgeprof_agent_"))


def own(frame: SampledFrame, metric: str, sensor: str | None = None) -> list[float | None]:
    """The values of one of the agent's own channels."""
    for block in frame.blocks:
        for channel, column in zip(block.channels, block.columns, strict=True):
            if channel.metric == metric and dict(channel.labels).get("sensor") == sensor:
                return [None if steps is None else dequantise(steps, channel.resolution) for steps in column]
    return []


def test_a_block_per_tier() -> None:
    slow = ScriptedSensor(counting(TOTAL), "slow", Tier.SLOW)
    with bench_of(ScriptedSensor(counting(), "fast"), slow) as bench:
        for due in (SLOW, FAST, FAST, FRAME):
            bench.tick(due)
        blocks = bench.blocks()
    assert set(blocks) == {("edgeprof_memory_available_bytes",), ("edgeprof_memory_total_bytes",)}
    fast = blocks["edgeprof_memory_available_bytes",]
    assert fast.columns == ((1, 2, 3, 4),)
    assert [time_ns - 100 * SECOND_NS for time_ns in fast.times_monotonic_ns] == [0, 10**8, 2 * 10**8, 3 * 10**8]
    assert len(blocks["edgeprof_memory_total_bytes",].times_monotonic_ns) == 1


def test_the_frame_that_ends_with_a_tick_has_that_tick() -> None:
    with bench_of(ScriptedSensor(counting())) as bench:
        for due in (FAST, FRAME, FAST, FRAME):
            bench.tick(due)
    assert [frame.blocks[0].columns for frame in bench.frames] == [((1, 2),), ((3, 4),)]


def test_few_ticks_wait_for_the_next_frame_but_not_for_the_end() -> None:
    slow = ScriptedSensor(counting(TOTAL), "slow", Tier.SLOW)
    with bench_of(ScriptedSensor(counting(), "fast"), slow) as bench:
        bench.recorder.begin("run", block_ticks=2)
        for due in (SLOW, FRAME, SLOW, FRAME, SLOW, FRAME):
            bench.tick(due)
        bench.recorder.flush()
    ticks = [[len(block.times_monotonic_ns) for block in frame.blocks] for frame in bench.frames]
    assert ticks == [[2], [2, 2], [2], [1]]
    assert (1, 2) in bench.frames[1].blocks[1].columns
    assert bench.frames[1].blocks[1].times_monotonic_ns[0] < bench.frames[1].start_monotonic_ns


def test_beginning_a_run_closes_the_frame_before() -> None:
    with bench_of(ScriptedSensor(counting())) as bench:
        bench.tick(FAST)
        bench.recorder.begin("run")
        bench.tick(FRAME)
        bench.recorder.begin("")
        bench.tick(FAST)
    assert [frame.run_id for frame in bench.frames] == ["", "run", ""]
    assert bench.frames[0].end_monotonic_ns == bench.frames[1].start_monotonic_ns


def test_a_sensor_that_fails_leaves_the_others_alone() -> None:
    def fail() -> Sequence[Reading]:
        raise OSError("no")

    with bench_of(ScriptedSensor(fail, "broken"), ScriptedSensor(counting(), "sound")) as bench:
        for due in (SLOW, FAST, FRAME):
            bench.tick(due)
    assert bench.blocks()["edgeprof_memory_available_bytes",].columns == ((1, 2, 3),)
    assert own(bench.frames[0], "edgeprof_sensor_up_ratio", "broken") == [0.0]
    assert own(bench.frames[0], "edgeprof_sensor_up_ratio", "sound") == [1.0]
    assert own(bench.frames[0], "edgeprof_sensor_age_seconds", "broken") == []


def test_a_sensor_that_hangs_leaves_the_others_alone(caplog: pytest.LogCaptureFixture) -> None:
    entered, release = threading.Event(), threading.Event()

    def hang() -> Sequence[Reading]:
        entered.set()
        release.wait()
        return (Reading(POWER, 1.0),)

    hanging = WorkerSensor(hang, "hanging", worker="a")
    answered = threading.Event()

    def answer() -> Sequence[Reading]:
        answered.set()
        return (Reading(TEMPERATURE, 50.0),)

    sound = WorkerSensor(answer, "sound", worker="b")
    with bench_of(hanging, sound, ScriptedSensor(counting(), "inline")) as bench:
        bench.tick(SLOW)
        assert entered.wait(30)
        for _ in range(20):
            bench.tick(FAST)
        assert answered.wait(30)
        bench.clock.advance(1)
        bench.tick(SLOW)
        bench.recorder.flush()
        assert len(bench.blocks()["edgeprof_memory_available_bytes",].times_monotonic_ns) == 22
        assert own(bench.frames[0], "edgeprof_sensor_up_ratio", "hanging") == [None, 0.0]
        assert own(bench.frames[0], "edgeprof_sensor_up_ratio", "sound")[-1] == 1.0
        assert own(bench.frames[0], "edgeprof_sensor_age_seconds", "hanging") == []
        assert POWER not in bench.recorder.latest()
        assert MEMORY in bench.recorder.latest()
        release.set()


def test_a_sensor_that_hangs_does_not_stop_the_stop(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(panel, "_STOP_SECONDS", 0.01)
    entered, release = threading.Event(), threading.Event()

    def hang() -> Sequence[Reading]:
        entered.set()
        release.wait()
        return ()

    with bench_of(WorkerSensor(hang), ScriptedSensor(counting())) as bench:
        bench.tick(FAST)
        assert entered.wait(30)
    assert bench.blocks()["edgeprof_memory_available_bytes",].columns == ((1,),)
    release.set()


def test_workers_samples_have_times_of_their_own_within_their_frame() -> None:
    done = threading.Semaphore(0)

    def sample() -> Sequence[Reading]:
        done.release()
        return (Reading(POWER, 1.0),)

    with bench_of(WorkerSensor(sample), ScriptedSensor(counting(), "inline")) as bench:
        for _ in range(30):
            bench.tick(FRAME)
            assert done.acquire(timeout=30)
    samples = 0
    for frame in bench.frames:
        for block in frame.blocks:
            samples += len(block.times_monotonic_ns) if block.channels == (POWER,) else 0
            assert all(frame.start_monotonic_ns <= time <= frame.end_monotonic_ns for time in block.times_monotonic_ns)
    assert samples == 30


def test_a_busy_worker_is_not_asked_in_a_bunch() -> None:
    entered, release = threading.Semaphore(0), threading.Semaphore(0)

    def sample() -> Sequence[Reading]:
        entered.release()
        release.acquire()
        return (Reading(POWER, 1.0),)

    with bench_of(WorkerSensor(sample)) as bench:
        bench.tick(FAST)
        assert entered.acquire(timeout=30)
        for _ in range(50):
            bench.tick(FAST)
        release.release()
        assert entered.acquire(timeout=30)
        release.release()
        assert not entered.acquire(blocking=False)


def test_sensors_of_one_worker_never_overlap_and_close_on_its_thread() -> None:
    threads: list[str] = []
    sampled = threading.Semaphore(0)
    inside = threading.Lock()

    class Shy(WorkerSensor):
        def close(self) -> None:
            threads.append(threading.current_thread().name)

    def sample() -> Sequence[Reading]:
        assert inside.acquire(blocking=False)
        threads.append(threading.current_thread().name)
        inside.release()
        sampled.release()
        return (Reading(POWER, 1.0),)

    with bench_of(Shy(sample, "one", worker="driver"), Shy(sample, "two", Tier.SLOW, "driver")) as bench:
        for _ in range(10):
            bench.tick(SLOW)
            assert sampled.acquire(timeout=30)
            assert sampled.acquire(timeout=30)
    assert len(threads) == 22
    assert set(threads) == {"sensors-driver"}


def test_the_agents_own_channels_are_all_in_the_catalogue_and_slow() -> None:
    with bench_of(ScriptedSensor(counting())) as bench:
        bench.tick(SLOW)
        bench.recorder.tick(Due(True, True, True, 7_000_000, 3), bench.clock.monotonic_ns())
    (frame,) = bench.frames
    metrics = {channel.metric for block in frame.blocks for channel in block.channels if is_own(channel.metric)}
    assert metrics == {name for name in METRICS if is_own(name)}
    assert all(METRICS[metric].tier is Tier.SLOW for metric in metrics)
    assert own(frame, "edgeprof_sampler_lateness_seconds") == [0.0, 0.007]
    assert own(frame, "edgeprof_sampler_missed_ticks_total") == [0, 3]
    cpu_seconds, resident_bytes = (
        own(frame, metric)[-1] for metric in ("edgeprof_agent_cpu_seconds_total", "edgeprof_agent_resident_bytes")
    )
    assert cpu_seconds is not None
    assert cpu_seconds > 0
    assert resident_bytes is not None
    assert resident_bytes > 1e7


def test_the_largest_lateness_is_told_once() -> None:
    with bench_of(ScriptedSensor(counting())) as bench:
        for lateness_ns in (5_000_000, 9_000_000, 1_000_000):
            bench.recorder.tick(Due(True, False, False, lateness_ns, 0), bench.clock.monotonic_ns())
        bench.tick(SLOW)
        bench.tick(SLOW)
    assert own(bench.frames[0], "edgeprof_sampler_lateness_seconds") == [0.009, 0.0]


def test_the_age_of_a_sensor_that_stopped_grows() -> None:
    healthy = True

    def sample() -> Sequence[Reading]:
        if not healthy:
            raise OSError("gone")
        return (Reading(POWER, 1.0),)

    with bench_of(ScriptedSensor(sample)) as bench:
        bench.tick(SLOW)
        healthy = False
        bench.tick(SLOW)
        bench.clock.advance(0.4)
        bench.tick(SLOW)
    assert own(bench.frames[0], "edgeprof_sensor_age_seconds", "scripted") == [0.0, 0.1, 0.6]
    assert own(bench.frames[0], "edgeprof_sensor_up_ratio", "scripted") == [1.0, 0.0, 0.0]


def test_a_frame_that_nobody_could_take_is_reported_and_sampling_goes_on(caplog: pytest.LogCaptureFixture) -> None:
    def refuse(frame: SampledFrame) -> None:
        raise OSError("the disk is full")

    recorder = Recorder([ScriptedSensor(constant(POWER, 1.0))], refuse, WoundClock())
    recorder.start()
    with caplog.at_level(logging.ERROR):
        recorder.tick(FRAME, 0)
        recorder.tick(FRAME, 1)
        recorder.stop()
    assert [record.getMessage() for record in caplog.records] == ["a frame was lost"] * 2


def test_latest_values_are_those_of_the_last_tick() -> None:
    with bench_of(ScriptedSensor(counting()), ScriptedSensor(constant(TOTAL, 5.0), "slow", Tier.SLOW)) as bench:
        assert bench.recorder.latest() == {}
        bench.tick(FAST)
        bench.tick(FAST)
        assert bench.recorder.latest() == {MEMORY: 2 * 65536}
        bench.tick(SLOW)
        latest = bench.recorder.latest()
    assert latest[MEMORY] == 3 * 65536
    assert latest[TOTAL] == 5.0
    assert any(channel.metric == "edgeprof_agent_resident_bytes" for channel in latest)
