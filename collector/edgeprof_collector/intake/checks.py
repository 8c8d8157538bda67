"""What is right and wrong with what a device sends, by headers, counts and lengths alone."""

import re
from collections.abc import Mapping

from edgeprof.messages import run_event_from_message
from edgeprof.protocol import PROTOCOL_VERSION
from edgeprof.telemetry import MalformedFrameError, check_block, check_layout
from edgeprof.v1.device_pb2 import DeviceFacts
from edgeprof.v1.run_pb2 import RunEvent
from edgeprof.v1.telemetry_pb2 import Channel, Frame, Gap, GapCause, Layout
from edgeprof.v1.uplink_pb2 import ClockStretch, Hello
from edgeprof_collector.intake.limits import IntakeLimits

_LARGEST = 2**63 - 1
_MOST_LIVES = 64
_MOST_CLOCKS = 64
_FACTS_BYTES = 65_536
_MOST_LABELS = 32
_SOURCE_CHARACTERS = 1024
# Prometheus' grammar of names: https://prometheus.io/docs/concepts/data_model/
_METRIC = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]{0,127}")
_LABEL = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]{0,127}")
_NAME = "1 to 128 printable characters"


def hello_fault(hello: Hello) -> str:
    """Why a device cannot be served; empty when it can."""
    if hello.protocol != PROTOCOL_VERSION:
        return f"the collector speaks protocol {PROTOCOL_VERSION}, the agent {hello.protocol}: update the older one"
    return _facts_fault(hello.device) or _spool_fault(hello)


def _facts_fault(facts: DeviceFacts) -> str:
    if not _is_name(facts.device_id):
        return f"a device is named by {_NAME}"
    if facts.ByteSize() > _FACTS_BYTES or not facts.hostname.isprintable():
        return f"a device's facts are {_FACTS_BYTES} bytes at most, and its hostname printable"
    return ""


def _spool_fault(hello: Hello) -> str:
    if not (0 < len(hello.spool_epoch) <= 64 and 0 < len(hello.boot_id) <= 64):
        return "the spool's epoch and the boot id are 1 to 64 bytes"
    if len(hello.lives) > _MOST_LIVES or not all(0 < len(life) <= 64 for life in hello.lives):
        return f"an agent has at most {_MOST_LIVES} lives, named by 1 to 64 bytes"
    if max(hello.oldest_sequence, hello.newest_sequence, hello.monotonic_ns + hello.slept_ns) > _LARGEST:
        return "a sequence or time is beyond 63 bits"
    if len(hello.clocks) > _MOST_CLOCKS or not all(map(_is_stretch, hello.clocks)):
        return f"a device has at most {_MOST_CLOCKS} stretches of its clock, of 63 bits and boots of 1 to 64 bytes"
    if hello.oldest_sequence > hello.newest_sequence:
        return "the spool's oldest message is newer than its newest"
    return ""


def _is_stretch(stretch: ClockStretch) -> bool:
    return 0 < len(stretch.boot_id) <= 64 and max(stretch.elapsed_ns, stretch.wall_ns) <= _LARGEST


def other_machine(former: DeviceFacts | None, now: DeviceFacts) -> str:
    """In what a device that comes with a new spool differs from the one that had its name; empty if in nothing."""
    if former is None:
        return ""
    differences = [
        f"{fact.replace('_', ' ')} '{getattr(former, fact)}' is '{getattr(now, fact)}' now"
        for fact in ("hostname", "board", "soc", "cpu_model", "architecture", "memory_total_bytes")
        if getattr(former, fact) != getattr(now, fact)
    ]
    return ", ".join(differences)


def frame_fault(frame: Frame, layouts: Mapping[int, Layout], limits: IntakeLimits) -> str:
    """Why a frame cannot be read; empty when its header, counts and lengths are right."""
    values = 0
    if not frame.start_monotonic_ns <= frame.end_monotonic_ns <= _LARGEST - frame.slept_ns:
        return "the frame ends before it starts"
    for block in frame.blocks:
        layout = layouts.get(block.layout)
        if layout is None:
            return f"layout {block.layout} is not described"
        if block.bucket_ns or block.below or block.above:
            return "a block claims to be thinned, which only a collector does"
        try:
            check_block(block, layout)
        except MalformedFrameError as error:
            return str(error)
        values += block.tick_count * len(layout.channels)
    return f"the frame has more than {limits.frame_values} values" if values > limits.frame_values else ""


def event_fault(event: RunEvent) -> str:
    """Why an event of a run cannot be read; empty when it can."""
    try:
        known = run_event_from_message(event)
    except ValueError as error:  # a value that this version does not know
        return str(error)
    if known is not None and not _is_name(known.run_id):
        return f"a run is named by {_NAME}"
    return ""


def layout_fault(layout: Layout, limits: IntakeLimits) -> str:
    """Why a description cannot be taken; empty when it can."""
    if len(layout.channels) > limits.channels_per_device:
        return f"layout {layout.layout} has more than {limits.channels_per_device} channels"
    try:
        check_layout(layout)
    except MalformedFrameError as error:
        return str(error)
    return next((fault for channel in layout.channels if (fault := _channel_fault(channel, limits))), "")


def _channel_fault(channel: Channel, limits: IntakeLimits) -> str:
    if not _METRIC.fullmatch(channel.metric):
        return "a channel has no proper name"
    if len(channel.labels) > _MOST_LABELS or not all(map(_LABEL.fullmatch, channel.labels)):
        return f"{channel.metric} has more than {_MOST_LABELS} labels, or one without a proper name"
    if not _is_text(channel.source, _SOURCE_CHARACTERS):
        return f"the source of {channel.metric} is not {_SOURCE_CHARACTERS} printable characters at most"
    if not all(_is_text(value, limits.label_characters) for value in channel.labels.values()):
        return f"a label of {channel.metric} is not {limits.label_characters} printable characters at most"
    return ""


def gap_fault(gap: Gap, sequence: int) -> str:
    """Why a gap makes no sense; empty when it does."""
    if not 0 < gap.first_sequence <= gap.last_sequence == sequence <= _LARGEST:
        return f"message {sequence} is a gap from {gap.first_sequence} to {gap.last_sequence}"
    if gap.cause not in GapCause.values()[1:]:
        return f"the gap {sequence} has the unknown cause {gap.cause}"
    return ""


def _is_name(text: str) -> bool:
    return bool(text) and _is_text(text, 128)


def _is_text(text: str, most_characters: int) -> bool:
    return len(text) <= most_characters and text.isprintable()
