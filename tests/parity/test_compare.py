import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lstmbench.parity import compare

WANT = np.linspace(-1, 1, 24).reshape(2, 3, 4)


def verdict_on(change, *, bound=1e-6, want=WANT):
    got = want.astype(np.float32)
    got[1, 0, 2] = change(got[1, 0, 2])
    return compare(got, want, name="logits", bound=bound)


def test_the_worst_element_is_named_with_both_values_and_the_bound():
    got, want = np.zeros((4, 18, 43), np.float32), np.zeros((4, 18, 43))
    got[3, 17, 42], want[3, 17, 42], got[0, 0, 0] = 1.2345, 1.2301, 1e-3
    verdict = compare(got, want, name="logits", bound=3.1e-6)
    assert not verdict.passed
    assert verdict.worst_index == (3, 17, 42)
    assert (verdict.got, verdict.want) == (pytest.approx(1.2345), 1.2301)
    assert verdict.reason == "logits[3, 17, 42] is 1.2345, the reference says 1.2301: off by 4.4e-03, allowed 3.1e-06"


def test_what_is_within_its_bound_passes_and_still_says_where_it_is_worst():
    verdict = verdict_on(lambda value: value + 1e-5, bound=2e-5)
    assert verdict.passed
    assert verdict.reason == ""
    assert verdict.worst_index == (1, 0, 2)
    assert verdict.max_error == pytest.approx(1e-5, rel=0.02)  # float32 holds 1e-5 beside 0.2 to 1 in 100


@pytest.mark.parametrize(("value", "word"), [(np.nan, "nan"), (np.inf, "inf"), (-np.inf, "-inf")])
def test_what_is_not_finite_fails_whatever_the_bound_with_its_index(value, word):
    verdict = verdict_on(lambda _: value, bound=1e30)
    assert verdict.max_error is None
    assert verdict.got is None
    assert verdict.worst_index == (1, 0, 2)
    assert verdict.reason.startswith(f"logits[1, 0, 2] is {word}, the reference says ")


@pytest.mark.parametrize("got", [np.zeros((2, 3, 5), np.float32), np.zeros((2, 3, 4)), np.zeros((24,), np.float32)])
def test_another_shape_or_dtype_fails_naming_both(got):
    verdict = compare(got, WANT, name="y", bound=1e30)
    assert verdict.max_error is None
    assert verdict.reason == f"y is {got.dtype} {got.shape}, the reference says float32 (2, 3, 4)"


@pytest.mark.parametrize("bound", [np.nan, np.inf])
def test_a_bound_that_could_not_be_computed_lets_nothing_pass(bound):
    assert not verdict_on(lambda value: value, bound=bound).passed


@given(
    errors=st.lists(st.floats(-1e-3, 1e-3), min_size=24, max_size=24),
    bound=st.floats(1e-9, 1e-3),
)
def test_an_output_passes_exactly_when_no_element_is_further_off_than_the_bound(errors, bound):
    got = (WANT + np.reshape(errors, WANT.shape)).astype(np.float32)
    off = [abs(float(a) - float(b)) for a, b in zip(got.flat, WANT.flat, strict=True)]
    verdict = compare(got, WANT, name="y", bound=bound)
    assert verdict.passed == all(error <= bound for error in off)
    assert verdict.max_error == max(off)
    assert "\n" not in verdict.reason


def test_only_the_steps_that_are_judged_decide_and_only_their_error_is_said():
    got = WANT.astype(np.float32)
    got[1, 2, 0] += 1.0
    verdict = compare(got, WANT, name="y", bound=1e-6, judged=2)
    assert verdict.passed
    assert verdict.max_error < 1e-6
    got[1, 1, 0] += 1.0
    assert not compare(got, WANT, name="y", bound=1e-6, judged=2).passed


def test_what_is_only_reported_passes_with_its_error_and_fails_where_it_is_no_number_or_of_another_shape():
    got = WANT.astype(np.float32) + 1
    verdict = compare(got, WANT, name="h_n", bound=1e-6, judged=0)
    assert verdict.passed
    assert verdict.max_error == pytest.approx(1)
    got[0, 0, 0] = np.nan
    assert not compare(got, WANT, name="h_n", bound=1e-6, judged=0).passed
    assert not compare(got[:1], WANT, name="h_n", bound=1e-6, judged=0).passed


def test_some_columns_alone_are_compared_and_named_among_all():
    got = np.zeros((2, 1, 7), np.float32)
    got[1, 0, 4] = 1
    want = np.zeros((2, 1, 3))
    assert compare(got, want, name="logits", bound=0.5, columns=slice(0, None, 3)).passed
    verdict = compare(got, want[..., :2], name="logits", bound=0.5, columns=slice(1, None, 3))
    assert verdict.worst_index == (1, 0, 4)
    assert "logits[1, 0, 4] is 1," in verdict.reason
    got[0, 0, 5] = np.nan
    assert (
        "logits[0, 0, 5] is nan"
        in compare(got, want[..., :2], name="logits", bound=0.5, columns=slice(2, None, 3)).reason
    )
