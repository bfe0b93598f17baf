"""Which sizes of a file are B and which are T, and where they stand; all names are the oracle's."""

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from lstmbench.check.foreign import sizes
from lstmbench.check.foreign.opened import constants
from lstmbench.check.foreign.paired import Paired
from lstmbench.onnxfile.ports import Dim, Port

_ROWS, _CALLS = (3, 5, 7, 11, 13), (9, 10, 14, 15, 21, 22)  # the first that no other size is equal to
FEW = 2  # steps in which no recurrence is chaotic yet


class Roles(NamedTuple):
    """Where B and T are."""

    time: Mapping[str, int]  # of each input that has T: its axis
    rows: Mapping[str, int]  # of each input that has B: its axis
    time_names: frozenset[str]
    row_names: frozenset[str]
    lengths: tuple[str, ...]
    frozen: int | None  # T, where the file holds it at one size
    closed: bool  # whether what it is held to does too
    held: int | None  # B, where it is not open and no other size of an input can be meant


def roles(pair: Paired) -> Roles:
    """T by what `inspect` followed, or by what stands beside the B of lengths; every other open size is B.

    Where T is not known, B is what is open in a state. Where no other size is open, B is what is held beside T.
    """
    lengths = tuple(p.name for p in pair.wanted if pair.drawn.uses[p.name].lengths and len(p.dims or ()) == 1)
    time = {name: axis for name, axis in pair.oracle.carried.time.items() if name in pair.inputs}
    time = time or dict(_beside_rows(pair.wanted, lengths))
    dims = [
        port.dims[time[port.name]]
        for port in pair.wanted
        if port.name in time and time[port.name] < len(port.dims or ()) and port.dims
    ]
    names = frozenset(dim for dim in dims if isinstance(dim, str))
    held = [pair.fixed[name] for name in sorted(names) if name in pair.fixed]
    fixed = [dim for dim in dims if isinstance(dim, int)]
    free = frozenset(sizes.open_names(pair.wanted, pair.fixed))
    others = free - names if time else free & _of_states(pair)
    names = names or free - others
    rows = {port.name: n for port in pair.wanted for n, dim in enumerate(port.dims or ()) if dim in others}
    frozen, closed = next(iter(fixed + held), None), len(fixed) == len(dims)
    if others:
        return Roles(time, rows, names, others, lengths, frozen, closed, None)
    rows, B = _held_rows(pair, time, lengths)
    return Roles(time, rows, names, others, lengths, frozen, closed, B)


def _held_rows(pair: Paired, time: Mapping[str, int], lengths: tuple[str, ...]) -> tuple[dict[str, int], int | None]:
    """Where a B above 1 stands that is not open: beside T, and once in every state and in lengths; else nothing.

    Nothing either where something else is of that size, and may have a part of its own for each row.
    """
    states = [given for given, _ in pair.oracle.carried.states if given in pair.inputs]
    shapes = {port.name: [_held(pair, dim) for dim in port.dims or ()] for port in pair.wanted}
    beside = {shapes[name][1 - axis] for name, axis in time.items() if axis < 2 <= len(shapes[name])}
    (B, *more) = beside or {None}
    if more or B is None or B < 2 or any(shapes[name].count(B) != 1 for name in (*states, *lengths)):
        return {}, None
    rows = {**{n: shapes[n].index(B) for n in (*states, *lengths)}, **{n: 1 - axis for n, axis in time.items()}}
    others = (shape for name, shape in shapes.items() if name not in rows)
    return ({}, None) if any(B in shape for shape in (*others, *_constant_shapes(pair))) else (rows, B)


def _constant_shapes(pair: Paired) -> Iterator[Sequence[int]]:
    """Of numbers with a fraction that nobody gives: integers say where things stand."""
    given = set(pair.inputs.values())
    for tensor in constants(pair.file.model):
        if tensor.dtype.is_floating_point() and tensor.name not in given:
            yield tensor.shape.numpy()


def _held(pair: Paired, dim: Dim) -> int | None:
    return dim if isinstance(dim, int) else pair.fixed.get(dim or "")


def _of_states(pair: Paired) -> frozenset[Dim]:
    states = {given for given, _ in pair.oracle.carried.states}
    return frozenset(dim for port in pair.wanted if port.name in states for dim in port.dims or ())


def _beside_rows(ports: tuple[Port, ...], lengths: tuple[str, ...]) -> Iterator[tuple[str, int]]:
    rows = {port.dims[0] for port in ports if port.name in lengths and port.dims}
    for port in ports:
        dims = port.dims or ()
        for axis, dim in enumerate(dims[:2]):
            if dim in rows and len(dims) > 1 and isinstance(dims[1 - axis], str):
                yield port.name, 1 - axis


class Picked(NamedTuple):
    """Sizes of one run."""

    at: dict[str, int]
    B: int
    T: int


def pick(pair: Paired, found: Roles, *, few: bool) -> Picked:
    """B and T, neither of them the size of anything else; `few` steps or more, where T is open."""
    ports = (*pair.oracle.inputs, *pair.oracle.outputs)
    taken = {dim for port in ports for dim in port.dims or () if isinstance(dim, int)}
    B = found.held or next((size for size in _ROWS if size not in taken), _ROWS[0])
    times = _CALLS if found.frozen is None else [found.frozen * n for n in range(2, 7)]
    T = next((size for size in times if size not in taken | {B}), times[0])
    if found.closed or few:
        T = found.frozen or FEW
    return Picked({**pair.fixed, **dict.fromkeys(found.row_names, B), **dict.fromkeys(found.time_names, T)}, B, T)
