"""What the state of any file must obey, where its states can be recognised, and why a law is not asked elsewhere.

The answers are those of one whole call. First the float64 evaluation itself is called in each way: where it does not
give them, the graph does not obey the law, and no runtime is to blame. That is a failure of the file where nothing on
the way mixes steps; elsewhere (a convolution over time, a pooling) the law is not asked of that output.
"""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from lstmbench.check.foreign import ways
from lstmbench.check.foreign.obeyed import obeyed
from lstmbench.check.foreign.paired import Paired
from lstmbench.check.foreign.questions import Question, ask
from lstmbench.check.foreign.roles import Picked, Roles, pick, roles
from lstmbench.errors import GraphError
from lstmbench.parity import Expected

Array = NDArray[Any]
PIECES, STEPS, ROWS, ENDS, ZEROS = "in pieces", "a step a call", "rows reordered", "behind the ends", "zeros for none"
SINGLE = "single steps"


class Laws(NamedTuple):
    """What is asked, and why the rest is not."""

    questions: tuple[Question, ...]
    not_asked: Mapping[str, str]


class _Run(NamedTuple):
    """A whole call, and where B and T are in what comes out of it; names are the file's."""

    question: Question
    sizes: Picked
    rows: Mapping[str, int]  # of each output with one axis of size B: which
    steps: Mapping[str, int]  # of each output with T: its axis


def laws(pair: Paired) -> Laws:
    """Every law, asked or with the reason why it is not."""
    found, asked, left = roles(pair), list[Question](), dict[str, str]()
    for name, why in _refusals(pair, found).items():
        some = [] if why else list(_asked(pair, found, name))
        kept = [obeyed(pair, question, _sure(pair, name)) for question in some]
        asked += [question for question in kept if question.expected or question.faults]
        if not any(question.expected or question.faults for question in kept):
            left[name] = why or "in float64 too the graph answers otherwise: it hangs on more than its state"
    return Laws(tuple(asked), left)


def _refusals(pair: Paired, found: Roles) -> dict[str, str]:
    """Why each law cannot be asked; empty where it can."""
    carried = pair.oracle.carried
    missing = [n for n, _ in carried.states if n not in pair.inputs] + [
        n for _, n in carried.states if n not in pair.outputs
    ]
    uncut = carried.uncut or (f"it has no {missing[0]}" if missing else "")
    uncut = uncut or (f"it holds T at {found.frozen}" if found.closed else "")
    single = "" if found.frozen in {None, 1} else f"it holds T at {found.frozen}"
    return {
        PIECES: uncut or ("it takes one step a call" if found.frozen == 1 else ""),
        STEPS: uncut or single,
        SINGLE: uncut
        or single
        or ("" if found.row_names else "which of its sizes is B is not known, or B is not open"),
        ROWS: "" if found.rows else "which of its sizes is B is not known, or what it holds has a size of B",
        ENDS: "" if found.lengths and found.time else "it takes no lengths",
        ZEROS: "" if _optional(pair) else "no state of it may be left out",
    }


def _asked(pair: Paired, found: Roles, name: str) -> Iterator[Question]:
    """A law at a few steps, and at more where those are not chaotic."""
    one_call = name in {SINGLE, ROWS, ENDS, ZEROS}
    for few in (True,) if one_call and found.frozen else (False,) if one_call else (False, True):
        try:
            if name == SINGLE:
                yield _single(pair, found)._replace(asked=SINGLE)
                return
            yield from _questions(pair, found, _whole(pair, pick(pair, found, few=few)), name)
        except GraphError:  # sizes that this file does not take together
            return


def _whole(pair: Paired, sizes: Picked) -> _Run:
    question = ask(pair, sizes.at)
    rows, steps = {}, {pair.outputs[n]: axis for n, axis in pair.oracle.carried.outputs.items() if n in pair.outputs}
    for name, one in question.expected.items():
        shape = one.want.shape
        if shape.count(sizes.B) == 1:
            rows[name] = shape.index(sizes.B)
        if shape.count(sizes.T) == 1:
            steps.setdefault(name, shape.index(sizes.T))
    return _Run(question, sizes, rows, steps)


def _questions(pair: Paired, found: Roles, run: _Run, name: str) -> Iterator[Question]:
    question, (_, _, T) = run.question, run.sizes
    if name in {PIECES, STEPS}:
        yield from _cut(pair, found, run, name)
    elif name == ROWS:
        inputs = {pair.inputs[n]: axis for n, axis in found.rows.items()}
        expected = {n: one for n, one in question.expected.items() if n in run.rows}
        yield question._replace(asked=name, expected=expected, way=ways.in_another_order(inputs, run.rows))
    elif name == ENDS and T > 1:
        yield _ended(pair, found, run)
    elif name == ZEROS:
        zeros = {n: np.zeros(shape, np.float32) for n, shape in _optional(pair).items()}
        yield question._replace(asked=name, way=ways.with_others(zeros, ways.all_of_it))


