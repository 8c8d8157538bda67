from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def model_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where small models are written, once for all tests."""
    return tmp_path_factory.mktemp("models")
