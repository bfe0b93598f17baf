"""How far a runtime may stray from the float64 evaluation of a graph: derived from the very graph and its inputs.

As in `lstmbench.parity.bound`, but of a graph that may be anybody's: it runs in float32 on the same inputs, once as it
is and RUNS times with the terms of every matrix product and sum in another order, and the hidden units and input
features of every LSTM operator. That is the same function with other roundings. An output at a time,

    bound = max(K · largest error of these runs, 10 · u · √N · max(1, max|want|)),    K = 10, u = 2⁻²⁴, one rounding

N is the number of products and of steps of LSTM operators that the run took, in bodies as often as they ran, and 1
where there are none, since an erf or a sum rounds too: no more can follow one another, and roundings add up over them
as a random walk does. What an operator computes where it reads counts besides (`lstmbench.evaluator.roundings`). The
second term serves graphs that can be exact by luck; K covers an engine's own order of summation, its own tanh and σ,
and operators that it fused.

A recurrence may be chaotic, and then its float32 runs part from float64 by any distance. Where it is known along which
axis of an output time runs, steps count from the first as long as the runs' distance D_t from float64 keeps to

    D_t ≤ t · max(D_1, …, D_FEW, 4 · u · max(1, max|want|)),    FEW = 3

as in `lstmbench.parity.horizon`; FEW steps always count. Behind them the error is reported and not judged. And nothing
is judged by a bound that is more than a tenth of what an output spans, unless that is some roundings: it would let a
constant pass. A last state is judged by that alone: while the runs are off by a hundredth of what it spans, their
distances still grow in proportion to roundings, and K holds of an engine's too.

Outputs that are no floats must be the very ones. Where float32 itself gives others in some order, rounding decides
(an index of the largest of two that are equal, but for rounding): such an output is not judged, and its bound is NaN.

`pytest tests/benchmarks/test_graph_bounds.py`, 3,000 outputs of 1,000 random files a kind, H 1 to 160, T 1 to 33 (ONNX
Runtime 1.32 on AMD EPYC, 2026-11-25): the error is 0.95 times that of the runs in the median. It takes at most 29 % of
the bound in files around the LSTM operator, and 24 % where the recurrence is written out as Scan, Loop or step by step.
That no planted mistake is covered too, tests/parity/test_graphs.py shows.
"""

import math
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
import onnx
from numpy.typing import NDArray

from lstmbench.errors import GraphError
from lstmbench.evaluator import Evaluator
from lstmbench.parity.bound import RUNS, Expected, K
from lstmbench.parity.compare import Verdict, compare
from lstmbench.parity.horizon import FEW

Array = NDArray[Any]
_WALK = 10.0
_U = 2.0**-24
_STEP = 4.0  # roundings of a step, where its first ones are exact by luck
_TELLS = 0.1  # a bound tells an answer from others where it is so much of what the output spans, or less


class Evaluation(NamedTuple):
    """One output of one run of a graph."""

    want: Array  # float64, or as it is
    error: Array  # of each element, the largest of the runs in float32; of what is no float, whether they differ
    walk: float  # relative: what roundings add up to over the run


class GraphBound:
    """One graph in float64 and in float32, ready for any inputs."""

    def __init__(self, model: onnx.ModelProto) -> None:
        self._exact, self._single = Evaluator(model), Evaluator(model, float64=False)

    def evaluate(self, inputs: Mapping[str, Array]) -> dict[str, Evaluation]:
        """Run it in float64, and in float32 in several orders; GraphError where the graph cannot be evaluated."""
        wants = self._exact.run(inputs)
        rng = np.random.default_rng(0)  # the same orders each time: a verdict can be repeated
        runs = [self._single.run(inputs), *(self._single.run(inputs, rng=rng) for _ in range(RUNS))]
        walk = _WALK * _U * math.sqrt(max(1, self._exact.steps))
        return {name: _evaluation(name, want, [run[name] for run in runs], walk) for name, want in wants.items()}

    def expect(self, inputs: Mapping[str, Array]) -> dict[str, Expected]:
        """What each output must be, and how far it may be off; as `expected` of a graph whose time nobody knows."""
        return expected(self.evaluate(inputs), {})


