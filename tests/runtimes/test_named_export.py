"""Exports on engines that run graphs by name: right, and with each mistake that is asked for at load."""

import onnx
import pytest
from onnx.reference import ReferenceEvaluator

from lstmbench import environments
from lstmbench.check import check
from lstmbench.errors import RecordError, RuntimeMissingError, WorkerError
from lstmbench.model import folder, stimulus
from lstmbench.model.weights import random_weights
from lstmbench.records import ModelConfig, ModelFolder
from lstmbench.runtimes.load_probes import without_peepholes
from lstmbench.runtimes.named_export import NamedExport

pytest.importorskip("onnxruntime")  # what an export is proved with


class Session:
    """ONNX's own evaluator as a graph session."""

    def __init__(self, graph):
        self._evaluator, self.closed = ReferenceEvaluator(onnx.load_model_from_string(graph)), False

    def run(self, inputs):
        return dict(zip(self._evaluator.output_names, self._evaluator.run(None, dict(inputs)), strict=True))

    def placement(self):
        return ()

    def close(self):
        self.closed = True


class LastStepOnly(Session):
    def run(self, inputs):
        answer = super().run(inputs)
        return answer | {"logits": answer["logits"][:, -1:]}


def exported(path, peephole, form, **options):
    from lstmbench.export import export

    config = ModelConfig(head="lm", vocabulary_size=7, peephole=peephole, input_size=5, hidden_size=12, num_layers=2)
    folder.write_config(path / peephole, ModelFolder(model=config))
    folder.write_weights(path / peephole, random_weights(config, seed=1), folder.WeightsNote(sha256=""))
    return export(path / peephole, form=form, precision="fp32", **options)


@pytest.mark.parametrize(("peephole", "form"), [("diagonal", "lstm"), ("full", "scan"), ("full", "step")])
def test_an_engine_that_is_right_is_taken(tmp_path, peephole, form):
    export = exported(tmp_path, peephole, form)
    held = NamedExport(export, Session)
    steps = export.steps or 4
    output, state = held.run(stimulus.inputs(export.model, batch=2, time=steps, seed=1), None)
    assert output.shape == (2, steps, 7)
    assert state.h.shape == export.model.state_shape(2)
    held.close()
    assert held._session.closed


def test_an_engine_that_drops_the_peepholes_is_refused_at_load(tmp_path):
    def dropping(graph):
        return Session(without_peepholes(graph) or graph)

    with pytest.raises(WorkerError, match="it drops the peepholes of the LSTM operator"):
        NamedExport(exported(tmp_path, "diagonal", "lstm"), dropping)


def test_an_engine_that_gives_the_last_step_alone_is_refused_at_load(tmp_path):
    with pytest.raises(WorkerError, match="at T = 3 it answers 1 steps"):
        NamedExport(exported(tmp_path, "full", "scan"), LastStepOnly)


def test_lengths_are_whole_where_none_are_asked_for(tmp_path):
    asked = []

    class Heeds(Session):
        def run(self, inputs):
            asked.append(inputs["lengths"].tolist())
            return super().run(inputs)

    NamedExport(exported(tmp_path, "full", "scan", lengths=True), Heeds)
    assert asked == [[3, 3], [5, 5]]


def test_what_lies_in_two_files_is_refused(tmp_path, monkeypatch):
    from lstmbench.export.storage import Storage

    export = exported(tmp_path, "full", "scan", storage=Storage(external_data=True))
    with pytest.raises(RecordError, match="keeps tensors beside itself: export it without --external-data"):
        NamedExport(export, Session)


@pytest.mark.parametrize(("peephole", "form"), [("diagonal", "lstm"), ("full", "scan")])
def test_tract_is_right_where_it_is_at_hand(tmp_path, peephole, form):
    try:
        environments.choose("tract-cpu")
    except RuntimeMissingError as error:
        pytest.skip(str(error))
    export = exported(tmp_path, peephole, form)
    report = check([export], ["tract-cpu"], run=tmp_path / "run", shapes=[(2, 5)], progress=lambda _: None)
    assert not report.clearances[0].refused
