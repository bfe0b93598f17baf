"""The floor under a language model: interpolated Witten-Bell n-grams on the same tokens.

p_k(w | h) = (c(h w) + n(h) p_{k-1}(w | h')) / (c(h) + n(h)), where h are the k - 1 tokens before w, h' the same without
the oldest, c counts in the training text, n(h) the number of distinct successors of h; p_0 = 1 / V
(Witten & Bell 1991; Chen & Goodman 1998, section 2.5). Where h was never seen, p_k = p_{k-1}.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from lstmbench.corpus.rows import IGNORED

Ids = NDArray[np.int64]


def witten_bell(
    train: NDArray[Any], inputs: NDArray[Any], targets: NDArray[Any], *, vocabulary_size: int, max_order: int
) -> list[float]:
    """Nats a token of the targets (R, n), order by order from 1 to `max_order`; inputs and targets as in `rows`.

    A context never reaches before its row's first input, as a model that starts from zero state.
    """
    full = np.concatenate([inputs[:, :1], targets], axis=1).astype(np.int64)  # (R, n + 1)
    scored = targets != IGNORED
    position = np.broadcast_to(np.arange(1, full.shape[1]), targets.shape)
    p = np.full(targets.shape, 1 / vocabulary_size)
    train_context, context = np.zeros(len(train), np.int64), np.zeros(full.shape, np.int64)
    nats = []
    for order in range(1, max_order + 1):
        reach = scored & (position >= order - 1)
        if order > 1:
            train_context, context = _extend(train, train_context, full, context, order)
        p = np.where(reach, _interpolate(train[order - 1 :], train_context, full[:, 1:], context[:, 1:], p), p)
        nats.append(float(-np.log(p[scored]).mean()))
    return nats


def _extend(train: NDArray[Any], train_context: Ids, full: Ids, context: Ids, order: int) -> tuple[Ids, Ids]:
    """Number the contexts of order - 1 tokens: those of order - 2 tokens, with the token before them.

    `train_context[j]` is the context of train[j + order - 1]; `context[r, t]` of full[r, t], -1 where never seen.
    """
    V = int(max(train.max(), full.max())) + 1
    oldest = train[: len(train) - order + 1].astype(np.int64)
    keys, numbers = np.unique(train_context[1:] * V + oldest, return_inverse=True)
    shifted = np.full_like(full, -1)
    shifted[:, order - 1 :] = full[:, : full.shape[1] - order + 1]
    wanted = np.where((context >= 0) & (shifted >= 0), context * V + shifted, -1)
    return numbers, _look_up(keys, np.arange(len(keys)), wanted, missing=-1)


def _interpolate(words: NDArray[Any], train_context: Ids, target: Ids, context: Ids, p: NDArray[Any]) -> NDArray[Any]:
    """p_k of each target, given p_{k-1}: counts of (context, word), of contexts, and of their distinct successors."""
    V = int(max(words.max(), target.max())) + 1
    pairs, pair_counts = np.unique(train_context * V + words, return_counts=True)
    totals = np.bincount(train_context)
    distinct = np.bincount(pairs // V, minlength=len(totals))
    c_hw = _look_up(pairs, pair_counts, np.where(context >= 0, context * V + target, -1), missing=0)
    seen = np.maximum(context, 0)
    c_h, n_h = totals[seen], distinct[seen]
    mixed: NDArray[Any] = np.where(context >= 0, (c_hw + n_h * p) / (c_h + n_h), p)
    return mixed


def _look_up(keys: Ids, values: NDArray[Any], wanted: Ids, *, missing: int) -> Ids:
    """values[k] where keys[k] == wanted (keys are sorted), else `missing`."""
    at = np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)
    return np.where(keys[at] == wanted, values[at], missing)
