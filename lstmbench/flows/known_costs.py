"""Runtimes of known cost, for the self-test: they compute nothing, and take what they say."""

import time
from pathlib import Path

import numpy as np

from lstmbench.arrays import Floats, State, Tokens
from lstmbench.records import ExportedModel, Placement

SPIN_S = 0.002
SLOWER = 0.05  # of the time
QUICK_S = 0.0005  # between stalls: a p99 takes many calls
STALL_S, EVERY = 0.005, 25  # at least, and up to twice as long; one call in so many
_GOLDEN = 0.618034  # a step that fills an interval evenly: equal stalls would be ranked by what their processes add
HELD_BYTES = 100 * 2**20
LOOPS = 10_000  # of the study of many comparisons: a fifth of a millisecond; a hundredth of them is a per cent
MOST_TOKENS = 64


class Nothing:
    """Returns what it made when it was loaded: what is timed of it is the engine's own work."""

    version = "1"

    def __init__(self, exported: ExportedModel, *, threads: int) -> None:
        del threads
        model = exported.model
        self._state = State(*(np.zeros(model.state_shape(1), np.float32) for _ in range(2)))
        self._logits = np.zeros((1, 1, model.vocabulary_size), np.float32)

    def run(self, inputs: Tokens | Floats, state: State | None) -> tuple[Floats, State]:
        """Zeros for one token."""
        del inputs, state
        self.take()
        return self._logits, self._state

    def take(self) -> None:
        """Take no time."""

    def placement(self) -> tuple[Placement, ...]:
        """There is no graph."""
        return ()

    def close(self) -> None:
        """There is nothing to release."""


class Spin(Nothing):
    """Busy for SPIN_S a call."""

    def take(self) -> None:
        """Wait without sleep."""
        _spin(SPIN_S)


class Slower(Nothing):
    """Busy for a little longer."""

    def take(self) -> None:
        """Wait without sleep."""
        _spin(SPIN_S * (1 + SLOWER))


class Stalls(Nothing):
    """As busy as Spin, and now and then for much longer."""

    calls = 0

    def take(self) -> None:
        """Wait without sleep."""
        self.calls += 1
        stalls, rest = divmod(self.calls, EVERY)
        _spin(QUICK_S if rest else STALL_S * (1 + stalls * _GOLDEN % 1))


class Holds(Nothing):
    """Holds a block of memory while it is called."""

    def take(self) -> None:
        """Touch every page of it."""
        np.ones(HELD_BYTES, np.uint8).sum()


class Planted(Nothing):
    """Counts to LOOPS whatever the shape (1, T), and as many per cent further as its model's name says.

    Work, not a wait: what slows a processor slows it too.
    """

    def __init__(self, exported: ExportedModel, *, threads: int) -> None:
        super().__init__(exported, threads=threads)
        self._each = np.zeros((1, MOST_TOKENS, exported.model.vocabulary_size), np.float32)
        self._loops = LOOPS + LOOPS // 100 * int(Path(exported.folder).name.rpartition("-")[2])

    def run(self, inputs: Tokens | Floats, state: State | None) -> tuple[Floats, State]:
        """Zeros for each token."""
        del state
        for _ in range(self._loops):
            pass
        return self._each[:, : inputs.shape[1]], self._state


def _spin(duration_s: float) -> None:
    end_s = time.perf_counter() + duration_s
    while time.perf_counter() < end_s:
        pass
