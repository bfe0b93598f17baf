"""The activations that a recurrent operator of ONNX can name, with the alphas and betas that it gives them.

Source: specification of LSTM (ai.onnx 22): formulas; the defaults are those of the operators of the same names.
"""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
Activation: TypeAlias = Callable[[Array], Array]


class _Known(NamedTuple):
    """A formula of x, alpha and beta; the defaults are absent where it has no such number."""

    formula: Callable[[Array, float, float], Array]
    alpha: float | None = None
    beta: float | None = None


_KNOWN = {
    "relu": _Known(lambda x, _a, _b: x.clip(0)),
    "tanh": _Known(lambda x, _a, _b: np.tanh(x)),
    "sigmoid": _Known(lambda x, _a, _b: (1 + np.tanh(x / 2)) / 2),
    "affine": _Known(lambda x, a, b: a * x + b, 1.0, 0.0),
    "leakyrelu": _Known(lambda x, a, _b: np.where(x < 0, a * x, x), 0.01),
    "thresholdedrelu": _Known(lambda x, a, _b: np.where(x < a, 0, x), 1.0),
    "scaledtanh": _Known(lambda x, a, b: a * np.tanh(b * x), 1.0, 1.0),
    "hardsigmoid": _Known(lambda x, a, b: (a * x + b).clip(0, 1), 0.2, 0.5),
    "elu": _Known(lambda x, a, _b: np.where(x < 0, a * np.expm1(x.clip(None, 0)), x), 1.0),
    "softsign": _Known(lambda x, _a, _b: x / (1 + np.abs(x))),
    "softplus": _Known(lambda x, _a, _b: np.logaddexp(x, 0)),
}


def named(names: Sequence[str], alphas: Sequence[float], betas: Sequence[float]) -> list[Activation]:
    """The functions of a node, in its order; names count in any case. ValueError for one that is not known."""
    left_alphas, left_betas = iter(alphas), iter(betas)
    functions = []
    for name in names:
        known = _KNOWN.get(name.lower())
        if known is None:
            raise ValueError(f"activation {name!r} is not in the specification")
        alpha = known.alpha if known.alpha is None else next(left_alphas, known.alpha)
        beta = known.beta if known.beta is None else next(left_betas, known.beta)
        functions.append(_bind(known, alpha or 0.0, beta or 0.0))
    return functions


def _bind(known: _Known, alpha: float, beta: float) -> Activation:
    return lambda x: known.formula(x, alpha, beta).astype(x.dtype)