def expected(found: Mapping[str, Evaluation], time: Mapping[str, int]) -> dict[str, Expected]:
    """What each output must be, and how far it may be off; `time`: the axis of T of each output that has it."""
    return {
        name: _expected(name, one, time[name], _contracts(one, time[name])) if name in time else _expected(name, one)
        for name, one in found.items()
    }


def _evaluation(name: str, want: Array, runs: list[Array], walk: float) -> Evaluation:
    if any(run.shape != want.shape for run in runs):
        raise GraphError(f"the shape of its output {name!r} hangs on rounding")
    if not want.size:
        raise GraphError(f"its output {name!r} holds nothing: there is nothing to compare")
    if want.dtype.kind != "f":
        return Evaluation(want, np.any([run != want for run in runs], axis=0), walk)
    if not np.isfinite(want).all():
        raise GraphError(f"its output {name!r} is not finite in float64: there is nothing to compare with")
    with np.errstate(all="ignore"):  # a run that overflows gives a bound that nothing passes
        return Evaluation(want, np.asarray(np.max([np.abs(run - want) for run in runs], axis=0)), walk)


def _contracts(one: Evaluation, axis: int) -> int:
    """Over how many steps of an output the float32 runs keep to it, or else add up what they are off at its start."""
    steps: int = one.want.shape[axis]
    if steps <= FEW or one.want.dtype.kind != "f":
        return steps
    with np.errstate(all="ignore"):
        distance = np.maximum.accumulate(np.moveaxis(one.error, axis, 0).reshape(steps, -1).max(axis=1, initial=0))
        error = max(float(distance[FEW - 1]), _STEP * _U * _size(one.want))
        within = distance <= np.arange(1, steps + 1) * error
    return steps if within.all() else max(FEW, int(within.argmin()))


def _expected(name: str, one: Evaluation, axis: int = 1, judged: int | None = None) -> Expected:
    if one.want.dtype.kind != "f":
        return Expected(name, one.want, 0.0, math.nan if one.error.any() else 0.0)
    counts = (slice(None),) * axis + (slice(judged),) if judged else ()
    want, error = one.want[counts], float(one.error[counts].max(initial=0))
    walk = one.walk * _size(want)
    bound = max(K["fp32"] * error, walk)
    hidden = bound > _TELLS * _spanned(want) if want.size else False
    if hidden and bound > walk / _TELLS:
        judged = 0
    whole = judged is not None and one.want.shape[axis : axis + 1] == (judged,)
    return Expected(name, one.want, error, bound, None if whole else judged, axis)


def _spanned(want: Array) -> float:
    """What a constant would have to meet; of a single number its distance from 0."""
    return float(np.ptp(want)) if want.size > 1 else float(np.abs(want).max())


def _size(want: Array) -> float:
    return max(1.0, float(np.abs(want).max(initial=0)))


def compare_graph(got: Array, expected: Expected, *, dtype: np.dtype[Any]) -> Verdict:
    """Judge an output, which must be of the type that the graph declares."""
    name, want = expected.name, expected.want
    if got.dtype != dtype or got.shape != want.shape:
        return Verdict(None, (), None, None, f"{name} is {got.dtype} {got.shape}, the graph says {dtype} {want.shape}")
    if dtype.kind == "f":
        bound, judged, axis = expected.bound, expected.judged, expected.time_axis
        return compare(got, want, name=name, bound=bound, judged=judged, time_axis=axis)
    wrong = got != want
    if math.isnan(expected.bound) or not wrong.any():
        return Verdict(0.0, (), None, None, "")
    index = tuple(int(i) for i in np.argwhere(wrong)[0])
    here, there = got[index].item(), want[index].item()
    reason = f"{name}{list(index)} is {here}, the reference says {there}"
    return Verdict(abs(float(here) - float(there)), index, float(here), float(there), reason)
