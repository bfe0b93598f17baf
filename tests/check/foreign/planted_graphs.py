"""Runtimes for graphs with one planted mistake each; a worker's child imports them as `planted_graphs:Name`."""

# ruff: noqa: ARG002 (the signatures are the contract's)

import os
import signal

import numpy as np
import psutil

from lstmbench.records import Placement
from lstmbench.runtimes.onnx_reference import OnnxReferenceGraph as Honest

__all__ = ["Honest"]


class OffByAThousandth(Honest):
    def run(self, inputs):
        return {name: array + np.float32(1e-3) for name, array in super().run(inputs).items()}


class AllZero(Honest):
    def run(self, inputs):
        return {name: array * np.float32(0) for name, array in super().run(inputs).items()}


class BindsOnce(Honest):
    """Inputs are taken over once for all calls of one shape, as bound memory of a device would be."""

    bound = None

    def run(self, inputs):
        shapes = str({name: array.shape for name, array in inputs.items()})
        self.bound = self.bound or {}
        return super().run(self.bound.setdefault(shapes, inputs))


class WrongFromBatchNine(Honest):
    """Right at every size but the large ones."""

    def run(self, inputs):
        outputs = super().run(inputs)
        large = max(map(max, (array.shape for array in inputs.values()))) > 30
        return {name: array * np.float32(1.01) if large else array for name, array in outputs.items()}


class AnswersTheLastStepOnly(Honest):
    def run(self, inputs):
        return {name: array[:, -1:] if name == "y" else array for name, array in super().run(inputs).items()}


class AnswersInDouble(Honest):
    def run(self, inputs):
        return {name: array.astype(np.float64) for name, array in super().run(inputs).items()}


class LeavesOneOut(Honest):
    def run(self, inputs):
        outputs = super().run(inputs)
        outputs.pop("hn")
        return outputs


class NotANumber(Honest):
    def run(self, inputs):
        return {name: array * np.float32("nan") for name, array in super().run(inputs).items()}


class TakesAllMemory(Honest):
    def run(self, inputs):
        return {"y": np.ones(psutil.virtual_memory().total // 8)}


class Crashes(Honest):
    def run(self, inputs):
        os.kill(os.getpid(), signal.SIGSEGV)


class Refuses(Honest):
    def __init__(self, path):
        raise NotImplementedError("no kernel for LSTM")


class ClaimsCuda(Honest):
    """ONNX Runtime's CUDA provider with P: the LSTM goes to the CPU, the rest stays."""

    provider = "CUDAExecutionProvider"

    def placement(self):
        return (
            Placement(provider="CPUExecutionProvider", operator="LSTM", nodes=1),
            Placement(provider="CUDAExecutionProvider", operator="MatMul", nodes=3),
        )


class TellsNothing(ClaimsCuda):
    def placement(self):
        return ()


class WritesStepsOut(ClaimsCuda):
    """No operator recurs: any node may be part of a step."""

    def placement(self):
        _, rest = super().placement()
        return rest, Placement(provider="CPUExecutionProvider", operator="Tanh", nodes=1)


class IsOnCuda(ClaimsCuda):
    def placement(self):
        return (
            Placement(provider="CUDAExecutionProvider", operator="LSTM", nodes=1, precision="float16"),
            Placement(provider="CPUExecutionProvider", operator="Shape", nodes=1),
        )
