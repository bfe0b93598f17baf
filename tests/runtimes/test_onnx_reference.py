"""ONNX's own evaluator as a runtime of exports: right where it is, refused where it cannot load."""

import pytest

from lstmbench.errors import WorkerError
from lstmbench.export import export
from lstmbench.model import folder
from lstmbench.model.weights import random_weights
from lstmbench.records import ModelConfig, ModelFolder
from lstmbench.runtimes import available
from lstmbench.runtimes.onnx_reference import OnnxReference

pytest.importorskip("onnxruntime")  # what an export is proved with

LM = ModelConfig(head="lm", peephole="diagonal", vocabulary_size=7, input_size=5, hidden_size=6)


@pytest.fixture
def made(make):
    """A model whose export is a real one of a form and precision."""

    def made(form, precision="fp32"):
        one = make(LM)
        one.exported.path.unlink()
        one.exported = export(one.path, form=form, precision=precision)
        return one

    return made


@pytest.mark.parametrize("form", ["lstm", "scan", "step"])
def test_it_computes_what_the_reference_computes(made, assert_close, form):
    one = made(form)
    runtime, steps = OnnxReference(one.exported, threads=1), one.exported.steps
    for batch, time in ((2, 3), (1, 1)):
        inputs, state = one.inputs(batch, steps or time), one.state(batch)
        assert_close(runtime.run(inputs, state), one.want(inputs, state))
        held = runtime.hold(inputs, state)
        held.compute()
        assert_close(held.answer(), one.want(inputs, state))
    runtime.close()


def test_operators_that_it_does_not_have_are_one_line(made):
    with pytest.raises(WorkerError) as caught:
        OnnxReference(made("lstm", "int8").exported, threads=1)
    assert "\n" not in str(caught.value)


def test_it_runs_exports_only_where_it_is_asked_for():
    assert "onnx-reference" not in available()
    assert "onnx-reference" in available("lstmbench.graphs")


def test_its_graphs_are_loaded_from_a_file_too(tmp_path):
    folder.write_config(tmp_path, ModelFolder(model=LM))
    folder.write_weights(tmp_path, random_weights(LM, seed=1), folder.WeightsNote(sha256=""))
    session = OnnxReference.graph(export(tmp_path, form="step", precision="fp32").path, threads=1)
    assert session.placement() == ()
