"""Rates that edgeprof measures of llama-server against those that llama-bench measures.

    python -m benchmarks.llama_server [--model synth:llama-3.2-1b@q4_0] [--processes 10] [--repetitions 2]

How they are held against each other is told in `llama_pairs`; server and client stand still together. llama-server's
rates have HTTP, sampling and the client on the same processor in them, so the model should take 15 ms per token or
more. A prefill ends with its first token here, which llama-bench does not sample.
"""

import argparse
import asyncio

from benchmarks.llama_pairs import Span, add_arguments, compare
from benchmarks.stepwise_llama_bench import BUILD, build_llama_programs
from edgeprof_agent.workload.engine_messages import RequestTimes
from edgeprof_agent.workload.server_config import ServerConfig


def _prefill(request: RequestTimes) -> Span:
    return Span(request.start_monotonic_ns, request.prefill_end_monotonic_ns, request.prompt_tokens)


def _decode(request: RequestTimes) -> Span:
    """From the first token, which follows from the prompt, to the last."""
    first_ns = request.start_monotonic_ns + request.token_gaps_ns[0]
    tokens = sum(request.token_counts[1:]) or len(request.token_gaps_ns) - 1
    return Span(first_ns, first_ns + sum(request.token_gaps_ns[1:]), tokens)


def main() -> None:
    """Build llama-server and llama-bench where they are not there yet, then compare."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_arguments(parser, model="synth:llama-3.2-1b@q4_0", processes=10, prompt_tokens=256, decode_tokens=64)
    arguments = parser.parse_args()
    build_llama_programs()
    servers = {"llama-server": ServerConfig(program=str(BUILD / "llama-server"))}
    asyncio.run(compare("llama-server", arguments, prefill=_prefill, decode=_decode, servers=servers))


if __name__ == "__main__":
    main()
