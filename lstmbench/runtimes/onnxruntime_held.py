"""ONNX Runtime with inputs and outputs bound where the provider computes (IOBinding)."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray

from lstmbench.arrays import Floats, Lengths, State, Tokens
from lstmbench.records import ModelConfig
from lstmbench.runtimes.onnxruntime_export import OnnxRuntimeExport


class HeldByOnnxRuntime:
    """One call of a session on values of `memory`, into others that are there from the start; none moves."""

    def __init__(
        self,
        session: ort.InferenceSession,
        feeds: Mapping[str, NDArray[Any]],
        config: ModelConfig,
        *,
        memory: str,
        options: ort.RunOptions | None = None,
    ) -> None:
        self._session, self._binding, self._options = session, session.io_binding(), options
        # a copy: a value on the CPU is a view of what it is made from, and is written to
        self._given = {name: ort.OrtValue.ortvalue_from_numpy(array.copy(), memory) for name, array in feeds.items()}
        for name, value in self._given.items():
            self._binding.bind_ortvalue_input(name, value)
        batch, time = next(iter(feeds.values())).shape[:2]
        shapes = (config.output_shape(batch, time), *(config.state_shape(batch),) * 2)
        self._outputs = [ort.OrtValue.ortvalue_from_shape_and_type(shape, np.float32, memory) for shape in shapes]
        for name, value in zip(config.output_names, self._outputs, strict=True):
            self._binding.bind_ortvalue_output(name, value)
        self._binding.synchronize_inputs()

    def put(self, feeds: Mapping[str, NDArray[Any]]) -> None:
        """Copy other inputs of the same shapes to where the first ones are."""
        for name, array in feeds.items():
            self._given[name].update_inplace(np.ascontiguousarray(array))
        self._binding.synchronize_inputs()

    def compute(self) -> None:
        """Run the session, and wait for the provider."""
        self._session.run_with_iobinding(self._binding, self._options)
        self._binding.synchronize_outputs()

    def answer(self) -> tuple[Floats, State]:
        """Copies of what lies in the outputs."""
        output, h_n, c_n = (value.numpy().copy() for value in self._outputs)
        return output, State(h_n, c_n)


class HoldsInOnnxRuntime(OnnxRuntimeExport):
    """A session of a provider whose memory has a name."""

    memory: str  # as OrtValue calls it

    def hold(
        self, inputs: Tokens | Floats, state: State | None, *, lengths: Lengths | None = None
    ) -> HeldByOnnxRuntime:
        """Copy the inputs there."""
        feeds = self._feeds(inputs, state, lengths)
        return HeldByOnnxRuntime(self._session, feeds, self._config, memory=self.memory)
