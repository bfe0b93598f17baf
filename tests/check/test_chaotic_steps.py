"""N steps in one call part as any run may: what the recurrence carries is judged, by a bound that tells."""

import numpy as np
import pytest

from lstmbench.check.cases import plan
from lstmbench.check.oracle import Oracle
from lstmbench.parity import compare
from lstmbench.parity.graphs import compare_graph
from lstmbench.records import ModelConfig

CHAOTIC = ModelConfig(head="layer", peephole="full", input_size=16, hidden_size=32, num_layers=2)


@pytest.fixture
def asked(make):
    exported = make(CHAOTIC, gain=6.0, form="unrolled64")
    oracle = Oracle(exported)
    return [oracle.ask(case) for case in plan(exported, [(1, 64)])]


def test_an_output_that_is_always_zero_is_refused_although_the_run_is_chaotic(asked):
    """A bound over all 64 steps would allow it: it is ten times a distance that is as large as the output."""
    y = asked[0].expected[0]
    zero = np.zeros(y.want.shape, np.float32)
    assert not compare(zero, y.want, name="y", bound=y.bound, judged=y.judged).passed
    assert y.judged < 64
    assert y.bound < 1


def test_what_is_right_up_to_where_it_is_judged_passes_as_a_file_too(asked):
    """Behind the judged steps the error is reported; a file judged against a model of ours is judged alike."""
    y = asked[0].expected[0]
    got = y.want.astype(np.float32)
    got[:, y.judged :] = 0
    assert compare(got, y.want, name="y", bound=y.bound, judged=y.judged).passed
    assert compare_graph(got, y, dtype=np.dtype(np.float32)).passed
    got[:, y.judged - 1] += 1
    assert not compare_graph(got, y, dtype=np.dtype(np.float32)).passed
