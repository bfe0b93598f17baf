"""Whether a graph itself, in float64, gives the same answers however it is called."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from lstmbench.check.foreign import ways
from lstmbench.check.foreign.paired import Paired
from lstmbench.check.foreign.questions import Question
from lstmbench.errors import GraphError
from lstmbench.parity import Expected
from lstmbench.parity.graphs import compare_graph

Array = NDArray[Any]


def obeyed(pair: Paired, question: Question, sure: frozenset[str]) -> Question:
    """The question without the outputs of which the float64 evaluation itself gives other answers.

    Those of them that are `sure` to obey in a right file are its faults.
    """
    try:
        answer = question.way(_exact(pair), question.inputs)
    except (GraphError, KeyError, ValueError, IndexError) as error:  # answers of several calls, of whatever shapes
        why = str(error) if isinstance(error, GraphError) else f"its answers do not fit together: {error}"
        faults = {n: f"in float64 too it fails: {why}" for n in question.expected if n in sure}
        return question._replace(expected={}, faults=faults)
    wrong = {n: why for n, one in question.expected.items() if (why := _other(answer[n], n, one))}
    faults = {n: f"the graph itself, in float64: {why}" for n, why in wrong.items() if n in sure}
    return question._replace(expected={n: e for n, e in question.expected.items() if n not in wrong}, faults=faults)


def _exact(pair: Paired) -> ways.Run:
    dtypes = {port.name: port.dtype for port in pair.oracle.inputs}
    known = {theirs: ours for ours, theirs in pair.inputs.items()}

    def run(fed: ways.Arrays) -> ways.Arrays:
        given = {known.get(n, n): array for n, array in fed.items()}
        given = {n: array.astype(dtypes.get(n, array.dtype), copy=False) for n, array in given.items()}
        return {n: one.want for n, one in pair.expect(given).items()}

    return run


def _other(answer: Array, name: str, expected: Expected) -> str:
    got = answer.astype(np.float32) if answer.dtype == np.float64 else answer
    return compare_graph(got, expected._replace(name=name), dtype=got.dtype).reason
