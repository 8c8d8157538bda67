"""What a run takes before its first step, over what the engine's own library takes to load the same model.

    python -m benchmarks.startup_cost [--model synth:smollm2-135m@q4_0] [--rounds 7]

Each round starts two fresh processes, in alternating order: one imports llama-cpp-python and makes a context, as a
program of one's own would; the other is edgeprof's engine process, from its start to the model being loaded. The
difference is what edgeprof adds. The budget is 0.5 s.
"""

import argparse
import asyncio
import subprocess
import sys
from pathlib import Path
from statistics import median
from time import perf_counter

from edgeprof.folders import cache_folder
from edgeprof_agent.models.process import prepare_model
from edgeprof_agent.workload.engine_process import EngineProcess

BUDGET_SECONDS = 0.5
CONTEXT_TOKENS = 1024
BY_ITSELF = """
import llama_cpp, os, sys
llama_cpp.llama_backend_init()
silence = llama_cpp.llama_log_callback(lambda *_: None)
llama_cpp.llama_log_set(silence, None)
model = llama_cpp.llama_model_load_from_file(os.fsencode(sys.argv[1]), llama_cpp.llama_model_default_params())
parameters = llama_cpp.llama_context_default_params()
parameters.n_ctx = int(sys.argv[2])
context = llama_cpp.llama_init_from_model(model, parameters)
print(bool(context), flush=True)
os._exit(0)
"""


def seconds_by_itself(model: Path) -> float:
    """From starting an interpreter to a context of the library's own."""
    start = perf_counter()
    with subprocess.Popen(
        [sys.executable, "-c", BY_ITSELF, str(model), str(CONTEXT_TOKENS)],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    ) as process:
        assert process.stdout
        ready = process.stdout.readline()
        seconds = perf_counter() - start
    assert ready == b"True\n"
    return seconds


async def seconds_with_edgeprof(model: Path) -> float:
    """From starting the engine's process to its answer that the model is loaded."""
    start = perf_counter()
    engine = await EngineProcess.start("llama-cpp-python")
    await engine.load(str(model), {}, CONTEXT_TOKENS, 1)
    seconds = perf_counter() - start
    await engine.close()
    return seconds


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="synth:smollm2-135m@q4_0")
    parser.add_argument("--rounds", type=int, default=7)
    options = parser.parse_args()
    model = Path(asyncio.run(prepare_model(options.model, cache_folder(), lambda _: None)).path)
    seconds_by_itself(model)  # the file is in the page cache from here on
    library, edgeprof = [], []
    for number in range(options.rounds):
        for turn in (number % 2, 1 - number % 2):
            if turn:
                edgeprof.append(asyncio.run(seconds_with_edgeprof(model)))
            else:
                library.append(seconds_by_itself(model))
    added = median(edgeprof) - median(library)
    print(f"the library by itself   {median(library):6.3f} s (median of {options.rounds})")
    print(f"with edgeprof           {median(edgeprof):6.3f} s")
    print(f"added                   {added:6.3f} s, budget {BUDGET_SECONDS} s")


if __name__ == "__main__":
    main()
