"""How far a runtime may stray from the float64 evaluation of a graph: derived from the very graph and its inputs.

As in `lstmbench.parity.bound`, but of a graph that may be anybody's: it runs in float32 on the same inputs, once as it
is and RUNS times with the terms of every matrix product in another order, and the hidden units and input features of
every LSTM operator. That is the same function with other roundings. An output at a time,

    bound = max(K · largest error of these runs, 10 · u · √N · max(1, max|want|)),    K = 10, u = 2⁻²⁴, one rounding

N is the number of products and of steps of LSTM operators that the run took, in bodies as often as they ran: no more
can follow one another, and roundings add up over them as a random walk does. The second term serves graphs that can be
exact by luck; K covers an engine's own order of summation, its own tanh and σ, and operators that it fused.

Outputs that are no floats must be the very ones. Where float32 itself gives others in some order, rounding decides
(an index of the largest of two that are equal, but for rounding): such an output is not judged, and its bound is NaN.

`pytest tests/benchmarks/test_graph_bounds.py`, 3,000 outputs of 1,000 random files a kind, H 1 to 160, T 1 to 33 (ONNX
Runtime 1.32 on AMD EPYC, 2026-11-25): the error is 0.95 times that of the runs in the median. It takes at most 29 % of
the bound in files around the LSTM operator, and 24 % where the recurrence is written out as Scan, Loop or step by step.
That no planted mistake is covered too, tests/parity/test_graphs.py shows.
"""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray

from lstmbench.errors import GraphError
from lstmbench.evaluator import Evaluator
from lstmbench.parity.bound import RUNS, Expected, K
from lstmbench.parity.compare import Verdict, compare

Array = NDArray[Any]
_WALK = 10.0
_U = 2.0**-24


class GraphBound:
    """One graph in float64 and in float32, ready for any inputs."""

    def __init__(self, model: onnx.ModelProto) -> None:
        self._exact, self._single = Evaluator(model), Evaluator(model, float64=False)

    def expect(self, inputs: Mapping[str, Array]) -> dict[str, Expected]:
        """What each output must be, and how far it may be off; GraphError where the graph cannot be evaluated."""
        wants = self._exact.run(inputs)
        rng = np.random.default_rng(0)  # the same orders each time: a verdict can be repeated
        runs = [self._single.run(inputs), *(self._single.run(inputs, rng=rng) for _ in range(RUNS))]
        walk = _WALK * _U * math.sqrt(self._exact.steps)
        return {name: _expected(name, want, [run[name] for run in runs], walk) for name, want in wants.items()}


def _expected(name: str, want: Array, runs: list[Array], walk: float) -> Expected:
    if any(run.shape != want.shape for run in runs):
        raise GraphError(f"the shape of its output {name!r} hangs on rounding")
    if want.dtype.kind != "f":
        return Expected(name, want, 0.0, 0.0 if all(np.array_equal(run, want) for run in runs) else math.nan)
    if not np.isfinite(want).all():
        raise GraphError(f"its output {name!r} is not finite in float64: there is nothing to compare with")
    with np.errstate(all="ignore"):  # a run that overflows gives a bound that nothing passes
        error = float(np.max([np.abs(run - want).max(initial=0) for run in runs]))
    size = max(1.0, float(np.abs(want).max(initial=0)))
    return Expected(name, want, error, max(K["fp32"] * error, walk * size))


def compare_graph(got: Array, expected: Expected, *, dtype: np.dtype[Any]) -> Verdict:
    """Judge an output, which must be of the type that the graph declares."""
    name, want = expected.name, expected.want
    if got.dtype != dtype or got.shape != want.shape:
        return Verdict(None, (), None, None, f"{name} is {got.dtype} {got.shape}, the graph says {dtype} {want.shape}")
    if dtype.kind == "f":
        return compare(got, want, name=name, bound=expected.bound, judged=expected.judged)
    wrong = got != want
    if math.isnan(expected.bound) or not wrong.any():
        return Verdict(0.0, (), None, None, "")
    index = tuple(int(i) for i in np.argwhere(wrong)[0])
    here, there = got[index].item(), want[index].item()
    reason = f"{name}{list(index)} is {here}, the reference says {there}"
    return Verdict(abs(float(here) - float(there)), index, float(here), float(there), reason)
