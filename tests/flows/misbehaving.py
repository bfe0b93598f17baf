"""Right adapters that misbehave once $MISBEHAVE is set; the worker's child imports them as `misbehaving:Name`."""

# ruff: noqa: T201 (printing is one of the misdeeds)

import hashlib
import os
import signal
import sys
import threading
import time

from lstmbench.runtimes.numpy_float32 import NumpyFloat32


class Misbehaves(NumpyFloat32):
    def run(self, inputs, state, *, lengths=None):
        if "MISBEHAVE" in os.environ:
            self.misbehave()
        return super().run(inputs, state, lengths=lengths)


class Segfaults(Misbehaves):
    def misbehave(self):
        os.kill(os.getpid(), signal.SIGSEGV)


class Hangs(Misbehaves):
    def misbehave(self):
        time.sleep(60)


class ExitsWell(Misbehaves):
    """With status 0 after a failure, as a converter is known to."""

    def misbehave(self):
        print("Error: cannot convert LSTM", file=sys.stderr, flush=True)
        os._exit(0)


class PrintsGarbage(Misbehaves):
    def misbehave(self):
        os.write(1, b"\x00\xff\x1b[2J" * 20_000)
        print("{}" * 1000)


class SpawnsThreads(Misbehaves):
    """They compute beside the call, and outlive it."""

    def misbehave(self):
        for _ in range(3):
            threading.Thread(target=hashlib.sha256, args=(bytes(1_000_000),), daemon=True).start()
