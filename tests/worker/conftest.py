from pathlib import Path

import pytest

from lstmbench.records import ExportedModel, ModelConfig

SIZES = {"peephole": "full", "input_size": 3, "hidden_size": 4}


@pytest.fixture
def lm() -> ModelConfig:
    return ModelConfig(head="lm", vocabulary_size=5, **SIZES)


@pytest.fixture
def fakes(monkeypatch) -> None:
    """The child can import `fakes`, as a plug-in author's module on PYTHONPATH."""
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parent))


@pytest.fixture
def fake_export(lm, recorded) -> ExportedModel:
    return recorded(lm)


@pytest.fixture
def fake_lengths(lm, recorded) -> ExportedModel:
    return recorded(lm, lengths=True)


@pytest.fixture
def fake_layer(recorded) -> ExportedModel:
    return recorded(ModelConfig(head="layer", bidirectional=True, num_layers=2, **SIZES))