def _cut(pair: Paired, found: Roles, run: _Run, name: str) -> Iterator[Question]:
    """The same inputs in several calls, all rows of length T."""
    T, one = run.sizes.T, found.frozen or 1
    calls = [one] * (T // one) if name == STEPS or one > 1 else [max(1, T // 3), 1, T - max(1, T // 3) - 1]
    calls = [steps for steps in calls if steps > 0]
    question = run.question
    if found.lengths:
        given = pair.draw(run.sizes.at)
        given |= {n: np.full_like(given[n], T) for n in found.lengths}
        question = question._replace(inputs=pair.fed(given), expected=pair.expect(given))
    states = [(pair.inputs[given], pair.outputs[handed]) for given, handed in pair.oracle.carried.states]
    handed = {after for _, after in states}
    steps = {n: axis for n, axis in run.steps.items() if n not in handed}
    time = {pair.inputs[n]: axis for n, axis in found.time.items()}
    way = ways.cut(calls, time, steps, states, [pair.inputs[n] for n in found.lengths])
    expected = {n: e for n, e in question.expected.items() if n in handed | set(steps)}
    if len(calls) > 1:
        yield question._replace(asked=name, expected=expected, way=way)


def _single(pair: Paired, found: Roles) -> Question:
    """Each step of a run a row of one call, from the state that the float64 evaluation holds before it."""
    at, B, T = pick(pair, found, few=False)
    given, steps = pair.draw(at), []
    one = {**at, **dict.fromkeys(found.time_names, 1)}
    for t in range(T):
        given |= {n: np.full_like(given[n], 1) for n in found.lengths}
        steps.append(given | {n: given[n].take([t], axis) for n, axis in found.time.items()})
        after = pair.oracle.expect(steps[-1])
        given |= {n: _handed_on(given[n], after[handed]) for n, handed in pair.oracle.carried.states}
    joined = {n: np.concatenate([step[n] for step in steps], axis) for n, axis in found.rows.items()}
    return ask(pair, {**one, **dict.fromkeys(found.row_names, B * T)}, steps[0] | joined)


def _handed_on(before: Array, after: Expected) -> Array:
    if before.shape != after.want.shape:
        raise GraphError(f"a state goes in as {before.shape} and comes out as {after.want.shape}")
    return after.want.astype(np.float32)


def _ended(pair: Paired, found: Roles, run: _Run) -> Question:
    """Other inputs behind the rows' ends, and nothing of what comes out there."""
    given = pair.draw(run.sizes.at)
    ends = given[found.lengths[0]]
    others = {}
    for name, axis in found.time.items():
        if name in found.rows:
            array = given[name]
            other = np.roll(array, 1, axis) * array.dtype.type(3) if array.dtype.kind == "f" else array[::-1]
            others[name] = np.where(ways.behind(ends, array, (found.rows[name], axis)), other, array)
    axes = {n: (run.rows[n], axis) for n, axis in run.steps.items() if n in run.rows and run.rows[n] != axis}
    keep = ways.up_to(ends, axes)
    expected = {n: e._replace(want=keep(n, e.want)) for n, e in run.question.expected.items()}
    way = ways.with_others(pair.fed(others), keep)
    return run.question._replace(asked=ENDS, expected=expected, way=way)


def _optional(pair: Paired) -> dict[str, tuple[int, ...]]:
    """The states that the file has a value for, with their shapes."""
    graph = pair.file.model.graph
    named = {value.name for value in graph.inputs}
    held = {name: graph.initializers[name].shape for name in pair.oracle.carried.optional if name in graph.initializers}
    return {n: shape.numpy() for n, shape in held.items() if n in named and shape is not None and shape.is_static()}


def _sure(pair: Paired, name: str) -> frozenset[str]:
    """Outputs to which nothing leads that mixes steps; rows never mix."""
    carried = pair.oracle.carried
    if name == ROWS:
        return frozenset(pair.outputs.values())
    if name == ZEROS:
        return frozenset()
    states = [handed for _, handed in carried.states] if carried.outputs or not carried.uncut else []
    return frozenset(pair.outputs[n] for n in (*states, *carried.outputs) if n in pair.outputs)
