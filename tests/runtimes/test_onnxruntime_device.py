"""The code that runs on CUDA and TensorRT, on the CPU's provider: what is bound, what is copied, what is replayed."""

import functools
import os

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lstmbench.model import folder, reference
from lstmbench.model.weights import random_weights
from lstmbench.records import ModelConfig, ModelFolder

ort = pytest.importorskip("onnxruntime")

from lstmbench.errors import WorkerError  # noqa: E402
from lstmbench.export import export  # noqa: E402
from lstmbench.runtimes import nvidia, onnxruntime_carried  # noqa: E402
from lstmbench.runtimes.onnxruntime_carried import Memory  # noqa: E402
from lstmbench.runtimes.onnxruntime_cuda import OnnxRuntimeCuda  # noqa: E402
from lstmbench.runtimes.onnxruntime_device import OnnxRuntimeDevice  # noqa: E402
from lstmbench.runtimes.onnxruntime_tensorrt import OnnxRuntimeTensorrt  # noqa: E402

CPU = "CPUExecutionProvider"
H, L = 6, 2


class Allocates(OnnxRuntimeDevice):
    """As CUDA's memory: values are made there."""

    provider, memory = CPU, Memory("cpu", allocates=True)


class Copies(OnnxRuntimeDevice):
    """As WebGPU's memory: what is bound is copied."""

    provider, memory = CPU, Memory("cpu", allocates=False)


