"""Engines with one mistake each, around ONNX Runtime: what a probe must name, and what must not take it down."""

import os
import signal
import threading
import time

import numpy as np
import onnx
import onnxruntime as ort
from onnx import numpy_helper


class Engine:
    """Runs the file as it is."""

    version = "1.0"
    providers = ("CPUExecutionProvider",)

    def __init__(self, path):
        model = onnx.load(path)
        self.change(model.graph)
        self._session = ort.InferenceSession(model.SerializeToString(), providers=list(self.providers))
        self._names = [output.name for output in self._session.get_outputs()]

    @classmethod
    def graph(cls, path, *, threads):  # noqa: ARG003 (as the contract names it)
        return cls(path)

    def change(self, graph):
        pass

    def run(self, inputs):
        return dict(zip(self._names, self._session.run(self._names, dict(inputs)), strict=True))

    def placement(self):
        return ()

    def close(self):
        pass


def replace(graph, name, change):
    for tensor in graph.initializer:
        if tensor.name == name:
            tensor.CopyFrom(numpy_helper.from_array(change(numpy_helper.to_array(tensor)), name))


class DropsP(Engine):
    def change(self, graph):
        replace(graph, "P", np.zeros_like)


class ReadsPInTorchsOrder(Engine):
    """Its kernel takes i, f, o: what it is given as i, o, f it must be handed as if o stood last."""

    def change(self, graph):
        replace(graph, "P", lambda P: P.reshape(len(P), 3, -1)[:, [0, 2, 1]].reshape(P.shape).copy())


class FreezesT(Engine):
    """Of every call the first four steps."""

    def run(self, inputs):
        return super().run(dict(inputs) | {"X": inputs["X"][:4]})


class GivesNaN(Engine):
    def run(self, inputs):
        outputs = super().run(inputs)
        return outputs | {"Y_c": outputs["Y_c"] * np.float32("nan")}


class GivesDouble(Engine):
    def run(self, inputs):
        return {name: array.astype(np.float64) for name, array in super().run(inputs).items()}


class ForgetsAnOutput(Engine):
    def run(self, inputs):
        return {"Y": super().run(inputs)["Y"]}


class OffByAThousandth(Engine):
    def run(self, inputs):
        return {name: array + np.float32(1e-3) for name, array in super().run(inputs).items()}


class Segfaults(Engine):
    def run(self, _inputs):
        os.kill(os.getpid(), signal.SIGSEGV)


class AbortsAtLoad(Engine):
    def __init__(self, _path):
        os.abort()


class CrashesAtTheSecondSize(Engine):
    def run(self, inputs):
        if inputs["X"].shape[0] == 1:
            os.kill(os.getpid(), signal.SIGSEGV)
        return super().run(inputs)


class ExitsWell(Engine):
    """With status 0 after a failure, as a converter is known to."""

    def run(self, _inputs):
        os._exit(0)


class PrintsAndSpawns(Engine):
    """Right, with whatever it prints and starts."""

    def run(self, inputs):
        os.write(1, b"\x00\xff\x1b[2J" * 20_000)
        threading.Thread(target=time.sleep, args=(60,), daemon=True).start()
        return super().run(inputs)


class Hangs(Engine):
    def run(self, _inputs):
        time.sleep(120)


class Refuses(Engine):
    def run(self, _inputs):
        raise NotImplementedError("no kernel\nfor LSTM(99)")
