import hashlib
from pathlib import Path

import numpy as np
import pytest

from lstmbench.arrays import State
from lstmbench.model import folder, reference
from lstmbench.model.weights import digest, expected_shapes, random_weights
from lstmbench.records import ExportedModel, ExportRecord, ModelConfig, ModelFolder

FILE = "lstm-fp32.onnx"


class Made:
    """A model folder with random weights, what was 'exported' of it, and the reference's float64 answer."""

    def __init__(self, path: Path, model: ModelConfig, *, head: str, onnx: bytes = b"no graph") -> None:
        self.path, self.model = path, model
        self.retrain(seed=7)
        config = model if head == model.head else model.layers_only()
        self.weights = {name: self.all_weights[name] for name in expected_shapes(config)}
        (path / FILE).write_bytes(onnx)
        record = ExportRecord(
            file=FILE,
            sha256=hashlib.sha256(onnx).hexdigest(),
            model=config,
            form="lstm",
            precision="fp32",
            opset=21,
            ir_version=10,
            weights_sha256=digest(self.weights),
            verified=(),
            verified_with="nothing",
        )
        self.exported = ExportedModel(folder=str(path), record=record)

    def retrain(self, *, seed: int) -> None:
        self.all_weights = random_weights(self.model, seed=seed)
        folder.write_config(self.path, ModelFolder(model=self.model))
        folder.write_weights(self.path, self.all_weights, folder.WeightsNote(sha256=""))

    def inputs(self, batch: int, time: int, *, seed: int = 0) -> np.ndarray:
        rng, config = np.random.default_rng(seed), self.exported.model
        if config.head == "lm":
            return rng.integers(0, config.vocabulary_size, (batch, time))
        return rng.standard_normal((batch, time, config.input_size)).astype(np.float32)

    def state(self, batch: int, *, seed: int = 1) -> State:
        rng, shape = np.random.default_rng(seed), self.exported.model.state_shape(batch)
        return State(*(rng.standard_normal(shape).astype(np.float32) for _ in "hc"))

    def want(self, inputs: np.ndarray, state: State | None, lengths: np.ndarray | None = None) -> list[np.ndarray]:
        output, (h, c) = reference.run(self.exported.model, self.weights, inputs, state, lengths=lengths)
        return [output, h, c]


@pytest.fixture
def make(tmp_path):
    """Make a model folder and its 'export'."""

    def make(model: ModelConfig, *, head: str | None = None, onnx: bytes = b"no graph") -> Made:
        return Made(tmp_path, model, head=head or model.head, onnx=onnx)

    return make


@pytest.fixture
def assert_close():
    """Float32 against float64 over a few steps of contracting cells: some ten roundings of 6e-8, never 2e-6."""

    def check(got, want) -> None:
        for name, one, other in zip(("output", "h", "c"), (got[0], *got[1]), want, strict=True):
            assert one.dtype == np.float32
            assert one.shape == other.shape
            assert np.max(np.abs(one - other)) < 2e-6, name

    return check
