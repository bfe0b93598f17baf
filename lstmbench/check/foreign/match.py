"""Which input or output of a file is which of those that are wanted: by name, else by what only one can be."""

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

from lstmbench.errors import GraphError
from lstmbench.onnxfile.ports import Port, listed


def match(
    path: Path, what: str, wanted: Sequence[Port], found: Sequence[Port], *, optional: Collection[str] = ()
) -> dict[str, str]:
    """The file's name for each that is wanted; GraphError, with what was expected, where that cannot be told.

    Names count first; then types, ranks and fixed sizes, as long as they leave one choice.
    """
    by_name = {port.name: port for port in found}
    known = {w.name: w.name for w in wanted if w.name in by_name and _fits(w, by_name[w.name])}
    while True:
        left = [w for w in wanted if w.name not in known]
        free = [f for f in found if f.name not in known.values()]
        pairs = _only(left, free)
        if not pairs:
            break
        known |= pairs
    if free or not {w.name for w in left} <= set(optional):
        raise GraphError(f"{path} cannot be matched: expected are the {what} {listed(wanted)}; it has {listed(found)}")
    return known


def _only(left: Sequence[Port], free: Sequence[Port]) -> Mapping[str, str]:
    """The pairs of which each can only be the other's."""
    fits = {f.name: [w.name for w in left if _fits(w, f)] for f in free}
    taken = [name for names in fits.values() for name in names]
    return {names[0]: f for f, names in fits.items() if len(names) == 1 and taken.count(names[0]) == 1}


def _fits(wanted: Port, found: Port) -> bool:
    """Integers may be of another width: ids and lengths fit in either."""
    if wanted.dtype != found.dtype and not (wanted.dtype.kind in "iu" and found.dtype.kind in "iu"):
        return False
    if wanted.dims is None or found.dims is None:
        return True
    pairs = list(zip(wanted.dims, found.dims, strict=False))
    return len(wanted.dims) == len(found.dims) and not any(
        isinstance(one, int) and isinstance(other, int) and one != other for one, other in pairs
    )
