"""Write the dashboards, or with --check say which are not current: ``python -m dashboards [--check]``."""

import json
import sys
from pathlib import Path

from grafana_foundation_sdk.cog.encoder import JSONEncoder

from dashboards import comparison, device, fleet, results

FOLDER = Path(__file__).parents[1] / "grafana"


def texts() -> dict[Path, str]:
    """Every dashboard's file and what belongs in it."""
    built = [module.build().build() for module in (fleet, device, results, comparison)]
    return {
        FOLDER / f"{one.uid}.json": json.dumps(one, cls=JSONEncoder, indent=2, sort_keys=True) + "\n" for one in built
    }


def main(arguments: list[str]) -> int:
    """Write or check; the status is 1 if a file is not current."""
    status = 0
    for path, text in texts().items():
        if arguments != ["--check"]:
            path.write_text(text, encoding="utf-8")
        elif not path.exists() or path.read_text(encoding="utf-8") != text:
            sys.stderr.write(f"packaging/grafana/{path.name} is not current: run make dashboards\n")
            status = 1
    return status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
