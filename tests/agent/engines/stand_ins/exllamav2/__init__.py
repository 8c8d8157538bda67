"""As much of ExLlamaV2 0.3 as its driver calls, with the checks of the original. It remembers what it was fed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch

__version__ = "0.3.2+stand.in"


class ExLlamaV2Config:
    def __init__(self, model_dir: str) -> None:
        content = json.loads((Path(model_dir) / "config.json").read_text())
        self.vocab_size = content["vocab_size"]
        self.max_seq_len = content["max_position_embeddings"]
        self.max_input_len = 2048
        self.no_flash_attn = False
        if content["model_type"] == "abacus":
            raise ValueError("Unknown architecture:\n abacus")


class ExLlamaV2Cache:
    def __init__(self, model: Any, *, max_seq_len: int, lazy: bool) -> None:
        assert lazy
        assert max_seq_len % 256 == 0, "max_seq_len must be a multiple of 256"
        self.max_seq_len = max_seq_len
        self.current_seq_len = 0
        self.content: list[int] = [0] * max_seq_len


class ExLlamaV2Cache_Q4(ExLlamaV2Cache):  # noqa: N801 - the library's name
    pass


class ExLlamaV2:
    def __init__(self, config: ExLlamaV2Config) -> None:
        self.config = config
        self.calls: list[tuple[int, bool]] = []
        self.loaded = False

    def load_autosplit(self, cache: ExLlamaV2Cache) -> None:
        self.loaded = True

    def forward(self, ids: torch.Tensor, cache: ExLlamaV2Cache, *, preprocess_only: bool, last_id_only: bool) -> None:
        begin, length = cache.current_seq_len, ids.shape[1]
        assert begin + length <= cache.max_seq_len, "Total sequence length exceeds cache size in model.forward"
        assert length <= self.config.max_input_len
        assert last_id_only
        cache.content[begin : begin + length] = ids.rows[0]
        cache.current_seq_len += length
        self.calls.append((length, preprocess_only))
        torch.queued += [f"{length} tokens on {device}" for device in range(2)]

    def unload(self) -> None:
        self.loaded = False
