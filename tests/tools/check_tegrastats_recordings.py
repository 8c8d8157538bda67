"""Check the parser of tegrastats' lines against recorded ones, by hand.

    python -m tests.tools.check_tegrastats_recordings FOLDER

Every name with a power, a temperature or a GPU or memory clock in a line, found by splitting at blanks and not by the
parser's expressions, must be among the parser's values. Prints what each line gave, and fails if something is missing.
"""

import sys
from pathlib import Path

from edgeprof_agent.sensors.jetson_values import JetsonValues
from edgeprof_agent.sensors.tegrastats_line import parse_line

_NOT_RAILS = {"RAM", "SWAP", "IRAM", "NC"}


def main(folder: Path) -> int:
    """Check every line of every text file in the folder."""
    faults = 0
    for path in sorted(folder.rglob("*.txt")):
        for line in path.read_bytes().splitlines():
            values = parse_line(line)
            missing = ["the whole line"] if values is None else _missing(line.decode().split(), values)
            faults += len(missing)
            found = "nothing" if values is None else _describe(values)
            print(f"{path.name}: {found}{f'; MISSING {missing}' if missing else ''}")  # noqa: T201  it is a command
    return 1 if faults else 0


def _missing(words: list[str], values: JetsonValues) -> list[str]:
    missing = []
    for word, following in zip(words, [*words[1:], ""], strict=True):
        first, slash, _ = following.partition("/")
        watts = first.removesuffix("mW")
        if word.isidentifier() and slash and watts.lstrip("-").isdigit() and word not in _NOT_RAILS:
            missing += [] if values.rails_watts.get(word) == int(watts) / 1000 else [word]
        place, at, degrees = word.split("/")[0].partition("@")
        if at and degrees.endswith("C"):
            missing += [] if values.temperatures_celsius.get(place) == float(degrees[:-1]) else [word]
        if word.startswith("EMC"):
            missing += [] if values.memory_busy_ratio == int(following.split("%")[0]) / 100 else [word]
        if word.startswith("GR3D"):
            missing += [] if values.gpu_busy_ratio == int(following.split("%")[0]) / 100 else [word]
    return missing


def _describe(values: JetsonValues) -> str:
    return (
        f"{len(values.rails_watts)} rails, {len(values.temperatures_celsius)} temperatures, "
        f"GPU {values.gpu_busy_ratio} at {dict(values.gpu_clocks_hertz)}, "
        f"memory {values.memory_busy_ratio} at {values.memory_clock_hertz}"
    )


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