class Pretends(OnnxRuntimeCuda):
    """CUDA's adapter, whose provider is the CPU's."""

    provider, memory = CPU, Memory("cpu", allocates=True)
    own, capture = {}, {}

    @classmethod
    def ready(cls):
        return "GPU of tests"


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Export a small model, once -> it, and its weights."""
    tmp_path = tmp_path_factory.mktemp("device")

    @functools.cache
    def made(form, *, head="lm", peephole="diagonal", lengths=False):
        more = {"vocabulary_size": 7} if head == "lm" else {}
        config = ModelConfig(head=head, peephole=peephole, input_size=5, hidden_size=H, num_layers=L, **more)
        path = tmp_path / f"{head}-{peephole}"
        folder.write_config(path, ModelFolder(model=config))
        weights = random_weights(config, seed=1)
        folder.write_weights(path, weights, folder.WeightsNote(sha256=""))
        return export(path, form=form, precision="fp32", lengths=lengths), weights

    return made


class Spied:
    """A session whose bindings tell what is copied from the host, and which graph each run captures or replays."""

    def __init__(self, session):
        self._session, self.copied, self.runs = session, [], []

    def __getattr__(self, name):
        return getattr(self._session, name)

    def io_binding(self):
        binding, log, bind = self._session.io_binding(), self.copied, ort.IOBinding.bind_cpu_input
        binding.bind_cpu_input = lambda name, array: (log.append(name), bind(binding, name, array))
        binding.at = {}
        for kind in ("bind_ortvalue_input", "bind_ortvalue_output"):
            self._note(binding, kind)
        return binding

    def _note(self, binding, kind):
        bind = getattr(ort.IOBinding, kind)

        def noted(name, value):
            binding.at[name] = value.data_ptr()
            bind(binding, name, value)

        setattr(binding, kind, noted)

    def run_with_iobinding(self, binding, options):
        self.runs.append((options.get_run_config_entry("gpu_graph_id"), dict(binding.at)))
        self._session.run_with_iobinding(binding, options)


def spied(runtime):
    runtime._session = Spied(runtime._session)
    return runtime._session


def inputs(exported, batch, time, seed):
    rng, model = np.random.default_rng(seed), exported.model
    if model.head == "lm":
        return rng.integers(0, model.vocabulary_size, (batch, time))
    return rng.standard_normal((batch, time, model.input_size)).astype(np.float32)


def state(batch):
    rng = np.random.default_rng(9)
    return [rng.standard_normal((L, batch, H)).astype(np.float32) for _ in "hc"]


@pytest.mark.parametrize("adapter", [Allocates, Copies])
@pytest.mark.parametrize(
    ("form", "head", "peephole"),
    [("lstm", "lm", "diagonal"), ("scan", "layer", "full"), ("step", "lm", "full"), ("unrolled3", "lm", "full")],
)
def test_a_carried_state_gives_what_the_reference_gives_over_all_calls(made, adapter, form, head, peephole):
    from lstmbench.arrays import State

    exported, weights = made(form, head=head, peephole=peephole)
    runtime = adapter(exported, threads=1)
    for batch, begin in ((2, None), (3, State(*state(3))), (2, State(*state(2)))):
        carried, want = runtime.carry(begin, batch=batch), begin
        for call, steps in enumerate((1, 4, 1, 2, 1, 4, 4)):
            given = inputs(exported, batch, exported.steps or steps, call)
            output = carried.run(given)
            expected, after = reference.run(exported.model, weights, given, want)
            want = State(*after)
            for one, other in zip((output, *carried.state()), (expected, *want), strict=True):
                assert one.dtype == np.float32
                # seven calls of a contracting cell, each a few roundings of 6e-8
                assert np.abs(one - other).max() < 3e-6
    runtime.close()


def test_rows_of_unequal_length_carry_their_states_too(made):
    exported, weights = made("lstm", head="layer", lengths=True)
    runtime, lengths = Allocates(exported, threads=1), np.array([2, 4], np.int32)
    carried, want = runtime.carry(None, batch=2), None
    for call in range(3):
        given = inputs(exported, 2, 4, call)
        output = carried.run(given, lengths=lengths)
        expected, want = reference.run(exported.model, weights, given, want, lengths=lengths)
        assert np.abs(output - expected).max() < 3e-6  # as above


def test_the_state_is_copied_to_the_device_once(made):
    runtime = Allocates(made("lstm")[0], threads=1)
    session = spied(runtime)
    carried = runtime.carry(None, batch=2)
    for call in range(5):
        carried.run(inputs(runtime._exported, 2, 1, call))
    assert session.copied == ["h_0", "c_0"]


def test_what_it_gave_is_not_changed_by_the_next_call(made):
    runtime = Allocates(made("lstm")[0], threads=1)
    carried = runtime.carry(None, batch=2)
    output, after = carried.run(inputs(runtime._exported, 2, 1, 0)), carried.state()
    kept = [array.copy() for array in (output, *after)]
    carried.run(inputs(runtime._exported, 2, 1, 1))
    carried.run(inputs(runtime._exported, 2, 1, 2))
    assert all(np.array_equal(one, other) for one, other in zip((output, *after), kept, strict=True))


def test_the_inputs_that_it_is_given_are_not_written_to(made):
    runtime = Allocates(made("lstm")[0], threads=1)
    carried, given = runtime.carry(None, batch=1), np.array([[1]])
    carried.run(given)
    carried.run(np.array([[2]]))
    assert given == 1


@pytest.mark.parametrize("form", ["step", "unrolled3"])
def test_a_form_of_fixed_steps_is_replayed_from_addresses_that_stay(made, form):
    runtime = Pretends(made(form)[0], threads=1)
    assert runtime.device == "GPU of tests, CUDA graph"
    session, steps = spied(runtime), runtime._exported.steps
    for _ in range(2):
        carried = runtime.carry(None, batch=2)
        for call in range(6):
            carried.run(inputs(runtime._exported, 2, steps, call))
    runs, again = session.runs[:6], session.runs[6:]
    assert [graph for graph, _ in runs[:2]] == ["-1", "-1"], "the values are being made"
    assert again[0][0] == "-1", "the state comes from the host"
    captured = [*runs[2:], *again[1:]]
    ids = {graph for graph, _ in captured}
    assert len(ids) == 2
    assert "-1" not in ids
    for graph in ids:
        first, *others = (at for one, at in captured if one == graph)
        assert set(first) == {"input_ids", "h_0", "c_0", "logits", "h_n", "c_n"}
        assert all(at == first for at in others), "a replay reads and writes what it was captured with"
        assert {first["h_0"], first["c_0"]}.isdisjoint({first["h_n"], first["c_n"]}), "and never the same"


def test_another_batch_is_another_graph(made):
    runtime = Pretends(made("step")[0], threads=1)
    session = spied(runtime)
    for batch in (1, 2):
        carried = runtime.carry(None, batch=batch)
        for call in range(4):
            carried.run(inputs(runtime._exported, batch, 1, call))
    first, second = ({graph for graph, _ in runs} - {"-1"} for runs in (session.runs[:4], session.runs[4:]))
    assert first
    assert first.isdisjoint(second)


def test_a_call_from_anywhere_captures_and_replays_nothing(made):
    runtime = Pretends(made("step")[0], threads=1)
    assert runtime._each.get_run_config_entry("gpu_graph_id") == "-1"
    assert onnxruntime_carried.uncaptured().get_run_config_entry("gpu_graph_id") == "-1"


HOLD = [("lstm", "lm", "diagonal"), ("scan", "layer", "full"), ("step", "lm", "full"), ("unrolled3", "lm", "full")]


@pytest.mark.parametrize(("form", "head", "peephole"), HOLD)
def test_what_is_held_on_the_device_answers_as_the_call_does(made, form, head, peephole):
    from lstmbench.arrays import State

    runtime = Pretends(made(form, head=head, peephole=peephole)[0], threads=1)
    for batch, begin in ((2, None), (3, State(*state(3))), (2, State(*state(2)))):
        given = inputs(runtime._exported, batch, runtime._exported.steps or 4, batch)
        held = runtime.hold(given, begin)
        held.compute()
        output, after = held.answer()
        want, want_after = runtime.run(given, begin)
        assert all(map(np.array_equal, (output, *after), (want, *want_after)))
    runtime.close()
    assert not runtime._held, "values go before the session that they are of"


def test_rows_of_unequal_length_are_held_too(made):
    runtime = Pretends(made("lstm", head="layer", lengths=True)[0], threads=1)
    given = inputs(runtime._exported, 2, 4, 1)
    for lengths in (np.array([2, 4], np.int32), np.array([4, 1], np.int32)):
        held = runtime.hold(given, None, lengths=lengths)
        held.compute()
        assert np.array_equal(held.answer()[0], runtime.run(given, None, lengths=lengths)[0])


def test_what_is_held_is_not_written_to_and_what_it_gave_does_not_change(made):
    runtime = Pretends(made("lstm")[0], threads=1)
    first = inputs(runtime._exported, 1, 3, 1)
    kept = first.copy()
    held = runtime.hold(first, None)
    held.compute()
    output, _ = held.answer()
    gave = output.copy()
    runtime.hold((first + 1) % 7, None).compute()
    assert np.array_equal(first, kept)
    assert np.array_equal(output, gave)


@pytest.mark.parametrize(("form", "captures"), [("step", True), ("unrolled3", True), ("scan", False)])
def test_held_calls_of_a_shape_are_one_graph_from_addresses_that_stay(made, form, captures):
    runtime = Pretends(made(form)[0], threads=1)
    session, steps = spied(runtime), runtime._exported.steps or 2
    for batch in (1, 1, 2, 1):
        held = runtime.hold(inputs(runtime._exported, batch, steps, batch), None)
        held.compute()
        held.compute()
    assert not session.copied, "nothing comes from the host in between"
    ones, twos = session.runs[:4] + session.runs[6:], session.runs[4:6]
    assert len({graph for graph, _ in ones}) == 1
    assert all(at == ones[0][1] for _, at in ones)
    assert (ones[0][0] != "-1") == captures
    assert (ones[0][0] != twos[0][0]) == captures


@pytest.mark.parametrize("form", ["lstm", "scan"])
def test_control_flow_and_an_open_length_are_not_captured(made, form):
    runtime = Pretends(made(form)[0], threads=1)
    assert runtime.device == "GPU of tests"
    assert not runtime.memory.captures


def test_where_the_provider_refuses_to_capture_it_runs_without(made, monkeypatch):
    exported, _ = made("step")
    start = Pretends._open

    def refuses(self):
        begin = self._start

        def started(chosen, **providers):
            if providers:
                raise WorkerError("nodes have not been partitioned to the CUDA EP")
            return begin(chosen)

        self._start = started
        return start(self)

    monkeypatch.setattr(Pretends, "_open", refuses)
    runtime = Pretends(exported, threads=1)
    assert runtime.device == "GPU of tests"
    assert not runtime.memory.captures
    assert not Pretends.memory.captures, "nor any other session"


@given(steps=st.lists(st.integers(1, 5), min_size=2, max_size=8), batch=st.integers(1, 3), seed=st.integers(0, 99))
@settings(max_examples=25, deadline=None)
def test_however_it_is_cut_into_calls_the_answer_is_that_of_the_whole(made, steps, batch, seed):
    runtime = Allocates(made("scan", peephole="full")[0], threads=1)
    given = inputs(runtime._exported, batch, sum(steps), seed)
    whole, after = runtime.run(given, None)
    carried, cuts = runtime.carry(None, batch=batch), np.cumsum(steps)[:-1]
    parts = [carried.run(part) for part in np.split(given, cuts, axis=1)]
    # the same products over fewer rows may add in another order: a few roundings of 6e-8 over at most 40 steps
    assert np.abs(np.concatenate(parts, axis=1) - whole).max() < 3e-6
    assert max(np.abs(one - other).max() for one, other in zip(carried.state(), after, strict=True)) < 3e-6
    runtime.close()


@pytest.mark.parametrize(
    ("adapter", "libraries"),
    [(OnnxRuntimeCuda, ["cuda"]), (OnnxRuntimeTensorrt, ["cuda", "tensorrt"])],
)
def test_every_library_is_asked_for_before_a_session_is(monkeypatch, adapter, libraries):
    asked = []
    monkeypatch.setenv("NVIDIA_TF32_OVERRIDE", "1")
    monkeypatch.setattr(nvidia, "gpu", lambda: "GPU of tests")
    monkeypatch.setattr(nvidia, "demand_loads", lambda path, *, mends: asked.append((path.name, bool(mends))))
    assert adapter.ready() == "GPU of tests"
    assert asked == [(f"libonnxruntime_providers_{name}.so", True) for name in libraries]
    assert os.environ["NVIDIA_TF32_OVERRIDE"] == ("0" if "tensorrt" in libraries else "1")


def test_float32_is_float32():
    assert OnnxRuntimeCuda.providers() == (("CUDAExecutionProvider", {"use_tf32": "0"}),)
    assert OnnxRuntimeTensorrt.providers() == (
        ("TensorrtExecutionProvider", {}),
        ("CUDAExecutionProvider", {"use_tf32": "0"}),
    )
