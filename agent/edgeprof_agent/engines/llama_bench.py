"""The program llama-bench of llama.cpp, run once for every step.

It says how long a step took and nothing of its tokens. So a step's duration is llama-bench's own figure; where it lies
in time is known from the line that ``--progress`` writes when the timed part starts.
"""

from __future__ import annotations

import json
import re
import shutil
from time import monotonic_ns
from typing import Any, Callable, Mapping

from .engine import Engine, EngineError, Loaded, Step
from .gguf_magic import refuse_what_is_no_gguf
from .llama_bench_options import arguments_of, declared_options, options_in_force
from .options import OptionValue
from .program_run import ProgramEnded, run_program
from .recorder import Recorder

PROGRAM = "llama-bench"
_VERSION = re.compile(r"version: (\S+)(?: \((.*)\))?")
_STARTING = re.compile(r": starting$")
_TIMED_PART = re.compile(r": (?:prompt|generation) run \d+/\d+$")
_CAUSE = re.compile(r"error loading model: (.*)|(?<!llama_bench: )error: (.*)|failed to (.*)")


class LlamaBench(Engine):
    """llama-bench. Nothing is loaded between steps: each run of it loads the model, warms up, and times itself."""

    name = "llama-bench"

    def __init__(self, program: str) -> None:
        self._program = program
        self.version, self.build = _version_of(program)
        self.options = declared_options()
        self._model_arguments: list[str] = []

    def load(
        self,
        path: str,
        options: Mapping[str, OptionValue],
        context_tokens: int,  # noqa: ARG002  each run of llama-bench makes the context that it needs
        seed: int,  # noqa: ARG002  and chooses its tokens
    ) -> Loaded:
        """See that llama-bench loads the model with these options.

        The load time is that of this trial, from opening the model's file to the first token.

        Raises:
            EngineError: the file is no GGUF, or llama-bench refuses it or an option.
        """
        refuse_what_is_no_gguf(path)
        self._model_arguments = ["--model", path, *arguments_of(options)]
        trial = ("--n-prompt", "1", "--n-gen", "0", "--no-warmup", "--verbose")
        ended, told = self._bench(trial, lambda: None)
        started_ns, ready_ns = _mark(ended, _STARTING), _mark(ended, _TIMED_PART)
        return Loaded(
            options=options_in_force(options, told),
            weights_bytes=told.get("model_size"),
            kv_cache_bytes=None,
            compute_bytes=None,
            load_seconds=(ready_ns - started_ns) / 1e9,
        )

    def run(self, step: Step, recorder: Recorder) -> None:
        """Run llama-bench for one repetition of a step."""
        tests = {"prefill": (step.prompt_tokens, 0), "decode": (0, step.decode_tokens)}
        if step.kind not in tests:
            raise EngineError(f"llama-bench has no {step.kind} steps; take another engine")
        if not self._model_arguments:
            raise EngineError("no model is loaded")
        prompt, decode = tests[step.kind]
        sizes = ("--n-prompt", str(prompt), "--n-gen", str(decode), "--n-depth", str(step.depth_tokens))
        ended, told = self._bench(sizes, recorder.check)
        duration_ns = int(told["samples_ns"][0])
        # The line was read a little after it was written, so it must not be taken beyond the present.
        end_ns = min(_mark(ended, _TIMED_PART) + duration_ns, monotonic_ns())
        recorder.untimed_tokens(
            start_ns=end_ns - duration_ns,
            end_ns=end_ns,
            prompt_tokens=prompt,
            depth_tokens=step.depth_tokens,
            count=decode,
        )

    def unload(self) -> None:
        """Forget the model; no process holds it."""
        self._model_arguments = []

    def _bench(self, arguments: tuple[str, ...], check: Callable[[], None]) -> tuple[ProgramEnded, dict[str, Any]]:
        """Run llama-bench for one repetition of one test, and return how it ended and what it wrote of the test."""
        common = ("--repetitions", "1", "--output", "jsonl", "--progress")
        ended = run_program([self._program, *self._model_arguments, *arguments, *common], check)
        if ended.status != 0:
            raise EngineError(f"llama-bench {ended.ending()}: {_cause(ended)}")
        try:
            told = json.loads(ended.output)
            if int(told["samples_ns"][0]) > 0:
                return ended, told
        except (ValueError, KeyError, IndexError, TypeError):
            pass  # told below, as is a duration of nothing
        raise EngineError(f"llama-bench wrote what is no result of one test: {ended.output[:80]!r}")


def _mark(ended: ProgramEnded, pattern: re.Pattern[str]) -> int:
    """When the line of this pattern was read."""
    for line in ended.lines:
        if pattern.search(line.text):
            return line.monotonic_ns
    raise EngineError("llama-bench did not say with --progress when it began; take a newer one")


def _cause(ended: ProgramEnded) -> str:
    """The first error in its output: the innermost, where llama.cpp names several."""
    for line in ended.lines:
        found = _CAUSE.search(line.text)
        if found:
            return " ".join((found[1] or found[2] or found[0]).split())
    return ended.lines[-1].text if ended.lines else "it does not say why"


def _version_of(program: str) -> tuple[str, str]:
    """The version, and the build in llama-bench's words. One that does not know the question is still of use."""
    ended = run_program([program, "--version"], lambda: None)
    words = [ended.output, *(line.text for line in ended.lines)]
    found = _VERSION.search("\n".join(words))
    if found is None:
        return "unknown", ""
    compiler = next((line for line in words if line.startswith("built with")), "")
    return found[1], "; ".join(part for part in (found[2], compiler) if part)


def open_engine() -> LlamaBench:
    """The engine of this file.

    Raises:
        EngineError: the program is not on the search path.
    """
    program = shutil.which(PROGRAM)
    if program is None:
        raise EngineError(
            "the program llama-bench is not on the PATH: install llama.cpp (brew install llama.cpp, or build it with "
            "cmake --build build --target llama-bench) and put the folder of llama-bench on the PATH"
        )
    return LlamaBench(program)
