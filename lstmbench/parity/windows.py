"""A sequence taken apart: each step, or each N steps, a row of one batch that starts from the reference's own state.

So one call judges every step by itself, and no error of an earlier step reaches it.
"""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from lstmbench.arrays import Floats, Lengths, State, Tokens, Weights
from lstmbench.model import reference
from lstmbench.model.reference import Trace
from lstmbench.model.rounding import rounded
from lstmbench.records import ModelConfig, Precision

Array = NDArray[Any]
MOST = 1024  # rows of a batch; more steps than that are represented by so many, evenly spread


class Windows(NamedTuple):
    """What a call is given, R rows."""

    inputs: Tokens | Floats  # (R, N) or (R, N, E)
    state: State  # (D·L, R, H), float32: what the reference holds before each, rounded once
    lengths: Lengths | None  # (R,), where the rows of the sequence had some


def windows(  # noqa: PLR0913 (what is run, and how it is cut)
    config: ModelConfig,
    weights: Weights,
    inputs: Array,
    state: tuple[Array, Array] | None = None,
    *,
    steps: int = 1,
    lengths: Array | None = None,
    precision: Precision = "fp32",
) -> Windows:
    """Cut inputs (B, T) or (B, T, E), T a multiple of `steps`, into rows of so many steps, those of a row together.

    What lies behind a row's length (B,) is left out.
    """
    trace: Trace = []
    reference.run(*rounded(config, weights, precision), inputs, state, lengths=lengths, trace=trace)
    return cut(config, inputs, trace, steps=steps, lengths=lengths)


def cut(config: ModelConfig, inputs: Array, trace: Trace, *, steps: int, lengths: Array | None) -> Windows:
    """The same of a run whose states are known."""
    (batch, time), (b, start) = inputs.shape[:2], _places(inputs, steps, lengths)
    rows = inputs.reshape(batch, time // steps, steps, *inputs.shape[2:])[b, start // steps]
    first = [start + (steps - 1) * (row % config.directions) for row in range(len(trace))]  # reverse starts at the end
    h, c = (
        np.stack([pair[which][b, t] for pair, t in zip(trace, first, strict=True)]).astype(np.float32)
        for which in (0, 1)
    )
    left = None if lengths is None else (lengths[b] - start).clip(max=steps).astype(np.int32)
    return Windows(rows, State(h, c), left)


def _places(inputs: Array, steps: int, lengths: Array | None) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """The row and the first step of every window, (R,) each."""
    batch, time = inputs.shape[:2]
    b, start = (a.ravel() for a in np.mgrid[:batch, : time // steps])
    start = start * steps
    if lengths is not None:
        b, start = b[start < lengths[b]], start[start < lengths[b]]
    taken = np.unique(np.linspace(0, len(b) - 1, min(MOST, len(b))).round().astype(np.intp))
    return b[taken], start[taken]
