"""The hand-written passes against a loop whose tape autograd keeps, and what they keep in memory."""

import copy
import importlib
import itertools

import pytest

torch = pytest.importorskip("torch")

from torch.nn.utils.rnn import pack_padded_sequence  # noqa: E402

from lstmbench import PeepholeLSTM  # noqa: E402
from lstmbench.model import cell_backward, passes, products, recurrence  # noqa: E402
from lstmbench.model.steps import Steps  # noqa: E402

pytestmark = pytest.mark.torch
CELLS = ("full", "diagonal", "none")
T, B, E, H = 11, 3, 5, 8


def by_single_steps(module, x, h, c, suffix="l0"):
    """One direction written down step by step; x (T, B, E) -> y, h_n and c_n."""
    W, U = (getattr(module, f"weight_{part}_{suffix}") for part in ("ih", "hh"))
    b = getattr(module, f"bias_ih_{suffix}") + getattr(module, f"bias_hh_{suffix}")
    P = getattr(module, f"weight_ch_{suffix}", None)
    y = []
    for x_t in x.flip(0) if suffix.endswith("reverse") else x:
        z = x_t @ W.t() + h @ U.t() + b
        if module.peephole == "full":
            z = z + c @ P.t()
        i, f, g, o = z.chunk(4, 1)
        if module.peephole == "diagonal":
            p_i, p_f, p_o = P.chunk(3)
            i, f = i + p_i * c, f + p_f * c
        c = f.sigmoid() * c + i.sigmoid() * g.tanh()
        h = ((o + p_o * c) if module.peephole == "diagonal" else o).sigmoid() * c.tanh()
        y.append(h)
    return torch.stack(y[::-1] if suffix.endswith("reverse") else y), h, c


@pytest.fixture(params=["whole", "apart", "operators"])
def by(request, monkeypatch):
    """A step as one compiled function, as one beside a product, by torch's operators."""
    if request.param == "operators":
        monkeypatch.setattr(passes, "compiled", lambda: None)
    else:
        pytest.importorskip("llvmlite")
        fused = importlib.import_module("lstmbench.model.fused.passes")
        if request.param == "apart":
            monkeypatch.setattr(fused, "_whole", lambda *_: False)
        elif not fused.many_registers():
            pytest.skip("no AVX-512")
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield request.param
    torch.set_num_threads(before)


def build(peephole, *, seed=3, hidden=H, **options):
    torch.manual_seed(seed)
    module = PeepholeLSTM(E, hidden, peephole=peephole, **options)
    tensors = torch.randn(T, B, E), *(torch.randn(2 if module.bidirectional else 1, B, hidden) for _ in range(2))
    return module, [tensor.to(module.weight_hh_l0.dtype).requires_grad_() for tensor in tensors]


def results(module, inputs, call):
    """Outputs, and gradients of a loss that weighs each of them differently."""
    outputs = call(*inputs)
    torch.manual_seed(5)
    loss = sum((out * torch.randn_like(out)).sum() for out in outputs)
    wanted = [*inputs, *module.parameters()]
    return [*outputs, *torch.autograd.grad(loss, wanted)]


def ours(module):
    def call(x, h, c):
        y, (h_n, c_n) = module(x, (h, c))
        return y, h_n, c_n

    return call


def apart(got, want):
    """The largest error of any tensor, as a share of its largest number."""
    return max(float((a - b).detach().abs().max() / b.detach().abs().max()) for a, b in zip(got, want, strict=True))


@pytest.mark.parametrize("bidirectional", [False, True])
@pytest.mark.parametrize(("dtype", "bound"), [(torch.float32, 3e-6), (torch.float64, 1e-14)])
@pytest.mark.parametrize("peephole", CELLS)
def test_passes_match_a_loop_of_single_steps(peephole, by, dtype, bound, bidirectional):
    module, inputs = build(peephole, dtype=dtype, bidirectional=bidirectional)

    def loop(x, h, c):
        suffixes = ["l0", "l0_reverse"][: len(h)]
        parts = [by_single_steps(module, x, h[d], c[d], suffix) for d, suffix in enumerate(suffixes)]
        y, h_n, c_n = zip(*parts, strict=True)
        return torch.cat(y, -1), torch.stack(h_n), torch.stack(c_n)

    assert apart(results(module, inputs, ours(module)), results(module, inputs, loop)) < bound


