"""Two questions to an engine that has loaded an export, before anybody trusts it: engines are known that fail them.

Does the answer change where P is zero? An engine that ignores the peepholes of the LSTM operator gives the same numbers
for both. Has Y the length of the input, at a second T? One that froze T, or keeps the last step alone, gives another.
"""

from collections.abc import Callable
from typing import TypeAlias

import numpy as np
import onnx
from numpy.typing import NDArray

from lstmbench.arrays import Floats, State, Tokens
from lstmbench.errors import WorkerError
from lstmbench.records import ExportedModel

Run: TypeAlias = Callable[[Tokens | Floats, State], tuple[Floats, State]]
_P = 7  # the LSTM operator's input P, counted from 0
_SEED = 60_000
_DROPPED = "it drops the peepholes of the LSTM operator: its answer is that of P = 0; export form scan"


def demand_lengths(exported: ExportedModel, run: Run) -> None:
    """WorkerError where the output has another T than the input, at two T, or at the only one where T is fixed."""
    for steps in (exported.steps,) if exported.steps else (3, 5):
        inputs, state = _stimulus(exported, steps)
        try:
            output = run(inputs, state)[0]
        except Exception as error:
            why = " ".join(str(error).split())
            raise WorkerError(f"it loads {exported.path.name}, and fails at T = {steps}: {why}") from error
        if output.shape[:2] != inputs.shape[:2]:
            raise WorkerError(f"at T = {steps} it answers {output.shape[1]} steps: T is frozen, or only some are given")


def demand_peepholes(exported: ExportedModel, run: Run, run_without: Run, *, says: str = _DROPPED) -> None:
    """WorkerError, which `says` so, where the answer is that of the same model with P = 0, to the last bit."""
    inputs, state = _stimulus(exported, exported.steps or 3)
    (output, after), (other, other_after) = run(inputs, state), run_without(inputs, state)
    pairs = zip((output, *after), (other, *other_after), strict=True)
    if all(np.array_equal(got, without) for got, without in pairs):
        raise WorkerError(says)


def without_peepholes(graph: bytes) -> bytes | None:
    """The graph with every P of an LSTM node zero; None where no node has one that is not."""
    model = onnx.load_model_from_string(graph)
    named = {node.input[_P] for node in model.graph.node if node.op_type == "LSTM" and len(node.input) > _P}
    found = [tensor for tensor in model.graph.initializer if tensor.name in named]
    arrays: list[NDArray[np.float32]] = [onnx.numpy_helper.to_array(tensor) for tensor in found]
    if not any(array.any() for array in arrays):
        return None
    for tensor, array in zip(found, arrays, strict=True):
        tensor.CopyFrom(onnx.numpy_helper.from_array(np.zeros_like(array), tensor.name))
    without: bytes = model.SerializeToString()
    return without


def _stimulus(exported: ExportedModel, steps: int) -> tuple[Tokens | Floats, State]:
    """Two rows of random inputs, and a random state: from zero states the first step of P says nothing of i and f."""
    rng, model = np.random.default_rng(_SEED), exported.model
    state = State(*(rng.standard_normal(model.state_shape(2), np.float32) for _ in "hc"))
    if model.head == "lm":
        return rng.integers(0, model.vocabulary_size, (2, steps)), state
    return rng.standard_normal((2, steps, model.input_size), np.float32), state
