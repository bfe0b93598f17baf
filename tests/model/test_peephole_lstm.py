"""The PyTorch module against finite differences, torch.nn.LSTM, the reference and ONNX Runtime's operator."""

import copy

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from torch.nn.utils.rnn import PackedSequence, pack_padded_sequence, pad_packed_sequence  # noqa: E402

from lstmbench import PeepholeLSTM  # noqa: E402
from lstmbench.model import reference  # noqa: E402
from lstmbench.model.weights import random_weights  # noqa: E402
from lstmbench.records import ModelConfig  # noqa: E402

pytestmark = pytest.mark.torch
CELLS = ("full", "diagonal", "none")
DOUBLE = torch.float64


def build(peephole, *, layers=2, bidirectional=False, batch_first=True, dtype=DOUBLE, bias=True, seed=3):
    config = ModelConfig(
        head="layer",
        peephole=peephole,
        input_size=3,
        hidden_size=4,
        num_layers=layers,
        bidirectional=bidirectional,
        bias=bias,
    )
    weights = random_weights(config, seed=seed)
    module = PeepholeLSTM(3, 4, layers, bias, batch_first, bidirectional=bidirectional, dtype=dtype, peephole=peephole)
    module.load_state_dict({name.removeprefix("lstm."): torch.from_numpy(w) for name, w in weights.items()})
    return config, weights, module


def draw(config, batch=3, time=5, dtype=DOUBLE):
    generator = torch.Generator().manual_seed(7)
    shape = config.state_shape(batch)
    return [torch.randn(*s, dtype=dtype, generator=generator) for s in ((batch, time, config.input_size), shape, shape)]


@pytest.mark.parametrize("bidirectional", [False, True])
@pytest.mark.parametrize("peephole", CELLS)
def test_gradients_match_finite_differences(peephole, bidirectional):
    config, _, module = build(peephole, layers=1, bidirectional=bidirectional)
    x, h, c = (tensor.requires_grad_() for tensor in draw(config, batch=2, time=3))
    names = [name for name, _ in module.named_parameters()]

    def call(x, h, c, *parameters):
        y, (h_n, c_n) = torch.func.functional_call(module, dict(zip(names, parameters, strict=True)), (x, (h, c)))
        return y, h_n, c_n

    assert torch.autograd.gradcheck(call, (x, h, c, *module.parameters()))


@pytest.mark.parametrize("bidirectional", [False, True])
@pytest.mark.parametrize("peephole", CELLS)
def test_gradients_of_packed_sequences_match_finite_differences(peephole, bidirectional):
    config, _, module = build(peephole, layers=1, bidirectional=bidirectional)
    x, h, c = (tensor.requires_grad_() for tensor in draw(config, batch=3, time=4))

    def call(x, h, c):
        packed = pack_padded_sequence(x, torch.tensor([2, 4, 1]), batch_first=True, enforce_sorted=False)
        y, (h_n, c_n) = module(packed, (h, c))
        return y.data, h_n, c_n

    assert torch.autograd.gradcheck(call, (x, h, c))


@pytest.mark.parametrize("bidirectional", [False, True])
@pytest.mark.parametrize("peephole", CELLS)
def test_unequal_lengths_match_the_reference(peephole, bidirectional):
    config, weights, module = build(peephole, bidirectional=bidirectional)
    x, h, c = draw(config)
    lengths = torch.tensor([3, 5, 1])
    packed = pack_padded_sequence(x, lengths, batch_first=True, enforce_sorted=False)
    y, state = module(packed, (h, c))
    y, _ = pad_packed_sequence(y, batch_first=True)
    want, end = reference.run(config, weights, x.numpy(), (h.numpy(), c.numpy()), lengths=lengths.numpy())
    np.testing.assert_allclose(y.detach(), want, atol=1e-13)  # float64 rounding of sums of under ten terms
    np.testing.assert_allclose([part.detach() for part in state], end, atol=1e-13)


