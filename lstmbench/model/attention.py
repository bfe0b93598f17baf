"""Attention over past states, in NumPy: what each step reads of the states before it, and its own.

Of the last layer's h_1 … h_T of one call, and each s ≤ t (Luong, Pham & Manning 2015, section 3.1, with the states of
the sequence itself in place of a source's, as Cheng, Dong & Lapata 2016 have it; the scale is Vaswani et al. 2017's):

    e_ts = h_t · (A h_s) / √H                A (H, H): score "general", eq. 8
    a_t  = softmax over s ≤ t of e_t         eq. 7; no step sees a later one
    v_t  = Σ_s a_ts h_s
    r_t  = tanh(C [v_t; h_t])                C (H, 2H), eq. 5; the projection reads r_t in place of h_t

The recurrence does not see it: h_n and c_n are those of the model without it. What is read are the states of the
present call alone, so a sequence that is cut into calls is another function, as it is with a reverse direction.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from lstmbench.arrays import Weights
from lstmbench.model.arithmetic import EXACT, Arithmetic
from lstmbench.model.weights import COMBINE, SCORE

Array = NDArray[Any]


def attend(weights: Weights, h: Array, *, arithmetic: Arithmetic = EXACT, past: Array | None = None) -> Array:
    """H (B, T, H) -> r (B, T, H), in h's dtype; `past` (T,): in which order past states stand, and are summed."""
    now = np.arange(h.shape[1])
    past = now if past is None else past
    A, C = (weights[name].astype(h.dtype) for name in (SCORE, COMBINE))
    keys = arithmetic.stored(arithmetic.inputs(h) @ A.T)  # (B, T, H)
    queries = arithmetic.stored(h * h.dtype.type(h.shape[-1] ** -0.5))
    scores = arithmetic.stored(queries @ keys[:, past].swapaxes(1, 2))  # (B, T, T)
    shares = arithmetic.stored(softmax(np.where(past > now[:, None], -np.inf, scores)))
    read = arithmetic.stored(shares @ h[:, past])
    both = arithmetic.inputs(np.concatenate([read, h], axis=-1))  # (B, T, 2H)
    return arithmetic.stored(np.tanh(arithmetic.stored(both @ C.T)))


def softmax(scores: Array) -> Array:
    """Over the last axis, in the dtype that came."""
    raised = np.exp(scores - scores.max(axis=-1, keepdims=True))
    shares: Array = raised / raised.sum(axis=-1, keepdims=True)
    return shares