@pytest.mark.parametrize("hidden", [1, 33])
def test_sizes_that_fill_no_vector_match_the_loop(hidden, by):
    module, inputs = build("full", hidden=hidden)

    def loop(x, h, c):
        y, h_n, c_n = by_single_steps(module, x, h[0], c[0])
        return y, h_n[None], c_n[None]

    assert apart(results(module, inputs, ours(module)), results(module, inputs, loop)) < 3e-6


@pytest.mark.parametrize("mistake", ["factor", "peephole", "order"])
def test_a_mistake_in_the_backward_pass_is_seen(mistake, monkeypatch):
    monkeypatch.setattr(passes, "compiled", lambda: None)
    right = cell_backward._factors
    module, inputs = build("diagonal")
    want = results(module, inputs, ours(module))
    if mistake == "factor":  # the state's own road back
        monkeypatch.setattr(cell_backward, "_factors", lambda *a: right(*a)._replace(c_to_c=a[0].chunk(4, 1)[0]))
    elif mistake == "peephole":  # o's saw c instead of c'
        wrong = cell_backward._peepholes
        monkeypatch.setattr(cell_backward, "_peepholes", lambda dz, c_old, _: wrong(dz, c_old, c_old))
    else:
        monkeypatch.setattr(Steps, "old", lambda self, history: self.made(history))
    assert apart(results(module, inputs, ours(module)), want) > 1e-2


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("recompute", [1, 4, 99])
@pytest.mark.parametrize("peephole", CELLS)
def test_recomputing_gives_the_same_gradients(peephole, by, recompute, packed):
    module, (x, h, c) = build(peephole, bidirectional=True)
    again = copy.deepcopy(module)
    again.recompute = recompute

    def call(module):
        def run(x, h, c):
            given = pack_padded_sequence(x, [11, 6, 2]) if packed else x
            y, (h_n, c_n) = module(given, (h, c))
            return y.data, h_n, c_n

        return run

    want = results(module, [x, h, c], call(module))
    got = results(again, [x, h, c], call(again))
    assert apart(got, want) < 1e-6  # sums over time in another order


@pytest.mark.parametrize("shortest", [1, 3])
def test_long_sequences_fall_into_runs_unseen(shortest, by, monkeypatch):
    module, inputs = build("full")
    want = results(module, inputs, ours(module))
    monkeypatch.setattr(recurrence, "LARGEST", shortest * 4 * H * B)
    assert apart(results(module, inputs, ours(module)), want) < 1e-6


def kept_bytes(module, x, *state):
    """What autograd holds on to beside the parameters and x."""
    own = {p.untyped_storage().data_ptr() for p in [x, *module.parameters()]}
    storages = {}

    def note(tensor):
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in own:
            storages[storage.data_ptr()] = storage.nbytes()
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(note, lambda tensor: tensor):
        y, _ = module(x, state)
    return sum(storages.values()), y


@pytest.mark.parametrize("peephole", CELLS)
def test_what_is_kept_is_what_the_docstring_says(peephole):
    module, inputs = build(peephole, bias=False)
    kept, _ = kept_bytes(module, *inputs)
    assert kept == 4 * H * (6 * T * B + 2 * B)
    module.recompute = 4
    kept, _ = kept_bytes(module, *inputs)
    assert kept == 4 * 2 * B * H * 3  # three runs


def test_without_gradients_nothing_is_kept_and_the_same_comes_out():
    module, (x, *_) = build("diagonal")
    want, _ = module(x)
    with torch.no_grad():
        got, _ = module(x)
    with torch.inference_mode():
        again, _ = module(x.detach())
    assert torch.equal(got, want)
    assert torch.equal(again, want)
    assert not got.requires_grad


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float64])
@pytest.mark.parametrize("calls", [1, 99])
def test_products_are_exact_for_their_dtype(dtype, calls):
    torch.manual_seed(0)
    A, x, z = (torch.randn(shape, dtype=dtype) for shape in ((7, 5), (3, 5), (3, 7)))
    want = x.double() @ A.double().t()
    bound = 8 * torch.finfo(dtype).eps * 5
    product = products.Product(A, rows=3, calls=calls)
    for got, right in (
        (product(x), want),
        (product.plus(x, z), want + z),
        (products.linear(x, A, z[0]), want + z[0]),
        (products.linear(x, A.t().contiguous().t()), want),
    ):
        assert got.dtype == dtype
        assert (got.double() - right).abs().max() < bound


