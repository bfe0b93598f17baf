import numpy as np
import pytest

from lstmbench.errors import CheckpointError
from lstmbench.model import folder
from lstmbench.records import ModelConfig
from lstmbench.runtimes.numpy_float32 import NumpyFloat32
from lstmbench.worker import Worker

LM = ModelConfig(head="lm", peephole="full", input_size=5, hidden_size=6, num_layers=2, vocabulary_size=11)
BOTH_WAYS = ModelConfig(head="layer", peephole="diagonal", input_size=5, hidden_size=6, bidirectional=True)


@pytest.mark.parametrize(("model", "head"), [(LM, "lm"), (LM, "layer"), (BOTH_WAYS, "layer")])
def test_a_worker_of_it_is_the_reference_in_float32(make, assert_close, model, head):
    made = make(model, head=head)
    inputs, state = made.inputs(3, 7), made.state(3)
    with Worker("numpy", made.exported) as worker:
        assert worker.info.version == np.__version__
        assert worker.info.placement == ()
        assert_close(worker.run(inputs, state), made.want(inputs, state))
        assert_close(worker.run(inputs), made.want(inputs, None))


def test_it_computes_in_float32_and_not_in_float64(make):
    made = make(LM)
    inputs = made.inputs(3, 7)
    output, _ = NumpyFloat32(made.exported, threads=1).run(inputs, None)
    assert not np.array_equal(output, made.want(inputs, None)[0].astype(np.float32))


def test_weights_trained_again_since_the_export_are_refused(make):
    made = make(LM)
    made.retrain(seed=8)
    with pytest.raises(CheckpointError, match=r"was trained again since lstm-fp32\.onnx was exported; export again$"):
        NumpyFloat32(made.exported, threads=1)


def test_a_folder_of_other_sizes_since_the_export_is_refused(make):
    made = make(LM)
    made.model = ModelConfig(head="lm", peephole="none", input_size=5, hidden_size=7, vocabulary_size=11)
    made.retrain(seed=7)
    with pytest.raises(CheckpointError, match="export again"):
        NumpyFloat32(made.exported, threads=1)


def test_a_bare_layer_ignores_what_changed_outside_of_it(make, assert_close):
    made = make(LM, head="layer")
    changed = made.all_weights | {"decoder.bias": made.all_weights["decoder.bias"] + 1}
    folder.write_weights(made.path, changed, folder.WeightsNote(sha256=""))
    inputs = made.inputs(2, 3)
    assert_close(NumpyFloat32(made.exported, threads=1).run(inputs, None), made.want(inputs, None))


def test_a_folder_that_is_gone_is_one_line(make):
    made = make(LM)
    (made.path / "weights.safetensors").unlink()
    with pytest.raises(CheckpointError, match=r"has no weights\.safetensors"), Worker("numpy", made.exported):
        pass


def test_after_closing_the_weights_are_forgotten(make):
    runtime = NumpyFloat32(make(LM).exported, threads=1)
    runtime.close()
    assert not runtime._weights
