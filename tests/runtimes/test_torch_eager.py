import numpy as np
import pytest

from lstmbench.errors import CheckpointError
from lstmbench.records import ModelConfig
from lstmbench.worker import Worker

pytestmark = pytest.mark.torch
torch = pytest.importorskip("torch")

SIZES = {"input_size": 6, "hidden_size": 6, "num_layers": 2}


def lm(peephole, **more):
    return ModelConfig(head="lm", peephole=peephole, vocabulary_size=11, **SIZES, **more)


@pytest.mark.parametrize(
    ("model", "head"),
    [
        (lm("full"), "lm"),
        (lm("diagonal", tie_weights=True), "lm"),
        (lm("none", bias=False), "lm"),
        (lm("full"), "layer"),
        (ModelConfig(head="layer", peephole="full", bidirectional=True, **SIZES), "layer"),
        (ModelConfig(head="layer", peephole="diagonal", bidirectional=True, bias=False, **SIZES), "layer"),
    ],
)
def test_it_computes_what_the_reference_computes(make, assert_close, model, head):
    from lstmbench.runtimes.torch_eager import TorchEager

    made = make(model, head=head)
    inputs, state = made.inputs(3, 7), made.state(3)
    runtime = TorchEager(made.exported, threads=1)
    assert_close(runtime.run(inputs, state), made.want(inputs, state))
    assert_close(runtime.run(inputs, None), made.want(inputs, None))
    lengths = np.array([3, 7, 1], np.int32)
    assert_close(runtime.run(inputs, state, lengths=lengths), made.want(inputs, state, lengths))
    assert_close(runtime.run(inputs, None, lengths=lengths), made.want(inputs, None, lengths))
    assert runtime.placement() == ()


def test_a_worker_of_it_answers_under_its_threads(make, assert_close):
    made = make(lm("diagonal"))
    inputs = made.inputs(2, 5)
    with Worker("torch", made.exported, threads=1) as worker:
        assert worker.info.version == torch.__version__
        assert_close(worker.run(inputs), made.want(inputs, None))


def test_it_takes_the_threads_that_it_is_given(make):
    from lstmbench.runtimes.torch_eager import TorchEager

    before = torch.get_num_threads()
    try:
        TorchEager(make(lm("none")).exported, threads=2).close()
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)


def test_weights_trained_again_since_the_export_are_refused(make):
    from lstmbench.runtimes.torch_eager import TorchEager

    made = make(lm("full"))
    made.retrain(seed=8)
    with pytest.raises(CheckpointError, match="export again"):
        TorchEager(made.exported, threads=1)
