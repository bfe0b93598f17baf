"""Two runs: what was changed is held against what was not."""

import msgspec
import numpy as np
import pytest

from lstmbench.errors import RecordError
from lstmbench.report.comparison import compare
from lstmbench.report.raw import Raw

pytest.importorskip("scipy")
replace = msgspec.structs.replace
SIZES = [(batch, time) for batch in (1, 4, 16) for time in (16, 64)]


def run(make, seed, *, shift=1.0, noise=0.01, runtimes=("numpy", "torch"), version="1.2.3", new=1.0, sizes=SIZES):
    """Runtimes that never change, and onnxruntime-cpu in some version that takes so many times as long."""
    rng, measured = np.random.default_rng(seed), []
    for name in (*runtimes, "onnxruntime-cpu"):
        of = make.subject(name)
        of = replace(of, runtime_version=version) if name == "onnxruntime-cpu" else of
        for batch, time in sizes:
            own = shift * np.exp(noise * rng.normal()) * (new if name == "onnxruntime-cpu" else 1.0)
            measured += [
                make.measured(of, 60, process=n, batch=batch, time=time, median_s=1e-3 * own, seed=rng.integers(2**31))
                for n in range(6)
            ]
    subjects = dict.fromkeys(row.subject for row in measured)
    parity = make.vouching([row for of in subjects for row in make.checked(of)], measured)
    return Raw(make.machine(), tuple(parity), tuple(measured))


def verdicts(changes):
    return {change.verdict for change in changes if change.pair.changed}


def test_a_version_that_is_slower_is_found_though_the_whole_day_was_slower(make):
    changes = compare(run(make, 1), run(make, 2, shift=1.3, version="2.0.0", new=1.25))
    assert verdicts(changes) == {"slower"}
    found = [change.ratio for change in changes if change.pair.changed]
    assert found == pytest.approx([1.25] * 6, rel=0.05)
    assert {change.pair.changed for change in changes} == {"", "1.2.3 → 2.0.0"}


def test_a_slow_day_alone_is_no_change(make):
    assert verdicts(compare(run(make, 1), run(make, 2, shift=1.3, version="2.0.0"))) == {"tie"}


def test_a_faster_one_is_found(make):
    assert verdicts(compare(run(make, 1), run(make, 2, version="2.0.0", new=0.8))) == {"faster"}


def test_what_sessions_differ_by_hides_a_small_change(make):
    changes = compare(run(make, 1, noise=0.1), run(make, 2, noise=0.1, version="2.0.0", new=1.05))
    assert verdicts(changes) == {"tie"}


def test_equal_versions_are_called_different_no_more_often_than_promised(make):
    """Six changed pairs a comparison, one in a hundred comparisons may name one."""
    wrong = 0
    for seed in range(60):
        changes = compare(run(make, 2 * seed), run(make, 2 * seed + 1, version="2.0.0"))
        wrong += verdicts(changes) != {"tie"}
    assert wrong <= 3


def test_too_few_controls_cannot_tell(make):
    changes = compare(run(make, 1, runtimes=()), run(make, 2, runtimes=(), version="2.0.0", new=2.0))
    assert verdicts(changes) == {"cannot tell"}
    assert {change.low for change in changes} == {None}


def test_new_code_and_other_placement_are_changes_too(make):
    one = run(make, 1)
    code = [replace(row, subject=replace(row.subject, code_sha256="ef" * 32)) for row in one.measurements]
    parity = [replace(row, subject=replace(row.subject, code_sha256="ef" * 32)) for row in one.parity]
    changes = compare(one, one._replace(measurements=tuple(code), parity=tuple(parity)))
    assert {change.pair.changed for change in changes} == {"the adapter's code"}


def other(run, **changes):
    measured = [replace(row, subject=replace(row.subject, **changes)) for row in run.measurements]
    parity = [replace(row, subject=replace(row.subject, **changes)) for row in run.parity]
    return run._replace(measurements=tuple(measured), parity=tuple(parity))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"model_sha256": "12" * 32}, "no files of the one are in the other"),
        ({"threads": 2}, "no threads of the one are in the other"),
    ],
)
def test_runs_with_nothing_in_common_say_what_differs(make, changes, message):
    one = run(make, 1)
    with pytest.raises(RecordError, match=message):
        compare(one, other(one, **changes))


def test_other_shapes_and_other_machines_are_refused(make):
    one = run(make, 1)
    with pytest.raises(RecordError, match="no workloads of the one"):
        compare(one, run(make, 2, sizes=[(2, 2)]))
    elsewhere = replace(one.machine, cpu="another")
    with pytest.raises(RecordError, match="the runs are of two machines"):
        compare(one, one._replace(machine=elsewhere))


def test_what_is_not_vouched_for_is_not_compared(make):
    one = run(make, 1)
    with pytest.raises(RecordError, match="timed nothing whose output passed"):
        compare(one, one._replace(parity=()))
