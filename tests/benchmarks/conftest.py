"""What is shown and never asserted runs when it is asked for by its own path, not with the tests."""

import pytest


@pytest.fixture(autouse=True)
def _alone(request: pytest.FixtureRequest) -> None:
    """Benchmarks that take turns have no `benchmark` fixture, by which pytest-benchmark would know them."""
    if request.config.getoption("benchmark_skip"):
        pytest.skip("a benchmark")
