"""A whole graph in NumPy, in float64 or as it is: `onnx.reference` with operators of ours where it is no oracle."""

import traceback
from collections.abc import Mapping
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx.reference import ReferenceEvaluator
from onnx.reference.op_run import OpRun

from lstmbench.errors import GraphError
from lstmbench.evaluator.growth import most_numbers, watch
from lstmbench.evaluator.operators import replaced
from lstmbench.evaluator.promote import promoted
from lstmbench.evaluator.roundings import roundings
from lstmbench.evaluator.sums import Sums
from lstmbench.evaluator.supported import demand_evaluable, named
from lstmbench.evaluator.written_out import written_out
from lstmbench.onnxfile.names import shown

Array = NDArray[Any]
_LONG = 300  # characters of a reason


class Evaluator:
    """One graph, in float64 or in float32, at any inputs.

    In float64 everything that the file has in float32 is float64: inputs are taken as the numbers that they are, and
    nothing on the way is rounded to less. GraphError for a graph or for inputs that cannot be evaluated.
    """

    def __init__(self, model: onnx.ModelProto, *, float64: bool = True) -> None:
        self._sums, self._float64 = Sums(), float64
        model = written_out(model)
        demand_evaluable(model)
        bound = {"sums": self._sums, "most": most_numbers(model)}
        kind = type("Bound", (_Float64,), bound) if float64 else ReferenceEvaluator
        try:
            self._graph = kind(promoted(model) if float64 else model, new_ops=replaced(self._sums))
        except Exception as error:  # onnx.reference raises what it likes
            raise GraphError(f"it cannot be evaluated: {_reason(error)}") from error

    @property
    def steps(self) -> int:
        """How many products and steps of an LSTM the last run took, so at most as many one after another."""
        return self._sums.steps

    def run(self, inputs: Mapping[str, Array], *, rng: np.random.Generator | None = None) -> dict[str, Array]:
        """All outputs by name; with `rng` sums are taken in orders drawn from it."""
        self._sums.rng, self._sums.steps = rng, 0
        given = {name: self._taken(array) for name, array in inputs.items()}
        try:
            with np.errstate(all="ignore"):  # what is not finite is seen in the outputs
                outputs = self._graph.run(None, given)
        except Exception as error:
            sizes = ", ".join(f"{shown(name)} {array.shape}" for name, array in inputs.items())
            at = f" at {sizes}" if sizes else ""
            why = str(error) if isinstance(error, GraphError) else f"{_where(error)}{_reason(error)}"
            raise GraphError(f"it cannot be evaluated{at}: {why}") from error
        arrays = {n: np.asarray(value) for n, value in zip(self._graph.output_names, outputs, strict=True)}
        for name, array in arrays.items():
            if array.dtype.kind not in "fiub":
                raise GraphError(f"its output {name!r} is no array of numbers")
        return arrays

    def _taken(self, array: Array) -> Array:
        return array.astype(np.float64) if self._float64 and array.dtype == np.float32 else array


class _Float64(ReferenceEvaluator):
    """Refuses an operator that rounds what it was given in float64, or makes too much of it, in bodies too."""

    sums: Sums
    most: int  # numbers in an array

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        for node in self.rt_nodes_:
            watch(node, self.most)

    def run(self, output_names: Any, feed_inputs: dict[str, Any], *given: Any, **named: Any) -> Any:
        named["intermediate"] = True
        results: Any = super().run(output_names, feed_inputs, *given, **named)
        for node in self.rt_nodes_:
            for name in node.output:
                if getattr(results.get(name), "dtype", None) == np.float32:
                    raise TypeError(f"operator {node.op_type} rounds to float32")
            self.sums.steps += roundings(node, results)
        return [results[name] for name in output_names or self.output_names]


def _where(error: BaseException) -> str:
    """The node that failed, the innermost of those that were running."""
    running = [frame.f_locals.get("self") for frame, _ in traceback.walk_tb(error.__traceback__)]
    nodes = [one.onnx_node for one in running if isinstance(one, OpRun)]
    return f"{named(nodes[-1])}: " if nodes else ""


def _reason(error: BaseException) -> str:
    """The innermost cause, in one line."""
    while error.__cause__ is not None:
        error = error.__cause__
    return " ".join(f"{type(error).__name__}: {error}".split())[:_LONG]