def test_products_go_on_where_torch_has_no_such_operator(monkeypatch):
    module, inputs = build("full")
    want = results(module, inputs, ours(module))
    monkeypatch.setattr(products, "_through_onednn", lambda _: False)
    assert apart(results(module, inputs, ours(module)), want) < 3e-6


def test_no_setting_of_the_process_is_touched():
    before = torch.get_float32_matmul_precision()
    module, inputs = build("full")
    results(module, inputs, ours(module))
    assert torch.get_float32_matmul_precision() == before


@pytest.mark.filterwarnings("ignore:The .grad attribute")  # torch.compile's own, where it goes on behind the gap
@pytest.mark.parametrize("peephole", CELLS)
def test_torch_compile_gives_the_same(peephole):
    module, inputs = build(peephole)
    compiled = torch.compile(ours(module), backend="aot_eager")
    got, want = results(module, inputs, compiled), results(module, inputs, ours(module))
    torch._dynamo.reset()
    assert apart(got, want) < 1e-6


def test_a_copy_and_a_loaded_state_compute_the_same():
    module, inputs = build("diagonal", recompute=4)
    other, _ = build("diagonal", seed=9)
    other.load_state_dict(module.state_dict())
    twin = copy.deepcopy(module)
    want = results(module, inputs, ours(module))
    assert apart(results(twin, inputs, ours(twin)), want) == 0
    assert apart(results(other, inputs, ours(other)), want) < 1e-6
    assert twin.recompute == 4


def test_half_precision_modules_sum_in_float32(by):
    module, (x, h, c) = build("full", dtype=torch.bfloat16)
    y, (_, c_n) = module(x, (h, c))
    exact = copy.deepcopy(module).float()
    want, _ = exact(x.float(), (h.float(), c.float()))
    y.sum().backward()
    assert y.dtype == c_n.dtype == module.weight_hh_l0.grad.dtype == torch.bfloat16
    assert (y.float() - want).abs().max() < 0.03  # bfloat16 keeps 8 bits


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
@pytest.mark.parametrize("peephole", CELLS)
def test_a_cuda_device_computes_the_same(peephole):
    module, inputs = build(peephole, dtype=torch.float64)
    want = results(module, inputs, ours(module))
    module.cuda()
    there = [tensor.detach().cuda().requires_grad_() for tensor in inputs]
    outputs = ours(module)(*there)
    torch.manual_seed(5)
    loss = sum((out * torch.randn_like(out, device="cpu").cuda()).sum() for out in outputs)
    got = [*outputs, *torch.autograd.grad(loss, [*there, *module.parameters()])]
    assert apart([part.cpu() for part in got], want) < 1e-12


def test_an_input_of_another_dtype_is_refused():
    module, (x, h, c) = build("none")
    with pytest.raises(ValueError, match=r"input is torch.float64, the module takes torch.float32"):
        module(x.double(), (h, c))


def test_recompute_is_a_number_of_steps():
    with pytest.raises(ValueError, match="number of steps"):
        PeepholeLSTM(E, H, peephole="none", recompute=0)


def test_rows_that_end_or_begin_find_their_old_state():
    sizes, reverse = [3, 2, 1], itertools.cycle([False, True])
    for _ in range(2):
        steps = Steps(sizes, 3, next(reverse))
        history = torch.empty(9, 1)
        steps.came(history)[:] = torch.tensor([[-1.0], [-2.0], [-3.0]])
        steps.made(history)[:] = torch.tensor([[11.0], [12.0], [13.0], [21.0], [22.0], [31.0]])
        want = [21, 22, -3, 31, -2, -1] if steps.reverse else [-1, -2, -3, 11, 12, 21]
        assert steps.old(history).flatten().tolist() == want
