"""How many steps of a run can be judged as a whole: those over which the recurrence contracts.

Let e be the largest error of float32 in a single step that starts from the reference's own state, over all steps and
units of h and c, and D_t the largest distance of a float32 run from the reference before step t. Where no step makes
a distance larger, D_t ≤ D_(t-1) + e, so

    D_t ≤ t · e    for all t

and a run that keeps to it is no worse than its single steps, added up. A chaotic cell leaves it: there each step is
right, and a right engine's run parts from the reference's by any distance, so from the first t with D_t > t · e on
nothing is judged, only reported. The steps themselves are judged one by one all the same (`lstmbench.parity.windows`).
FEW steps are always judged: in so few a distance grows by what a bound allows, and what goes wrong between
steps (a state that is not carried, steps in another order, a frozen time axis) shows in them.

Both runs are in float32 whatever the precision of the file: how distances grow is a matter of the rounded model's
equations, not of the engine. Measured over 64 steps of H 6 to 256, one or two layers: a weight gain of 0.5 keeps
D_t / (t · e) below 0.1 at the end; `none` and `diagonal` below 0.5 mostly; two layers of `full` at gain 2 reach 2,000,
and leave the line after 12 to 17 steps. In the reverse direction a step depends on all that follow it, so of a
bidirectional run all is judged or nothing.
"""

from typing import Any, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from lstmbench.arrays import Weights
from lstmbench.model import reference
from lstmbench.model.reference import Trace
from lstmbench.parity.windows import Windows, cut
from lstmbench.records import ModelConfig

Array = NDArray[Any]
Right: TypeAlias = tuple[Trace, tuple[Array, Array]]  # the states before each step, and h, c after the last
FEW = 3
_U = 2.0**-24


class Horizon(NamedTuple):
    """What of a run is judged."""

    steps: int  # of the output, from the first
    states: bool  # whether h_n and c_n are


def horizon(
    config: ModelConfig,
    weights: Weights,
    inputs: Array,
    state: tuple[Array, Array],
    lengths: Array | None,
    right: Right,
) -> Horizon:
    """Of the run from h, c (D·L, B, H) over inputs (B, T) or (B, T, E), whose trace and states in float64 are known."""
    time, (run, after) = inputs.shape[1], right
    if time <= FEW:
        return Horizon(time, states=True)
    with np.errstate(over="ignore", invalid="ignore"):  # a distance that is no number is too far
        distance = _distances(config, weights, inputs, state, lengths, (run, after))
        error = _single_step(config, weights, cut(config, inputs, run, steps=1, lengths=lengths))
        within = distance <= np.arange(time + 1) * max(error, _U)
    if config.bidirectional or within.all():
        return Horizon(time if within.all() else 0, states=bool(within.all()))
    return Horizon(max(FEW, int(within.argmin())), states=False)


def _distances(
    config: ModelConfig,
    weights: Weights,
    inputs: Array,
    state: tuple[Array, Array],
    lengths: Array | None,
    right: Right,
) -> NDArray[np.float64]:
    """The largest over all directions, rows and units before each step as it is taken, and after the last: (T + 1,)."""
    trace: Trace = []
    _, after = reference.run(config, weights, inputs, state, lengths=lengths, dtype=np.float32, trace=trace)
    distances = np.zeros(inputs.shape[1] + 1)
    for row, pairs in enumerate(zip(trace, right[0], strict=True)):
        taken = slice(None, None, -1) if row % config.directions else slice(None)
        for got, want in zip(*pairs, strict=True):
            distances[:-1] = np.maximum(distances[:-1], np.abs(got - want).max(axis=(0, 2))[taken])
    distances[-1] = _largest(after, right[1])
    return distances


def _single_step(config: ModelConfig, weights: Weights, rows: Windows) -> float:
    """The largest error of a step, in h and c."""
    right, in_float32 = (
        reference.run(config, weights, rows.inputs, rows.state, lengths=rows.lengths, dtype=dtype)[1]
        for dtype in (np.float64, np.float32)
    )
    return _largest(in_float32, right)


def _largest(got: tuple[Array, Array], want: tuple[Array, Array]) -> float:
    return float(np.max([np.abs(g - w).max() for g, w in zip(got, want, strict=True)]))
