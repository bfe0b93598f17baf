"""Adapters that misbehave, each in one way; the worker's child imports them as `fakes:Name`."""

# ruff: noqa: ARG002, T201 (the signatures are the contract's; printing is one of the misdeeds)

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np

from lstmbench.arrays import State
from lstmbench.errors import CheckpointError
from lstmbench.records import Placement


class Echo:
    """Behaves: logits (B, T, V) are one-hot at token + 1, h counts the steps, c stays; for head `lm`."""

    version = "1.0"

    def __init__(self, exported, *, threads):
        self.model, self.threads = exported.model, threads

    def run(self, inputs, state):
        batch, time_steps = inputs.shape
        logits = np.eye(self.model.vocabulary_size, dtype=np.float32)[(inputs + 1) % self.model.vocabulary_size]
        h, c = (np.zeros(self.model.state_shape(batch), np.float32),) * 2 if state is None else state
        return logits, State(h + np.float32(time_steps), c)

    def placement(self):
        return (Placement(provider="Fake", operator="LSTM", nodes=2),)

    def close(self):
        pass


class EchoesLengths(Echo):
    """H is each row's length."""

    def run(self, inputs, state, *, lengths=None):
        assert lengths.dtype == np.int32
        logits, (h, c) = super().run(inputs, state)
        return logits, State(np.zeros_like(h) + lengths[:, None].astype(np.float32), c)


class TakesAnything(EchoesLengths):
    def run(self, *arguments, **named):
        return super().run(*arguments, **named)


class Segfaults(Echo):
    def run(self, inputs, state):
        print("about to touch \x1b[31mforbidden\x1b[0m memory\n", file=sys.stderr, flush=True)
        os.kill(os.getpid(), signal.SIGSEGV)


class SegfaultsAtLoad(Echo):
    def __init__(self, exported, *, threads):
        os.kill(os.getpid(), signal.SIGSEGV)


class SegfaultsAtClose(Echo):
    def close(self):
        os.kill(os.getpid(), signal.SIGSEGV)


class Hangs(Echo):
    def run(self, inputs, state):
        time.sleep(60)


class HangsAtClose(Echo):
    def close(self):
        time.sleep(60)


class Babbles(Echo):
    """Prints on every road to the outside, at the level of file descriptors too."""

    def run(self, inputs, state):
        print("x" * 100_000)
        os.write(1, b"\x00\xff" * 50_000)
        os.system("echo from a program")
        assert not sys.stdin.read(), "standard input is empty"
        return super().run(inputs, state)


class Exits(Echo):
    def run(self, inputs, state):
        sys.exit(0)


class ExitsAtOnce(Echo):
    def run(self, inputs, state):
        os._exit(7)


class LeavesAnotherBehind(Echo):
    """Ends while a process that it started, and that inherited what can be inherited, lives on."""

    def run(self, inputs, state):
        os.system("sleep 60 &")
        os._exit(7)


class Raises(Echo):
    def run(self, inputs, state):
        raise KeyError("no such\nnode")


class RaisesOurs(Echo):
    class StaleError(CheckpointError):
        """An adapter's own kind of one of our errors."""

    def __init__(self, exported, *, threads):
        raise self.StaleError("weights are stale; export again")


class NotANumber(Echo):
    def run(self, inputs, state):
        logits, after = super().run(inputs, state)
        return logits * np.float32("nan"), after


class WrongShape(Echo):
    def run(self, inputs, state):
        logits, after = super().run(inputs, state)
        return logits[:, -1:], after  # the last step only, as some runtimes do


class WrongDtype(Echo):
    def run(self, inputs, state):
        logits, after = super().run(inputs, state)
        return logits.astype(np.float64), after


class WrongState(Echo):
    def run(self, inputs, state):
        logits, after = super().run(inputs, state)
        return logits, State(after.h, after.c[0])


class NoState(Echo):
    def run(self, inputs, state):
        return super().run(inputs, state)[0]


class ReportsThreads(Echo):
    """Says in its version what the environment allows."""

    def __init__(self, exported, *, threads):
        super().__init__(exported, threads=threads)
        wanted = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
        self.version = " ".join(os.environ[name] for name in wanted)


class ReportsModules(Echo):
    """Says in its version which heavy packages the child has loaded."""

    @property
    def version(self):
        return " ".join(name for name in ("torch", "onnxruntime", "pandas") if name in sys.modules)


class LeavesItsNumber(Echo):
    """Writes its process's number to $FAKE_NUMBER, then hangs in a call that started another process."""

    def run(self, inputs, state):
        with subprocess.Popen(["sleep", "60"]) as other:
            Path(os.environ["FAKE_NUMBER"]).write_text(f"{os.getpid()} {other.pid}\n")


class WritesIntoTheChannel(Echo):
    def run(self, inputs, state):
        os.write(int(sys.argv[1]), (5).to_bytes(8, "big") + b"hello")
        time.sleep(60)


class Forgets:
    """No run, no placement."""

    version = "0"

    def close(self):
        pass


not_a_class = Echo.run


class Graph:
    """Behaves: every input comes back under its own name, and runs on nothing."""

    version = "1.0"

    def __init__(self, path, *, threads):
        self.path, self.threads = path, threads

    @classmethod
    def graph(cls, path, *, threads):
        return cls(path, threads=threads)

    def run(self, inputs):
        return inputs

    def placement(self):
        return (Placement(provider="Fake", operator="LSTM", nodes=2),)

    def close(self):
        pass


class GraphSegfaults(Graph):
    def run(self, inputs):
        os.kill(os.getpid(), signal.SIGSEGV)


class GraphSegfaultsAtLoad(Graph):
    def __init__(self, path, *, threads):
        os.kill(os.getpid(), signal.SIGSEGV)


class GraphIsKilled(Graph):
    def run(self, inputs):
        os.kill(os.getpid(), signal.SIGKILL)


class GraphHangs(Graph):
    def run(self, inputs):
        time.sleep(60)


class GraphExits(Graph):
    def run(self, inputs):
        os._exit(0)


class GraphWritesIntoTheChannel(Graph):
    def run(self, inputs):
        WritesIntoTheChannel.run(self, inputs, None)


class GraphRaises(Graph):
    def run(self, inputs):
        raise ValueError("no kernel\nfor LSTM(99)")


class GraphRaisesAtLoad(Graph):
    def __init__(self, path, *, threads):
        raise NotImplementedError("no such operator")


class GraphGivesText(Graph):
    def run(self, inputs):
        return {"y": np.array(["a"])}


class GraphGivesAList(Graph):
    def run(self, inputs):
        return {"y": [np.zeros(1)]}


class GraphGivesTooMuch(Graph):
    def run(self, inputs):
        return {"y": np.broadcast_to(np.float32(0), (2**29,))}
