"""A layer that is right and was given something else that the model holds: what is told apart from wrong weights."""

from collections.abc import Iterator

import numpy as np

from lstmbench.check.differences.answers import Seen
from lstmbench.check.differences.box import Answer
from lstmbench.check.differences.isolated import Array, Model
from lstmbench.check.differences.probes import Probes


def misread(model: Model, given: Seen, probes: Probes, answer: Answer) -> bool:
    """Whether the layer's own weights give every answer from another input: of the model, or a state of a layer."""
    others = (other for other in _others(model, probes, answer) if other.shape == given.x.shape)
    return any(given._replace(x=other.astype(np.float64)).misses(given.layer) <= 1 for other in others)


def _others(model: Model, probes: Probes, answer: Answer) -> Iterator[Array]:
    yield model.embed(probes.inputs[:, 0])
    D = model.config.directions
    for states in (*probes.state, answer.h, answer.c):  # (D·L, Q, H)
        yield from (np.concatenate(list(states[n : n + D]), axis=-1) for n in range(0, len(states), D))
