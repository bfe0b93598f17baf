from pathlib import Path

import pytest


@pytest.fixture
def fakes(monkeypatch) -> None:
    """The child can import `planted`, as a plug-in author's module on PYTHONPATH."""
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parent))
