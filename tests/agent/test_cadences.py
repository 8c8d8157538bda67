"""The rates of the configuration, whoever sets a cadence."""

from collections.abc import Mapping

from edgeprof.telemetry import Channel
from edgeprof_agent.cadences import ConfiguredSampler
from edgeprof_agent.config import SamplingConfig
from edgeprof_agent.sampling.cadence import IDLE, Cadence, run_cadence

CONFIG = SamplingConfig(fast_hertz=50, slow_hertz=2, idle_hertz=0.5, idle_frame_seconds=30)
CONFIGURED_IDLE = Cadence(fast_hertz=0.5, slow_hertz=0.5, frame_seconds=30)


class Recorded:
    """A sampler that only notes what it is asked."""

    def __init__(self) -> None:
        self.cadences: list[Cadence] = []
        self.pid: int | None = None
        self.flushes = 0

    def set_cadence(self, cadence: Cadence) -> None:
        self.cadences.append(cadence)

    def follow_process(self, pid: int | None) -> None:
        self.pid = pid

    def latest(self) -> Mapping[Channel, float]:
        return {}

    def flush(self) -> None:
        self.flushes += 1


def test_the_device_is_idle_at_its_own_rate_before_and_after_a_run() -> None:
    sampler = Recorded()
    configured = ConfiguredSampler(sampler, CONFIG)
    configured.set_cadence(run_cadence("run-1"))
    configured.set_cadence(IDLE)
    assert sampler.cadences == [
        CONFIGURED_IDLE,
        Cadence(fast_hertz=50, slow_hertz=2, frame_seconds=2, block_ticks=4, run_id="run-1"),
        CONFIGURED_IDLE,
    ]


def test_whoever_watches_gets_short_frames_but_a_run_is_not_disturbed() -> None:
    sampler = Recorded()
    configured = ConfiguredSampler(sampler, CONFIG)
    configured.set_idle_frame_seconds(1)
    assert sampler.cadences[-1].frame_seconds == 1
    configured.set_cadence(run_cadence("run-1"))
    configured.set_idle_frame_seconds(0)
    assert sampler.cadences[-1].run_id == "run-1"
    configured.set_cadence(IDLE)
    assert sampler.cadences[-1] == CONFIGURED_IDLE


def test_a_frame_lasts_neither_for_ever_nor_for_no_time() -> None:
    sampler = Recorded()
    configured = ConfiguredSampler(sampler, CONFIG)
    configured.set_idle_frame_seconds(1e9)
    configured.set_idle_frame_seconds(-5)
    assert [cadence.frame_seconds for cadence in sampler.cadences[1:]] == [600, 1]


def test_the_rest_is_handed_on() -> None:
    sampler = Recorded()
    configured = ConfiguredSampler(sampler, CONFIG)
    configured.follow_process(7)
    configured.flush()
    assert (sampler.pid, sampler.flushes, configured.latest()) == (7, 1, {})
