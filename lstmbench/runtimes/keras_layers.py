"""The model in Keras: a peephole cell under `keras.layers.RNN`, a layer and direction each."""

import os
from typing import Any

import tensorflow as tf

os.environ["KERAS_BACKEND"] = "tensorflow"  # read at the import, which follows
import keras

from lstmbench.arrays import Weights
from lstmbench.records import ModelConfig
from lstmbench.runtimes.recurrent_weights import Layer, layers


class PeepholeCell(keras.layers.Layer):  # type: ignore[misc] # Keras is not typed
    """One step of any of the cells, in the letters of `model.reference`; its input is z = W x + b, (B, 4H)."""

    def __init__(self, layer: Layer) -> None:
        super().__init__(dtype="float32")
        self.output_size = H = layer.U.shape[1] // 4
        self.state_size = [H, H]
        self._sees_c = len(layer.U) == 2 * H
        self.U = tf.constant(layer.U)
        self.p = None if layer.p is None else tf.constant(layer.p)

    def call(self, z: Any, states: Any) -> tuple[Any, list[Any]]:
        """Z (B, 4H), h and c (B, H) -> h', and both."""
        h, c = states
        z += tf.concat([h, c], axis=-1) @ self.U if self._sees_c else h @ self.U
        i, f, g, o = tf.split(z, 4, axis=-1)
        if self.p is not None:
            i, f = i + self.p[0] * c, f + self.p[1] * c
        c = tf.sigmoid(f) * c + tf.sigmoid(i) * tf.tanh(g)
        if self.p is not None:
            o += self.p[2] * c
        h = tf.sigmoid(o) * tf.tanh(c)
        return h, [h, c]


class Stack:
    """All layers, between embedding and decoder where the head has them."""

    def __init__(self, config: ModelConfig, weights: Weights) -> None:
        self._config = config
        self._layers = [_Direction(layer) for layer in layers(config, weights)]
        self._head = {name: tf.constant(array) for name, array in weights.items() if not name.startswith("lstm.")}

    def whole_rows(self, inputs: Any, h: Any, c: Any) -> tuple[Any, Any, Any]:
        """Tokens (B, T) or x (B, T, E), h and c (D·L, B, H) -> output, h, c."""
        return self._run(inputs, h, c, None)

    def unequal_rows(self, inputs: Any, h: Any, c: Any, lengths: Any) -> tuple[Any, Any, Any]:
        """The same, where rows end at lengths (B,)."""
        return self._run(inputs, h, c, tf.sequence_mask(lengths, tf.shape(inputs)[1]))

    def _run(self, inputs: Any, h: Any, c: Any, alive: Any) -> tuple[Any, Any, Any]:
        head, directions = self._head, self._config.directions
        x = tf.gather(head["embedding.weight"], inputs) if head else inputs
        after = []
        for first in range(0, len(self._layers), directions):
            rows = range(first, first + directions)
            answers = [self._layers[row](x, [h[row], c[row]], alive, reverse=row > first) for row in rows]
            x = tf.concat([answer[0] for answer in answers], axis=-1)
            after += [answer[1:] for answer in answers]
        if head:
            E = head["embedding.weight" if self._config.tie_weights else "decoder.weight"]
            x = tf.einsum("bth,vh->btv", x, E) + head["decoder.bias"]
        h, c = (tf.stack(part) for part in zip(*after, strict=True))
        return x, h, c


class _Direction:
    """One layer in one direction."""

    def __init__(self, layer: Layer) -> None:
        self._W, self._b = tf.constant(layer.W), tf.constant(layer.b)
        self._rnn = keras.layers.RNN(
            PeepholeCell(layer), return_sequences=True, return_state=True, zero_output_for_mask=True, dtype="float32"
        )

    def __call__(self, x: Any, state: list[Any], alive: Any, *, reverse: bool) -> list[Any]:
        """X (B, T, E) -> y (B, T, H), h and c (B, H); a step that is masked keeps the state."""
        z = tf.einsum("bte,eg->btg", x, self._W) + self._b
        if reverse:
            z, alive = tf.reverse(z, [1]), None if alive is None else tf.reverse(alive, [1])
        y, h, c = self._rnn(z, initial_state=state, mask=alive)
        return [tf.reverse(y, [1]) if reverse else y, h, c]
