"""What a file is given, and what it must answer, by its own names."""

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from lstmbench.check import reach
from lstmbench.check.foreign import sizes
from lstmbench.check.foreign.paired import Paired
from lstmbench.check.foreign.ways import Way, whole
from lstmbench.errors import GraphError
from lstmbench.parity import Expected

Array = NDArray[Any]
_LOUD = 100.0
LARGE = "large sums"


class Question(NamedTuple):
    """One run, in one call or in several."""

    sizes: str  # in words
    inputs: Mapping[str, Array]
    expected: Mapping[str, Expected]
    asked: str = ""  # how, if not as one whole call
    way: Way = whole
    faults: Mapping[str, str] = MappingProxyType({})  # outputs that no runtime is asked for: the graph itself is wrong


def questions(pair: Paired) -> list[Question]:
    """At all sizes; where the recurrence is chaotic, once more at inputs that say more than the state does."""
    found = list(_at_all_sizes(pair))
    if any(all(_hidden(question.expected[name]) for question in found) for name in found[0].expected):
        found += [loud for loud in [_loud(pair)] if loud is not None]
    return found + [large for large in [_large(pair)] if large is not None]


def _hidden(expected: Expected) -> bool:
    return expected.judged == 0 or bool(np.isnan(expected.bound))


def _loud(pair: Paired) -> Question | None:
    """With features that drive every gate to one of its ends: there an error of the state dies out."""
    names = sizes.open_names(pair.wanted, pair.fixed)
    at = sizes.equal(names, pair.fixed)[2]
    given = pair.draw(at)
    features = [name for name in pair.oracle.carried.time if name in given and given[name].dtype.kind == "f"]
    given |= {name: given[name] * np.float32(_LOUD) for name in features}
    return ask(pair, at, given) if features else None


def _large(pair: Paired) -> Question | None:
    """Where the weights are a model's: what drives sums of its gates far, a step of many rows where the file may."""
    at = {"B": reach.ROWS, "T": 1, **pair.fixed}
    given = pair.oracle.driven(pair.inputs, batch=at["B"], time=at["T"])
    if given is None:
        return None
    return Question(sizes.words(pair.wanted, at), pair.fed(given), pair.expect(given, large=True), asked=LARGE)


def _at_all_sizes(pair: Paired) -> Iterator[Question]:
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


def ask(pair: Paired, at: sizes.Sizes, given: Mapping[str, Array] | None = None) -> Question:
    """The question at these sizes, of inputs that are drawn if not given, by the oracle's names."""
    given = pair.draw(at) if given is None else given
    return Question(sizes.words(pair.wanted, at), pair.fed(given), pair.expect(given))
