"""What a runtime is given in a case, seeded: two checks ask the same."""

from typing import NamedTuple

import numpy as np

from lstmbench.arrays import Floats, Lengths, State, Tokens, Weights
from lstmbench.check import reach, vocabulary
from lstmbench.check.case import Case
from lstmbench.model import stimulus
from lstmbench.parity import Expected
from lstmbench.records import ModelConfig

_SEED = 20_000  # no seed that trains or times


class Question(NamedTuple):
    """What a runtime is given, R rows (B, or one a step), and what it must answer."""

    inputs: Tokens | Floats  # the prompt, where the graph draws
    state: State | None
    expected: tuple[Expected, ...]  # the head's own output, h_n, c_n
    uniform: Floats | None = None  # (R, N): what is drawn at, where the graph draws
    lengths: Lengths | None = None  # (R,), all calls together

    def chunks(self, case: Case) -> tuple[int, ...]:
        """Steps, or tokens drawn, of each call."""
        return case.chunks[:1] if case.asked == "steps" else case.chunks

    def ends(self, start: int, steps: int) -> Lengths | None:
        """Lengths (R,) of the call that takes these steps: all of them but in the last, where rows may end."""
        return None if self.lengths is None else self.lengths.clip(0, start + steps) - np.int32(start)


def inputs_of(case: Case, model: ModelConfig, weights: Weights) -> Tokens | Floats:
    """Tokens (B, T), or x (B, T, E)."""
    if case.state == "large":
        return reach.inputs(model, weights, batch=case.batch, time=case.time, seed=_SEED)
    if case.asked == "vocabulary":
        return vocabulary.tokens(case, model.vocabulary_size)
    return stimulus.inputs(model, batch=case.batch, time=case.time, seed=_SEED)


def prompt_of(case: Case, model: ModelConfig) -> Tokens:
    """What a graph reads before it draws, (B, T); of single steps each token of it is read alone."""
    assert case.decoding is not None
    if case.asked == "vocabulary":
        return vocabulary.tokens(case, model.vocabulary_size)
    time = case.time if case.asked == "steps" else case.decoding.prompt
    return stimulus.tokens(model, batch=case.batch, time=time, seed=_SEED)


def uniform_of(*, rows: int, drawn: int) -> Floats:
    """What tokens are drawn at: (R, N) in [0, 1)."""
    return stimulus.uniform(batch=rows, time=drawn, seed=_SEED)


def state_of(case: Case, model: ModelConfig, weights: Weights) -> State | None:
    """The state that a run starts from, None for zeros."""
    if case.state == "large":
        return reach.state(model, weights, batch=case.batch, seed=_SEED)
    if case.state in ("none", "zeros"):
        return None
    h, c = stimulus.state(model, batch=case.batch, seed=_SEED)
    return State(
        np.zeros_like(h) if case.state == "c alone" else h,
        np.zeros_like(c) if case.state == "h alone" else c,
    )
