"""Streams of text laid side by side, for training and for scoring."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

IGNORED = -1  # a target that is not scored


def rows(tokens: NDArray[Any], batch: int) -> NDArray[Any]:
    """Tokens (N,) -> contiguous streams (B, N // B), side by side; the N % B tokens at the end are left out."""
    n = len(tokens) // batch
    return tokens[: n * batch].reshape(batch, n)


def evaluation_rows(tokens: NDArray[Any], count: int = 20) -> tuple[NDArray[Any], NDArray[Any]]:
    """Tokens (N,) -> inputs and targets, each (R, n): every token but the first is a target exactly once.

    A row starts with the token before its first target. The last rows are padded: inputs with 0, targets with -1.
    """
    targets = len(tokens) - 1
    if targets < 1:
        raise ValueError("at least two tokens are needed to predict one")
    n = -(-targets // count)
    count = -(-targets // n)
    padded_inputs = np.zeros(count * n, tokens.dtype)
    padded_targets = np.full(count * n, IGNORED, tokens.dtype)
    padded_inputs[:targets], padded_targets[:targets] = tokens[:-1], tokens[1:]
    return padded_inputs.reshape(count, n), padded_targets.reshape(count, n)
