"""Every row of the tables that a file picks from: other questions draw a few hundred tokens, whatever there are.

Each row is read once, at few steps and from states of zeros where those are known, so that it shows by itself. How much
is asked is bounded: by the tokens, by the numbers that come out, and by the products that the evaluation takes.
"""

import bisect
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import onnx_ir as ir
from numpy.typing import NDArray

from lstmbench.check.foreign import sizes
from lstmbench.check.foreign.paired import Paired
from lstmbench.check.foreign.questions import Question, ask
from lstmbench.check.foreign.roles import FEW, Roles, roles
from lstmbench.errors import GraphError
from lstmbench.onnxfile.names import shown

Array = NDArray[Any]
EVERY = "every table row"
_SEED = 50_000
_CALLS = 64
_TOKENS = 2**16
_TOKENS_A_CALL = 2**12
_NUMBERS = 2**24  # of all outputs of all calls, 128 MiB in float64; and of the inputs of one
_PRODUCTS = 2**34  # of one evaluation of all tokens; there are several, in Python


class Asked(NamedTuple):
    """The questions, and which rows were not asked."""

    questions: tuple[Question, ...]
    not_asked: Mapping[str, str]


def every_row(pair: Paired, others: Sequence[Question]) -> Asked:
    """Read every row of every table; by the other questions it is known how much comes out of a token."""
    tables = dict(_tables(pair))
    if not tables:
        return Asked((), {})
    most = min(_most_tokens(pair, question) for question in others)
    try:
        calls = list(_calls(pair, tables, most))
    except GraphError as error:
        return Asked((), {EVERY: str(error)})
    read = {name: sum(call.inputs[pair.inputs[name]].size for call in calls) for name in tables}
    left = [f"{shown(n)} reads {read[n]:,} of {rows:,}" for n, rows in tables.items() if read[n] < rows]
    return Asked(tuple(calls), {EVERY: "; ".join(left)} if left else {})


def _tables(pair: Paired) -> Iterator[tuple[str, int]]:
    """How many rows each input of integers picks from."""
    for port in pair.wanted:
        use = pair.drawn.uses[port.name]
        if port.dtype.kind in "iu" and use.rows and not (use.lengths and len(port.dims or ()) == 1):
            yield port.name, min(use.rows, int(np.iinfo(port.dtype).max) + 1)


def _calls(pair: Paired, tables: Mapping[str, int], most: int) -> Iterator[Question]:
    rng, found = np.random.default_rng(_SEED), roles(pair)
    orders = {name: rng.choice(rows, min(rows, _TOKENS), replace=False) for name, rows in tables.items()}
    at = _sizes(pair, found, tables, min(most, max(tables.values()), _TOKENS_A_CALL))
    given = pair.draw(at)
    given |= {name: np.zeros_like(given[name]) for name, _ in pair.oracle.carried.states if name in given}
    given |= {name: np.full_like(given[name], _steps(found, at)) for name in found.lengths}
    needed = max(-(-rows // given[name].size) for name, rows in tables.items())
    allowed = most // max(given[name].size for name in tables)
    for n in range(min(needed, _CALLS, max(1, allowed))):
        tokens = {name: _part(order, given[name], n) for name, order in orders.items()}
        yield ask(pair, at, given | tokens)._replace(asked=EVERY)


def _part(order: Array, like: Array, n: int) -> Array:
    """The n-th part of the rows in this order, from the first again behind the last."""
    places = np.arange(n * like.size, (n + 1) * like.size) % len(order)
    return order[places].reshape(like.shape).astype(like.dtype)


def _steps(found: Roles, at: sizes.Sizes) -> int:
    return found.frozen or max((at[name] for name in found.time_names), default=1)


def _sizes(pair: Paired, found: Roles, tables: Iterable[str], tokens: int) -> sizes.Sizes:
    """Many rows of few steps where B is known, and else many of everything; of no table more than so many tokens."""
    held = dict.fromkeys(found.time_names, found.frozen or FEW) if found.row_names else {}
    names = found.row_names or sizes.open_names(pair.wanted, pair.fixed)

    def at(size: int) -> dict[str, int]:
        return {**pair.fixed, **held, **dict.fromkeys(names, size)}

    def too_large(size: int) -> bool:
        read = {port.name: math.prod(sizes.shape_of(port, at(size))) for port in pair.wanted}
        return max(read[name] for name in tables) > tokens or sum(read.values()) > _NUMBERS

    return at(max(1, bisect.bisect(range(1, tokens + 1), 0, key=too_large)))


def _most_tokens(pair: Paired, like: Question) -> int:
    """How many may be read."""
    names = [pair.inputs[name] for name, _ in _tables(pair)]
    tokens = min(like.inputs[name].size for name in names)
    numbers = sum(one.want.size for one in like.expected.values())
    return max(1, min(_TOKENS, _NUMBERS * tokens // max(1, numbers), _PRODUCTS // max(1, _weights(pair.file.model))))


def _weights(model: ir.Model) -> int:
    """The numbers that a token is multiplied with: all that is held but tables, of which one row is read."""
    return sum(
        math.prod(value.shape.numpy())
        for graph in model.graphs()
        for value in graph.initializers.values()
        if value.shape is not None and value.shape.is_static() and not _only_picked_from(value)
    )


def _only_picked_from(value: ir.Value) -> bool:
    return all(node.op_type == "Gather" and index == 0 for node, index in value.uses())
