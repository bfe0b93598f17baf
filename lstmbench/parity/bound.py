"""How far float32 may stray from float64: derived from the very model and input, never chosen.

What is right in float32 differs from float64 by rounding alone, and how much rounding does depends on the model, the
input and the length: a cell with large weights is chaotic, and its float32 and float64 trajectories part by any
distance. So the reference runs in float32 on the same input: once as it is, and RUNS times with hidden units and input
features in other orders, which is the same function with other orders of summation. An output at a time,

    bound = max(K · largest error of these runs, 10 · u · √T · max(1, max|want|)),    K = 10, u = 2⁻²⁴, one rounding

The second term serves small models, where a run can be exact by luck: gates are numbers up to 1, rounded once each, and
over T steps roundings add up as a random walk does. K covers what the runs cannot show: an engine's own order of
summation, and its own tanh and σ. That no planted mistake is covered too (a peephole dropped, gates in another order,
weights in bfloat16), tests/parity/test_bound.py shows.

A file in a lower precision is held to the model that its rounded weights make, and the runs round as the engine does
(`lstmbench.model.arithmetic`). int4 with float32 activations is then held as tightly as fp32. fp16 has u = 2⁻¹¹; what
is summed in another order in float32 is mostly rounded to the same fp16, so there all runs but one shift what they
store by up to one rounding: else all were the same stroke of luck. Where activations become integers the runs meet the
engine's own error, so K is 2. How far rounding itself takes the model from what was trained is no question of parity:
perplexity and divergence tell (`lstmbench.export.quality`).

The bound is judged over as many steps of a run as the recurrence contracts over (`lstmbench.parity.horizon`): behind
them, in a chaotic cell, the float32 runs part from the reference by any distance and their error says nothing of an
engine's, so what comes out there is reported and not judged. The verdict on such a cell rests on its single steps, all
of them rows of one call that starts from the reference's own states (`lstmbench.parity.windows`); what starts there is
`anchored`, and all of it is judged.

Where sums are large (`lstmbench.check.reach`) most gates are saturated and show no error, and that of the few others
can be small in all runs by luck: at H = 1 a right engine's was up to five bounds. There the largest error of the runs
is taken to be no less than how far roundings must be expected to spread (`lstmbench.parity.spread`).

`pytest tests/benchmarks/test_bounds.py`, 1,000 random files a precision, H 1 to 256, T 1 to 33, in one call or several
(ONNX Runtime 1.32 on AMD EPYC, 2026-11-25), of what is judged: in int8 the error takes at most 59 % of the bound, one
output in a thousand above 56 %; in fp16 at most 28 %, one in a thousand above 22 %; in fp32 at most 27 %, in int4 32 %.
Longer calls take more in int8: 84 % at B = 16, T = 256 in reports/reference.
What whole verdicts come to, right and wrong files alike, tests/benchmarks/test_verdicts.py shows.
"""

import functools
import itertools
import math
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from lstmbench.arrays import Weights
from lstmbench.model import arithmetic, reference
from lstmbench.model.arithmetic import Arithmetic
from lstmbench.model.reference import Trace
from lstmbench.model.rounding import rounded
from lstmbench.parity import reorder
from lstmbench.parity.compare import ALL
from lstmbench.parity.horizon import FEW, horizon
from lstmbench.parity.spread import spread
from lstmbench.records import ModelConfig, Precision

Array = NDArray[Any]
K: dict[Precision, float] = {"fp32": 10.0, "fp16": 10.0, "int8": 2.0, "int4": 10.0, "int4a8": 2.0}
_WALK = 10.0
RUNS = 4  # 8 gave the same largest ratio, 2 a larger one
_U: dict[Precision, float] = {
    "fp32": 2.0**-24,
    "fp16": 2.0**-11,
    "int8": 2.0**-24,
    "int4": 2.0**-24,
    "int4a8": 2.0**-24,
}


class Expected(NamedTuple):
    """What one output must be, and how far it may be off."""

    name: str  # as in ModelConfig.output_names
    want: Array  # float64
    float32_error: float  # the largest of the reference's own runs in float32
    bound: float
    judged: int | None = None  # steps that count, from the first; of a state 0 or all; None: all
    time_axis: int = 1  # where these steps stand
    columns: slice = ALL  # of the last axis, that `want` holds


