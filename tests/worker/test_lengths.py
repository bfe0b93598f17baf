"""Lengths on their way to an adapter: checked before, given only where the export takes them."""

import numpy as np
import pytest

from lstmbench.errors import WorkerError
from lstmbench.records import Workload
from lstmbench.worker import Worker

pytestmark = pytest.mark.usefixtures("fakes")

TOKENS = np.array([[1, 2, 3], [4, 0, 1]])  # (B=2, T=3)


def lengths(*values):
    return np.array(values, np.int32)


@pytest.mark.parametrize("name", ["EchoesLengths", "TakesAnything"])
def test_an_adapter_is_given_the_lengths_and_whole_rows_where_there_are_none(fake_lengths, name):
    with Worker(f"fakes:{name}", fake_lengths) as worker:
        assert worker.run(TOKENS, lengths=lengths(1, 3))[1].h[0, :, 0].tolist() == [1, 3]
        assert worker.run(TOKENS)[1].h[0, :, 0].tolist() == [3, 3]


def test_an_adapter_without_the_argument_is_refused_in_one_line(fake_lengths):
    with pytest.raises(WorkerError, match=r"^runtime 'fakes:Echo' takes no lengths: give it an export .* without"):
        Worker("fakes:Echo", fake_lengths)


def test_an_adapter_without_the_argument_works_as_ever_on_other_exports(fake_export):
    with Worker("fakes:Echo", fake_export) as worker:
        assert worker.run(TOKENS)[1].h[0, :, 0].tolist() == [3, 3]
        with pytest.raises(WorkerError, match=r"^fake/scan-fp32 takes no lengths: export it with --lengths"):
            worker.run(TOKENS, lengths=lengths(1, 3))


@pytest.mark.parametrize(
    ("wrong", "match"),
    [
        (lengths(0, 3), r"lengths must lie in 1\.\.T, here 1\.\.3, not in 0\.\.3"),
        (lengths(1, 4), r"lengths must lie in 1\.\.T, here 1\.\.3, not in 1\.\.4"),
        (lengths(1), r"must be int32 \(2,\), not int32 \(1,\)"),
        (np.array([1, 3]), r"must be int32 \(2,\), not int64 \(2,\)"),
        ([1, 3], r"must be int32 \(2,\), not list"),
    ],
)
def test_wrong_lengths_never_reach_an_adapter(fake_lengths, wrong, match):
    with Worker("fakes:EchoesLengths", fake_lengths) as worker:
        with pytest.raises(WorkerError, match=match):
            worker.run(TOKENS, lengths=wrong)
        worker.run(TOKENS)  # it is still there


@pytest.mark.parametrize("kind", ["score", "decode"])
def test_what_is_timed_runs_with_whole_rows(fake_lengths, kind):
    with Worker("fakes:EchoesLengths", fake_lengths) as worker:
        workload = Workload(kind=kind, batch=2, time=3)
        samples = worker.measure(workload, TOKENS, warmup_s=0, budget_s=0, max_samples=3)
    assert samples.sample_s
