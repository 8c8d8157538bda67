"""Merge pip's resolutions for several Python versions into one constraints file, with markers and no addresses.

Run by `make constraints`, which resolves once per interpreter at hand:

    python -m pip install --dry-run --ignore-installed --report REPORT ...
    python packaging/pin.py REPORT... > constraints.txt
"""

import json
import sys
from collections import defaultdict
from pathlib import Path

HEADER = """\
# Every package that edgeprof, its extras and its tests install, pinned. Made by `make constraints`.
"""


def read_report(path: Path) -> tuple[str, dict[str, str]]:
    """Return the Python version of a report, such as 3.10, and the version of each package."""
    report = json.loads(path.read_text(encoding="utf-8"))
    python = ".".join(report["environment"]["python_full_version"].split(".")[:2])
    return python, {
        item["metadata"]["name"].lower().replace("_", "-"): item["metadata"]["version"] for item in report["install"]
    }


def merge(reports: dict[str, dict[str, str]]) -> list[str]:
    """Return one line per package and version, with a marker where not every Python takes it."""
    pythons_by_pin: dict[tuple[str, str], list[str]] = defaultdict(list)
    for python, versions in reports.items():
        for name, version in versions.items():
            pythons_by_pin[name, version].append(python)
    lines = []
    for (name, version), pythons in sorted(pythons_by_pin.items()):
        if name == "edgeprof":
            continue
        marker = "" if len(pythons) == len(reports) else " ; " + " or ".join(map(_marker, pythons))
        lines.append(f"{name}=={version}{marker}")
    return lines


def _marker(python: str) -> str:
    return f'python_version == "{python}"'


if __name__ == "__main__":
    by_python = dict(read_report(Path(name)) for name in sys.argv[1:])
    sys.stdout.write(HEADER + "\n".join(merge(by_python)) + "\n")
