"""At which sizes a graph is run: those that it leaves open take several, 1 among them; the others are as they are."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TypeAlias

from lstmbench.check.cases import DEFAULT_SHAPES
from lstmbench.errors import GraphError
from lstmbench.onnxfile.names import shown
from lstmbench.onnxfile.ports import Dim, Port

Sizes: TypeAlias = Mapping[str, int]  # of each name that stands for one
_NAMELESS = "?"  # dims without a name take one size: they may have to be equal
_ALONE = (1, 2, 3, 5, 16, 33, 64)
_EQUAL = (1, 2, 3, 5, 16)


def shape_of(port: Port, sizes: Sizes) -> tuple[int, ...]:
    """The shape of an input at these sizes."""
    return tuple(_size(dim, sizes) for dim in port.dims or ())


def open_names(inputs: Iterable[Port], fixed: Sizes) -> list[str]:
    """The names of sizes that are open, in the order in which they stand."""
    dims = [_NAMELESS if dim is None else dim for port in inputs for dim in port.dims or ()]
    return list(dict.fromkeys(dim for dim in dims if isinstance(dim, str) and dim not in fixed))


def plan(names: Sequence[str], fixed: Sizes) -> tuple[dict[str, int], ...]:
    """Several sizes for each open name, each time others side by side; both ways round, for B may stand after T."""
    if len(names) < 2:
        return tuple({**fixed, **dict.fromkeys(names, size)} for size in (_ALONE if names else _ALONE[:1]))
    pairs = dict.fromkeys(pair for shape in DEFAULT_SHAPES for pair in (shape, shape[::-1]))
    return tuple({**fixed, **{name: pair[n % 2] for n, name in enumerate(names)}} for pair in pairs)


def equal(names: Sequence[str], fixed: Sizes) -> tuple[dict[str, int], ...]:
    """One size for all open names: where names that differ must have one size."""
    return tuple({**fixed, **dict.fromkeys(names, size)} for size in _EQUAL)


def fix(wanted: Iterable[Port], found: Iterable[Port]) -> dict[str, int]:
    """The sizes that the found inputs hold fixed where those wanted, in the same order, have names."""
    fixed: dict[str, int] = {}
    for name, size in _fixed(wanted, found):
        if fixed.setdefault(name, size) != size:
            raise GraphError(f"its inputs hold {name} at {fixed[name]} and at {size}: they fit no inputs together")
    return fixed


def _fixed(wanted: Iterable[Port], found: Iterable[Port]) -> Iterator[tuple[str, int]]:
    for one, other in zip(wanted, found, strict=True):
        for name, size in zip(one.dims or (), other.dims or (), strict=True):
            if isinstance(name, str) and isinstance(size, int):
                yield name, size


def words(inputs: Iterable[Port], sizes: Sizes) -> str:
    """`x (2, 3, 4), h_0 (1, 2, 5)`."""
    return ", ".join(f"{shown(port.name)} {shape_of(port, sizes)}" for port in inputs) or "no inputs"


def _size(dim: Dim, sizes: Sizes) -> int:
    return dim if isinstance(dim, int) else sizes[_NAMELESS if dim is None else dim]
