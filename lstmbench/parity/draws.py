"""Tokens that a graph drew itself, judged by the float64 reference that is fed these very tokens.

A draw within rounding of an edge may fall either way, and all that follows it differs: so the reference follows the
graph, not the other way round. Each token must then be one that logits within their bound could have given; its error
is how far all logits would have to be off for it (`lstmbench.model.sampling.misfit`), 0 for the reference's own token.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from lstmbench.arrays import Floats, State, Tokens, Weights
from lstmbench.model import sampling
from lstmbench.parity.bound import Expected, expect
from lstmbench.parity.compare import Verdict
from lstmbench.records import Decoding, ModelConfig, Precision

TOKENS = "tokens"  # the output


def expect_draws(  # noqa: PLR0913 (what is run, and how)
    config: ModelConfig,
    weights: Weights,
    prompt: Tokens,
    state: State | None,
    tokens: Tokens,
    *,
    precision: Precision = "fp32",
    anchored: bool = False,
    large: bool = False,
) -> tuple[Expected, Expected, Expected]:
    """What tokens (B, N) are drawn from, logits (B, N, V), then h_n and c_n, where exactly these were fed back."""
    fed = np.concatenate([prompt, tokens[:, :-1]], axis=1)
    one_by_one = (1,) * fed.shape[1]
    logits, h_n, c_n = expect(
        config, weights, fed, state, precision=precision, chunks=one_by_one, anchored=anchored, large=large
    )
    read = prompt.shape[1] - 1  # before the first draw
    judged = None if logits.judged is None else max(0, logits.judged - read)
    return logits._replace(name=TOKENS, want=logits.want[:, read:], judged=judged), h_n, c_n


def compare_draws(tokens: NDArray[Any], expected: Expected, uniform: Floats, how: Decoding) -> Verdict:
    """Judge tokens (B, N), drawn at uniform (B, N), by the logits that they must come from, as far as they count."""
    counted = tokens[:, : expected.judged or None]
    temperature, top_k = how.temperature, how.top_k
    worst = Verdict(0.0, (), None, None, "")
    for index in np.ndindex(counted.shape):
        logits, at, got = expected.want[index], float(uniform[index]), int(tokens[index])
        want = sampling.take(logits, at, temperature=temperature, top_k=top_k)
        error = 0.0
        if got != want:
            error = sampling.misfit(logits, got, at, temperature=temperature, top_k=top_k)
        if not worst.worst_index or error > (worst.max_error or 0.0):
            worst = Verdict(error, index, got, want, "")
    assert worst.max_error is not None
    within = expected.judged == 0 or worst.max_error <= expected.bound < np.inf  # false for NaN
    return worst if within else worst._replace(reason=_reason(worst, expected.bound))


def _reason(worst: Verdict, bound: float) -> str:
    where = f"{TOKENS}{list(worst.worst_index)}"
    return (
        f"{where} is {worst.got:.0f}, the reference draws {worst.want:.0f} there: "
        f"logits would have to be off by {worst.max_error:.1e}, allowed {bound:.1e}"
    )
