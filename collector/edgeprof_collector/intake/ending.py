"""Why a stream ends from this side."""

import grpc

STORE_FAILS = "the collector's store fails at the moment"


class StreamEndedError(Exception):
    """The stream must end; the device is told ``code`` and ``reason``."""

    def __init__(self, code: grpc.StatusCode, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason
