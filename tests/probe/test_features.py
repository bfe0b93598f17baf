"""Every row can tell the mistakes that bear on it: answers move by a hundred tolerances, or the row says why not."""

import functools

import numpy as np
import pytest

from lstmbench.mistakes import MISTAKES, OUTPUTS, distance, right
from lstmbench.probe.features import INTEGERS, features
from lstmbench.probe.tolerance import tolerances

ROWS = {row.name: row for row in features()}
# in floats of 32 bits and more: found, if not by a hundred tolerances
SMALL = {"with one number of W off by 0.001": 5, "with one number of R off by 0.001": 5, "with weights in float16": 50}
COARSE = {*SMALL, "with weights in bfloat16"}  # no mistakes where numbers are rounded to as much
# what a row cannot see, and is not there to see
BLIND = {
    "clip": {"without clip on C_t", "with C_t carried on clipped"},
    "clip, P": {"without clip on C_t", "with C_t carried on clipped"},
    "input_forget, P": {"without P_f"},  # the forget gate is 1 - i
}
NOTHING = {"T = 0", "B = 0"}  # rows without a step: no weight bears on them
NEVER = {"with Wb and Rb swapped"}  # only their sum counts


@functools.cache
def expected(name):
    """Of each call of a row: what is right, and the tolerances."""
    row = ROWS[name]
    return [(right(case), tolerances(case, integers=row.form in INTEGERS)) for case in row.cases]


def largest(row, mistake):
    """How many tolerances the answer moves, over the row's calls; None where no call bears on it."""
    shares = []
    for case, (truth, allowed) in zip(row.cases, expected(row.name), strict=True):
        wrong = mistake.answer(case)
        if wrong is not None:
            moved = [distance(w, r) for w, r in zip(wrong, truth, strict=True)]
            shares.append(max(m / t for m, t in zip(moved, allowed, strict=True)))
    return max(shares, default=None)


@pytest.mark.parametrize("row", ROWS.values(), ids=ROWS)
def test_a_mistake_moves_the_answer_by_a_hundred_tolerances(row):
    if row.name in NOTHING:
        return
    coarse = row.form in INTEGERS or row.cases[0].tensors["X"].dtype == np.float16
    blind = NEVER | BLIND.get(row.name, set())
    for mistake in MISTAKES:
        moved = largest(row, mistake)
        if moved is None or (coarse and mistake.name in COARSE):
            continue
        if mistake.name in blind:
            assert moved < 1e-6, mistake.name
        else:
            assert moved >= (1 if coarse else SMALL.get(mistake.name, 100)), mistake.name
            assert mistake.name in SMALL or moved >= 100, mistake.name


# the mistakes that a row is there to see: a row without them would be another row
OWN = {
    "initial states": ["without initial_h", "without initial_c", "without the initial states"],
    "P_i": ["without P", "without P_i", "with P read as o, i, f"],
    "P_o": ["without P", "without P_o", "with o peeping at c of the step before"],
    "P_f": ["without P", "without P_f", "with P read as i, f, o"],
    "P": ["without P", "with P read as i, f, o", "with a peephole on the candidate (P_i)"],
    "sequence_lens": ["without sequence_lens", "with Y_h from the last row of Y"],
    "reverse": ["run forwards", "with Y of the reverse direction in the order of its steps"],
    "bidirectional": ["with the two directions swapped", "with the weights of the first direction in both"],
    "bidirectional, sequence_lens": ["with the reverse direction starting at T in every row"],
    "input_forget": ["without input_forget", "with i = 1 - f for input_forget"],
    "clip": ["without clip"],
    "clip, P": ["without clip", "with clip before the peepholes"],
    "clip of C_t": ["without clip", "without clip on C_t", "with C_t carried on clipped"],
    "layout=1": ["with B and T of X taken for each other"],
    "activations": ["with the usual activations", "without alpha and beta"],
    "activations of each direction": ["with the activations of the first direction in both"],
    "double": ["in float32"],
    "row of length 0": ["with zero states where no step is taken", "without sequence_lens"],
    "T = 0": ["with zero states where no step is taken", "with initial_h and initial_c swapped"],
}


@pytest.mark.parametrize("name", OWN)
def test_the_mistakes_that_a_row_is_there_for_bear_on_it(name):
    rows = [name] if name.startswith(("P", "clip", "initial", "double", "row", "T")) else [name, f"{name}, P"]
    for mistake in MISTAKES:
        if mistake.name in OWN[name]:
            assert all(largest(ROWS[row], mistake) >= 100 for row in rows)


def test_peepholes_are_there_where_a_row_says_so():
    for row in ROWS.values():
        says = row.name.endswith(", P") or ", P," in row.name or row.name in {"P", "P_i", "P_o", "P_f"}
        assert all(case.has("P") == says for case in row.cases)


def test_open_rows_run_one_graph_at_several_sizes():
    for row in ROWS.values():
        sizes = {case.tensors["X"].shape[:2] for case in row.cases}
        assert len(sizes) == len(row.cases) == (3 if "dynamic" in row.name else 1)
        for axis, letter in enumerate("TB"):
            assert (len({size[axis] for size in sizes}) > 1) == (letter in row.open and "dynamic" in row.name)
        for case in row.cases[1:]:
            assert all(case.tensors[n] is row.cases[0].tensors[n] for n in "WRBP" if case.has(n))


def test_no_two_numbers_are_alike_and_lengths_are_unequal():
    for row in ROWS.values():
        case = row.cases[0]
        if row.form not in INTEGERS and case.tensors["X"].dtype != np.float16:
            assert all(len(np.unique(a[a != 0])) == (a != 0).sum() for n, a in case.tensors.items() if n in "XWRBP")
        if case.has("sequence_lens"):
            lengths = list(case.tensors["sequence_lens"])
            assert len(set(lengths)) == len(lengths) and lengths.count(4) == 1  # noqa: PT018


def test_every_draw_is_the_same_each_time():
    for one, again in zip(features(), features(), strict=True):
        for a, b in zip(one.cases, again.cases, strict=True):
            assert all(np.array_equal(a.tensors[n], b.tensors[n]) for n in a.tensors)


@pytest.mark.parametrize("row", ROWS.values(), ids=ROWS)
def test_a_tolerance_is_rounding_and_little_more(row):
    """Ten times the error of the very type, or twice that of a computation that rounds as much as any engine."""
    eps = {np.float16: 2.0**-11, np.float32: 2.0**-24, np.float64: 2.0**-53}[row.cases[0].tensors["X"].dtype.type]
    for truth, allowances in expected(row.name):
        sizes = [max(1, np.abs(array).max(initial=0)) for array in truth]
        for name, allowed, size in zip(OUTPUTS, allowances, sizes, strict=True):
            assert allowed / size < (2e-3 if row.form in INTEGERS else 100 * eps), name
