"""Rates that edgeprof measures against those that llama-bench measures, on one library and one model.

    python -m benchmarks.llama_bench [--model synth:smollm2-135m@q4_0] [--processes 30] [--repetitions 2]

A pair is one repetition of each. Both are worked on at the same time, in slices of 50 ms in turn: one stands still
while the other runs, and the time that it stood still does not count. So whatever other guests of a shared machine do
meets both alike. Each few pairs both begin anew in fresh processes, since where a process has its memory makes it
faster or slower for as long as it lives.
"""

import argparse
import asyncio
import os
import subprocess
from collections.abc import Sequence
from pathlib import Path

from benchmarks.pairs import ratio_text
from benchmarks.stepwise_llama_bench import StepwiseLlamaBench
from benchmarks.time_slices import StoppableProcess, in_turn
from edgeprof.folders import cache_folder
from edgeprof.plan import Step, StepKind
from edgeprof_agent.models.process import prepare_model
from edgeprof_agent.workload.engine_process import EngineProcess

PREFILL = Step(kind=StepKind.PREFILL, name="prefill", prompt_tokens=1024)
DECODE = Step(kind=StepKind.DECODE, name="decode", decode_tokens=192)


async def ratios_of(step: Step, model: Path, threads: int, repetitions: int) -> list[float]:
    """Run a step in two fresh processes, and return edgeprof's rate over llama-bench's for each pair."""
    engine = await EngineProcess.start("llama-cpp-python")
    native = StepwiseLlamaBench(model, _sizes(step), threads, repetitions)
    try:
        await engine.load(str(model), {"threads": str(threads)}, step.context_tokens, 1)
        await engine.warm_up(step)
        child = StoppableProcess(engine.pid)
        ours: list[float] = []
        for repetition in range(repetitions):
            with in_turn((child, native.process), first=repetition % 2):
                (request,), _ = await asyncio.gather(
                    engine.run_step(step, lambda _: None), asyncio.to_thread(native.await_repetition)
                )
            paused_ns = child.paused_ns(request.start_monotonic_ns, request.end_monotonic_ns)
            ours.append((request.end_monotonic_ns - request.start_monotonic_ns - paused_ns) / 1e9)
        theirs = native.seconds()
    finally:
        native.close()
        await engine.close()
    return [native_seconds / our_seconds for native_seconds, our_seconds in zip(theirs, ours, strict=True)]


def _sizes(step: Step) -> Sequence[str]:
    return ("-p", str(step.prompt_tokens), "-n", str(step.decode_tokens))


async def compare(model_name: str, processes: int, repetitions: int, threads: int) -> None:
    """Print the ratio of both rates over all pairs."""
    model = await prepare_model(model_name, cache_folder(), lambda _: None)
    ratios: dict[str, list[float]] = {PREFILL.name: [], DECODE.name: []}
    for number in range(processes):
        for step in (PREFILL, DECODE):
            found = await ratios_of(step, Path(model.path), threads, repetitions)
            ratios[step.name] += found
            print(ratio_text(f"processes {number + 1}, {step.name}", found), flush=True)
    print(f"edgeprof / llama-bench, {model_name}, {threads} threads:")
    print(ratio_text(f"prefill {PREFILL.prompt_tokens}, tokens/s", ratios[PREFILL.name]))
    print(ratio_text(f"decode {DECODE.decode_tokens}, tokens/s", ratios[DECODE.name]))


def main() -> None:
    """Build llama-bench where it is not there yet, then compare."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="synth:smollm2-135m@q4_0")
    parser.add_argument("--processes", type=int, default=30)
    parser.add_argument("--repetitions", type=int, default=2)
    parser.add_argument("--threads", type=int, default=os.cpu_count() or 1)
    arguments = parser.parse_args()
    subprocess.run([Path(__file__).parent / "build_llama_programs.sh"], check=True)
    asyncio.run(compare(arguments.model, arguments.processes, arguments.repetitions, arguments.threads))


if __name__ == "__main__":
    main()
