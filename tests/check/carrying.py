"""Runtimes that keep the state where they compute, with one planted mistake each but the first."""

# ruff: noqa: ARG002 (the signatures are the contract's)

from lstmbench.arrays import State
from lstmbench.runtimes.numpy_float32 import NumpyFloat32


class Carries(NumpyFloat32):
    """Right: the state is handed from call to call inside."""

    def carry(self, state, *, batch):
        return Chain(self, state)


class Chain:
    def __init__(self, runtime, state):
        self.runtime, self.now = runtime, state

    def run(self, inputs, *, lengths=None):
        output, self.now = self.runtime.run(inputs, self.now, lengths=lengths)
        return output

    def state(self):
        return self.now


class AlwaysFromTheFirst(Carries):
    """The output buffer never becomes the input."""

    def carry(self, state, *, batch):
        chain, run = Chain(self, state), self.run
        chain.run = lambda inputs: run(inputs, state)[0]
        chain.state = lambda: state
        return chain


class ForgetsWhereToBegin(Carries):
    def carry(self, state, *, batch):
        return Chain(self, None)


class ReplaysTheFirstInputs(Carries):
    """A captured graph reads the address that it was captured with, where nothing new was written."""

    def carry(self, state, *, batch):
        chain, run = Chain(self, state), super().run
        first = {}

        def stale(inputs):
            output, chain.now = run(first.setdefault(inputs.shape, inputs), chain.now)
            return output

        chain.run = stale
        return chain


class TellsTheStateBefore(Carries):
    """Of two sets of values, the one that was read."""

    def carry(self, state, *, batch):
        chain, run = Chain(self, state), super().run

        def late(inputs):
            before = chain.now
            output, chain.now = run(inputs, before)
            chain.state = lambda: before
            return output

        chain.run = late
        return chain


class SwapsInside(Carries):
    """H and c of every second call."""

    def carry(self, state, *, batch):
        chain = Chain(self, state)
        chain.state = lambda: State(*reversed(chain.now))
        return chain


WRONG = (AlwaysFromTheFirst, ForgetsWhereToBegin, ReplaysTheFirstInputs, TellsTheStateBefore, SwapsInside)
