"""What an adapter is asked about: exports of one small model, and what it must answer."""

from typing import NamedTuple

import numpy as np

from lstmbench import parity
from lstmbench.arrays import Floats, Lengths, State, Tokens
from lstmbench.model import stimulus
from lstmbench.parity import Expected
from lstmbench.records import ExportedModel
from lstmbench.runtimes import unchanged
from lstmbench.worker import Worker

_SEED = 80_000  # no seed that trains, times or checks


class Subject(NamedTuple):
    """A runtime, and what it is given to load."""

    runtime: str
    exported: ExportedModel
    with_lengths: ExportedModel  # the same, where each row has a length
    damaged: ExportedModel  # neither its file nor its weights can be read
    timeout_s: float  # of a call

    def worker(self, *, threads: int = 1) -> Worker:
        """The runtime with the model, in a process of its own."""
        return Worker(self.runtime, self.exported, threads=threads, timeout_s=self.timeout_s)


class Question(NamedTuple):
    """What goes in, and what must come out."""

    inputs: Tokens | Floats
    state: State | None
    lengths: Lengths | None
    expected: tuple[Expected, ...]  # output, h_n, c_n

    def wrong(self, output: Floats, after: State) -> str:
        """How an answer differs from what it must be, in one line; empty if it does not."""
        for expected, got in zip(self.expected, (output, *after), strict=True):
            verdict = parity.compare(
                got, expected.want, name=expected.name, bound=expected.bound, judged=expected.judged
            )
            if not verdict.passed:
                return verdict.reason
        return ""


def question(
    exported: ExportedModel, *, batch: int, time: int, carried: bool = False, lengths: Lengths | None = None
) -> Question:
    """Random inputs (B, T), from no state or `carried` from a random one, held to the float64 reference."""
    model, weights = exported.model, unchanged.weights(exported)
    inputs = stimulus.inputs(model, batch=batch, time=time, seed=_SEED)
    state = stimulus.state(model, batch=batch, seed=_SEED) if carried else None
    return Question(inputs, state, lengths, parity.expect(model, weights, inputs, state, lengths=lengths))


def in_pieces(worker: Worker, asked: Question, *chunks: int) -> tuple[Floats, State]:
    """Ask in calls of so many steps, each with the state that the last one left."""
    parts, state, start = [], asked.state, 0
    for steps in chunks:
        part, state = worker.run(asked.inputs[:, start : start + steps], state)
        parts.append(part)
        start += steps
    assert state is not None, "at least one call"
    return np.concatenate(parts, axis=1), state
