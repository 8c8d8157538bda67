"""What engines were fed and said, seed by seed: ``python -m tests.agent.engines.what_it_said NAME MODEL SEED...``.

A process of its own, in which the engine is taken as its module gives it, and the model is loaded anew for each seed.
Prints a JSON array with an element for each. An engine that feeds fixed tokens has the token that it found likeliest
after each of them there; one that generates its own has every prompt and every answer.
"""

import json
import sys
from collections.abc import Callable
from typing import Any

from edgeprof_agent.engines.engine import Engine, Step
from edgeprof_agent.engines.options import read_options
from edgeprof_agent.engines.recorder import Recorder
from edgeprof_agent.engines.registry import find_engine
from edgeprof_agent.engines.serve import open_engine
from edgeprof_agent.engines.token_engine import TokenEngine

DECODE = Step("decode", prompt_tokens=0, depth_tokens=16, decode_tokens=16, turns=1)
CHAT = Step("chat", prompt_tokens=20, depth_tokens=0, decode_tokens=8, turns=3)
CONTEXT_TOKENS = 128


def likeliest_tokens(engine: TokenEngine) -> list[int]:
    """Run a decode step, and ask after each token which is the likeliest to follow."""
    look = {"llama-cpp-python": _likeliest_of_llama_cpp, "mlx": _watch_mlx}[engine.name](engine)
    said: list[int] = []

    class Looking(Recorder):
        def token(self, count: int = 1, at_ns: int | None = None) -> None:
            said.append(look())
            super().token(count, at_ns)

    engine.run(DECODE, Looking(1, lambda _: None, lambda _: False))
    return said


def _likeliest_of_llama_cpp(engine: Any) -> Callable[[], int]:
    import llama_cpp

    size = llama_cpp.llama_vocab_n_tokens(llama_cpp.llama_model_get_vocab(engine._model))

    def look() -> int:
        logits = llama_cpp.llama_get_logits_ith(engine._context, -1)[:size]
        return int(max(range(size), key=logits.__getitem__))

    return look


def _watch_mlx(engine: Any) -> Callable[[], int]:
    latest: list[Any] = []
    wait = engine._wait_for

    def note(arrays: Any) -> None:
        latest[:] = [arrays[0]]
        wait(arrays)

    engine._wait_for = note
    return lambda: int(latest[0][0, -1].argmax().item())


def prompts_and_answers(engine: Any) -> list[str]:
    """Run a chat, and keep what was sent and what came back."""
    said: list[str] = []
    complete = engine._complete

    def complete_and_keep(conversation: Any, *arguments: Any, **named: Any) -> Any:
        sent = json.dumps(conversation.fields())
        answer = complete(conversation, *arguments, **named)
        said.extend((sent, answer.text))
        return answer

    engine._complete = complete_and_keep
    engine.run(CHAT, Recorder(1, lambda _: None, lambda _: False))
    del engine._complete
    return said


def said_by(engine: Engine, model: str, seed: int) -> list[int] | list[str]:
    """Load the model, and have the engine say something."""
    engine.unload()
    one_thread = {"threads": "1"} if any(option.name == "threads" for option in engine.options) else {}
    engine.load(model, read_options(engine.name, engine.options, one_thread), CONTEXT_TOKENS, seed)
    return likeliest_tokens(engine) if isinstance(engine, TokenEngine) else prompts_and_answers(engine)


def main(name: str, model: str, *seeds: str) -> None:
    """Print what the engine says."""
    entry = find_engine(name)
    assert entry is not None
    engine = open_engine(entry)
    try:
        said = [said_by(engine, model, int(seed)) for seed in seeds]
    finally:
        engine.unload()
    sys.stdout.write(json.dumps(said) + "\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
