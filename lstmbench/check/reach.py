"""Inputs and states that drive sums of gates far beyond where their activations bend, and c beyond where tanh is flat.

Numbers near N(0, 1) leave most sums within ±3, where a node that clips at 6, or a σ that is a table up to 8, answers
right. So one call has, of each layer in each direction,

    x = s · N(0, 1)     s such that W x is REACH large (root mean square over gates and units); tokens are what they are
    c = s · N(0, 1)     s such that P c is REACH large; without P, REACH itself, where tanh(c) is ±1 to the last bit
    h = ±sign(U_k) · r  k a row of U, of one gate after the other those of the largest Σ|U_k|, r in ½..1

h is bounded, so no other h gives U h much larger sums: where a sum of a token's model stays within a clip even so, the
clip changes nothing that any state from a run could show. Both signs of each row are asked.
"""

import numpy as np
from numpy.typing import NDArray

from lstmbench.arrays import Floats, State, Tokens, Weights
from lstmbench.model import stimulus
from lstmbench.records import ModelConfig

REACH = 16.0  # σ(-16) is 1e-7, two roundings of 1; larger sums would round worse than a clip at 10 is wrong
ROWS = 16  # two of each gate, both signs
_GATES = 4


def inputs(config: ModelConfig, weights: Weights, *, batch: int, time: int, seed: int) -> Tokens | Floats:
    """Tokens (B, T), or x (B, T, E)."""
    drawn = stimulus.inputs(config, batch=batch, time=time, seed=seed)
    if config.head == "lm":
        return drawn
    rows = np.concatenate([weights[f"lstm.weight_ih_l0{way}"] for way in _ways(config)])
    scaled: Floats = drawn * np.float32(_scale(rows))
    return scaled


def state(config: ModelConfig, weights: Weights, *, batch: int, seed: int) -> State:
    """H and c, (D·L, B, H) each."""
    rng = np.random.default_rng((seed, batch, 2))
    cells = [f"l{k}{way}" for k in range(config.num_layers) for way in _ways(config)]
    h = [_aimed(weights[f"lstm.weight_hh_{cell}"], batch, rng) for cell in cells]
    c = [rng.standard_normal((batch, config.hidden_size)) * _of_c(weights, cell) for cell in cells]
    return State(np.stack(h).astype(np.float32), np.stack(c).astype(np.float32))


def _ways(config: ModelConfig) -> tuple[str, ...]:
    return ("", "_reverse")[: config.directions]


def _of_c(weights: Weights, cell: str) -> float:
    P = weights.get(f"lstm.weight_ch_{cell}")
    return REACH if P is None else _scale(P.reshape(len(P), -1))


def _scale(rows: NDArray[np.float32]) -> float:
    """Of normal numbers whose sums by these rows (N, K) are to be REACH large; never below 1."""
    size = float(np.sqrt((rows.astype(np.float64) ** 2).sum(axis=1).mean()))
    return max(1.0, REACH / size) if size else REACH


def _aimed(U: NDArray[np.float32], batch: int, rng: np.random.Generator) -> NDArray[np.float64]:
    """H (B, H): rows 2n and 2n + 1 at the same row of U (4H, H), of gate n modulo 4."""
    H = U.shape[1]
    largest = np.argsort(-np.abs(U).sum(axis=1).reshape(_GATES, H), axis=1)  # units of each gate
    n = np.arange(batch) // 2
    k = n % _GATES * H + largest[n % _GATES, n // _GATES % H]
    sign = np.where(np.arange(batch) % 2, -1.0, 1.0)[:, None]
    aimed: NDArray[np.float64] = sign * np.where(U[k] < 0, -1.0, 1.0) * rng.uniform(0.5, 1.0, (batch, H))
    return aimed
