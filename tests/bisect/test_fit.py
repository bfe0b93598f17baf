"""What least squares may leave, and how far it may be off, as derived: what is within its bound is not held wrong."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lstmbench.check.differences import fit as fitting

UNITS, ROWS, COORDINATES, BOUND = 3, 60, 5, 1e-6


def problem(seed, errors):
    """Three units whose answers are off by as much as their bound allows, and the sums that gave them."""
    rng = np.random.default_rng(seed)
    design = np.repeat(rng.uniform(-1, 1, (1, ROWS, COORDINATES)), UNITS, axis=0)
    theta, c = rng.standard_normal((UNITS, 3, COORDINATES)), rng.uniform(-1, 1, (UNITS, ROWS))
    answers, _ = fitting.cell_state(np.einsum("uqn,ugn->ugq", design, theta), c)
    off = {"signs": rng.choice([-1.0, 1.0], answers.shape), "one way": np.ones(answers.shape)}[errors]
    return fitting.Problem(design, c, answers + BOUND * off, fitting.cell_state), theta


@given(st.integers(0, 10_000), st.sampled_from(["signs", "one way"]))
def test_what_is_right_within_its_bound_is_met_and_its_sums_are_within_what_is_allowed(seed, errors):
    asked, theta = problem(seed, errors)
    found = fitting.fit(asked, theta)
    told = np.isfinite(found.spread) & (found.spread < 1e3)  # first order: answers that hardly tell a sum are no test
    assert (found.least <= 1.01 * BOUND).all()
    assert (np.abs(found.theta - theta) <= 1.01 * found.spread * BOUND)[told].all()


@pytest.mark.parametrize("seed", range(5))
def test_an_answer_that_no_sums_give_is_not_met(seed):
    asked, theta = problem(seed, "signs")
    asked.got[:, 7] += 40 * BOUND
    assert (fitting.fit(asked, theta).least > BOUND).all()
