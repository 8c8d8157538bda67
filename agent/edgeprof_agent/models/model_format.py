"""How a model is stored."""

from enum import Enum


class ModelFormat(str, Enum):
    """A GGUF file, or a folder as Hugging Face hands models out: ``config.json``, ``*.safetensors``, a tokenizer."""

    GGUF = "gguf"
    SAFETENSORS = "safetensors"
