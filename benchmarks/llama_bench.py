"""Rates that edgeprof measures against those that llama-bench measures, on one library and one model.

    python -m benchmarks.llama_bench [--model synth:smollm2-135m@q4_0] [--pairs 60]

Each pair runs both, in alternating order, so that a drift of the machine meets both alike; and each in a process of
its own that loads the model and warms up, since the same memory is faster in a fresh process than in an old one here.
"""

import argparse
import asyncio
import json
import os
import subprocess
import sys
from pathlib import Path

from benchmarks.pairs import ratio_text
from edgeprof.folders import cache_folder
from edgeprof.plan import Step, StepKind
from edgeprof_agent.models.process import prepare_model
from edgeprof_agent.workload.engine_messages import RequestTimes
from edgeprof_agent.workload.engine_process import EngineProcess

ROOT = Path(__file__).parent.parent
BUILD = ROOT / "build" / "llama-bench"
PROMPT_TOKENS = 256
DECODE_TOKENS = 64
PREFILL = Step(kind=StepKind.PREFILL, name="prefill", prompt_tokens=PROMPT_TOKENS)
DECODE = Step(kind=StepKind.DECODE, name="decode", decode_tokens=DECODE_TOKENS)


def native_rates(model: Path, threads: int) -> tuple[float, float]:
    """Run llama-bench once and return its prefill and decode rates in tokens/s."""
    libraries = next(Path(sys.prefix).glob("lib/python3*/site-packages/llama_cpp/lib"))
    sizes = ["-p", str(PROMPT_TOKENS), "-n", str(DECODE_TOKENS)]
    output = subprocess.run(
        [BUILD / "llama-bench", "-m", model, *sizes, "-r", "1", "-t", str(threads), "-o", "jsonl"],
        env=os.environ | {"LD_LIBRARY_PATH": f"{libraries}:{BUILD / 'cmake' / 'bin'}"},
        capture_output=True,
        check=True,
    ).stdout
    prefill, decode = (json.loads(line)["avg_ts"] for line in output.splitlines())
    return prefill, decode


async def edgeprof_rates(model_path: str, threads: int) -> tuple[float, float]:
    """Run both steps once, as `edgeprof profile` does, and return the rates by llama-bench's formula."""
    engine = await EngineProcess.start("llama-cpp-python")
    try:
        await engine.load(model_path, {"threads": str(threads)}, PROMPT_TOKENS + DECODE_TOKENS, 1)
        await engine.warm_up(PREFILL)
        (prefill,) = await engine.run_step(PREFILL, lambda _: None)
        await engine.warm_up(DECODE)
        (decode,) = await engine.run_step(DECODE, lambda _: None)
    finally:
        await engine.close()
    return (
        PROMPT_TOKENS * 1e9 / (prefill.prefill_end_monotonic_ns - prefill.start_monotonic_ns),
        DECODE_TOKENS * 1e9 / _decode_ns(decode),
    )


def _decode_ns(request: RequestTimes) -> int:
    """From the first token's start to the last token's end: llama-bench counts the first token too."""
    return sum(request.token_gaps_ns)


async def compare(model_name: str, pairs: int, threads: int) -> None:
    """Print the ratio of both rates over interleaved pairs."""
    model = await prepare_model(model_name, cache_folder(), lambda _: None)
    ratios: list[tuple[float, float]] = []
    for pair in range(pairs):
        if pair % 2:
            native, ours = native_rates(Path(model.path), threads), await edgeprof_rates(model.path, threads)
        else:
            ours, native = await edgeprof_rates(model.path, threads), native_rates(Path(model.path), threads)
        ratios.append((ours[0] / native[0], ours[1] / native[1]))
        print(f"pair {pair + 1}: prefill {ours[0]:.1f} / {native[0]:.1f}, decode {ours[1]:.1f} / {native[1]:.1f}")
    print(f"edgeprof / llama-bench, {model_name}, {threads} threads:")
    print(ratio_text(f"prefill {PROMPT_TOKENS}, tokens/s", [ratio for ratio, _ in ratios]))
    print(ratio_text(f"decode {DECODE_TOKENS}, tokens/s", [ratio for _, ratio in ratios]))


def main() -> None:
    """Build llama-bench where it is not there yet, then compare."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="synth:smollm2-135m@q4_0")
    parser.add_argument("--pairs", type=int, default=60)
    parser.add_argument("--threads", type=int, default=os.cpu_count() or 1)
    arguments = parser.parse_args()
    subprocess.run([ROOT / "benchmarks" / "build_llama_bench.sh"], check=True)
    asyncio.run(compare(arguments.model, arguments.pairs, arguments.threads))


if __name__ == "__main__":
    main()
