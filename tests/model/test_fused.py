"""The compiled steps: their arithmetic against NumPy in double, their passes against those of torch's operators."""

import importlib
import sys

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("llvmlite")

from lstmbench import PeepholeLSTM  # noqa: E402
from lstmbench.model import passes  # noqa: E402
from lstmbench.model.fused import equations, kernels, lanes, native  # noqa: E402
from lstmbench.model.fused import passes as fused  # noqa: E402
from lstmbench.model.fused.loop import Array, over_rows  # noqa: E402

pytestmark = pytest.mark.torch
IN_DOUBLE = {"tanh": np.tanh, "sigmoid": lambda x: 1 / (1 + np.exp(-x))}


@pytest.fixture(autouse=True)
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture
def fresh():
    """Functions that are compiled here are forgotten after."""
    every = (kernels.forward, kernels.backward, kernels.whole_forward, kernels.whole_backward)
    for cached in every:
        cached.cache_clear()
    yield
    for cached in every:
        cached.cache_clear()


def over(x, function, *, half=False):
    """A function of sixteen numbers, of all numbers x."""
    arrays = [Array("x"), Array("y", half)]

    def body(row):
        row["y"][0] = function(row["x"][0])

    y = torch.empty(1, len(x), dtype=torch.bfloat16 if half else torch.float32)
    native.compiled(over_rows("test", arrays, body), arrays).over(len(x))(1, 0, x[None], y)
    return y[0]


@pytest.mark.parametrize("name", IN_DOUBLE)
def test_functions_are_within_three_units_in_the_last_place(name):
    tiny = np.logspace(-37, 0, 20_000)
    x = np.concatenate([np.linspace(-87, 87, 200_003), tiny, -tiny]).astype(np.float32)
    got, want = over(torch.from_numpy(x), getattr(lanes, name)).numpy(), IN_DOUBLE[name](x.astype(float))
    assert (abs(got - want) / np.spacing(abs(want).astype(np.float32))).max() < 3


@pytest.mark.parametrize(("name", "want"), [("tanh", [1, -1, 0.0, -0.0]), ("sigmoid", [1, 0, 0.5, 0.5])])
def test_functions_hold_at_the_edges(name, want):
    x = torch.tensor([torch.inf, -torch.inf, 0.0, -0.0, torch.nan])
    *got, nan = over(x, getattr(lanes, name))
    assert nan.isnan()
    assert torch.allclose(torch.stack(got), torch.tensor(want), rtol=0, atol=1e-38)
    assert torch.equal(torch.stack(got).signbit(), torch.tensor(want).signbit())


def test_bfloat16_is_rounded_as_torch_rounds():
    x = torch.cat([torch.randn(1000), torch.tensor([torch.inf, -torch.inf, 1 + 2**-8, 1 + 3 * 2**-8, torch.nan])])
    assert torch.equal(over(x, lambda lane: lane, half=True)[:-1], x.bfloat16()[:-1])
    assert over(x, lambda lane: lane, half=True)[-1].isnan()


def results(peephole, B, H, *, dtype=torch.float32):
    torch.manual_seed(B * H)
    module = PeepholeLSTM(7, H, peephole=peephole)
    x, h, c = (torch.randn(shape, requires_grad=True) for shape in ((20, B, 7), (1, B, H), (1, B, H)))
    with torch.autocast("cpu", dtype, enabled=dtype != torch.float32):
        y, (h_n, c_n) = module(x, (h, c))
    loss = (y * torch.randn_like(y)).sum() + (h_n * torch.randn_like(h_n)).sum() + (c_n * torch.randn_like(c_n)).sum()
    return [y, h_n, c_n, *torch.autograd.grad(loss, [x, h, c, *module.parameters()])]


def apart(got, want):
    return max(float(((a - b).abs().max() / b.abs().max()).detach()) for a, b in zip(got, want, strict=True))


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize(("B", "H"), [(1, 1), (1, 70), (6, 16), (7, 15), (13, 33), (25, 64)])
@pytest.mark.parametrize("peephole", ["full", "diagonal", "none"])
def test_every_size_of_block_gives_what_operators_give(peephole, B, H, dtype, monkeypatch):
    got = results(peephole, B, H, dtype=dtype)
    monkeypatch.setattr(passes, "compiled", lambda: None)
    bound = 3e-6 if dtype == torch.float32 else 5e-2  # bfloat16 keeps 8 bits, and rounds what nearly agrees apart
    assert apart(got, results(peephole, B, H, dtype=dtype)) < bound


@pytest.mark.parametrize("whole", [True, False])
@pytest.mark.parametrize("name", ["forward", "backward"])
def test_a_peephole_that_is_dropped_is_seen(name, whole, monkeypatch, fresh):
    want = results("diagonal", 5, 9)
    right = getattr(equations, name)
    without = lambda row, **what: right({k: v for k, v in row.items() if k != "p"}, **what)  # noqa: E731
    monkeypatch.setattr(equations, name, without)
    if not whole:
        monkeypatch.setattr(fused, "_whole", lambda *_: False)
    for cached in (kernels.forward, kernels.backward, kernels.whole_forward, kernels.whole_backward):
        cached.cache_clear()
    assert apart(results("diagonal", 5, 9), want) > 1e-2


def test_a_number_that_is_none_goes_through():
    module = PeepholeLSTM(3, 8, peephole="full")
    x = torch.zeros(4, 2, 3)
    x[1, 0, 0] = torch.nan
    y, _ = module(x)
    assert y[0].isfinite().all()
    assert y[1:, 0].isnan().all()
    assert y[:, 1].isfinite().all()


def test_two_threads_take_a_library_for_the_product(monkeypatch):
    one = results("full", 5, 9)
    torch.set_num_threads(2)
    monkeypatch.setattr(kernels, "whole_forward", None)
    assert apart(results("full", 5, 9), one) < 3e-6


def test_without_llvmlite_operators_serve(monkeypatch):
    for name in [name for name in sys.modules if name.startswith(("llvmlite", "lstmbench.model.fused"))]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.delattr(importlib.import_module("lstmbench.model"), "fused")
    monkeypatch.setitem(sys.modules, "llvmlite", None)
    assert passes.compiled.__wrapped__() is None
