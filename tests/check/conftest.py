from collections.abc import Callable
from pathlib import Path

import pytest

from lstmbench.errors import WorkerError
from lstmbench.model import folder
from lstmbench.model.weights import digest, expected_shapes, random_weights
from lstmbench.records import ExportedModel, ExportRecord, ModelConfig, ModelFolder
from lstmbench.runtimes import load
from lstmbench.worker import WorkerInfo
from lstmbench.worker.carried import GoesOn
from lstmbench.worker.shapes import ContractError, demand_answer, demand_tokens


class Inline:
    """A worker without a process: the adapter runs here, and its answers are held to the same contract."""

    ran: list[str]  # one entry a call
    code = "cd" * 32  # of every adapter

    def __init__(self, runtime: str, exported: ExportedModel, *, threads: int) -> None:
        self.exported = exported
        self.runtime = load(runtime)(exported, threads=threads)
        self.goes_on = GoesOn(self.runtime)
        told = {"placement": self.runtime.placement(), "provider": getattr(self.runtime, "provider", "")}
        times = {"taken_s": 0.0, "load_s": 0.1}
        self.info = WorkerInfo(version=self.runtime.version, code_sha256=self.code, **times, **told)

    def run(self, inputs, state=None, *, lengths=None):
        self.ran.append(type(self.runtime).__name__)
        try:
            answer = self.goes_on.run(inputs, state, lengths)
            return demand_answer(self.exported.model, answer, batch=len(inputs), time=inputs.shape[1])
        except ContractError as error:
            raise WorkerError(str(error)) from error

    def generate(self, prompt, uniform, how, state=None):
        self.ran.append(type(self.runtime).__name__)
        answer = self.runtime.generate(prompt, state, uniform, temperature=how.temperature, top_k=how.top_k)
        try:
            return demand_tokens(self.exported.model, answer, batch=len(prompt), count=uniform.shape[1])
        except ContractError as error:
            raise WorkerError(str(error)) from error

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.runtime.close()


@pytest.fixture
def plugins(monkeypatch) -> None:
    """`planted` can be imported, here and in a worker's child."""
    here = str(Path(__file__).parent)
    monkeypatch.syspath_prepend(here)
    monkeypatch.setenv("PYTHONPATH", here)


@pytest.fixture
def inline(plugins, monkeypatch) -> list[str]:
    """Workers run in this process; the list fills with one entry a call."""
    monkeypatch.setattr("lstmbench.check.examine.Worker", Inline)
    monkeypatch.setattr("lstmbench.check.differences.subjects.Worker", Inline)
    monkeypatch.setattr("lstmbench.check.trajectories.subjects.Worker", Inline)
    monkeypatch.setattr(Inline, "ran", ran := [], raising=False)
    return ran


@pytest.fixture
def make(tmp_path) -> Callable[..., ExportedModel]:
    """A model folder with random weights, and an 'export' that only ONNX Runtime would miss."""

    def make(config: ModelConfig, *, name="tiny", seed=3, gain=1.0, form="scan", lengths=False) -> ExportedModel:
        weights, path = random_weights(config, seed=seed, gain=gain), tmp_path / name
        folder.write_config(path, ModelFolder(model=config))
        folder.write_weights(path, weights, folder.WeightsNote(sha256=""))
        record = ExportRecord(
            file=f"{form}-fp32-lengths.onnx" if lengths else f"{form}-fp32.onnx",
            sha256=digest(weights),
            model=config,
            form=form,
            precision="fp32",
            lengths=lengths,
            opset=21,
            ir_version=10,
            weights_sha256=digest({name: weights[name] for name in expected_shapes(config)}),
            verified=(),
            verified_with="nothing",
        )
        return ExportedModel(folder=str(path), record=record)

    return make


@pytest.fixture
def lm() -> ModelConfig:
    return ModelConfig(head="lm", peephole="full", input_size=3, hidden_size=4, num_layers=2, vocabulary_size=7)


@pytest.fixture
def tiny(make, lm) -> ExportedModel:
    return make(lm)
