"""One layer in one direction, by itself: what it must make of the input that it really got."""

from functools import partial
from typing import Any, NamedTuple, TypeAlias

import msgspec
import numpy as np
from numpy.typing import NDArray

from lstmbench.arrays import Floats, State, Weights
from lstmbench.model import reference
from lstmbench.model.rounding import rounded
from lstmbench.parity import Expected, expect
from lstmbench.records import ExportedModel, ModelConfig

Array: TypeAlias = NDArray[Any]


class Row(NamedTuple):
    """A layer in a direction: a row of h and c (D·L, B, H)."""

    k: int
    d: int  # 1: reverse

    @property
    def words(self) -> str:
        """As a report names it."""
        return f"layer {self.k}{', reverse' if self.d else ''}"


class Model:
    """The reference of an export: as a whole, and a layer at a time."""

    def __init__(self, exported: ExportedModel, weights: Weights, *, large: bool = False) -> None:
        self.exported, self._raw, self._given = exported, weights, exported.model
        self.precision, operator = exported.record.precision, exported.record.form == "lstm"
        self._expect = partial(expect, precision=self.precision, operator=operator, large=large)
        self.config, self.weights = rounded(exported.model, weights, self.precision)
        D = self.config.directions
        self.rows = [Row(k, d) for k in range(self.config.num_layers) for d in range(D)]  # in the order of computation

    def embed(self, inputs: Array) -> Floats:
        """What layer 0 gets: tokens (…) -> (…, E) float32, or x as it is."""
        return self.weights["embedding.weight"][inputs] if self.config.head == "lm" else inputs

    def input_of(self, row: Row, inputs: Array, h: Array) -> Array:
        """What a layer gets at one step: its input, or h (D·L, B, H) of the layer below as it came out -> (B, E)."""
        if row.k == 0:
            return self.embed(inputs)
        D = self.config.directions
        return np.concatenate(list(h[(row.k - 1) * D : row.k * D]), axis=-1)

    def index(self, row: Row) -> int:
        """Where its state stands in (D·L, B, H)."""
        return row.k * self.config.directions + row.d

    def layer(self, row: Row) -> reference.Layer:
        """Its weights as the file holds them, float64."""
        named = {kind: self._named(self.weights, kind, row) for kind in ("weight_ih", "weight_hh", "weight_ch")}
        W, U, P = (None if tensor is None else tensor.astype(np.float64) for tensor in named.values())
        assert W is not None
        assert U is not None
        return reference.Layer(W, U, self.biases(row).sum(axis=0), P)

    def biases(self, row: Row) -> Array:
        """Both of its biases, (2, 4H) float64: they are added, but rounded one by one."""
        both = [self._named(self.weights, kind, row) for kind in ("bias_ih", "bias_hh")]
        zero = np.zeros(4 * self.config.hidden_size)
        return np.stack([zero if bias is None else bias.astype(np.float64) for bias in both])

    @property
    def coarse(self) -> bool:
        """Whether activations become integers: bounds are then as wide as what a gate does."""
        return self.precision in ("int8", "int4a8")

    def step(self, row: Row, x: Array, h: Array, c: Array) -> tuple[Expected, Expected]:
        """One step of a layer alone: x (B, E), h and c (B, H) -> what h' and c' (1, B, H) must be."""
        config, weights = self._alone(row, self._raw)
        _, h_n, c_n = self._expect(config, weights, x[:, None], (h[None], c[None]))
        return h_n, c_n

    def alone(self, row: Row, x: Array, state: tuple[Array, Array]) -> tuple[Array, tuple[Array, Array]]:
        """Run one direction of a layer forwards, float64: x (B, T, E), h and c (1, B, H) -> y (B, T, H), h and c."""
        return reference.run(*self._alone(row, self.weights), x, state)

    def directed(self, row: Row, x: Array, state: tuple[Array, Array], lengths: Array) -> tuple[Array, Array, Array]:
        """Run it in its own direction, float64: x (B, T, E), h and c (B, H), lengths (B,) -> y (B, T, H), h and c."""
        config, weights = self._alone(row, self.weights)
        if row.d == 0:
            y, (h, c) = reference.run(config, weights, x, (state[0][None], state[1][None]), lengths=lengths)
            return y, h[0], c[0]
        both = msgspec.structs.replace(config, bidirectional=True)  # the same weights forwards, which nobody looks at
        weights = weights | {f"{name}_reverse": tensor for name, tensor in weights.items()}
        h, c = (np.stack([array, array]) for array in state)
        y, (h, c) = reference.run(both, weights, x, (h, c), lengths=lengths)
        return y[..., config.hidden_size :], h[1], c[1]

    def whole(self, inputs: Array, state: State | None, lengths: Array | None = None) -> tuple[Expected, ...]:
        """What the output, h_n and c_n of one call must be."""
        model = self._given, self._raw
        return self._expect(*model, inputs, state, lengths=lengths)

    def _alone(self, row: Row, weights: Weights) -> tuple[ModelConfig, Weights]:
        config = self.config
        alone = {kind: self._named(weights, kind, row) for kind in _KINDS}
        E = config.input_size if row.k == 0 else config.directions * config.hidden_size
        H, cell = config.hidden_size, config.peephole
        one = ModelConfig(head="layer", peephole=cell, input_size=E, hidden_size=H, bias=config.bias)
        return one, {f"lstm.{kind}_l0": tensor for kind, tensor in alone.items() if tensor is not None}

    @staticmethod
    def _named(weights: Weights, kind: str, row: Row) -> Floats | None:
        return weights.get(f"lstm.{kind}_l{row.k}{'_reverse' if row.d else ''}")


_KINDS = ("weight_ih", "weight_hh", "weight_ch", "bias_ih", "bias_hh")
