#!/usr/bin/env python3
"""Writes what EDGEPROF_TEST_SCRIPT says, a JSON list, and nothing else: a string as it stands, an object as a message.

``NOW`` in a message is the time then; ``null`` waits for a command; a number ends the process with that status.
"""

import json
import os
import signal
import sys
import time

GOOD_HELLO = {
    "type": "hello",
    "protocol": 1,
    "engine": "scripted",
    "version": "1",
    "build": "",
    "clock": "CLOCK_UPTIME_RAW" if sys.platform == "darwin" else "CLOCK_MONOTONIC",
    "monotonic_ns": "NOW",
    "capabilities": {"token_steps": True, "logits": False, "parallel_sequences": 1, "prefix_reuse": False},
}

if __name__ == "__main__":
    for entry in json.loads(os.environ["EDGEPROF_TEST_SCRIPT"]):
        if entry is None:
            sys.stdin.readline()
        elif isinstance(entry, int):
            sys.exit(entry)
        else:
            line = entry if isinstance(entry, str) else json.dumps(entry) + "\n"
            sys.stdout.write(line.replace('"NOW"', str(time.monotonic_ns())))
            sys.stdout.flush()
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    os.close(1)
    while True:
        signal.pause()
