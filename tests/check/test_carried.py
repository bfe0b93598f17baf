"""A state that stays on its device is asked of as decoding is timed: every mistake of it fails the check."""

import pytest

from lstmbench import check as checking
from lstmbench.records import Workload

WRONG = ("AlwaysFromTheFirst", "ForgetsWhereToBegin", "ReplaysTheFirstInputs", "TellsTheStateBefore", "SwapsInside")


@pytest.fixture
def check(tmp_path, inline):
    def check(exported, name, shapes=((2, 16),), workloads=()):
        known = {"run": tmp_path / "run", "progress": lambda _line: None}
        return checking.check([exported], [f"carrying:{name}"], shapes=shapes, workloads=workloads, **known)

    return check


def test_every_planted_mistake_is_asked_of(plugins):
    import carrying

    assert {mistake.__name__ for mistake in carrying.WRONG} == set(WRONG)


@pytest.mark.parametrize("lengths", [False, True])
def test_what_carries_its_state_rightly_passes(make, lm, check, lengths):
    assert check(make(lm, lengths=lengths), "Carries").passed


@pytest.mark.parametrize("mistake", WRONG)
def test_a_mistake_in_what_stays_on_the_device_fails(tiny, check, mistake):
    report = check(tiny, mistake)
    assert not report.passed
    assert all(len(row.chunks) > 1 for row in report.failures()), "a single call is right"


def test_decoding_is_checked_as_it_is_timed(tiny, check):
    """At the shapes asked for there is one step, which carries nothing; the workload has more."""
    assert check(tiny, "ForgetsWhereToBegin", shapes=((1, 1),)).passed
    decode = Workload(kind="decode", batch=2, time=5)
    assert not check(tiny, "ForgetsWhereToBegin", shapes=((1, 1),), workloads=(decode,)).passed
