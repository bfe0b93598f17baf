"""The LSTM operator of ONNX in NumPy, with all that a node can be told: it computes in the type of X.

Source: the specification of operator LSTM, domain ai.onnx, version 22 (version 14 but for bfloat16). Where it has no
words this does what ONNX Runtime's CPU kernel documents: `input_forget` makes the forget gate 1 - i. A row of length
0 keeps the state that it was given.
"""

from collections.abc import Callable
from typing import Any, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from lstmbench.evaluator.activations import Activation, named

Array = NDArray[Any]


class Attributes(NamedTuple):
    """The attributes of a node, with the defaults of the specification; hidden_size is in the weights."""

    direction: str = "forward"  # or reverse, bidirectional
    activations: tuple[str, ...] = ()  # f, g, h of each direction; Sigmoid, Tanh, Tanh if none
    activation_alpha: tuple[float, ...] = ()  # taken in turn by the activations that have an alpha
    activation_beta: tuple[float, ...] = ()
    clip: float | None = None  # of what goes into every activation, h(C_t) too
    input_forget: bool = False
    layout: int = 0  # 1: B before T, in X, Y and the states


class Direction(NamedTuple):
    """The weights of one direction, in the operator's order of gates i, o, f, c."""

    W: Array  # (4H, E)
    R: Array  # (4H, H)
    B: Array  # (4H,): Wb + Rb
    P: Array  # (3, H): i, o, f
    functions: tuple[Activation, Activation, Activation]
    clip: float
    input_forget: bool


Step: TypeAlias = Callable[[Array, Array, Array, Direction], tuple[Array, Array]]  # x, h, c -> h, c


def one_step(x: Array, h: Array, c: Array, direction: Direction) -> tuple[Array, Array]:
    """One step of every row: x (B, E), h and c (B, H) -> h, c."""
    f, g, last = direction.functions
    i_, o_, f_, c_ = np.split(x @ direction.W.T + h @ direction.R.T + direction.B, 4, axis=1)
    P_i, P_o, P_f = direction.P
    clip = direction.clip

    def clipped(z: Array) -> Array:
        return z.clip(-clip, clip)

    i = f(clipped(i_ + P_i * c))
    forget = 1 - i if direction.input_forget else f(clipped(f_ + P_f * c))
    c = forget * c + i * g(clipped(c_))
    o = f(clipped(o_ + P_o * c))
    return o * last(clipped(c)), c


def lstm(  # noqa: PLR0913, PLR0917 (the inputs of the operator)
    X: Array,
    W: Array,
    R: Array,
    B: Array | None = None,
    sequence_lens: Array | None = None,
    initial_h: Array | None = None,
    initial_c: Array | None = None,
    P: Array | None = None,
    *,
    how: Attributes = Attributes(),  # noqa: B008 (a frozen tuple)
    step: Step = one_step,
) -> tuple[Array, Array, Array]:
    """X (T, B, E), W (D, 4H, E), R (D, 4H, H) -> Y (T, D, B, H), Y_h, Y_c (D, B, H); layout 1 has B first.

    ValueError for a direction or an activation that the specification does not know. `step` is for whoever must know
    what an engine computes that has one step wrong.
    """
    if how.direction not in ("forward", "reverse", "bidirectional"):
        raise ValueError(f"direction {how.direction!r} is none of forward, reverse, bidirectional")
    D, H = W.shape[0], R.shape[2]
    X = X.swapaxes(0, 1) if how.layout else X
    zeros = np.zeros((D, X.shape[1], H), X.dtype)
    h, c = (zeros if s is None else s.swapaxes(0, 1) if how.layout else s for s in (initial_h, initial_c))
    lengths = np.full(X.shape[1], len(X)) if sequence_lens is None else sequence_lens.astype(np.int64)
    parts = []
    for d, direction in enumerate(_directions(W, R, B, P, how)):
        backwards = how.direction == "reverse" or d == 1
        parts.append(_run(X, lengths, (h[d], c[d]), direction, step, backwards=backwards))
    Y, Y_h, Y_c = (np.stack(outputs, axis) for outputs, axis in zip(zip(*parts, strict=True), (1, 0, 0), strict=True))
    return (Y.transpose(2, 0, 1, 3), Y_h.swapaxes(0, 1), Y_c.swapaxes(0, 1)) if how.layout else (Y, Y_h, Y_c)


def _directions(W: Array, R: Array, B: Array | None, P: Array | None, how: Attributes) -> list[Direction]:
    D, H = W.shape[0], R.shape[2]
    functions = named(how.activations or ("Sigmoid", "Tanh", "Tanh") * D, how.activation_alpha, how.activation_beta)
    if len(functions) != 3 * D:
        raise ValueError(f"{len(functions)} activations for {D} directions: each takes three")
    B = np.zeros((D, 8 * H), W.dtype) if B is None else B
    P = np.zeros((D, 3 * H), W.dtype) if P is None else P
    clip = np.inf if how.clip is None else how.clip
    return [
        Direction(
            W[d],
            R[d],
            B[d, : 4 * H] + B[d, 4 * H :],
            P[d].reshape(3, H),
            (functions[3 * d], functions[3 * d + 1], functions[3 * d + 2]),
            clip,
            how.input_forget,
        )
        for d in range(D)
    ]


def _run(
    X: Array, lengths: Array, start: tuple[Array, Array], direction: Direction, step: Step, *, backwards: bool
) -> tuple[Array, Array, Array]:
    """X (T, B, E) -> Y (T, B, H), zero behind the end of a row; h and c (B, H) after the last step of each row."""
    h, c = start
    Y = np.zeros((*X.shape[:2], h.shape[1]), X.dtype)
    rows = np.arange(X.shape[1])
    for t in range(len(X)):
        at = np.where(t < lengths, lengths - 1 - t if backwards else t, 0)
        h_, c_ = step(X[at, rows], h, c, direction)
        live = t < lengths
        h, c = np.where(live[:, None], h_, h), np.where(live[:, None], c_, c)
        Y[at[live], rows[live]] = h[live]
    return Y, h, c