def expect(  # noqa: PLR0913 (what is run, and how)
    config: ModelConfig,
    weights: Weights,
    inputs: Array,
    state: tuple[Array, Array] | None = None,
    *,
    lengths: Array | None = None,
    precision: Precision = "fp32",
    chunks: Sequence[int] | None = None,
    operator: bool = False,
    anchored: bool = False,
    large: bool = False,
) -> tuple[Expected, Expected, Expected]:
    """The output, h_n and c_n for tokens (B, T) or x (B, T, E) and h, c (D·L, B, H), zeros if None; lengths (B,).

    Of a file in a lower precision: what the model computes that its rounded weights make. In int8 the inputs of each
    call are rounded by themselves, so there the steps of each call matter (all in one, if not given), and whether an
    LSTM operator runs them. `anchored`: the rows are `windows` of the reference's own run. `large`: gates
    are driven far. A bound is NaN or infinite, and nothing passes it, where the format cannot hold the model's numbers.
    """
    zeros = np.zeros(config.state_shape(len(inputs)), np.float32)
    state = (zeros, zeros) if state is None else state
    config, weights = rounded(config, weights, precision)
    wants, counts = _right(config, weights, inputs, state, lengths, anchored=anchored)
    own = arithmetic.of(precision, chunks or inputs.shape[1:2], operator=operator)
    run = functools.partial(reorder.run_float32, config, weights, inputs, state, lengths=lengths)
    errors = _own_errors(config, wants, run, _redrawn(own, precision), counts[0])
    walk = _U[precision] * math.sqrt(inputs.shape[1])
    sizes = [max(1.0, float(np.abs(want).max())) for want in wants]
    if large:
        output, *after = spread(config, weights, inputs, state)
        spreads = (output[:, : counts[0] or None], *after)
        errors = [max(e, _U[precision] * float(part.max())) for e, part in zip(errors, spreads, strict=True)]
    bounds = [max(K[precision] * error, _WALK * walk * size) for error, size in zip(errors, sizes, strict=True)]
    output_, h_n, c_n = map(Expected, config.output_names, wants, errors, bounds, counts)
    return output_, h_n, c_n


def _right(
    config: ModelConfig,
    weights: Weights,
    inputs: Array,
    state: tuple[Array, Array],
    lengths: Array | None,
    *,
    anchored: bool,
) -> tuple[tuple[Array, Array, Array], tuple[int | None, int | None, int | None]]:
    """What must come out, and of each output how many steps count, or 0 of a state; None where all does."""
    trace: Trace | None = None if anchored or inputs.shape[1] <= FEW else []
    output, after = reference.run(config, weights, inputs, state, lengths=lengths, trace=trace)
    wants = (output, *after)
    if trace is None:
        return wants, (None, None, None)
    steps, states = horizon(config, weights, inputs, state, lengths, (trace, after))
    known = None if states else 0
    return wants, (None if steps == inputs.shape[1] else steps, known, known)


def _redrawn(own: Arithmetic, precision: Precision) -> Iterator[Arithmetic]:
    """The arithmetic of each run: in fp16 all but the first shift what they store by up to one rounding."""
    yield own
    rng = np.random.default_rng(1)

    def shifted(values: Array) -> Array:
        off = 1 + _U["fp16"] * rng.uniform(-1, 1, values.shape)
        return own.stored((values * off).astype(values.dtype))

    yield from itertools.repeat(own._replace(stored=shifted) if precision == "fp16" else own)


def _own_errors(
    config: ModelConfig,
    wants: tuple[Array, Array, Array],
    run: Callable[..., reorder.Outputs],
    arithmetics: Iterator[Arithmetic],
    judged: int | None,
) -> list[float]:
    rng = np.random.default_rng(0)  # the same orders each time: a verdict can be repeated
    orders = [reorder.unchanged(config), *(reorder.draw(config, rng) for _ in range(RUNS))]
    errors = []
    for order, as_stored in zip(orders, arithmetics, strict=False):
        with np.errstate(over="ignore", invalid="ignore"):  # shows up as a bound that nothing passes
            outputs = run(orders=order, arithmetic=as_stored)
            output, h, c = (np.abs(got - want) for got, want in zip(outputs, wants, strict=True))
        errors.append((output[:, : judged or None].max(), h.max(), c.max()))
    return [float(error) for error in np.max(errors, axis=0)]
