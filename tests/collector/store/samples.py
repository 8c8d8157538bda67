"""Messages as devices send them, small but whole."""

from collections.abc import Sequence

from edgeprof.device import DeviceFacts
from edgeprof.messages import run_event_to_message, to_message
from edgeprof.plan import Plan, Step, StepKind
from edgeprof.run import (
    EngineFacts,
    ModelFacts,
    Phase,
    PhaseKind,
    Request,
    RunEvent,
    RunFinished,
    RunStarted,
    RunState,
    StepRef,
)
from edgeprof.telemetry import Channel, Gap, Placement, SampledBlock, SampledFrame, channel_to_message, encode_frame
from edgeprof.v1 import device_pb2
from edgeprof.v1.telemetry_pb2 import Layout
from edgeprof.v1.uplink_pb2 import AgentMessage
from edgeprof_collector.store.protocol import Arrival, Delivery, Greeting
from edgeprof_collector.store.records import JobRecord

WALL_NS = 1_750_000_000_000_000_000
SECOND_NS = 1_000_000_000
EPOCH = b"epoch-of-the-spool"[:16]
BOOT = b"boot-of-the-kern"
LIFE = b"life 1"
DEVICE = "jetson-07"

BUSY = Channel("edgeprof_cpu_busy_ratio", (), "psutil", 0.001)
MEMORY = Channel("edgeprof_memory_available_bytes", (), "psutil", 65536)
FAST: tuple[Channel, ...] = (BUSY, MEMORY)

PLAN = Plan(name="quick", steps=(Step(kind=StepKind.DECODE, name="decode 8", decode_tokens=8),))


def facts(device_id: str = DEVICE, hostname: str = "") -> DeviceFacts:
    return DeviceFacts(
        device_id=device_id,
        hostname=hostname or device_id,
        architecture="aarch64",
        logical_cores=8,
        memory_total_bytes=8 << 30,
        os="Linux",
        kernel="5.15",
        agent_version="0.1.0",
        labels={"site": "lab"},
    )


def facts_message(device_id: str = DEVICE) -> device_pb2.DeviceFacts:
    message: device_pb2.DeviceFacts = to_message(facts(device_id))
    return message


def greeting(
    device_id: str = DEVICE,
    epoch: bytes = EPOCH,
    oldest: int = 0,
    newest: int = 0,
    wall_ns: int = WALL_NS,
    lives: Sequence[bytes] = (LIFE,),
) -> Greeting:
    return Greeting(facts_message(device_id), epoch, oldest, newest, wall_ns, tuple(lives))


def layout(number: int = 1, channels: Sequence[Channel] = FAST) -> Layout:
    return Layout(layout=number, channels=[channel_to_message(channel) for channel in channels])


def frame_message(
    sequence: int,
    *,
    run_id: str = "",
    start_ns: int | None = None,
    number: int = 1,
    values: Sequence[Sequence[int | None]] = ((500, 510), (16000, 15990)),
) -> AgentMessage:
    start = sequence * SECOND_NS if start_ns is None else start_ns
    times = tuple(start + tick * 100_000_000 for tick in range(len(values[0])))
    sampled = SampledFrame(
        run_id=run_id,
        start_monotonic_ns=start,
        end_monotonic_ns=start + SECOND_NS,
        blocks=(
            SampledBlock(channels=FAST, times_monotonic_ns=times, columns=tuple(tuple(column) for column in values)),
        ),
    )
    return AgentMessage(sequence=sequence, frame=encode_frame(sampled, BOOT, {FAST: number}.__getitem__))


def event_message(sequence: int, event: RunEvent) -> AgentMessage:
    return AgentMessage(sequence=sequence, run_event=run_event_to_message(event))


def gap_message(gap: Gap) -> AgentMessage:
    return AgentMessage(sequence=gap.last_sequence, gap=to_message(gap))


def started(run_id: str = "run-1", device_id: str = DEVICE, job_id: str = "") -> RunStarted:
    return RunStarted(
        run_id=run_id,
        job_id=job_id,
        plan=PLAN,
        model=ModelFacts(
            name="synth:smollm2-135m@q4_0",
            path="/models/synth.gguf",
            format="gguf",
            synthetic=True,
            architecture="llama",
            quantisation="q4_0",
            parameter_count=134_515_008,
            file_bytes=90_000_000,
            sha256="00",
            layer_count=30,
            embedding_length=576,
            vocabulary_size=49152,
            context_length=8192,
            kv_elements_per_token=11520,
            weight_bytes_read_per_token=75_000_000,
        ),
        engine=EngineFacts(name="llama-cpp-python", version="0.3.36", build="CPU"),
        device=facts(device_id),
        boot_id=BOOT,
        monotonic_ns=10 * SECOND_NS,
        wall_ns=1,
    )


def phase(run_id: str = "run-1", start_ns: int = 11 * SECOND_NS, kind: PhaseKind = PhaseKind.LOAD) -> Phase:
    return Phase(run_id=run_id, kind=kind, start_monotonic_ns=start_ns, end_monotonic_ns=start_ns + SECOND_NS)


def request(run_id: str = "run-1", start_ns: int = 12 * SECOND_NS) -> Request:
    return Request(
        run_id=run_id,
        step=StepRef(step=0, variant=0, repetition=0),
        start_monotonic_ns=start_ns,
        token_gaps_ns=(30_000_000, 29_999_999),
        end_monotonic_ns=start_ns + 60_000_000,
    )


def finished(run_id: str = "run-1", state: RunState = RunState.SUCCEEDED, cause: str = "") -> RunFinished:
    return RunFinished(run_id=run_id, state=state, cause=cause, monotonic_ns=20 * SECOND_NS)


def arrival(message: AgentMessage, fault: str = "", wall_ns: int = WALL_NS) -> Arrival:
    return Arrival(message.sequence, message.SerializeToString(), message, wall_ns, Placement.EXACT, fault)


def delivery(
    *messages: AgentMessage,
    device_id: str = DEVICE,
    epoch: bytes = EPOCH,
    layouts: Sequence[Layout] = (),
    wall_ns: int = WALL_NS,
    life: bytes = LIFE,
) -> Delivery:
    return Delivery(device_id, epoch, layouts, [arrival(message) for message in messages], wall_ns, life)


def job(job_id: str = "job-1", device_id: str = DEVICE, key: str = "", created_wall_ns: int = WALL_NS) -> JobRecord:
    return JobRecord(
        job_id=job_id,
        device_id=device_id,
        plan=PLAN,
        model="synth:smollm2-135m@q4_0",
        engine="llama-cpp-python",
        idempotency_key=key,
        created_wall_ns=created_wall_ns,
        updated_wall_ns=created_wall_ns,
        expires_wall_ns=created_wall_ns + 3600 * SECOND_NS,
    )
