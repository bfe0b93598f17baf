"""Known mistakes of how a run is made of its steps, each as the outputs that it gives."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from lstmbench.arrays import Lengths, State
from lstmbench.check.differences.isolated import Array, Model, Row
from lstmbench.check.differences.stack import Outputs, turned, unended
from lstmbench.check.differences.wrong_reads import wrong_reads
from lstmbench.model import reference

__all__ = ["Known", "Outputs", "Run", "wrong_runs"]


class Run(NamedTuple):
    """A run that was given."""

    inputs: Array
    state: State | None
    lengths: Lengths | None
    chunks: tuple[int, ...]


class Known(NamedTuple):
    """A known mistake in words, and the layer that makes it, if one does."""

    words: str
    row: Row | None = None


def wrong_runs(model: Model, run: Run, right: Outputs) -> Iterator[tuple[Known, Outputs]]:
    """Each known mistake, and what a run with it gives."""
    for words, outputs in _of_the_run(model, run, right):
        yield Known(words), outputs
    if run.lengths is None:
        for words, row, outputs in turned(model, run.inputs, run.state):
            yield Known(words, row), outputs
    else:
        ends = run.lengths.clip(max=run.inputs.shape[1])
        for words, row, outputs in unended(model, run.inputs, run.state, ends):
            yield Known(words, row), outputs


def _of_the_run(model: Model, run: Run, right: Outputs) -> Iterator[tuple[str, Outputs]]:
    x, T, H = run.inputs, run.inputs.shape[1], model.config.hidden_size
    lengths = None if run.lengths is None else run.lengths.clip(max=T)

    def ran(inputs: Array, ends: Array | None = None) -> Outputs:
        output, (h, c) = reference.run(model.config, model.weights, inputs, run.state, lengths=ends)
        return output, h, c

    if lengths is not None:
        on = ran(x)
        yield "lengths are ignored", on
        yield "the output is not cut where rows end", (on[0], None, None)
        yield "the state runs on where rows have ended", (None, on[1], on[2])
        if model.config.bidirectional and model.config.num_layers == 1:
            yield "the reverse direction starts at the last step, not where rows end", _reverse_of(on, right, H)
        yield "rows end one step late", ran(x, (lengths + 1).clip(max=T))
        yield "rows end one step early", ran(x, (lengths - 1).clip(min=1))
    if model.config.attention:
        start = run.state or (np.zeros(model.config.state_shape(len(x))),) * 2
        last, _ = reference.run_layers(
            model.config, model.weights, model.embed(x).astype(np.float64), start, lengths=lengths
        )
        for words, logits in wrong_reads(model.config, model.weights, last, lengths):
            yield words, (logits, None, None)
    y = right[0]
    assert y is not None
    if model.config.bidirectional:
        both = np.concatenate([y[..., H:], y[..., :H]], axis=-1)
        yield "the directions have changed places in the output", (both, None, None)
    output, h, c = ran(x[:, :-1])
    assert output is not None
    yield "the last step is dropped", (np.concatenate([output, output[:, -1:]], axis=1), h, c)
    yield "the state is that before the last step", (None, h, c)
    yield "time runs backwards", ran(x[:, ::-1])
    output, h, c = ran(x[:, ::-1])
    assert output is not None
    yield "time runs backwards, and the output is turned", (output[:, ::-1], h, c)
    each = [ran(x[:, t : t + 1]) for t in range(T)]
    alone = np.concatenate([part for part, _, _ in each if part is not None], axis=1)
    yield "the state is not carried from step to step", (alone, each[-1][1], each[-1][2])
    yield "the state that comes out is that after the first step", (None, each[0][1], each[0][2])
    yield "every step gives the output of the first", (np.repeat(y[:, :1], T, axis=1), None, None)
    yield "every step gives the output of the last", (np.repeat(y[:, -1:], T, axis=1), None, None)


def _reverse_of(other: Outputs, right: Outputs, H: int) -> Outputs:
    """The forward direction of what is right, the reverse one of another run; of one layer."""
    (y_on, *states_on), (y, *states) = other, right
    assert y_on is not None
    assert y is not None
    joined = [
        np.stack([old[0], new[1]])
        for old, new in zip(states, states_on, strict=True)
        if old is not None and new is not None
    ]
    return np.concatenate([y[..., :H], y_on[..., H:]], axis=-1), joined[0], joined[1]
