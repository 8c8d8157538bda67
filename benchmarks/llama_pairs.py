"""An engine of edgeprof and llama-bench at the same work: one library, one model, the same threads and cores.

A pair is one repetition of each. Both are worked on at the same time, in slices of 50 ms in turn: one stands still
while the other runs, and the time that it stood still does not count. So whatever other guests of a shared machine do
meets both alike. Each few pairs both begin anew in fresh processes, since where a process has its memory makes it
faster or slower for as long as it lives, by more than `placed_alike` takes away; they load in turn first. The benchmark
keeps to the first core, and they to the others.
"""

import argparse
import asyncio
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path

from benchmarks.pairs import ratio_text
from benchmarks.placed_alike import placed_alike
from benchmarks.stepwise_llama_bench import StepwiseLlamaBench
from benchmarks.time_slices import StoppableProgram, in_turn
from edgeprof.folders import cache_folder
from edgeprof.plan import Step, StepKind
from edgeprof_agent.models.process import prepare_model
from edgeprof_agent.workload.engine_messages import RequestTimes
from edgeprof_agent.workload.engine_process import EngineProcess
from edgeprof_agent.workload.server_config import ServerConfig

_NO_SERVERS: Mapping[str, ServerConfig] = {}


@dataclass(frozen=True, slots=True)
class Span:
    """The part of a request that counts: from when until when, and for how many tokens."""

    start_ns: int
    end_ns: int
    tokens: int


SpanOf = Callable[[RequestTimes], Span]


@dataclass(frozen=True, slots=True)
class Work:
    """A step of one request, the tokens and the options of llama-bench's repetition of it, and what counts of it."""

    step: Step
    tokens: int
    sizes: tuple[str, ...]
    span_of: SpanOf


@dataclass(frozen=True, slots=True, kw_only=True)
class Contest:
    """An engine, a model, how often both are run, and where: ``launcher`` goes before the command of each."""

    engine: str
    model: Path
    threads: int
    launcher: Sequence[str]
    processes: int
    repetitions: int
    servers: Mapping[str, ServerConfig]


def add_arguments(
    parser: argparse.ArgumentParser, *, model: str, processes: int, prompt_tokens: int, decode_tokens: int
) -> None:
    """Add the options that such a benchmark has."""
    parser.add_argument("--model", default=model)
    parser.add_argument("--prompt-tokens", type=int, default=prompt_tokens, help="of a prefill; 0: none")
    parser.add_argument("--decode-tokens", type=int, default=decode_tokens, help="of a decode; 0: none")
    parser.add_argument("--processes", type=int, default=processes)
    parser.add_argument("--repetitions", type=int, default=2)
    parser.add_argument("--threads", type=int, default=max(1, len(_cores()) - 1))
    parser.add_argument("--placement", choices=("alike", "chance"), default="alike", help="of their memory")


async def compare(
    engine: str,
    arguments: argparse.Namespace,
    *,
    prefill: SpanOf,
    decode: SpanOf,
    servers: Mapping[str, ServerConfig] = _NO_SERVERS,
) -> None:
    """Print the ratio of the engine's rate to llama-bench's over all pairs of each work."""
    model = await prepare_model(arguments.model, cache_folder(), lambda _: None)
    contest = Contest(
        engine=engine,
        model=Path(model.path),
        threads=arguments.threads,
        launcher=_keep_apart(),
        processes=arguments.processes,
        repetitions=arguments.repetitions,
        servers=servers,
    )
    works = tuple(_works(arguments, prefill, decode))
    ratios: list[list[list[float]]] = [[] for _ in works]
    with placed_alike() if arguments.placement == "alike" else nullcontext():
        for number in range(contest.processes):
            for work, found in zip(works, ratios, strict=True):
                these = await _ratios(contest, work, native_first=number % 2 == 0)
                print(ratio_text(f"processes {number + 1}, {work.step.name}", these), flush=True)
                found.append(these)
    placement = "alike" if arguments.placement == "alike" else "by chance"
    print(f"{engine} by edgeprof / llama-bench, {arguments.model}, {contest.threads} threads, placed {placement}:")
    for work, found in zip(works, ratios, strict=True):
        print(ratio_text(f"{work.step.name} {work.tokens}, tokens/s", found), "of processes")


def _works(arguments: argparse.Namespace, prefill: SpanOf, decode: SpanOf) -> Iterator[Work]:
    """Process a prompt from an empty context, and generate tokens from one."""
    if tokens := arguments.prompt_tokens:
        step = Step(kind=StepKind.PREFILL, name="prefill", prompt_tokens=tokens)
        yield Work(step, tokens, ("-p", str(tokens), "-n", "0"), prefill)
    if tokens := arguments.decode_tokens:
        step = Step(kind=StepKind.DECODE, name="decode", decode_tokens=tokens)
        yield Work(step, tokens, ("-p", "0", "-n", str(tokens)), decode)


def _cores() -> list[int]:
    return sorted(os.sched_getaffinity(0))


def _keep_apart() -> tuple[str, ...]:
    """Keep this process to the first core, and return what starts another on the rest."""
    first, *others = _cores()
    if not others:
        return ()
    os.sched_setaffinity(0, {first})
    return ("taskset", "--cpu-list", ",".join(map(str, others)))


async def _ratios(contest: Contest, work: Work, *, native_first: bool) -> list[float]:
    """Run a work in fresh processes, and return the engine's rate over llama-bench's for each pair."""
    flags = (*work.sizes, "-t", str(contest.threads))
    options = {"threads": str(contest.threads)}
    engine = await EngineProcess.start(contest.engine, "", contest.servers, launcher=contest.launcher)
    native = StepwiseLlamaBench(contest.launcher, contest.model, flags, contest.repetitions)
    try:
        if native_first:
            native.make_ready()
        await engine.load(str(contest.model), options, work.step.context_tokens, 1)
        await engine.warm_up(work.step)
        if not native_first:
            native.make_ready()
        ours = StoppableProgram(*_pids(engine))
        rates = []
        for repetition in range(contest.repetitions):
            with in_turn((ours, native.program), first=repetition % 2):
                (request,), _ = await asyncio.gather(
                    engine.run_step(work.step, lambda _: None), asyncio.to_thread(native.await_repetition)
                )
            span = work.span_of(request)
            spent_ns = span.end_ns - span.start_ns - ours.paused_ns(span.start_ns, span.end_ns)
            rates.append(span.tokens * 1e9 / spent_ns)
        native_rates = [work.tokens / seconds for seconds in native.seconds()]
    finally:
        native.close()
        await engine.close()
    return [rate / native_rate for rate, native_rate in zip(rates, native_rates, strict=True)]


def _pids(engine: EngineProcess) -> set[int]:
    """The child, and the server that it talks to if it is not the one that computes."""
    return {pid for pid in (engine.pid, engine.workload_pid) if pid is not None}
