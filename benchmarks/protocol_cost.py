"""What the engine's child adds to each token: Python around the engine's calls, and reporting the times.

    python -m benchmarks.protocol_cost [--model synth:smollm2-135m@q4_0] [--rounds 10] [--tokens 192]

Each round decodes the same tokens of a model twice, in alternating order: in a step as the child runs it, its messages
going down a pipe to another process, and in a bare loop over the same calls of the same library. What passes between
the calls is clocked in C: less of it in the bare loop, and the difference is what a token takes longer because edgeprof
looks at it. The weights sweep the caches with every token, as they do for users, so Python comes back from memory each
time; with ``synth:tiny@q8_0`` it stays in the caches.
"""

import argparse
import asyncio
import os
import statistics
import subprocess
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from llama_cpp import llama_cpp

from benchmarks.call_clock import TokenTimes, clocked_calls
from edgeprof.folders import cache_folder
from edgeprof_agent.engines.channel import Channel
from edgeprof_agent.engines.engine import Step
from edgeprof_agent.engines.llama_cpp import LlamaCpp, open_engine
from edgeprof_agent.engines.options import read_options
from edgeprof_agent.engines.recorder import Recorder
from edgeprof_agent.models.process import prepare_model

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


def decode_in_step(engine: LlamaCpp, channel: Channel, tokens: int) -> None:
    """Decode as the child does."""
    recorder = Recorder(1, channel.send, channel.is_cancelled)
    engine.run(Step("decode", 0, 0, tokens, 1), recorder)


def decode_bare(engine: LlamaCpp, tokens: int) -> None:
    """Make the same calls with nothing around them."""
    engine.rewind(0, lambda: None)
    context = engine._context  # noqa: SLF001 - the floor runs on the context that the step runs on
    token = (llama_cpp.llama_token * 1)()
    batch = llama_cpp.llama_batch(n_tokens=1, token=token)
    decode, synchronize = llama_cpp.llama_decode, llama_cpp.llama_synchronize
    for index in range(tokens):
        token[0] = engine._tokens[index]  # noqa: SLF001 - as above
        if decode(context, batch):
            raise RuntimeError("llama_decode failed")
        synchronize(context)
    llama_cpp.llama_memory_clear(llama_cpp.llama_get_memory(context), False)


def line(name: str, medians_ns: Sequence[float]) -> str:
    """Median and quartiles over the rounds, in microseconds."""
    low, middle, high = (value / 1000 for value in statistics.quantiles(medians_ns, n=4))
    return f"{name}: median {middle:.1f} us, quartiles {low:.1f} to {high:.1f}, n = {len(medians_ns)}"


def measure(model: str, rounds: int, tokens: int) -> None:
    """Print what a token costs."""
    engine = load(Path(asyncio.run(prepare_model(model, cache_folder(), lambda _: None)).path), tokens)
    in_step: list[TokenTimes] = []
    bare: list[TokenTimes] = []
    with listening_parent() as channel, clocked_calls(tokens) as clock:
        ways: tuple[tuple[Callable[[], None], list[TokenTimes]], ...] = (
            (lambda: decode_in_step(engine, channel, tokens), in_step),
            (lambda: decode_bare(engine, tokens), bare),
        )
        for number in range(rounds + 1):
            for decode, found in ways if number % 2 else reversed(ways):
                clock.restart()
                decode()
                found.append(clock.token_times())
    engine.unload()
    # The first round warms up.
    step_ns, bare_ns = ([statistics.median(each.outside_ns) for each in found[1:]] for found in (in_step, bare))
    inside_ns = [statistics.median(each.inside_ns) for each in in_step[1:]]
    added_ns = [one - other for one, other in zip(step_ns, bare_ns, strict=True)]
    print(f"{model}, 1 thread, {tokens} tokens a round")
    print(line("a token in the library", inside_ns))
    print(line("outside it, in a step", step_ns) + f", {sum(step_ns) / sum(inside_ns):.2%}")
    print(line("outside it, in the bare loop", bare_ns))
    print(line("added by the step", added_ns) + f" (budget {BUDGET_MICROSECONDS:g} us)")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="synth:smollm2-135m@q4_0")
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--tokens", type=int, default=192)
    arguments = parser.parse_args()
    measure(arguments.model, arguments.rounds, arguments.tokens)
