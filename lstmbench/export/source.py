"""What a graph is made from: the tensors of one head, a layer and a direction at a time."""

from typing import NamedTuple

import numpy as np

from lstmbench.arrays import Floats, Weights
from lstmbench.model.weights import expected_shapes
from lstmbench.records import Head, ModelConfig


class Direction(NamedTuple):
    """One direction of one layer."""

    config: ModelConfig
    weights: Weights
    k: int  # which layer
    reverse: bool
    part: str = ""  # which of several, in a graph that holds its steps more than once: "t3", "prompt"

    @property
    def at(self) -> str:
        """What the names of its tensors and nodes begin with."""
        return f"l{self.k}.reverse" if self.reverse else f"l{self.k}"

    @property
    def now(self) -> str:
        """What the names of the nodes of a step begin with."""
        return f"{self.at}.{self.part}" if self.part else self.at

    @property
    def row(self) -> int:
        """Where its state stands in h and c (D·L, B, H)."""
        return self.k * self.config.directions + self.reverse

    def packed(self, kind: str, gates: list[int]) -> Floats:
        """`weight_ih`, `weight_hh`, a bias or `weight_ch`: its G blocks of H rows, (G·H, …), in another order."""
        tensor = self.weights[f"lstm.{kind}_l{self.k}{'_reverse' if self.reverse else ''}"]
        blocks = np.split(tensor, len(gates))
        return np.concatenate([blocks[gate] for gate in gates])


class Source(NamedTuple):
    """A model as its graph will hold it."""

    config: ModelConfig
    weights: Weights
    lengths: bool = False  # whether each row of a batch has its own, an input of the graph

    def directions(self, k: int) -> list[Direction]:
        """Forward, then reverse if there is one."""
        return [Direction(self.config, self.weights, k, bool(d)) for d in range(self.config.directions)]


def of_head(head: Head, config: ModelConfig, weights: Weights, *, lengths: bool = False) -> Source:
    """The whole model, or of a language model its recurrent stack alone."""
    config = config if head == config.head else config.layers_only()
    return Source(config, {name: weights[name] for name in expected_shapes(config)}, lengths)
