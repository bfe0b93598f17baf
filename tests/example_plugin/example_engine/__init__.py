"""An adapter of a third party: the evaluator of the onnx package, which everybody has, as a runtime."""

import numpy as np
import onnx
from onnx.reference import ReferenceEvaluator

from lstmbench.arrays import State


class ExampleCpu:
    """Run an export, node after node, in NumPy."""

    version = onnx.__version__

    def __init__(self, exported, *, threads):
        del threads  # the BLAS under NumPy has them from the environment, which the worker sets
        self._model = exported.model
        self._graph = ReferenceEvaluator(str(exported.path))

    def run(self, inputs, state):
        """Tokens (B, T) -> logits (B, T, V), or x (B, T, E) -> y (B, T, D·H); and the next state (D·L, B, H)."""
        zeros = np.zeros(self._model.state_shape(len(inputs)), np.float32)
        h_0, c_0 = (zeros, zeros) if state is None else state
        feeds = {"input_ids" if self._model.head == "lm" else "x": inputs, "h_0": h_0, "c_0": c_0}
        output, h_n, c_n = self._graph.run(list(self._model.output_names), feeds)
        return output, State(h_n, c_n)

    def placement(self):
        """It has no providers."""
        return ()

    def close(self):
        """Forget the graph."""
        del self._graph
