"""Run in a process of its own with the stand-ins on its path: prints what the driver did to them, as JSON."""

import importlib
import json
import sys
from pathlib import Path
from typing import Any

import torch

ENGINES = Path(__file__).parents[3] / "agent" / "edgeprof_agent" / "engines"
FOLDER = sys.argv[1]


def main() -> None:
    sys.path.insert(0, str(ENGINES.parent))
    driver = importlib.import_module("engines.exllamav2")
    options = importlib.import_module("engines.options")
    recorder_module = importlib.import_module("engines.recorder")
    engine_module = importlib.import_module("engines.engine")
    engine = driver.open_engine()
    given = options.read_options("exllamav2", engine.options, {"prefill_step": "32", "kv_bits": "4"})
    loaded = engine.load(FOLDER, given, 200, 7)
    waiting: list[int] = []

    class Recorder(recorder_module.Recorder):  # type: ignore[name-defined, misc] # of a module that is found at run time
        """Notes how much work nobody has waited for whenever a clock is read at the end of work."""

        def prefill_end(self) -> None:
            waiting.append(len(torch.queued))
            super().prefill_end()

        def token(self) -> None:
            waiting.append(len(torch.queued))
            super().token()

    messages: list[Any] = []
    for step in (("prefill", 70, 10, 0, 1), ("decode", 0, 40, 3, 1), ("chat", 10, 0, 3, 2)):
        engine.run(engine_module.Step(*step), Recorder(1, messages.append, lambda _: False))
    sys.stdout.write(
        json.dumps(
            {
                "build": engine.build,
                "options": dict(loaded.options),
                "cache": type(engine._cache).__name__,
                "calls": engine._model.calls,
                "context": engine.context_length,
                "content": engine._cache.content[: engine.context_length],
                "waiting": waiting,
                "reused": [each["reused_tokens"] for each in messages if each["type"] == "request"],
            }
        )
    )


main()
