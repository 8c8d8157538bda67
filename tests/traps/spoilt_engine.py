#!/usr/bin/env python3
"""llama.cpp in edgeprof's own child, spoilt on purpose: the option ``spoilt`` says how. Everything that it does is real
work of the real library, or the want of it."""

from __future__ import annotations

import ctypes
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "agent"))

import llama_cpp

from edgeprof_agent.engines.channel import Channel
from edgeprof_agent.engines.engine import Loaded, Step
from edgeprof_agent.engines.lifeline import die_with_parent
from edgeprof_agent.engines.llama_cpp import LlamaCpp
from edgeprof_agent.engines.options import Option
from edgeprof_agent.engines.recorder import Recorder
from edgeprof_agent.engines.registry import find_engine
from edgeprof_agent.engines.serve import serve
from edgeprof_agent.engines.token_engine import TokenEngine

WAYS = (
    "no",
    "prompts fail",
    "all calls fail",
    "rebuilds each turn",
    "works four times",
    "first step works more",
    "slows down",
    "loses its weights",
    "damages its weights",
    "takes the damaged twin",
    "slow at 8 bits",
)
_SILENT = llama_cpp.llama_log_callback(lambda _level, _text, _user_data: None)
_MORE = 3
_FAST_STEPS = 3
# include/uapi/asm-generic/mman-common.h: read no page ahead, and reclaim pages now.
_MADV_RANDOM, _MADV_PAGEOUT = 1, 21


class SpoiltLlamaCpp(LlamaCpp):
    """llama.cpp, spoilt in one way."""

    name = "spoilt"

    def __init__(self) -> None:
        super().__init__()
        self.options = (*self.options, Option("spoilt", "choice", "no", "how it is spoilt", choices=WAYS))
        self._way = "no"
        self._path = ""
        self._steps_begun = 0

    def load(self, path: str, options: Mapping[str, Any], context_tokens: int, seed: int) -> Loaded:
        self._way = str(options["spoilt"])
        self._path = path
        self._steps_begun = 0
        if self._way == "damages its weights":
            with _damaged_copy(path) as damaged:
                return super().load(damaged, options, context_tokens, seed)
        if self._way == "takes the damaged twin":
            path = str(Path(path).with_name("damaged.gguf"))
        loaded = super().load(path, options, context_tokens, seed)
        if "fail" in self._way:
            llama_cpp.llama_log_set(_SILENT, ctypes.c_void_p(None))
        return loaded

    def run(self, step: Step, recorder: Recorder) -> None:
        self._steps_begun += 1
        super().run(step, recorder)

    def decode(self, count: int, recorder: Recorder) -> None:
        """Each token by way of `process`, which is where it is spoilt."""
        TokenEngine.decode(self, count, recorder)

    def process(self, count: int, check: Callable[[], None]) -> None:
        if self._way == "all calls fail" or (self._way == "prompts fail" and count > 1):
            self._process_and_ignore(count)
            return
        if self._way == "loses its weights":
            _page_out(self._path)
        super().process(count, check)
        for _ in range(self._times_again()):
            self._cut(count)
            super().process(count, check)

    def _times_again(self) -> int:
        first_timed = self._steps_begun == 2  # the warm-up is the first
        hot = self._steps_begun > 1 + _FAST_STEPS
        if self._way == "slow at 8 bits":
            return 4 * _MORE * self._has_8_bits()
        again = {"works four times": _MORE, "first step works more": 2 * _MORE * first_timed, "slows down": _MORE * hot}
        return again.get(self._way, 0)

    def _has_8_bits(self) -> bool:
        description = ctypes.create_string_buffer(128)
        llama_cpp.llama_model_desc(self._model, description, len(description))
        return b"Q8_0" in description.value

    def _cut(self, count: int) -> None:
        memory = llama_cpp.llama_get_memory(self._context)
        assert llama_cpp.llama_memory_seq_rm(memory, 0, self._length - count, -1)
        self._length -= count

    def _process_and_ignore(self, count: int) -> None:
        """Hand llama.cpp tokens that no model has, and never look at what it returns."""
        for first in range(0, count, self._call_tokens):
            size = min(self._call_tokens, count - first)
            tokens = (llama_cpp.llama_token * size)(*[-1] * size)
            llama_cpp.llama_decode(self._context, llama_cpp.llama_batch(n_tokens=size, token=tokens))
        llama_cpp.llama_synchronize(self._context)
        self._length += count

    def _chat(self, step: Step, recorder: Recorder) -> None:
        if self._way != "rebuilds each turn":
            super()._chat(step, recorder)
            return
        for turn in range(step.turns):
            prompt_tokens = turn * (step.prompt_tokens + step.decode_tokens) + step.prompt_tokens
            recorder.begin(prompt_tokens=prompt_tokens, reused_tokens=0, depth_tokens=step.depth_tokens)
            self.rewind(step.depth_tokens, recorder.check)
            self.process(prompt_tokens, recorder.check)
            recorder.prefill_end()
            recorder.token()
            self.decode(step.decode_tokens - 1, recorder)
            recorder.end()


@contextmanager
def _damaged_copy(path: str) -> Iterator[str]:
    """Another file, of which one byte in 97 of the second half, where tensors lie, has a bit flipped."""
    content = bytearray(Path(path).read_bytes())
    for place in range(len(content) // 2, len(content), 97):
        content[place] ^= 0x08
    with tempfile.NamedTemporaryFile(suffix=".gguf") as damaged:
        damaged.write(content)
        damaged.flush()
        yield damaged.name


def _page_out(path: str) -> None:
    """Have the kernel take the file's pages out of this process's memory and out of the page cache."""
    libc = ctypes.CDLL(None, use_errno=True)
    libc.madvise.argtypes = (ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int)
    for line in Path("/proc/self/maps").read_text(encoding="utf-8").splitlines():
        if line.endswith(path):
            start, end = (int(address, 16) for address in line.split()[0].split("-"))
            for advice in (_MADV_RANDOM, _MADV_PAGEOUT):
                if libc.madvise(start, end - start, advice) != 0:
                    raise OSError(ctypes.get_errno(), "madvise")


if __name__ == "__main__":
    entry = find_engine("llama-cpp-python")
    assert entry
    channel = Channel.take_standard_streams()
    die_with_parent()
    serve(channel, SpoiltLlamaCpp(), entry.capabilities)
