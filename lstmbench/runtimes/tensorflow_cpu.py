"""TensorFlow on the CPU: a Keras cell with the checkpoint's weights, as one tf.function; eager and XLA by name."""

from functools import partial
from typing import Any

import numpy as np
import tensorflow as tf

from lstmbench.arrays import Floats, Lengths, State, Tokens, Weights
from lstmbench.records import ExportedModel, ModelConfig
from lstmbench.runtimes.held_call import HeldCall
from lstmbench.runtimes.keras_layers import Stack
from lstmbench.runtimes.weights_engine import WeightsEngine


class TensorflowCpu(WeightsEngine):
    """One graph for every B and T."""

    version: str = tf.__version__
    mode: str = "graph"

    def __init__(self, exported: ExportedModel, *, threads: int) -> None:
        tf.config.set_visible_devices([], "GPU")
        tf.config.threading.set_intra_op_parallelism_threads(threads)
        tf.config.threading.set_inter_op_parallelism_threads(1)  # the recurrence is a chain
        tf.config.experimental.set_synchronous_execution(True)  # a call returns when it is computed: the default, said
        super().__init__(exported, partial(_Model, exported.model, self.mode))


class TensorflowCpuEager(TensorflowCpu):
    """Operation by operation, from Python."""

    mode = "eager"


class TensorflowCpuXla(TensorflowCpu):
    """Compiled by XLA, for each B and T anew."""

    mode = "xla"


class _Model:
    def __init__(self, config: ModelConfig, mode: str, weights: Weights) -> None:
        stack = Stack(config, weights)
        self._whole = _as(mode, stack.whole_rows, _signature(config))
        self._unequal = _as(mode, stack.unequal_rows, [*_signature(config), tf.TensorSpec((None,), tf.int32)])

    def __call__(self, inputs: Tokens | Floats, state: State, lengths: Lengths | None) -> tuple[Floats, State]:
        held = self.hold(inputs, state, lengths)
        held.compute()
        return held.answer()

    def hold(self, inputs: Tokens | Floats, state: State, lengths: Lengths | None) -> HeldCall[Any]:
        given = [tf.constant(array) for array in (inputs, *state)]
        if lengths is None:
            return HeldCall(partial(self._whole, *given), told=_on_host)
        return HeldCall(partial(self._unequal, *given, tf.constant(lengths)), told=_on_host)


def _on_host(answer: Any) -> tuple[Floats, State]:
    output, h, c = map(np.asarray, answer)
    return output, State(h, c)


def _as(mode: str, call: Any, signature: list[Any]) -> Any:
    if mode == "graph":
        return tf.function(call, input_signature=signature)
    return tf.function(call, jit_compile=True) if mode == "xla" else call


def _signature(config: ModelConfig) -> list[Any]:
    inputs = tf.TensorSpec((None, None), tf.int64)
    if config.head == "layer":
        inputs = tf.TensorSpec((None, None, config.input_size), tf.float32)
    state = tf.TensorSpec((config.num_layers * config.directions, None, config.hidden_size), tf.float32)
    return [inputs, state, state]
