"""What a device may ask of the intake."""

from dataclasses import dataclass
from typing import Annotated

from msgspec import Meta


@dataclass(frozen=True, slots=True, kw_only=True)
class IntakeLimits:
    """Bounds that keep the collector's memory and attention fair.

    A stream that has ``pending_bytes_per_device`` waiting for the store is read no further until they are kept, and
    so is every stream while all of them together have ``pending_bytes``. A connection is closed after about
    ``connection_seconds``, so that devices spread anew over collectors that were added. Not more than ``devices`` are
    connected at a time. A layout of more than ``channels_per_device`` channels, or with a label value of more than
    ``label_characters``, is refused, and its frames are stored but marked; a stream that has described more channels
    than that, one layout after another, or in more than ``description_bytes``, ends and begins anew. A frame of more
    than ``frame_values`` samples, which a few bytes can promise, is stored but marked.
    """

    message_bytes: Annotated[int, Meta(ge=65536)] = 4 * 1024 * 1024
    pending_bytes_per_device: Annotated[int, Meta(ge=65536)] = 1024 * 1024
    pending_bytes: Annotated[int, Meta(ge=65536)] = 64 * 1024 * 1024
    devices: Annotated[int, Meta(ge=1)] = 20_000
    channels_per_device: Annotated[int, Meta(ge=1)] = 20_000
    description_bytes: Annotated[int, Meta(ge=1024)] = 4 * 1024 * 1024
    frame_values: Annotated[int, Meta(ge=1)] = 1_000_000
    label_characters: Annotated[int, Meta(ge=1)] = 256
    connection_seconds: Annotated[float, Meta(ge=1, le=86400)] = 3600.0
