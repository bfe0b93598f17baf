"""Laws of scales and of labels that keep their distance."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lstmbench.report import axes

values = st.lists(st.floats(1e-6, 1e6), min_size=1, max_size=12)


@given(values)
def test_an_axis_holds_all_its_values_and_ticks(some):
    for axis in (axes.axis(some), axes.log_axis(some)):
        assert all(0 <= axis.part(value) <= 1 for value in some)
        assert all(-1e-9 <= axis.part(tick) <= 1 + 1e-9 for tick in axis.ticks)
        assert len(axis.ticks) >= 2


@given(values, st.floats(0, 1))
def test_part_and_value_are_inverse(some, part):
    axis = axes.axis(some)
    assert axis.part(axis.value(part)) == pytest.approx(part, abs=1e-9)


@given(values)
def test_an_axis_is_logarithmic_from_a_factor_of_eight(some):
    assert axes.axis(some).log == (max(some) / min(some) >= 8)


@given(st.lists(st.floats(0, 1), min_size=1, max_size=10))
def test_labels_keep_their_distance_and_their_order_inside_the_panel(parts):
    gap = 0.09
    moved = axes.apart(parts, gap)
    order = np.argsort(parts, kind="stable")
    assert np.all(np.diff(np.array(moved)[order]) >= gap - 1e-9)
    assert min(moved) >= gap / 2 - 1e-9
    assert max(moved) <= 1 - gap / 2 + 1e-9


def test_labels_that_are_far_apart_stay():
    assert axes.apart([0.2, 0.9, 0.5], 0.1) == pytest.approx([0.2, 0.9, 0.5])


def test_labels_that_collide_part_evenly():
    assert axes.apart([0.5, 0.5, 0.5], 0.1) == pytest.approx([0.4, 0.5, 0.6])
