"""Training speed of the cells beside torch.nn.LSTM, forward and backward, one thread; shown, never asserted."""

import pytest

torch = pytest.importorskip("torch")

from lstmbench import PeepholeLSTM  # noqa: E402

SHAPES = {"T64-B32-H256": (64, 32, 256), "T35-B20-H200": (35, 20, 200)}


@pytest.mark.parametrize("cell", ["torch.nn.LSTM", "none", "diagonal", "full"])
@pytest.mark.parametrize("shape", SHAPES)
def test_forward_and_backward(benchmark, shape, cell):
    torch.set_num_threads(1)
    T, B, H = SHAPES[shape]
    module = torch.nn.LSTM(H, H) if cell == "torch.nn.LSTM" else PeepholeLSTM(H, H, peephole=cell)
    x = torch.randn(T, B, H, requires_grad=True)
    benchmark.group = shape
    benchmark(lambda: module(x)[0].sum().backward())
