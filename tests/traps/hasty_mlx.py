#!/usr/bin/env python3
"""MLX in edgeprof's own child, hasty on purpose: it reads the clock when a prompt's work is queued, as a program does
without ``mx.eval``. A single token is waited for, for somebody reads it. The option ``waits`` has it wait for all."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "agent"))

from edgeprof_agent.engines.channel import Channel
from edgeprof_agent.engines.engine import Loaded
from edgeprof_agent.engines.lifeline import die_with_parent
from edgeprof_agent.engines.mlx import Mlx
from edgeprof_agent.engines.options import Option
from edgeprof_agent.engines.registry import find_engine
from edgeprof_agent.engines.serve import serve


class HastyMlx(Mlx):
    """MLX whose prompts are queued, and computed when the first token after them is waited for."""

    name = "hasty"

    def __init__(self) -> None:
        super().__init__()
        self.options = (*self.options, Option("waits", "boolean", "false", "wait for the work of prompts too"))
        self._waits = False
        self._is_prompt = False

    def load(self, path: str, options: Mapping[str, Any], context_tokens: int, seed: int) -> Loaded:
        self._waits = bool(options["waits"])
        return super().load(path, options, context_tokens, seed)

    def process(self, count: int, check: Any) -> None:
        self._is_prompt = count > 1
        super().process(count, check)

    def _wait_for(self, arrays: Any) -> None:
        if self._waits or not self._is_prompt:
            super()._wait_for(arrays)


if __name__ == "__main__":
    entry = find_engine("mlx")
    assert entry
    channel = Channel.take_standard_streams()
    die_with_parent()
    serve(channel, HastyMlx(), entry.capabilities)
