"""What the engine's child adds to each token: Python around the engine's calls, and reporting the times.

    python -m benchmarks.protocol_cost [--rounds 40] [--tokens 400]

Each round decodes the same tokens of a tiny model twice, in alternating order: in a step as the child runs it, its
messages going down a pipe to another process, and in a bare loop over the same calls of the same library. The
difference is what a token takes longer because edgeprof looks at it. It is processor time of the one thread that does
all of this, so that other work on the machine does not count.
"""

import argparse
import asyncio
import os
import statistics
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from time import thread_time_ns

import llama_cpp

from edgeprof.folders import cache_folder
from edgeprof_agent.engines.channel import Channel
from edgeprof_agent.engines.engine import Step
from edgeprof_agent.engines.llama_cpp import LlamaCpp, open_engine
from edgeprof_agent.engines.options import read_options
from edgeprof_agent.engines.recorder import Recorder
from edgeprof_agent.models.process import prepare_model

MODEL = "synth:tiny@q8_0"
BUDGET_MICROSECONDS = 20.0


@contextmanager
def listening_parent() -> Iterator[Channel]:
    """A channel to another process, which reads all that is sent."""
    commands, _open_end = os.pipe()
    with subprocess.Popen(["cat"], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL) as parent:
        assert parent.stdin
        yield Channel(commands, parent.stdin.fileno())


def load(path: Path, tokens: int) -> LlamaCpp:
    """The model on one thread, so that no scheduling of threads blurs what is measured."""
    engine = open_engine()
    engine.load(str(path), read_options(engine.name, engine.options, {"threads": "1"}), tokens, 1)
    return engine


def step_ns(engine: LlamaCpp, channel: Channel, tokens: int) -> int:
    """Time of a decode step as the child runs it."""
    recorder = Recorder(1, channel.send, channel.is_cancelled)
    engine.rewind(0, recorder.check)
    start_ns = thread_time_ns()
    engine.run(Step("decode", 0, 0, tokens, 1), recorder)
    return thread_time_ns() - start_ns


def bare_ns(engine: LlamaCpp, tokens: int) -> int:
    """Time of the same calls with nothing around them."""
    engine.rewind(0, lambda: None)
    context = engine._context  # noqa: SLF001 - the floor runs on the context that the step runs on
    token = (llama_cpp.llama_token * 1)()
    batch = llama_cpp.llama_batch(n_tokens=1, token=token)
    decode, synchronize = llama_cpp.llama_decode, llama_cpp.llama_synchronize
    start_ns = thread_time_ns()
    for index in range(tokens):
        token[0] = engine._tokens[index]  # noqa: SLF001 - as above
        if decode(context, batch):
            raise RuntimeError("llama_decode failed")
        synchronize(context)
    end_ns = thread_time_ns()
    llama_cpp.llama_memory_clear(llama_cpp.llama_get_memory(context), False)
    return end_ns - start_ns


def report_ns(channel: Channel, tokens: int) -> int:
    """Time of keeping and sending the times of so many tokens, with no engine."""
    recorder = Recorder(1, channel.send, channel.is_cancelled)
    start_ns = thread_time_ns()
    recorder.begin(prompt_tokens=0, reused_tokens=0, depth_tokens=0)
    for _ in range(tokens):
        recorder.token()
    recorder.end()
    return thread_time_ns() - start_ns


def quartiles_text(name: str, values_ns: list[float]) -> str:
    """A line of median and quartiles, in microseconds."""
    low, middle, high = (value / 1000 for value in statistics.quantiles(values_ns, n=4))
    return f"{name}: median {middle:.2f} us, quartiles {low:.2f} to {high:.2f}, n = {len(values_ns)}"


def measure(rounds: int, tokens: int) -> None:
    """Print what a token costs."""
    path = Path(asyncio.run(prepare_model(MODEL, cache_folder(), lambda _: None)).path)
    engine = load(path, tokens)
    added: list[float] = []
    bare: list[float] = []
    with listening_parent() as channel:
        timings: tuple[Callable[[], int], ...] = (
            lambda: step_ns(engine, channel, tokens),
            lambda: bare_ns(engine, tokens),
        )
        for number in range(rounds + 1):
            order = (0, 1) if number % 2 else (1, 0)
            taken = {which: timings[which]() / tokens for which in order}
            if number:  # the first round warms up
                added.append(taken[0] - taken[1])
                bare.append(taken[1])
        reporting = [report_ns(channel, 100_000) / 100_000 for _ in range(rounds)]
    engine.unload()
    print(f"{MODEL}, 1 thread, {tokens} tokens a round")
    print(quartiles_text("a token in the bare loop", bare))
    print(quartiles_text("added to it by the step", added) + f" (budget {BUDGET_MICROSECONDS:g} us)")
    print(quartiles_text("of which keeping and sending its time", reporting))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=40)
    parser.add_argument("--tokens", type=int, default=400)
    arguments = parser.parse_args()
    measure(arguments.rounds, arguments.tokens)
