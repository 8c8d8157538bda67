"""What is right and wrong with what a device sends, by headers, counts and lengths alone."""

from collections.abc import Mapping

from edgeprof.messages import run_event_from_message
from edgeprof.protocol import PROTOCOL_VERSION
from edgeprof.telemetry import MalformedFrameError, check_block
from edgeprof.v1.run_pb2 import RunEvent
from edgeprof.v1.telemetry_pb2 import Frame, Gap, GapCause, Layout
from edgeprof.v1.uplink_pb2 import Hello

_LARGEST = 2**63 - 1
_NAME = "1 to 128 printable characters"


def hello_fault(hello: Hello) -> str:
    """Why a device cannot be served; empty when it can."""
    device_id = hello.device.device_id
    if hello.protocol != PROTOCOL_VERSION:
        return f"the collector speaks protocol {PROTOCOL_VERSION}, the agent {hello.protocol}: update the older one"
    if not _is_name(device_id):
        return f"a device is named by {_NAME}"
    if not (0 < len(hello.spool_epoch) <= 64 and 0 < len(hello.boot_id) <= 64):
        return "the spool's epoch and the boot id are 1 to 64 bytes"
    if max(hello.oldest_sequence, hello.newest_sequence, hello.monotonic_ns) > _LARGEST:
        return "a sequence or time is beyond 63 bits"
    if hello.oldest_sequence > hello.newest_sequence:
        return "the spool's oldest message is newer than its newest"
    return ""


def frame_fault(frame: Frame, layouts: Mapping[int, Layout]) -> str:
    """Why a frame cannot be read; empty when its header, counts and lengths are right."""
    if not frame.start_monotonic_ns <= frame.end_monotonic_ns <= _LARGEST:
        return "the frame ends before it starts"
    for block in frame.blocks:
        layout = layouts.get(block.layout)
        if layout is None:
            return f"layout {block.layout} is not described"
        try:
            check_block(block, layout)
        except MalformedFrameError as error:
            return str(error)
    return ""


def event_fault(event: RunEvent) -> str:
    """Why an event of a run cannot be read; empty when it can."""
    try:
        known = run_event_from_message(event)
    except ValueError as error:  # a value that this version does not know
        return str(error)
    if known is not None and not _is_name(known.run_id):
        return f"a run is named by {_NAME}"
    return ""


def gap_fault(gap: Gap, sequence: int) -> str:
    """Why a gap makes no sense; empty when it does."""
    if not 0 < gap.first_sequence <= gap.last_sequence == sequence <= _LARGEST:
        return f"message {sequence} is a gap from {gap.first_sequence} to {gap.last_sequence}"
    if gap.cause not in GapCause.values()[1:]:
        return f"the gap {sequence} has the unknown cause {gap.cause}"
    return ""


def _is_name(text: str) -> bool:
    return 0 < len(text) <= 128 and text.isprintable()
