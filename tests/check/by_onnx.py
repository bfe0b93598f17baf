"""Which planted mistakes the ONNX backend's own LSTM cases would find, were an engine to make them there."""

import functools

import numpy as np

from lstmbench.mistakes import MISTAKES, right
from lstmbench.model.gates import ONNX_GATES, ONNX_PEEPHOLES, TORCH_GATES, TORCH_PEEPHOLES, order
from lstmbench.probe.onnx_cases import onnx_cases

# adapters whose mistake one call can show; the others need several, and a case is one call
ADAPTERS = {
    "IgnoresState": "without the initial states",
    "SwapsHAndC": "with Y_h and Y_c swapped",
    "DropsTheLastStep": "without the last step",
    "PeepsWithTheWrongCell": "with o peeping at c of the step before",
}
cases = functools.cache(onnx_cases)


def catch_weights(plant) -> bool:
    """Whether a case fails on weights that were spoilt so; matrices P of `full` are none of the operator's."""
    return any(not one.passed_by(right(_spoilt(one.case, plant))) for one in cases())


def catch_adapter(name) -> bool:
    """Whether a case fails on an engine of that name in `planted`."""
    known = next((mistake for mistake in MISTAKES if mistake.name == ADAPTERS.get(name)), None)
    answers = [(one, known.answer(one.case)) for one in cases()] if known else []
    return any(outputs is not None and not one.passed_by(outputs) for one, outputs in answers)


def _spoilt(case, plant):
    """Each direction's tensors to nn.LSTM's names and order, spoilt, and back."""
    parts = [_one(case, d, plant) for d in range(case.directions)]
    return case.but(**{name: np.stack([part[name] for part in parts]) for name in parts[0]})


def _one(case, d, plant):
    H = case.hidden
    B = case.tensors["B"][d] if case.has("B") else np.zeros(8 * H, np.float32)
    given = {"weight_ih": case.tensors["W"][d], "weight_hh": case.tensors["R"][d]}
    given |= {"bias_ih": B[: 4 * H], "bias_hh": B[4 * H :]}
    held = {name: _blocks(tensor, order(ONNX_GATES, TORCH_GATES)) for name, tensor in given.items()}
    if case.has("P"):
        held["weight_ch"] = _blocks(case.tensors["P"][d], order(ONNX_PEEPHOLES, TORCH_PEEPHOLES))
    named = {f"lstm.{name}_l0": tensor for name, tensor in held.items()}
    try:
        spoilt = plant(named)
    except ValueError:  # matrices of `full` in four blocks, which P is not
        spoilt = named
    W, R, Wb, Rb = (_blocks(spoilt[f"lstm.{name}_l0"], order(TORCH_GATES, ONNX_GATES)) for name in given)
    tensors = {"W": W, "R": R} | ({"B": np.concatenate([Wb, Rb])} if case.has("B") else {})
    if case.has("P"):
        tensors["P"] = _blocks(spoilt["lstm.weight_ch_l0"], order(TORCH_PEEPHOLES, ONNX_PEEPHOLES))
    return tensors


def _blocks(tensor, rows):
    blocks = np.split(tensor, len(rows))
    return np.concatenate([blocks[row] for row in rows])
