"""llama-bench as `benchmarks/build_llama_bench.sh` builds it, where that has been run."""

import sys
from pathlib import Path

BUILD = Path(__file__).parents[3] / "build" / "llama-bench"
NOT_BUILT = "llama-bench is not built: run benchmarks/build_llama_bench.sh"


def put_llama_bench(folder: Path) -> Path | None:
    """Make a command `llama-bench` in ``folder`` that finds its libraries; ``None`` if it was never built.

    If there is a named pipe ``folder/pipe`` when it starts, it writes a line there and holds it open to its end.
    """
    if not (BUILD / "llama-bench").exists():
        return None
    libraries = next(Path(sys.prefix).glob("lib/python3*/site-packages/llama_cpp/lib"))
    path = folder / "llama-bench"
    search = f"{libraries}:{BUILD / 'cmake' / 'bin'}"
    hold = f"[ -p {folder}/pipe ] && exec 9>{folder}/pipe && echo >&9"
    path.write_text(f'#!/bin/sh\n{hold}\nLD_LIBRARY_PATH={search} exec {BUILD / "llama-bench"} "$@"\n')
    path.chmod(0o755)
    return path
