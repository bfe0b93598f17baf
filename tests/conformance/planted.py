"""Adapters that keep the contract but for one promise; the worker's child imports them as `planted:Name`."""

# ruff: noqa: ARG002 (the signatures are the contract's)

import hashlib
import os
import subprocess
import threading
import time

import numpy as np

from lstmbench.arrays import State
from lstmbench.errors import LstmbenchError
from lstmbench.records import Placement
from lstmbench.runtimes.numpy_float32 import NumpyFloat32


class Good(NumpyFloat32):
    provider = "Abacus"

    def placement(self):
        return (Placement(provider="Abacus", operator="Scan", nodes=2, recurrent=True),)


class NoVersion(Good):
    version = " "


class SegfaultsAtLoad(Good):
    def __init__(self, exported, *, threads):
        os.abort()


class LastStepOnly(Good):
    def run(self, inputs, state, *, lengths=None):
        output, after = super().run(inputs, state, lengths=lengths)
        return output[:, -1:], after


class RightAtFirst(Good):
    """It answers at the T of its first call whatever T is."""

    steps = 0

    def run(self, inputs, state, *, lengths=None):
        self.steps = self.steps or inputs.shape[1]
        return super().run(inputs[:, : self.steps], state, lengths=lengths)


class ForgetsState(Good):
    def run(self, inputs, state, *, lengths=None):
        return super().run(inputs, None, lengths=lengths)


class KeepsState(Good):
    """Of a call without a state it goes on from the last."""

    last = None

    def run(self, inputs, state, *, lengths=None):
        output, self.last = super().run(inputs, self.last if state is None else state, lengths=lengths)
        return output, self.last


class SwapsState(Good):
    def run(self, inputs, state, *, lengths=None):
        output, after = super().run(inputs, state, lengths=lengths)
        return output, State(after.c, after.h)


class IgnoresLengths(Good):
    def run(self, inputs, state, *, lengths=None):
        return super().run(inputs, state)


class TakesNoLengths(Good):
    def run(self, inputs, state):
        return super().run(inputs, state)


class IgnoresThreads(Good):
    def run(self, inputs, state, *, lengths=None):
        over = threading.Event()
        busy = threading.Thread(target=compute_until, args=(over,))
        busy.start()
        answer = super().run(inputs, state, lengths=lengths)
        over.set()
        busy.join()
        return answer


def compute_until(over):
    data = bytes(1_000_000)
    while not over.is_set():
        hashlib.sha256(data)


class WrongOnTwoThreads(Good):
    def __init__(self, exported, *, threads):
        super().__init__(exported, threads=threads)
        self._threads = threads

    def run(self, inputs, state, *, lengths=None):
        output, after = super().run(inputs, state, lengths=lengths)
        return output * np.float32(self._threads), after


class SwallowsErrors(Good):
    def __init__(self, exported, *, threads):
        try:
            super().__init__(exported, threads=threads)
        except LstmbenchError:
            self._config = exported.model


class ExitsOnError(Good):
    """With status 0, as a converter is known to."""

    def __init__(self, exported, *, threads):
        try:
            super().__init__(exported, threads=threads)
        except LstmbenchError:
            os._exit(0)


class RanElsewhere(Good):
    provider = "Slate"


class TellsNoProvider(Good):
    provider = ""


class TellsGarbage(Good):
    def placement(self):
        return ["all on the abacus"]


class LeavesAnother(Good):
    def __init__(self, exported, *, threads):
        super().__init__(exported, threads=threads)
        self._other = subprocess.Popen(["sleep", "60"])


class RaisesAtClose(Good):
    def close(self):
        raise OSError("the abacus is stuck")


class NeverEnds(Good):
    def close(self):
        threading.Thread(target=time.sleep, args=(60,)).start()
