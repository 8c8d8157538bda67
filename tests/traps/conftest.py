from dataclasses import replace
from pathlib import Path

import pytest

from edgeprof_agent.models.presets import parse_spec
from edgeprof_agent.models.synthetic import write_model

from .lab import TINY, Lab


@pytest.fixture(scope="session")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where synthetic models are written, once for all traps."""
    return tmp_path_factory.mktemp("models")


@pytest.fixture(scope="session")
def wide_model(models: Path) -> str:
    """A model whose logits are most of its work: few layers, and a vocabulary of 131,072."""
    spec = parse_spec(TINY)
    path = models / "wide.gguf"
    write_model(replace(spec, shape=replace(spec.shape, vocabulary_size=1 << 17)), path, lambda _: None)
    return str(path)


@pytest.fixture(scope="session")
def lab(models: Path) -> Lab:
    """Runs plans on this machine, with nothing read but what the engine tells."""
    return Lab(models)
