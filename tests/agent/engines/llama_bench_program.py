"""llama-bench as `benchmarks/build_llama_programs.sh` builds it, where that has been run."""

from pathlib import Path

BUILD = Path(__file__).parents[3] / "build" / "llama-cpp"
NOT_BUILT = "llama-bench is not built: run benchmarks/build_llama_programs.sh"


def put_llama_bench(folder: Path) -> Path | None:
    """Make a command `llama-bench` in ``folder``; ``None`` if it was never built.

    If there is a named pipe ``folder/pipe`` when it starts, it writes a line there and holds it open to its end.
    """
    if not (BUILD / "llama-bench").exists():
        return None
    path = folder / "llama-bench"
    hold = f"[ -p {folder}/pipe ] && exec 9>{folder}/pipe && echo >&9"
    path.write_text(f'#!/bin/sh\n{hold}\nexec {BUILD / "llama-bench"} "$@"\n')
    path.chmod(0o755)
    return path
