"""Rates that edgeprof measures of llama-cpp-python against those that llama-bench measures.

    python -m benchmarks.llama_bench [--model synth:qwen2.5-0.5b@q4_0] [--processes 30] [--repetitions 2]

How they are held against each other is told in `llama_pairs`.
"""

import argparse
import asyncio

from benchmarks.llama_pairs import Span, add_arguments, compare
from benchmarks.stepwise_llama_bench import build_llama_programs
from edgeprof_agent.workload.engine_messages import RequestTimes


def _prefill(request: RequestTimes) -> Span:
    return Span(request.start_monotonic_ns, request.end_monotonic_ns, request.prompt_tokens)


def _decode(request: RequestTimes) -> Span:
    return Span(request.start_monotonic_ns, request.end_monotonic_ns, len(request.token_gaps_ns))


def main() -> None:
    """Build llama-bench where it is not there yet, then compare."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_arguments(parser, model="synth:qwen2.5-0.5b@q4_0", processes=30, prompt_tokens=512, decode_tokens=64)
    arguments = parser.parse_args()
    build_llama_programs()
    asyncio.run(compare("llama-cpp-python", arguments, prefill=_prefill, decode=_decode))


if __name__ == "__main__":
    main()