@pytest.mark.parametrize("kind", ["padded", "time first", "packed", "unbatched", "no state", "no bias"])
@pytest.mark.parametrize("bidirectional", [False, True])
def test_none_equals_torch_lstm_with_copied_weights(kind, bidirectional):
    first, bias = kind != "time first", kind != "no bias"
    config, _, module = build("none", bidirectional=bidirectional, batch_first=first, bias=bias)
    theirs = torch.nn.LSTM(3, 4, 2, bias, first, bidirectional=bidirectional, dtype=DOUBLE)
    theirs.load_state_dict(module.state_dict())
    x, h, c = draw(config)
    if kind == "packed":
        x = pack_padded_sequence(x, torch.tensor([3, 5, 1]), batch_first=True, enforce_sorted=False)
    elif kind == "time first":
        x = x.transpose(0, 1)
    elif kind == "unbatched":
        x, h, c = x[0], h[:, 0], c[:, 0]
    arguments = (x,) if kind == "no state" else (x, (h, c))
    (ours, our_state), (want, want_state) = module(*arguments), theirs(*arguments)
    if isinstance(ours, PackedSequence):
        assert torch.equal(ours.batch_sizes, want.batch_sizes)
        ours, want = ours.data, want.data
    for got, expected in zip((ours, *our_state), (want, *want_state), strict=True):
        torch.testing.assert_close(got, expected, rtol=0, atol=1e-13)


def test_the_signature_starts_with_that_of_torch_lstm():
    kept = copy.deepcopy(PeepholeLSTM(3, 4, 2, True, True, 0.5, True, 0, "cpu", DOUBLE, peephole="full"))
    theirs = torch.nn.LSTM(3, 4, 2, True, True, 0.5, True, 0, "cpu", DOUBLE)
    ours = {name: p.shape for name, p in kept.named_parameters() if "weight_ch" not in name}
    assert ours == {name: p.shape for name, p in theirs.named_parameters()}


def test_a_step_of_a_peephole_that_is_dropped_is_seen():
    config, weights, module = build("diagonal")
    with torch.no_grad():
        module.weight_ch_l1[8:] = 0  # o's peephole of the last layer only
    x, h, c = draw(config)
    y, _ = module(x, (h, c))
    want, _ = reference.run(config, weights, x.numpy(), (h.numpy(), c.numpy()))
    assert np.abs(y.detach().numpy() - want).max() > 1e-3


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({"peephole": "coupled"}, "peephole must be"),
        ({"peephole": "full", "proj_size": 2}, "proj_size is not supported"),
        ({"peephole": "full", "num_layers": 0}, "at least 1"),
        ({"peephole": "full", "dropout": 1.5}, "probability"),
    ],
)
def test_impossible_arguments_are_refused_by_name(arguments, says):
    with pytest.raises(ValueError, match=says):
        PeepholeLSTM(3, 4, **arguments)


@pytest.mark.parametrize(
    ("x", "state", "says"),
    [
        ((2, 5, 9), None, "9 features"),
        ((0, 5, 3), None, "at least one"),
        ((2, 0, 3), None, "at least one"),
        ((3,), None, "2 or 3 dimensions"),
        ((2, 5, 3), (1, 2, 4), r"h_0 is torch.float64 \(1, 2, 4\)"),
        ((5, 3), (2, 1, 4), "unbatched state"),
    ],
)
def test_shapes_that_do_not_fit_are_refused(x, state, says):
    _, _, module = build("full")
    state = None if state is None else (torch.zeros(state, dtype=DOUBLE),) * 2
    with pytest.raises(ValueError, match=says):
        module(torch.zeros(x, dtype=DOUBLE), state)


def test_a_second_derivative_is_refused_and_not_wrong():
    config, _, module = build("full", layers=1)
    x, _, _ = draw(config)
    x.requires_grad_()
    with pytest.raises(RuntimeError, match="no second derivative"):
        torch.autograd.grad(module(x)[0].sum(), x, create_graph=True)


@pytest.mark.parametrize("bidirectional", [False, True])
@pytest.mark.parametrize("peephole", CELLS)
def test_under_autocast_only_the_products_are_rounded(peephole, bidirectional):
    config, _, module = build(peephole, bidirectional=bidirectional, dtype=torch.float32)
    x, h, c = draw(config, dtype=torch.float32)
    results = []
    for enabled in (False, True):
        module.zero_grad()
        with torch.autocast("cpu", torch.bfloat16, enabled=enabled):
            y, state = module(x, (h, c))
            again, _ = module(x)  # the zero state has the parameters' dtype as well
        (y.square().sum() + state[1].sum() + again.sum()).backward()
        results.append([y, *state, *(p.grad for p in module.parameters())])
    for exact, rounded in zip(*results, strict=True):
        assert rounded.dtype == torch.float32
        error = (rounded - exact).norm() / exact.norm()
        assert 1e-5 < error < 0.03  # bfloat16 keeps 8 bits: 4e-3 an operand; no rounding at all would be float32


def test_a_state_of_another_dtype_is_refused():
    _, _, module = build("full")
    state = torch.zeros(2, 1, 4)
    with pytest.raises(ValueError, match=r"h_0 is torch.float32 .* takes torch.float64"):
        module(torch.zeros(1, 5, 3, dtype=DOUBLE), (state, state))
