"""Uses NVML as the agent does, in a process whose library path was set before it began.

Reads a word per line: discover, sample, facts or close; answers each with a line of JSON.
"""

import json
import sys
from dataclasses import asdict
from pathlib import Path

from edgeprof_agent.sensors import nvml
from edgeprof_agent.sensors.registry import Family, discover_sensors
from edgeprof_agent.sensors.sensor import Closes, MayBlock, Sensor


def sample(sensor: Sensor) -> dict[str, object]:
    try:
        readings = sensor.sample()
    except Exception as error:  # noqa: BLE001  the test says which it should be
        return {"error": f"{type(error).__name__}: {error}"}
    return {f"{channel.metric} {' '.join(value for _, value in channel.labels)}": value for channel, value in readings}


def main() -> None:
    sensors: list[Sensor] = []
    for line in sys.stdin:
        answer: object = None
        match line.strip():
            case "discover":
                sensors = list(discover_sensors(Path("/"), [Family("nvml", nvml.discover)]))
                answer = [(sensor.name, sensor.tier.value, isinstance(sensor, MayBlock)) for sensor in sensors]
            case "sample":
                answer = {sensor.name: sample(sensor) for sensor in sensors}
            case "facts":
                answer = [asdict(accelerator) for accelerator in nvml.accelerators(Path("/"))]
            case "close":
                for sensor in sensors:
                    assert isinstance(sensor, Closes)
                    sensor.close()
        sys.stdout.write(f"{json.dumps(answer)}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
