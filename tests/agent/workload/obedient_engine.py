#!/usr/bin/env python3
"""An engine that speaks the protocol, computes nothing, and behaves as the option ``behaviour`` says.

Every command that it is given is appended to the file EDGEPROF_TEST_COMMANDS, with the number of its process.
"""

import json
import os
import signal
import sys
import time
from pathlib import Path
from typing import Any

BEHAVIOURS = ("good", "die in the second step", "refuse the second step", "hang in the second step", "grow")
GROWTH_BYTES = 64 << 20
LARGEST_GROWTH_BYTES = 6 << 30


def send(command_id: int, kind: str, **fields: object) -> None:
    sys.stdout.write(json.dumps({"type": kind, "id": command_id, **fields}) + "\n")
    sys.stdout.flush()


def hello() -> None:
    send(
        0,
        "hello",
        protocol=1,
        engine="obedient",
        version="1.0",
        build="for tests",
        clock="CLOCK_UPTIME_RAW" if sys.platform == "darwin" else "CLOCK_MONOTONIC",
        monotonic_ns=time.monotonic_ns(),
        capabilities={"token_steps": True, "logits": False, "parallel_sequences": 1, "prefix_reuse": True},
        options=[
            {"name": "behaviour", "kind": "choice", "default": "good", "choices": BEHAVIOURS},
            {"name": "width", "kind": "integer", "default": "8"},
        ],
        python_version="",
    )


class Engine:
    def __init__(self) -> None:
        self.behaviour = "good"
        self.steps = 0
        self.memory: list[bytes] = []

    def load(self, command: dict[str, Any]) -> None:
        options = {"behaviour": "good", "width": "8", **command["options"]}
        if options["width"] == "11":
            send(command["id"], "error", cause="the engine obedient cannot honour a width of 11")
            return
        self.behaviour = options["behaviour"]
        self.steps = 0
        send(command["id"], "loaded", load_seconds=0.5, options={**options, "width": "16"}, weights_bytes=1000)

    def step(self, command: dict[str, Any]) -> None:
        self.steps += 1
        bad = self.steps == 2
        for index in range(command["turns"]):
            start = time.monotonic_ns()
            prompt = command["prompt_tokens"]
            send(
                command["id"],
                "request",
                index=index,
                prompt_tokens=prompt,
                reused_tokens=0,
                depth_tokens=command["depth_tokens"],
                start_monotonic_ns=start,
                prefill_end_monotonic_ns=time.monotonic_ns() if prompt else 0,
            )
            times = [time.monotonic_ns() for _ in range(command["decode_tokens"])]
            if times:
                send(command["id"], "tokens", index=index, first_event=0, times_monotonic_ns=times)
            if bad:
                self.misbehave(command)
            send(command["id"], "request_end", index=index, end_monotonic_ns=time.monotonic_ns())
        send(command["id"], "done")

    def misbehave(self, command: dict[str, Any]) -> None:
        if self.behaviour == "die in the second step":
            os.kill(os.getpid(), signal.SIGKILL)
        elif self.behaviour == "refuse the second step":
            send(command["id"], "error", cause="the engine has no more room in its cache")
        elif self.behaviour == "hang in the second step":
            while True:
                signal.pause()
        elif self.behaviour == "grow":
            while len(self.memory) * GROWTH_BYTES < LARGEST_GROWTH_BYTES:
                self.memory.append(b"x" * GROWTH_BYTES)
                time.sleep(0.1)
            sys.exit("nobody stopped the engine growing")


def main() -> None:
    hello()
    engine = Engine()
    with Path(os.environ["EDGEPROF_TEST_COMMANDS"]).open("a", encoding="utf-8") as log:
        for line in sys.stdin:
            command = json.loads(line)
            log.write(json.dumps({"pid": os.getpid(), **command}) + "\n")
            log.flush()
            if command["command"] == "load":
                engine.load(command)
            elif command["command"] == "step":
                engine.step(command)
            elif command["command"] == "close":
                return
            elif command["command"] != "cancel":
                send(command["id"], "done")


if __name__ == "__main__":
    main()
