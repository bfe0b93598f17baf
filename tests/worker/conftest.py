from pathlib import Path

import pytest

from lstmbench.records import ExportedModel, ExportRecord, ModelConfig

SIZES = {"peephole": "full", "input_size": 3, "hidden_size": 4}


@pytest.fixture
def lm() -> ModelConfig:
    return ModelConfig(head="lm", vocabulary_size=5, **SIZES)


@pytest.fixture
def fakes(monkeypatch) -> None:
    """The child can import `fakes`, as a plug-in author's module on PYTHONPATH."""
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parent))


def exported(model: ModelConfig, *, lengths: bool = False) -> ExportedModel:
    record = ExportRecord(
        file="scan-fp32.onnx",
        sha256="0" * 64,
        model=model,
        form="scan",
        precision="fp32",
        lengths=lengths,
        opset=21,
        ir_version=10,
        weights_sha256="0" * 64,
        verified=(),
        verified_with="nothing",
    )
    return ExportedModel(folder="models/fake", record=record)


@pytest.fixture
def fake_export(lm) -> ExportedModel:
    return exported(lm)


@pytest.fixture
def fake_lengths(lm) -> ExportedModel:
    return exported(lm, lengths=True)


@pytest.fixture
def fake_layer() -> ExportedModel:
    return exported(ModelConfig(head="layer", bidirectional=True, num_layers=2, **SIZES))
