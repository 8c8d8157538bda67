"""Devices of every family that stream to a real collector: a run each, and from then on a frame a second.

What they measure is what the device trees' golden files have; counters grow.
"""

import asyncio
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from edgeprof.catalogue import METRICS, channel
from edgeprof.messages import run_event_to_message, to_message
from edgeprof.metric import Kind
from edgeprof.plan import Step, StepKind
from edgeprof.run import RunEvent, RunRecord, StepRef
from edgeprof.telemetry import Channel, SampledBlock, SampledFrame, channel_to_message, encode_frame, quantise
from edgeprof.v1.telemetry_pb2 import Layout, RunTelemetry
from edgeprof.v1.uplink_pb2 import AgentMessage
from edgeprof_agent.uplink.status import Drops, SpoolSensor, SpoolStatus
from tests.collector.analysis.device_families import NAMES, Family, family
from tests.collector.analysis.sample_run import OPTIONS, Scenario, sample_run
from tests.collector.intake.device import Device

SECOND_NS = 10**9
VERSIONS = ("0.3.36", "0.3.37")
# The devices that have run both versions of the engine.
COMPARED = ("nvidia", "asrock-b660m__ubuntu-24.04__load")

_LIVE_LAYOUT = 9
_GROWTH_PER_SECOND = 3.0

# What golden files leave out, since it is of the machine that they are made on; and what only newer GPUs have.
_AGENT = {
    channel("edgeprof_sensor_sample_seconds", "test", sensor="cpu"): 2e-5,
    channel("edgeprof_sensor_up_ratio", "test", sensor="cpu"): 1.0,
    channel("edgeprof_sensor_age_seconds", "test", sensor="cpu"): 0.1,
    channel("edgeprof_sampler_lateness_seconds", "test"): 1e-4,
    channel("edgeprof_sampler_missed_ticks_total", "test"): 0.0,
    channel("edgeprof_agent_cpu_seconds_total", "test"): 12.0,
    channel("edgeprof_agent_resident_bytes", "test"): 46e6,
}
_SPOOL = SpoolStatus(
    size_bytes=20_480, max_bytes=256_000_000, messages=3, oldest_age_seconds=4, drops=Drops(), set_aside_files=0
)
_NEWER_GPU = {
    channel("edgeprof_gpu_temperature_margin_celsius", "test", gpu="gpu0"): 12.0,
    channel("edgeprof_gpu_memory_power_watts", "test", gpu="gpu0", window="average"): 40.0,
    channel("edgeprof_gpu_module_power_watts", "test", gpu="gpu0", window="average"): 350.0,
}


@contextmanager
def streaming_fleet(grpc_port: int) -> Iterator[None]:
    """Every family's device, connected and streaming within the block; their runs are stored when it begins."""
    stop, ready = threading.Event(), threading.Barrier(2, timeout=240)
    thread = threading.Thread(target=lambda: asyncio.run(_stream_all(grpc_port, stop, ready)))
    thread.start()
    try:
        ready.wait()
        yield
    finally:
        stop.set()
        thread.join()


async def _stream_all(grpc_port: int, stop: threading.Event, ready: threading.Barrier) -> None:
    try:
        devices = [await _Simulated.connected(grpc_port, name) for name in NAMES]
        await _be_refused(grpc_port)
    except BaseException:
        ready.abort()
        raise
    first = True
    while not stop.is_set():
        for device in devices:
            await device.send_frame()
        if first:
            ready.wait()
            first = False
        await asyncio.sleep(1)
    for device in devices:
        await device.close()


async def _be_refused(grpc_port: int) -> None:
    """A second device with the identity of the first: the collector counts that it refused it."""
    second = Device(grpc_port, NAMES[0], epoch=b"another's spool!", lives=(b"another life",))
    await second.send(AgentMessage(hello=second.hello()))
    assert (await second.next()).HasField("refused")
    await second.close()


