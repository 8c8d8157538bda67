"""Models that are a Hugging Face folder, for the engines that read no other."""

from __future__ import annotations

from pathlib import Path

from .engine import EngineError


def require_folder(path: str, engine: str, example: str) -> Path:
    """Return the model's folder.

    ``engine`` is the library's name for people, ``example`` a quantisation of synthetic models that it reads.

    Raises:
        EngineError: the path is no folder with a configuration.
    """
    folder = Path(path)
    way_out = f"give a folder with config.json and *.safetensors, or a shape such as synth:llama-3.2-1b@{example}"
    if folder.is_file():
        raise EngineError(f"{path}: a file, and {engine} reads Hugging Face folders: {way_out}")
    if not (folder / "config.json").is_file():
        raise EngineError(f"{path}: no folder of a model, for it has no config.json: {way_out}")
    return folder
