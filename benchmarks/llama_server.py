"""Rates that edgeprof measures of llama-server against those that llama-bench measures, on one library and one model.

    python -m benchmarks.llama_server [--model synth:llama-3.2-1b@q4_0] [--pairs 5]

Each pair runs both, in alternating order, each in processes of its own. llama-server's rates have HTTP, sampling and
the client on the same processor in them, so the model should take 15 ms per token or more.
"""

import argparse
import asyncio
import json
import os
import subprocess
from pathlib import Path

from benchmarks.pairs import ratio_text
from edgeprof.folders import cache_folder
from edgeprof.plan import Step, StepKind
from edgeprof_agent.models.process import prepare_model
from edgeprof_agent.workload.engine_process import EngineProcess
from edgeprof_agent.workload.server_config import ServerConfig

ROOT = Path(__file__).parent.parent
BUILD = ROOT / "build" / "llama-cpp"
PROMPT_TOKENS = 256
DECODE_TOKENS = 64
PREFILL = Step(kind=StepKind.PREFILL, name="prefill", prompt_tokens=PROMPT_TOKENS)
DECODE = Step(kind=StepKind.DECODE, name="decode", decode_tokens=DECODE_TOKENS)


def native_rates(model: str, threads: int) -> tuple[float, float]:
    """Run llama-bench once and return its prefill and decode rates in tokens/s."""
    sizes = ["-p", str(PROMPT_TOKENS), "-n", str(DECODE_TOKENS)]
    output = subprocess.run(
        [BUILD / "llama-bench", "-m", model, *sizes, "-r", "1", "-t", str(threads), "-o", "jsonl"],
        capture_output=True,
        check=True,
    ).stdout
    prefill, decode = (json.loads(line)["avg_ts"] for line in output.splitlines())
    return prefill, decode


async def server_rates(model: str, threads: int) -> tuple[float, float]:
    """Run both steps once with llama-server, as `edgeprof profile` does, and return the rates that it would."""
    servers = {"llama-server": ServerConfig(program=str(BUILD / "llama-server"))}
    engine = await EngineProcess.start("llama-server", "", servers)
    try:
        await engine.load(model, {"threads": str(threads)}, PROMPT_TOKENS + DECODE_TOKENS, 1)
        await engine.warm_up(PREFILL)
        (prefill,) = await engine.run_step(PREFILL, lambda _: None)
        await engine.warm_up(DECODE)
        (decode,) = await engine.run_step(DECODE, lambda _: None)
    finally:
        await engine.close()
    tokens = sum(decode.token_counts[1:]) or len(decode.token_gaps_ns) - 1
    return (
        PROMPT_TOKENS * 1e9 / (prefill.prefill_end_monotonic_ns - prefill.start_monotonic_ns),
        tokens * 1e9 / sum(decode.token_gaps_ns[1:]),
    )


async def compare(model_name: str, pairs: int, threads: int) -> None:
    """Print the ratio of both rates over interleaved pairs."""
    model = (await prepare_model(model_name, cache_folder(), lambda _: None)).path
    ratios: list[tuple[float, float]] = []
    for pair in range(pairs):
        if pair % 2:
            native, served = native_rates(model, threads), await server_rates(model, threads)
        else:
            served, native = await server_rates(model, threads), native_rates(model, threads)
        ratios.append((served[0] / native[0], served[1] / native[1]))
        print(
            f"pair {pair + 1}: prefill {served[0]:.1f} / {native[0]:.1f}, decode {served[1]:.2f} / {native[1]:.2f} "
            f"({1000 / native[1]:.1f} ms per token)",
            flush=True,
        )
    print(f"llama-server by edgeprof / llama-bench, {model_name}, {threads} threads:")
    print(ratio_text(f"prefill {PROMPT_TOKENS}, tokens/s", [ratio for ratio, _ in ratios]))
    print(ratio_text(f"decode {DECODE_TOKENS}, tokens/s", [ratio for _, ratio in ratios]))


def main() -> None:
    """Build llama-server where it is not there yet, then compare."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="synth:llama-3.2-1b@q4_0")
    parser.add_argument("--pairs", type=int, default=5)
    parser.add_argument("--threads", type=int, default=os.cpu_count() or 1)
    arguments = parser.parse_args()
    subprocess.run([ROOT / "benchmarks" / "build_llama_programs.sh"], check=True)
    asyncio.run(compare(arguments.model, arguments.pairs, arguments.threads))


if __name__ == "__main__":
    main()
