"""Why a stream ends from this side, or never begins."""

from dataclasses import dataclass
from enum import Enum

import grpc

STORE_FAILS = "the collector's store fails at the moment"


class RefusedThing(str, Enum):
    """What was refused, as it is counted."""

    HELLO = "hello"
    IDENTITY = "identity"
    DEVICE = "device"
    CERTIFICATE = "certificate"
    LAYOUT = "layout"


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a device is not served, for a person to read."""

    thing: RefusedThing
    reason: str


class StreamEndedError(Exception):
    """The stream must end; the device is told ``code`` and ``reason``."""

    def __init__(self, code: grpc.StatusCode, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason
