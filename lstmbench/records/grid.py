"""A grid of workloads, as TOML holds it."""

from typing import Annotated

import msgspec

from lstmbench.records.base import Extent, Peephole, Record, Region, Size, WorkloadKind
from lstmbench.records.model import ModelConfig

Some = msgspec.Meta(min_length=1, max_length=1000)


class Layers(Record, frozen=True, kw_only=True):
    """Bare recurrent layers that are made for the grid, one model a cell."""

    peephole: Annotated[tuple[Peephole, ...], Some]
    hidden_size: Size  # H
    input_size: Size | None = None  # E; H if not given
    num_layers: Size = 1  # L
    bidirectional: bool = False

    def models(self) -> tuple[ModelConfig, ...]:
        """One of each cell, head `layer`."""
        return tuple(
            ModelConfig(
                head="layer",
                peephole=cell,
                input_size=self.input_size or self.hidden_size,
                hidden_size=self.hidden_size,
                num_layers=self.num_layers,
                bidirectional=self.bidirectional,
            )
            for cell in dict.fromkeys(self.peephole)
        )


class Block(Record, frozen=True, kw_only=True):
    """Every kind at every T and B: of the models that were named, or of layers that are made."""

    kind: Annotated[tuple[WorkloadKind, ...], Some] = ("score",)
    batch: Annotated[tuple[Extent, ...], Some]
    time: Annotated[tuple[Extent, ...], Some]
    new: Annotated[tuple[Extent, ...], Some] | None = None  # of `request`
    shortest: Extent | None = None  # of `score`
    region: Annotated[tuple[Region, ...], Some] = ("end-to-end",)
    layer: Layers | None = None


class GridFile(Record, frozen=True, kw_only=True):
    """All of a file."""

    workloads: Annotated[tuple[Block, ...], Some]
