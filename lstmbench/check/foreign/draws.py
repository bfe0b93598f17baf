"""What each input of a graph is drawn from; the seeds are fixed, so that a verdict can be repeated."""

import math
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from lstmbench.check.foreign.ranges import Use
from lstmbench.check.foreign.sizes import Sizes, shape_of, words
from lstmbench.errors import GraphError
from lstmbench.model import stimulus
from lstmbench.onnxfile.names import shown
from lstmbench.onnxfile.ports import Port

Array = NDArray[Any]
_SEED = 20_000  # no seed that trains or times
_MOST_DIMENSIONS = 32  # engines have fewer
_MOST_BYTES = 2**28  # of all inputs of a run


class Draws(NamedTuple):
    """The inputs of a graph, and how it uses those that are integers."""

    ports: tuple[Port, ...]
    uses: Mapping[str, Use]

    def draw(self, sizes: Sizes) -> dict[str, Array]:
        """All inputs at these sizes: normal numbers, rows of tables, lengths of 1 to T of which one is T."""
        elements = sum(math.prod(shape_of(port, sizes)) * port.dtype.itemsize for port in self.ports)
        if elements > _MOST_BYTES:
            raise GraphError(f"its inputs at {words(self.ports, sizes)} take more than {_MOST_BYTES >> 20} MiB")
        rng = np.random.default_rng([_SEED, *sizes.values()])
        return {port.name: self._one(port, sizes, rng) for port in self.ports}

    def _one(self, port: Port, sizes: Sizes, rng: np.random.Generator) -> Array:
        shape = shape_of(port, sizes)
        if min(shape, default=1) < 1:
            raise GraphError(f"its input {port.words} holds nothing: every size must be at least 1")
        if port.dtype.kind == "f":
            return rng.standard_normal(shape).astype(port.dtype)
        if port.dtype.kind == "b":
            return rng.integers(0, 2, shape).astype(port.dtype)
        known = self.uses[port.name]
        if known.lengths and len(shape) == 1:
            (batch,) = shape
            time = _time(port, self.ports, sizes)
            return stimulus.lengths(batch=batch, time=time, seed=_SEED).astype(port.dtype)
        assert known.rows is not None, "it was demanded before"
        return rng.integers(0, min(known.rows, np.iinfo(port.dtype).max), shape).astype(port.dtype)


def draws(ports: tuple[Port, ...], *known: Mapping[str, Use]) -> Draws:
    """How the inputs are drawn, by all that is known of what is done with them; GraphError where that is nothing."""
    uses = {port.name: _both(uses[port.name] for uses in known) for port in ports}
    for port in ports:
        if len(port.dims or ()) > _MOST_DIMENSIONS:
            dims = len(port.dims or ())
            raise GraphError(f"its input {shown(port.name)} has {dims:,} dimensions: {_MOST_DIMENSIONS} are the most")
        lengths = uses[port.name].lengths and len(port.dims or ()) == 1
        if port.dtype.kind in "iu" and not lengths and not uses[port.name].rows:
            raise GraphError(
                f"its input {port.words} cannot be drawn: the graph neither picks rows of a table by it (Gather) nor "
                f"takes it for lengths (sequence_lens), so nothing says which integers it may be"
            )
    return Draws(ports, uses)


def _both(uses: Iterable[Use]) -> Use:
    uses = tuple(uses)
    return Use(min((u.rows for u in uses if u.rows is not None), default=None), any(u.lengths for u in uses))


def _time(lengths: Port, ports: Iterable[Port], sizes: Sizes) -> int:
    """The T that lengths (B,) belong to: what stands beside B in the first two axes of an input; open, if one is."""
    (batch,) = lengths.dims or (None,)
    beside = [
        port.dims[1 - n]
        for port in ports
        if port.dims is not None and len(port.dims) > 1
        for n in (0, 1)
        if port.dims[n] == batch
    ]
    named = [sizes[dim] for dim in beside if isinstance(dim, str)]
    return named[0] if named else max((dim for dim in beside if isinstance(dim, int)), default=1)
