"""torch.compile's adapter, mostly with nothing compiled: what it computes, and what it refuses at load."""

import pytest

from lstmbench import environments
from lstmbench.errors import RuntimeMissingError, WorkerError
from lstmbench.records import ModelConfig
from lstmbench.runtimes import available, catalogue, compiler
from lstmbench.worker import Worker, meet

pytestmark = pytest.mark.torch
torch = pytest.importorskip("torch")

from lstmbench.runtimes import torch_compiled  # noqa: E402
from lstmbench.runtimes.torch_compiled import TorchCompiled  # noqa: E402

SIZES = {"input_size": 6, "hidden_size": 6, "num_layers": 2}
DIAGONAL = ModelConfig(head="lm", peephole="diagonal", vocabulary_size=11, **SIZES)


@pytest.fixture
def uncompiled(monkeypatch):
    """The step as Python runs it; `uncompiled(change)` compiles something else in its place."""
    monkeypatch.setattr(compiler, "cxx", lambda: "c++")

    def uncompiled(change=lambda step: step):
        def compiled(step, **options):
            assert options == {"dynamic": True}
            return change(step)

        monkeypatch.setattr(torch, "compile", compiled)

    uncompiled()
    return uncompiled


@pytest.mark.parametrize(
    "model",
    [
        ModelConfig(head="lm", peephole="full", vocabulary_size=11, **SIZES),
        ModelConfig(head="lm", peephole="diagonal", vocabulary_size=11, tie_weights=True, **SIZES),
        ModelConfig(head="lm", peephole="none", vocabulary_size=11, bias=False, **SIZES),
        ModelConfig(head="layer", peephole="full", bidirectional=True, bias=False, **SIZES),
        ModelConfig(head="layer", peephole="diagonal", bidirectional=True, **SIZES),
    ],
)
def test_it_computes_what_the_reference_computes(uncompiled, make, assert_close, model):
    made = make(model)
    runtime = TorchCompiled(made.exported, threads=torch.get_num_threads())
    for batch, time in ((3, 7), (1, 1)):
        inputs, state = made.inputs(batch, time), made.state(batch)
        assert_close(runtime.run(inputs, state), made.want(inputs, state))
        assert_close(runtime.run(inputs, None), made.want(inputs, None))
        held = runtime.hold(inputs, state)
        held.compute()
        assert_close(held.answer(), made.want(inputs, state))
    assert runtime.placement() == ()
    runtime.close()


def test_what_drops_the_peepholes_is_refused_at_load(uncompiled, make):
    uncompiled(lambda step: lambda z, h, c, R, p: step(z, h, c, R, 0 * p))
    with pytest.raises(WorkerError, match=r"its answer is that of P = 0"):
        TorchCompiled(make(DIAGONAL).exported, threads=torch.get_num_threads())


def test_what_freezes_the_length_is_refused_at_load(uncompiled, make, monkeypatch):
    run = torch_compiled._Model.run
    monkeypatch.setattr(torch_compiled._Model, "run", lambda self, inputs, state: run(self, inputs[:, :3], state))
    with pytest.raises(WorkerError, match="at T = 5 it answers 3 steps: T is frozen"):
        TorchCompiled(make(DIAGONAL).exported, threads=torch.get_num_threads())


def test_peepholes_of_zero_are_no_mistake(uncompiled, make, monkeypatch):
    made = make(DIAGONAL)
    weights = {name: 0 * array if "weight_ch" in name else array for name, array in made.weights.items()}
    monkeypatch.setattr(torch_compiled.unchanged, "weights", lambda _: weights)
    TorchCompiled(made.exported, threads=torch.get_num_threads()).close()


def test_without_a_compiler_it_is_not_usable_and_says_why(monkeypatch):
    monkeypatch.setenv("CXX", "no-such-compiler")
    why = r"torch.compile needs a C\+\+ compiler, and no-such-compiler is not here: apt-get install g\+\+"
    with pytest.raises(RuntimeMissingError, match=f"runtime 'torch-compile' cannot run here: {why}"):
        environments.demand("torch-compile")
    met = meet("torch-compile").met
    assert met.lacks.startswith("torch.compile needs a C++ compiler")
    assert met.version == torch.__version__


def test_it_runs_only_where_it_is_asked_for():
    assert "torch-compile" not in available()
    assert "torch-compile" in catalogue.names()


@pytest.mark.slow
def test_a_worker_of_it_compiles_and_answers_at_open_sizes(make, assert_close):
    try:
        compiler.cxx()
    except RuntimeMissingError as error:
        pytest.skip(str(error))
    made = make(DIAGONAL)
    with Worker("torch-compile", made.exported) as worker:
        for batch, time in ((2, 5), (3, 2), (1, 4)):
            inputs = made.inputs(batch, time)
            assert_close(worker.run(inputs), made.want(inputs, None))
