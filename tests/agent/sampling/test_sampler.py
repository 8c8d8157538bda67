"""The sampler's thread, on a clock that is wound by hand."""

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from edgeprof.telemetry import Reading, SampledFrame
from edgeprof_agent.sampling.cadence import IDLE, Cadence, run_cadence
from edgeprof_agent.sampling.sampler import Sampler
from edgeprof_agent.sensors.registry import discover_sensors
from edgeprof_agent.sensors.sensor import Sensor
from tests.agent.sampling.stand_ins import MEMORY, POWER, TOTAL, FollowingSensor, ScriptedSensor, WoundClock, counting


class Bench:
    def __init__(self, sensors: Sequence[Sensor], cadence: Cadence) -> None:
        self.clock = WoundClock()
        self.frames: list[SampledFrame] = []
        self.sampler = Sampler(sensors, self.frames.append, cadence, self.clock)

    def pass_time(self, seconds: float, step_seconds: float) -> None:
        for _ in range(round(seconds / step_seconds)):
            self.clock.advance(step_seconds)
            self.clock.settle()

    def ticks(self) -> list[tuple[str, int]]:
        """Each frame's run and how often it has sampled."""
        return [(frame.run_id, len(frame.blocks[0].times_monotonic_ns)) for frame in self.frames]


@contextmanager
def started(*sensors: Sensor, cadence: Cadence = IDLE) -> Iterator[Bench]:
    bench = Bench(sensors, cadence)
    bench.sampler.start()
    bench.clock.settle()
    yield bench
    bench.sampler.stop()


def test_idle_samples_once_a_second_and_closes_a_frame_every_ten() -> None:
    with started(ScriptedSensor(counting())) as bench:
        bench.pass_time(20, step_seconds=1)
        assert bench.ticks() == [("", 11), ("", 10)]
    assert len(bench.frames) == 2  # nothing was sampled after the second


def test_a_run_is_sampled_ten_times_a_second_in_frames_of_two_seconds() -> None:
    with started(ScriptedSensor(counting())) as bench:
        bench.pass_time(3, step_seconds=1)
        bench.sampler.set_cadence(run_cadence("run"))
        bench.clock.settle()
        bench.pass_time(4, step_seconds=0.1)
        bench.sampler.set_cadence(IDLE)
        bench.clock.settle()
        assert bench.ticks()[:3] == [("", 4), ("run", 21), ("run", 20)]
        bench.pass_time(10, step_seconds=1)
        assert bench.ticks()[3:] == [("", 11)]


def test_the_last_frame_is_handed_over_at_the_stop() -> None:
    with started(ScriptedSensor(counting()), cadence=run_cadence("run")) as bench:
        bench.pass_time(0.5, step_seconds=0.1)
    assert bench.ticks() == [("run", 6)]


def test_flush_returns_when_the_frame_has_been_handed_over() -> None:
    with started(ScriptedSensor(counting())) as bench:
        bench.sampler.flush()
        assert bench.ticks() == [("", 1)]
        bench.sampler.flush()
        assert len(bench.frames) == 1
    bench.sampler.flush()  # there is no thread any more, and nothing to hand over


def test_ticks_that_were_missed_are_left_out_and_counted() -> None:
    with started(ScriptedSensor(counting()), cadence=run_cadence("run")) as bench:
        bench.pass_time(0.85, step_seconds=0.85)
        bench.pass_time(0.15, step_seconds=0.15)
        bench.sampler.flush()
        latest = {channel.metric: value for channel, value in bench.sampler.latest().items()}
    assert bench.ticks() == [("run", 3)]
    assert latest["edgeprof_sampler_missed_ticks_total"] == 8  # those at 0.1 to 0.7 s, and at 0.9 s
    assert latest["edgeprof_sampler_lateness_seconds"] == 0.75


def test_the_process_is_followed_on_the_samplers_thread_from_the_next_tick_on() -> None:
    sensor = FollowingSensor()
    with started(sensor) as bench:
        bench.sampler.follow_process(7)
        assert sensor.pid is None
        bench.pass_time(1, step_seconds=1)
        assert bench.sampler.latest()[MEMORY] == 7 * 65536
        bench.sampler.follow_process(None)
        bench.pass_time(1, step_seconds=1)
        assert MEMORY not in bench.sampler.latest()
    assert sensor.closed
    assert sensor.threads == {"sampler"}


def test_frames_are_handed_over_on_the_samplers_thread() -> None:
    threads = []
    clock = WoundClock()
    sampler = Sampler(
        [ScriptedSensor(counting())], lambda _: threads.append(threading.current_thread().name), IDLE, clock
    )
    sampler.start()
    clock.settle()
    sampler.stop()
    assert threads == ["sampler"]


def test_many_threads_may_speak_to_the_sampler_at_once() -> None:
    frames: list[SampledFrame] = []
    sampler = Sampler([ScriptedSensor(counting(TOTAL)), FollowingSensor()], frames.append)
    sampler.start()
    errors: list[BaseException] = []

    def pester(number: int) -> None:
        try:
            for turn in range(50):
                sampler.set_cadence(run_cadence(f"{number}-{turn}", fast_hertz=100))
                sampler.follow_process(number)
                sampler.latest()
                sampler.flush()
        except BaseException as error:  # noqa: BLE001  told to the thread that asserts
            errors.append(error)

    threads = [threading.Thread(target=pester, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    sampler.stop()
    assert errors == []
    assert {frame.run_id for frame in frames} <= {
        "",
        *(f"{number}-{turn}" for number in range(4) for turn in range(50)),
    }
    values = [steps for frame in frames for block in frame.blocks for steps in column_of(block.channels, block.columns)]
    assert values == list(range(1, len(values) + 1))  # none lost, none twice, in order
    ends = [0, *(frame.end_monotonic_ns for frame in frames)]
    assert all(frame.start_monotonic_ns >= end for frame, end in zip(frames, ends, strict=False))


def column_of(channels: Sequence[object], columns: Sequence[Sequence[int | None]]) -> Sequence[int | None]:
    return columns[channels.index(TOTAL)] if TOTAL in channels else ()


def test_this_machine_is_sampled() -> None:
    frames: list[SampledFrame] = []
    arrived = threading.Event()

    def keep(frame: SampledFrame) -> None:
        frames.append(frame)
        arrived.set()

    cadence = Cadence(fast_hertz=100, slow_hertz=20, frame_seconds=0.1, run_id="run")
    sampler = Sampler(discover_sensors(Path("/")), keep, cadence)
    sampler.start()
    assert arrived.wait(30)
    latest = sampler.latest()
    sampler.stop()
    metrics = {channel.metric for channel in latest}
    assert {"edgeprof_memory_available_bytes", "edgeprof_agent_cpu_seconds_total"} <= metrics
    assert frames[0].run_id == "run"
    assert all(block.times_monotonic_ns == tuple(sorted(block.times_monotonic_ns)) for block in frames[0].blocks)


def test_a_sensor_without_values_makes_no_frame() -> None:
    def nothing() -> Sequence[Reading]:
        return ()

    with started(ScriptedSensor(nothing), cadence=Cadence(slow_hertz=1e-3)) as bench:
        bench.sampler.flush()
        bench.frames.clear()
        bench.pass_time(10, step_seconds=1)
        assert bench.frames == []
        assert POWER not in bench.sampler.latest()
