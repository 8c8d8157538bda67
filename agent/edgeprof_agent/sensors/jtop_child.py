"""Print what jetson-stats says, as one line of JSON a second, until standard input ends.

Run by file path with an interpreter that has jetson-stats, which is no part of edgeprof: its licence and its change of
how Python starts processes stay in this process. Python 3.6 and up, standard library and ``jtop`` alone.
"""

import json
import os
import sys
import threading
from typing import Any


def main() -> None:
    """Print until standard input ends, jetson-stats fails, or its service ends."""
    # Whatever jetson-stats prints must not come between the lines.
    output = os.fdopen(os.dup(1), "w", 1)
    os.dup2(2, 1)
    threading.Thread(target=end_with_parent, daemon=True).start()
    try:
        # it is in the other interpreter alone, and may fail
        from jtop import jtop  # type: ignore[import-not-found]  # noqa: PLC0415

        with jtop(interval=1.0) as jetson:
            while jetson.ok():
                output.write(json.dumps(values(jetson)) + "\n")
    except Exception as error:
        output.write(json.dumps({"error": f"{type(error).__name__}: {error}"}) + "\n")
        raise


def end_with_parent() -> None:
    """End this process, whatever jetson-stats is doing, when the parent is gone."""
    sys.stdin.read()
    os._exit(0)


def values(jetson: Any) -> Any:
    """Pick plain values: milliwatts, degrees, percent, kilohertz."""
    power = jetson.power or {}
    rails = {name: rail.get("power") for name, rail in power.get("rail", {}).items() if rail.get("online", True)}
    total = power.get("tot", {})
    if total.get("name"):
        rails[total["name"]] = total.get("power")
    return {
        "rails": rails,
        "temperatures": {name: each.get("temp") for name, each in jetson.temperature.items() if each.get("online")},
        "gpu": {
            name: {"load": each.get("status", {}).get("load"), "clock": each.get("freq", {}).get("cur")}
            for name, each in jetson.gpu.items()
        },
        "memory_clock": (jetson.memory.get("EMC") or {}).get("cur"),
    }


if __name__ == "__main__":
    main()