class _Simulated:
    """One device, which has run every step of the quick plan."""

    def __init__(self, device: Device, found: Family, begun_ns: int) -> None:
        self._device = device
        self._begun_ns, self._begun = begun_ns, time.monotonic()
        self._sequence = 0
        spool = SpoolSensor(lambda: _SPOOL).sample()
        newer = _NEWER_GPU if device.device_id == "nvidia" else {}
        self._values = {**found.channels, **_AGENT, **newer, **{each.channel: float(each.value) for each in spool}}

    @classmethod
    async def connected(cls, grpc_port: int, name: str) -> "_Simulated":
        found = family(name)
        runs = [_run(name, found, version) for version in VERSIONS[: 2 if name in COMPARED else 1]]
        last_ns = max(phase.end_monotonic_ns for record, _ in runs for phase in record.phases)
        simulated = cls(Device(grpc_port, name), found, last_ns + SECOND_NS)
        hello = simulated._device.hello()
        hello.device.CopyFrom(to_message(replace(found.device, device_id=name)))
        hello.boot_id = bytes(range(16))
        hello.monotonic_ns = simulated._begun_ns
        await simulated._device.send(AgentMessage(hello=hello))
        assert (await simulated._device.next()).HasField("welcome")
        for record, telemetry in runs:
            await simulated._send_run(record, telemetry)
        await simulated._send_layout()
        return simulated

    async def send_frame(self) -> None:
        """All channels, as they are now."""
        seconds = time.monotonic() - self._begun
        end_ns = self._begun_ns + round(seconds * SECOND_NS)
        columns = tuple((quantise(_grown(key, value, seconds), key.resolution),) for key, value in self._values.items())
        block = SampledBlock(channels=tuple(self._values), times_monotonic_ns=(end_ns,), columns=columns)
        frame = SampledFrame(run_id="", start_monotonic_ns=end_ns - SECOND_NS, end_monotonic_ns=end_ns, blocks=(block,))
        await self._put(AgentMessage(frame=encode_frame(frame, bytes(range(16)), lambda _: _LIVE_LAYOUT)))

    async def close(self) -> None:
        await self._device.close()

    async def _send_run(self, record: RunRecord, telemetry: RunTelemetry) -> None:
        for layout in telemetry.layouts:
            await self._device.send(AgentMessage(layout=layout))
        middle: list[RunEvent] = [*record.ceilings, *record.peaks, *record.loaded, *record.phases, *record.requests]
        assert record.finished
        for frame in telemetry.frames:
            frame.run_id = record.started.run_id
        await self._put(_event(record.started))
        for each in middle:
            await self._put(_event(replace(each, run_id=record.started.run_id)))
        for frame in telemetry.frames:
            await self._put(AgentMessage(frame=frame))
        await self._put(_event(replace(record.finished, run_id=record.started.run_id)))
        await self._device.acknowledged(self._sequence)

    async def _send_layout(self) -> None:
        described = [channel_to_message(key) for key in self._values]
        await self._device.send(AgentMessage(layout=Layout(layout=_LIVE_LAYOUT, channels=described)))

    async def _put(self, message: AgentMessage) -> None:
        self._sequence += 1
        message.sequence = self._sequence
        await self._device.send(message)


def _run(name: str, found: Family, version: str) -> tuple[RunRecord, RunTelemetry]:
    """A run on the device, on its GPU if it has one."""
    device = replace(found.device, device_id=name)
    options = {**OPTIONS, "gpu_layers": "-1" if device.accelerators else "0"}
    record, telemetry = sample_run(Scenario(device=device, options=options), found.probes)
    engine = replace(record.started.engine, version=version)
    started = replace(record.started, run_id=f"{name} {version}", engine=engine)
    return _with_steps_of_many(replace(record, started=started)), telemetry


def _with_steps_of_many(record: RunRecord) -> RunRecord:
    """The run with two steps more at its end: sequences together, and calls of several rows."""
    plan, last = record.started.plan, record.requests[-1]
    together = Step(kind=StepKind.PARALLEL, name="parallel 2x4", sequences=2, decode_tokens=4)
    rows = Step(kind=StepKind.ROWS, name="rows 8", rows=8, decode_tokens=24)
    gaps_ns = (SECOND_NS // 20,) * 4
    request = replace(
        last,
        step=StepRef(step=len(plan.steps), variant=0, repetition=0),
        index=0,
        prompt_tokens=0,
        reused_tokens=0,
        depth_tokens=0,
        start_monotonic_ns=last.end_monotonic_ns,
        prefill_end_monotonic_ns=0,
        token_gaps_ns=gaps_ns,
        end_monotonic_ns=last.end_monotonic_ns + sum(gaps_ns),
    )
    begun_ns = request.end_monotonic_ns
    calls = replace(
        request,
        step=StepRef(step=len(plan.steps) + 1, variant=0, repetition=0),
        start_monotonic_ns=begun_ns,
        token_gaps_ns=gaps_ns[:3],
        token_counts=(8, 8, 8),
        end_monotonic_ns=begun_ns + sum(gaps_ns[:3]),
    )
    assert record.finished
    return replace(
        record,
        started=replace(record.started, plan=replace(plan, steps=(*plan.steps, together, rows))),
        requests=(*record.requests, request, replace(request, index=1), calls),
        finished=replace(record.finished, monotonic_ns=calls.end_monotonic_ns),
    )


def _event(event: RunEvent) -> AgentMessage:
    return AgentMessage(run_event=run_event_to_message(event))


def _grown(key: Channel, value: float, seconds: float) -> float:
    is_counter = METRICS[key.metric].kind is Kind.COUNTER
    return value + seconds * _GROWTH_PER_SECOND if is_counter else value
