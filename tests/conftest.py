import pytest

from lstmbench.records import ExportedModel, ExportRecord, ModelConfig


@pytest.fixture(scope="session")
def recorded():
    """Make an export as its record knows it: no file lies behind it."""

    def recorded(model: ModelConfig, *, folder="models/fake", form="scan", precision="fp32", **known) -> ExportedModel:
        known = {"file": f"{form}-{precision}.onnx", "sha256": "0" * 64, "weights_sha256": "0" * 64} | known
        proof = {"opset": 21, "ir_version": 10, "verified": (), "verified_with": "nothing"}
        record = ExportRecord(model=model, form=form, precision=precision, **proof, **known)
        return ExportedModel(folder=str(folder), record=record)

    return recorded
