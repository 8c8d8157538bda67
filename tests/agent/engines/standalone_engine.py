#!/usr/bin/env python3
"""A program of its own: it speaks the protocol of `docs/engine-protocol.md` and shares no code with edgeprof."""

import json
import sys
import time


def say(**message: object) -> None:
    sys.stdout.write(json.dumps(message) + "\n")
    sys.stdout.flush()


say(
    type="hello",
    protocol=1,
    engine="standalone",
    version="0.1",
    build="by hand",
    clock="CLOCK_UPTIME_RAW" if sys.platform == "darwin" else "CLOCK_MONOTONIC",
    monotonic_ns=time.monotonic_ns(),
    capabilities={"token_steps": False, "logits": False, "parallel_sequences": 1, "prefix_reuse": False},
)
for line in sys.stdin:
    command = json.loads(line)
    number = command.get("id")
    if command["command"] == "close":
        break
    if command["command"] == "load":
        say(type="loaded", id=number, load_seconds=0.0, options={})
    elif command["command"] == "step":
        start = time.monotonic_ns()
        say(
            type="request",
            id=number,
            index=0,
            prompt_tokens=command["prompt_tokens"],
            reused_tokens=0,
            depth_tokens=command["depth_tokens"],
            start_monotonic_ns=start,
            prefill_end_monotonic_ns=time.monotonic_ns(),
        )
        chunks = [2] * (command["decode_tokens"] // 2)
        times = [time.monotonic_ns() for _ in chunks]
        say(type="tokens", id=number, index=0, first_event=0, times_monotonic_ns=times, counts=chunks)
        say(type="request_end", id=number, index=0, end_monotonic_ns=time.monotonic_ns())
        say(type="done", id=number)
    elif command["command"] != "cancel":
        say(type="done", id=number)
