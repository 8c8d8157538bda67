"""Sequences that llama.cpp decodes together, in a context of their own beside the one that all other steps use.

So whatever a parallel step needs changes nothing for the others. Each sequence has a cache of its own
(``kv_unified`` off), as those of people who have nothing in common.
"""

from __future__ import annotations

from time import monotonic_ns
from typing import Any, Mapping, Sequence

from .engine import EngineError, Step
from .llama_cpp_binding import llama_cpp
from .llama_cpp_log import LlamaLog, decode_failure
from .llama_cpp_parameters import context_parameters
from .llama_cpp_threads import ThreadPool
from .options import OptionValue
from .recorder import Recorder, StepCancelledError
from .token_ids import token_id

# llama.cpp rounds the context of a sequence up to this; so a step's warm-up makes the context that the step needs.
_CONTEXT_MULTIPLE = 256


class ParallelSequences:
    """Makes the context when a step first needs it, and a larger one when a step needs that."""

    def __init__(self, model: Any, options: Mapping[str, OptionValue], seed: int, log: LlamaLog) -> None:
        self._model = model
        self._options = options
        self._seed = seed
        self._log = log
        self._vocabulary_size = llama_cpp.llama_vocab_n_tokens(llama_cpp.llama_model_get_vocab(model))
        self._context: Any = None
        self._threads: ThreadPool | None = None
        self._batch: Any = None
        self._room = (0, 0)
        self._filled = (0, 0)

    def close(self) -> None:
        """Free threads and context."""
        if self._batch is not None:
            llama_cpp.llama_batch_free(self._batch)
            self._batch = None
        if self._threads is not None:
            self._threads.close()
            self._threads = None
        if self._context is not None:
            llama_cpp.llama_free(self._context)
            self._context = None
        self._room = self._filled = (0, 0)

    def run(self, step: Step, recorder: Recorder) -> None:
        """Run a parallel step: the tokens of all sequences at one place in one call, then those at the next.

        Raises:
            EngineError: memory does not suffice, or a call failed.
            StepCancelledError: the step is cancelled; the times up to there are sent.
        """
        self._make_room(step)
        self._fill(step, recorder)
        tokens = [
            [self._token(step.depth_tokens + place, sequence) for sequence in range(step.sequences)]
            for place in range(step.decode_tokens)
        ]
        recorders = recorder.split(step.sequences)
        now_ns = monotonic_ns()
        for each in recorders:
            each.begin(prompt_tokens=0, reused_tokens=0, depth_tokens=step.depth_tokens, at_ns=now_ns)
        try:
            for place, together in enumerate(tokens):
                self._decode(together, step.depth_tokens + place)
                now_ns = monotonic_ns()
                for each in recorders:
                    each.token(at_ns=now_ns)
        except StepCancelledError:
            for each in recorders:
                each.keep()
            raise
        for each in recorders:
            each.end()

    def _make_room(self, step: Step) -> None:
        tokens = step.depth_tokens + step.decode_tokens
        sequences, tokens_each = self._room
        if step.sequences <= sequences and tokens <= tokens_each:
            return
        sequences = max(sequences, step.sequences)
        tokens_each = max(tokens_each, -(-tokens // _CONTEXT_MULTIPLE) * _CONTEXT_MULTIPLE)
        self.close()
        self._log.clear()
        parameters = context_parameters(self._options, sequences * tokens_each)
        parameters.n_seq_max = sequences
        parameters.n_batch = max(parameters.n_batch, sequences)
        self._context = llama_cpp.llama_init_from_model(self._model, parameters)
        if self._context is None:
            cause = self._log.cause("it does not say why")
            raise EngineError(f"llama.cpp cannot make {sequences} sequences of {tokens_each} tokens: {cause}")
        if self._options["thread_pool"]:
            threads = max(int(self._options["threads"]), int(self._options["threads_batch"]))
            self._threads = ThreadPool(self._context, threads)
        self._batch = llama_cpp.llama_batch_init(llama_cpp.llama_n_batch(self._context), 0, 1)
        self._room = (sequences, tokens_each)

    def _fill(self, step: Step, recorder: Recorder) -> None:
        """Have each sequence hold the same ``depth_tokens``: the first processes them, the others get a copy."""
        memory = llama_cpp.llama_get_memory(self._context)
        sequences, depth_tokens = self._filled
        if sequences >= step.sequences and depth_tokens == step.depth_tokens and self._cut_back(memory):
            return
        llama_cpp.llama_memory_clear(memory, False)
        self._filled = (0, 0)
        call_tokens = llama_cpp.llama_n_batch(self._context)
        for start in range(0, step.depth_tokens, call_tokens):
            end = min(start + call_tokens, step.depth_tokens)
            self._process([(self._token(place, 0), place, 0) for place in range(start, end)])
            recorder.check()
        for sequence in range(1, step.sequences):
            llama_cpp.llama_memory_seq_cp(memory, 0, sequence, -1, -1)
        llama_cpp.llama_synchronize(self._context)
        self._filled = (step.sequences, step.depth_tokens)

    def _cut_back(self, memory: Any) -> bool:
        """Cut the sequences back to their depth; false where the architecture's memory cannot be cut."""
        sequences, depth_tokens = self._filled
        return all(llama_cpp.llama_memory_seq_rm(memory, sequence, depth_tokens, -1) for sequence in range(sequences))

    def _decode(self, tokens: Sequence[int], position: int) -> None:
        """Process the next token of every sequence, then synchronise."""
        self._process([(token, position, sequence) for sequence, token in enumerate(tokens)], wanted_logits=True)
        llama_cpp.llama_synchronize(self._context)

    def _process(self, tokens: Sequence[tuple[int, int, int]], *, wanted_logits: bool = False) -> None:
        """Process tokens in one call, each given with its position and its sequence."""
        batch = self._batch
        batch.n_tokens = len(tokens)
        for index, (token, position, sequence) in enumerate(tokens):
            batch.token[index] = token
            batch.pos[index] = position
            batch.n_seq_id[index] = 1
            batch.seq_id[index][0] = sequence
            batch.logits[index] = wanted_logits or index == len(tokens) - 1
        status = llama_cpp.llama_decode(self._context, batch)
        if status != 0:
            self._filled = (0, 0)
            raise EngineError(decode_failure(status, self._log))

    def _token(self, place: int, sequence: int) -> int:
        return token_id(self._seed + sequence, place, self._vocabulary_size)
