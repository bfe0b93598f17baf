"""Parts of tensors that are scaled, gone or noisy, and logits of which a function comes out, at random places."""

from collections.abc import Iterator

import numpy as np
from plantings import TERMS, Planting, Truth, Weights, planted, reference_layer, run_inputs

from lstmbench.arrays import State
from lstmbench.model import reference
from lstmbench.model.attention import softmax
from lstmbench.records import ModelConfig

CHANGES = {
    "halved": lambda a, _rng: a * np.float32(0.5),
    "gone": lambda a, _rng: a * 0,
    "negative": lambda a, _rng: -a,
    "noisy": lambda a, rng: a + rng.normal(0, 0.1, a.shape).astype(np.float32),
}
EVERY = 6  # of each kind


def of_blocks(config: ModelConfig, weights: Weights, k: int, d: int, *, seed: int) -> Iterator[Planting]:
    """Blocks of one tensor of a layer, and of two."""
    rng, right = np.random.default_rng([seed, 2]), reference_layer(config, weights, k, d)
    there = [term for term in TERMS if getattr(right, term) is not None]
    for n in range(EVERY):
        wrong, names = right, []
        for term in rng.choice(there, size=1 + n % 2, replace=False):
            name, array = _block(getattr(wrong, term).swapaxes(0, -1 if term == "b" else 0), rng, config.hidden_size)
            wrong = wrong._replace(**{term: array.swapaxes(0, -1 if term == "b" else 0)})
            names.append(f"{term} {name}")
        yield planted(" and ".join(names), config, weights, (k, d), wrong)


def of_rows(config: ModelConfig, weights: Weights, *, seed: int) -> Iterator[Planting]:
    """Rows of the embedding and of the projection; an embedding that is no number, too."""
    rng = np.random.default_rng([seed, 3])
    truths = {
        "embedding.weight": Truth("layer", 0, gates="ifgo", terms=("input",)),
        "decoder.weight": Truth("output", None, terms=("projection weights",)),
        "decoder.bias": Truth("output", None, terms=("projection bias",)),
    }
    for name, truth in truths.items():
        for n in range(2):
            rows = rng.choice(len(weights[name]), size=(1, 3)[n], replace=False)
            kind = str(rng.choice([*CHANGES, *(["infinite"] if name == "embedding.weight" else [])]))
            array = weights[name].copy()
            array[rows] = CHANGES[kind](array[rows], rng) if kind in CHANGES else np.inf
            step = _first_of(config, rows) if truth.part == "layer" else None
            yield Planting(
                f"rows {sorted(rows.tolist())} of {name} {kind}", truth._replace(step=step), weights | {name: array}
            )


def _first_of(config: ModelConfig, tokens: np.ndarray) -> int:
    """The step of the study's run in which one of them is first taken."""
    steps = np.isin(run_inputs(config), tokens).any(axis=0)
    return int(steps.argmax())


def of_logits(config: ModelConfig, weights: Weights) -> Iterator[Planting]:
    """Right states, and a function of right logits."""
    largest = np.abs(reference.run(config, weights, np.arange(config.vocabulary_size)[:, None])[0]).max()
    for words, function in functions(np.float32(largest)).items():
        truth = Truth("output", None, words=words)
        yield Planting(f"logits: {words}", truth, weights, reading(config, weights, function))


def reading(config: ModelConfig, weights: Weights, function):
    """An engine of right states and of a function of right logits."""

    def run(inputs, state):
        logits, (h, c) = reference.run(config, weights, inputs, state, dtype=np.float32)
        return function(logits).astype(np.float32), State(h, c)

    return run


def functions(largest):
    """By what is to be said of each, functions of logits of about that size."""
    part = np.float32(0.6) * largest
    return {
        "from above": lambda x: np.minimum(x, part),
        "from below": lambda x: np.maximum(x, -part),
        "clipped to ±": lambda x: x.clip(-part, part),
        "multiplied by 0.7": lambda x: x * np.float32(0.7),
        "tanh(logits / C) with C = ": lambda x: part * np.tanh(x / part),
        "log-softmax": lambda x: np.log(softmax(x)),
        "own softmax": softmax,
        "one number of its own": lambda x: x - x.max(axis=-1, keepdims=True),
    }


def _block(array: np.ndarray, rng: np.random.Generator, H: int) -> tuple[str, np.ndarray]:
    """Some rows and columns of (rows, …), changed."""
    gates, units = (rng.random(size) < 0.5 for size in (len(array) // H, H))
    rows = {
        "all": np.ones(len(array), bool),
        "some gates": np.repeat(gates, H),
        "some units": np.tile(units, len(array) // H),
        "one row": np.arange(len(array)) == rng.integers(len(array)),
    }
    columns = {"all": np.ones(array.shape[1:], bool), "half": rng.random(array.shape[1:]) < 0.5}
    row, column, kind = (str(rng.choice(list(names))) for names in (rows, columns, CHANGES))
    chosen = rows[row].reshape(-1, *[1] * (array.ndim - 1)) & columns[column]
    return f"{kind}: {row} × {column}", np.where(chosen, CHANGES[kind](array, rng), array).astype(np.float32)
