"""The LSTM cases of the ONNX backend tests, as the onnx package ships them."""

import importlib
import warnings
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
from onnx import helper

from lstmbench.evaluator import Attributes
from lstmbench.mistakes import OUTPUTS, Array, Case, Outputs

_NODE = "onnx.backend.test.case.node"
_INPUTS = ("X", "W", "R", "B", "sequence_lens", "initial_h", "initial_c", "P")


class OnnxCase(NamedTuple):
    """One data set of one case."""

    name: str
    case: Case
    wanted: dict[str, Array]  # of the outputs that the node gives
    rtol: float
    atol: float

    def passed_by(self, outputs: Outputs) -> bool:
        """Whether the test would pass: as the backend tests' runner compares, in the type of the case."""
        for name, got in zip(OUTPUTS, outputs, strict=True):
            want = self.wanted.get(name)
            if want is None:
                continue
            given = got.astype(want.dtype)
            if given.shape != want.shape or not np.allclose(given, want, rtol=self.rtol, atol=self.atol):
                return False
        return True


def onnx_cases() -> tuple[OnnxCase, ...]:
    """Every data set of every case of operator LSTM."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        importlib.import_module(f"{_NODE}.lstm")  # a module makes its cases as it is imported
    made = importlib.import_module(_NODE)._NodeTestCases  # noqa: SLF001 (its public door makes those of all operators)
    cases = [case for case in made if case.model.graph.node[0].op_type == "LSTM"]
    return tuple(found for case in cases for found in _data_sets(case.name, case))


def _data_sets(name: str, case: Any) -> Iterator[OnnxCase]:
    (node,) = case.model.graph.node
    attributes = {attribute.name: helper.get_attribute_value(attribute) for attribute in node.attribute}
    given = [_INPUTS[n] for n, value in enumerate(node.input) if value]
    wanted = [OUTPUTS[n] for n, value in enumerate(node.output) if value]
    for inputs, outputs in case.data_sets:
        tensors = dict(zip(given, map(np.asarray, inputs), strict=True))
        yield OnnxCase(
            name,
            Case(tensors, _attributes(attributes)),
            dict(zip(wanted, map(np.asarray, outputs), strict=True)),
            case.rtol,
            case.atol,
        )


def _attributes(found: dict[str, Any]) -> Attributes:
    told = {name: value for name, value in found.items() if name != "hidden_size"}
    texts: dict[str, Any] = {n: v.decode() if isinstance(v, bytes) else v for n, v in told.items()}
    if "activations" in texts:
        texts["activations"] = tuple(name.decode() for name in told["activations"])
    return Attributes(**texts)
