import asyncio
from pathlib import Path

from edgeprof_agent.models.process import prepare_model


def write_tiny_model(folder: Path) -> Path:
    """A synthetic model of a few megabytes."""
    return Path(asyncio.run(prepare_model("synth:tiny@q8_0", folder, lambda _: None)).path)


def write_tiny_folder(folder: Path) -> Path:
    """A Hugging Face folder of floats, a smaller one still: MLX is slow on a processor."""
    return Path(asyncio.run(prepare_model("synth:tiny-odd@hf-f16", folder, lambda _: None)).path)


def write_unknown_architecture(model: Path, path: Path) -> Path:
    """The same model, calling itself something that llama.cpp has never heard of."""
    path.write_bytes(model.read_bytes().replace(b"llama", b"xllam"))
    return path


def write_truncated(model: Path, path: Path) -> Path:
    """The first half of the model."""
    content = model.read_bytes()
    path.write_bytes(content[: len(content) // 2])
    return path
