"""Every mistake, in the order in which tables show them; the first that fits an answer names it."""

from itertools import chain

from lstmbench.mistakes import calls, steps, weights
from lstmbench.mistakes.mistake import Mistake

MISTAKES: tuple[Mistake, ...] = tuple(
    chain(
        weights.peepholes(),
        weights.gates(),
        steps.steps(),
        weights.biases(),
        weights.matrices(),
        calls.ignored(),
        calls.directions(),
        calls.outputs(),
    )
)
