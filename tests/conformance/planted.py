"""Adapters that keep the contract but for one promise; the worker's child imports them as `planted:Name`."""

# ruff: noqa: ARG002 (the signatures are the contract's)

import hashlib
import os
import subprocess
import threading
import time
from functools import partial

import numpy as np

from lstmbench.arrays import State
from lstmbench.errors import LstmbenchError
from lstmbench.records import Placement
from lstmbench.runtimes.held_call import HeldCall
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

    def hold(self, inputs, state):
        return HeldCall(partial(self.run, inputs, state), told=lambda answer: answer)


class HoldsNothing(Good):
    hold = None


class HoldsTheFirst(Good):
    """What is held later is another call's."""

    first = None

    def hold(self, inputs, state, *, lengths=None):
        self.first = self.first or super().hold(inputs, state, lengths=lengths)
        return self.first


class HoldsNoState(Good):
    def hold(self, inputs, state, *, lengths=None):
        return super().hold(inputs, None, lengths=lengths)


class HoldsNoLengths(Good):
    def hold(self, inputs, state, *, lengths=None):
        return super().hold(inputs, state)


class ComputesLater(Good):
    """As one that does not wait for its device."""

    def hold(self, inputs, state, *, lengths=None):
        return Later(partial(self.run, inputs, state, lengths=lengths))


class Later:
    def __init__(self, call):
        self.answer = call

    def compute(self):
        pass


class Goes:
    """What a right `carry` gives."""

    def __init__(self, runtime, state):
        self._runtime, self._state = runtime, state

    def run(self, inputs, *, lengths=None):
        output, self._state = self._runtime.run(inputs, self._state, lengths=lengths)
        return output

    def state(self):
        return self._state


class Carries(Good):
    def carry(self, state, *, batch):
        return Goes(self, state)


class CarriesFromZeros(Good):
    def carry(self, state, *, batch):
        return Goes(self, None)


class CarriesOneChain(Good):
    """It begins where the last chain ended."""

    chain = None

    def carry(self, state, *, batch):
        self.chain = self.chain or Goes(self, state)
        return self.chain


class CarriesTwoSets(Good):
    """Every third call reads what the one before the last left."""

    def carry(self, state, *, batch):
        return Misplaced(self, state)


class Misplaced(Goes):
    calls = 0

    def run(self, inputs, *, lengths=None):
        before, self.calls = self._state, self.calls + 1
        output = super().run(inputs, lengths=lengths)
        if self.calls % 3 == 0:
            self._state = before
        return output


class IgnoresThreads(Good):
    def run(self, inputs, state, *, lengths=None):
        over = threading.Event()
        busy = threading.Thread(target=compute_until, args=(over,))
        busy.start()
        answer = super().run(inputs, state, lengths=lengths)
        over.set()
        busy.join()
        return answer


class IgnoresThreadsNowAndThen(IgnoresThreads):
    def run(self, inputs, state, *, lengths=None):
        """Longer than a look at it lasts, so that some see one thread, but no two in a row."""
        one = IgnoresThreads if int(time.monotonic() / 0.6) % 2 else Good
        return one.run(self, inputs, state, lengths=lengths)


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
