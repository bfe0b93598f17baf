"""A module's layers on disk: read back as they were, exported and proved from there."""

import numpy as np
import pytest

from lstmbench.errors import CheckpointError
from lstmbench.model import folder, reference

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.torch


@pytest.fixture
def module():
    from lstmbench import PeepholeLSTM

    torch.manual_seed(3)
    return PeepholeLSTM(5, 6, num_layers=2, bidirectional=True, batch_first=True, peephole="diagonal")


def test_the_folder_computes_what_the_module_does(module, tmp_path):
    from lstmbench import save_layers

    save_layers(module, tmp_path / "m")
    checkpoint = folder.read(tmp_path / "m")
    x = np.random.default_rng(0).standard_normal((3, 7, 5), dtype=np.float32)
    want, (h, c) = module(torch.from_numpy(x))
    got, after = reference.run(checkpoint.folder.model, checkpoint.weights, x)
    for one, other in zip((want, h, c), (got, *after), strict=True):
        np.testing.assert_allclose(one.detach().numpy(), other, atol=1e-6)


def test_bidirectional_layers_go_the_whole_way_to_a_proven_file(module, tmp_path):
    pytest.importorskip("onnxruntime")
    from lstmbench import save_layers
    from lstmbench.export import export

    save_layers(module, str(tmp_path / "m"))
    assert export(tmp_path / "m").path.name == "layer-lstm-fp32.onnx"


def test_a_folder_that_holds_a_model_is_left_alone(module, tmp_path):
    from lstmbench import save_layers

    save_layers(module, tmp_path)
    before = (tmp_path / folder.WEIGHTS).read_bytes()
    with pytest.raises(CheckpointError, match="holds a model already"):
        save_layers(module, tmp_path)
    assert (tmp_path / folder.WEIGHTS).read_bytes() == before


@pytest.mark.parametrize("spoil", ["nan", "double"])
def test_weights_that_no_file_may_hold_are_refused_by_name(module, tmp_path, spoil):
    from lstmbench import save_layers

    if spoil == "nan":
        module.weight_hh_l1.data[0, 0] = float("nan")
    else:
        module.double()
    with pytest.raises(CheckpointError, match=r"weight_hh_l1 holds NaN|weight_ih_l0 is torch.float64"):
        save_layers(module, tmp_path / "m")
    assert not (tmp_path / "m").exists()
