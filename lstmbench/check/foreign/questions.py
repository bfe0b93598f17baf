"""What a file is given, and what it must answer, by its own names."""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from numpy.typing import NDArray

from lstmbench.check.foreign import sizes
from lstmbench.check.foreign.paired import Paired
from lstmbench.errors import GraphError
from lstmbench.parity import Expected

Array = NDArray[Any]


class Question(NamedTuple):
    """One run."""

    sizes: str  # in words
    inputs: Mapping[str, Array]
    expected: Mapping[str, Expected]


def at_all_sizes(pair: Paired) -> Iterator[Question]:
    """Sizes that are open take several; where names of sizes must be equal, they are."""
    names = sizes.open_names(pair.wanted, pair.fixed)
    plans = sizes.plan(names, pair.fixed)
    try:
        first = ask(pair, plans[-1])
    except GraphError:
        if len(names) < 2:
            raise
        plans = sizes.equal(names, pair.fixed)
        first = ask(pair, plans[-1])
    yield from (ask(pair, plan) for plan in plans[:-1])
    yield first


def ask(pair: Paired, at: sizes.Sizes) -> Question:
    """The question at these sizes."""
    given = pair.draw(at)
    return Question(sizes.words(pair.wanted, at), pair.fed(given), pair.expect(given))
