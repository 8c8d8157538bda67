"""Options of the whole suite."""

import pytest
from hypothesis import HealthCheck, settings

# Neither a deadline nor a health check by the clock: other programs may have the machine just then.
settings.register_profile("shared-machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("shared-machine")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--update", action="store_true", help="rewrite the golden files; the diff is the review")
    parser.addoption("--prove", action="store_true", help="run proofs whole instead of their short form")


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line(
        "markers", "prove(short, whole): is repeated for that many values of `proof_seed`; whole under `make prove`"
    )


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Repeat a proof for as many seeds as its mark says."""
    mark = metafunc.definition.get_closest_marker("prove")
    if mark is not None:
        count = mark.kwargs["whole" if metafunc.config.getoption("--prove") else "short"]
        metafunc.parametrize("proof_seed", range(count))


@pytest.fixture
def update(request: pytest.FixtureRequest) -> bool:
    """Whether golden files are to be rewritten."""
    return bool(request.config.getoption("--update"))
