"""As much of torch as the driver of ExLlamaV2 calls. A GPU's work is queued, and done when it is waited for."""

from __future__ import annotations

import os
from typing import Any

__version__ = "0-stand-in"
long = "long"
queued: list[str] = []
"""What the GPU has been given and nobody has waited for."""

done: list[str] = []


class Tensor:
    def __init__(self, rows: list[list[int]]) -> None:
        self.rows = rows
        self.shape = (len(rows), len(rows[0]))

    def __getitem__(self, index: Any) -> Tensor:
        return Tensor([row[index[1]] for row in self.rows])


def tensor(rows: list[list[int]], dtype: str) -> Tensor:
    assert dtype == long
    return Tensor(rows)


class cuda:  # noqa: N801 - torch's name
    @staticmethod
    def is_available() -> bool:
        return "STAND_IN_WITHOUT_GPU" not in os.environ

    @staticmethod
    def device_count() -> int:
        return 2

    @staticmethod
    def get_device_name(device: int) -> str:
        return f"GPU {device}"

    @staticmethod
    def synchronize(device: int) -> None:
        mine = [work for work in queued if work.endswith(f"on {device}")]
        done.extend(mine)
        for work in mine:
            queued.remove(work)

    @staticmethod
    def empty_cache() -> None:
        pass
