"""What is told apart, what is a tie, and that the same thing twice is one."""

import numpy as np
import pytest

from lstmbench.records import Measurement
from lstmbench.report.noise import noise, ranked
from lstmbench.samples import cases, difference

replace = pytest.importorskip("msgspec").structs.replace


def rows(make, of, factor=1.0, *, jitter=0.01, seed=0, twin=False, processes=8) -> list[Measurement]:
    """Processes whose medians differ by so much, one of them slower by a factor."""
    shifts = np.random.default_rng(seed).normal(scale=jitter, size=processes)
    made = [make.measured(of, 60, process=n, median_s=1e-3 * factor * np.exp(s)) for n, s in enumerate(shifts)]
    return [replace(row, twin=twin) for row in made]


def lines(make, *groups):
    measured = [row for group in groups for row in group]
    subjects = dict.fromkeys(row.subject for row in measured)
    parity = make.vouching([row for of in subjects for row in make.checked(of)], measured)
    found, floor = ranked(measured, parity)
    return {line.subject.runtime: line for line in found}, floor


def test_equal_cases_tie_and_a_slower_one_is_told_by_how_much(make):
    a, b, c = (make.subject(name) for name in ("numpy", "torch", "onnxruntime-cpu"))
    found, _ = lines(make, rows(make, a), rows(make, b, seed=1), rows(make, c, 1.2, seed=2))
    assert [found[name].tied for name in ("numpy", "torch", "onnxruntime-cpu")] == [True, True, False]
    assert found["onnxruntime-cpu"].to_fastest == pytest.approx(1.2, rel=0.03)


def test_who_is_alone_at_the_top_is_no_tie(make):
    found, _ = lines(make, rows(make, make.subject("numpy")), rows(make, make.subject("torch"), 2.0, seed=1))
    assert (found["numpy"].to_fastest, found["numpy"].tied) == (1.0, False)


def test_rows_of_two_regions_are_held_against_those_of_their_own(make):
    """Else what leaves its copies out would beat the same runtime, and every other."""
    of, other = make.subject("numpy"), make.subject("torch")
    compute = replace(rows(make, of)[0].workload, region="compute")
    inside = [replace(row, workload=compute) for row in rows(make, of, 0.5, seed=1)]
    measured = [*rows(make, of), *rows(make, other, 1.3, seed=2), *inside]
    found, _ = ranked(measured, make.vouching([*make.checked(of), *make.checked(other)], measured))
    placed = {(line.subject.runtime, line.region): (line.to_fastest or 0) > 1 for line in found}
    assert placed == {("numpy", "end-to-end"): False, ("torch", "end-to-end"): True, ("numpy", "compute"): False}


def test_a_difference_within_that_of_a_twin_is_a_tie(make):
    """The two differ in every process alike, so the interval tells them apart; the twin shows what that is worth."""
    a, b = make.subject("numpy"), make.subject("torch")
    pair = (rows(make, a), rows(make, b, 1.05))
    assert not lines(make, *pair)[0]["torch"].tied
    found, floor = lines(make, *pair, rows(make, a, 1.06, twin=True))
    assert found["torch"].tied
    assert floor.largest == pytest.approx(0.06, rel=1e-4)
    assert floor.least >= floor.largest
    assert floor.told_apart == 1


def test_a_refused_row_is_nobodys_fastest(make):
    a, b = make.subject("numpy"), make.subject("torch")
    measured = [*rows(make, a, 0.5), *rows(make, b)]
    parity = [make.parity(a, error=1.0, reason=make.out_of_bound), *make.checked(a)[1:], *make.checked(b)]
    found, _ = ranked(measured, make.vouching(parity, measured))
    assert [line.to_fastest for line in found if not line.refused] == [1.0]


@pytest.mark.parametrize("processes", [1, 5])
def test_too_few_processes_tell_nothing(make, processes):
    some = [rows(make, make.subject(name), processes=processes) for name in ("numpy", "torch")]
    found, floor = lines(make, *some, rows(make, make.subject("numpy"), twin=True, processes=processes))
    assert {(line.to_fastest, line.tied) for line in found.values()} == {(None, None)}
    assert (floor.pairs, floor.least) == (0, None)


def test_processes_of_different_commands_took_no_turns(make):
    one, other = (cases(rows(make, make.subject(name)))[0] for name in ("numpy", "torch"))
    later = replace(other.timings[0].session, at="2026-02-03T00:00:00+00:00")
    moved = other._replace(timings=tuple(replace(timing, session=later) for timing in other.timings))
    assert difference(one, other)
    assert difference(one, moved) is None


def test_equal_cases_are_called_different_once_in_a_hundred_times_at_most(make):
    """Processes of a heavy-tailed kind: one in ten is slower by a fifth."""
    rng, of = np.random.default_rng(5), make.subject()
    (case,) = cases(rows(make, of))
    told = 0
    for _ in range(2000):
        a, b = (_with_medians(case, 1e-3 * (1 + 0.01 * rng.random(8) + 0.2 * (rng.random(8) < 0.1))) for _ in range(2))
        told += difference(a, b).told
    assert told <= 30


def test_a_planted_two_percent_is_found_in_nine_of_ten_where_processes_differ_by_half_of_one(make):
    rng, of = np.random.default_rng(6), make.subject()
    (case,) = cases(rows(make, of))
    told = 0
    for _ in range(500):
        a, b = (_with_medians(case, 1e-3 * slow * np.exp(0.005 * rng.normal(size=8))) for slow in (1.02, 1.0))
        told += difference(a, b).told
    assert told > 450


def _with_medians(case, medians_s):
    timings = [
        replace(t, sample_s=(s,), start_s=(0.0,), rounds=(1,)) for t, s in zip(case.timings, medians_s, strict=True)
    ]
    return case._replace(timings=tuple(timings))


def test_noise_of_nothing_is_unknown():
    assert noise([]).least is None


def test_rows_of_another_session_have_a_fastest_of_their_own(make):
    """They took no turns with the others, which nothing can be said of beside them."""

    def later(rows):
        return [
            replace(row, timing=replace(row.timing, session=replace(row.timing.session, at="later"))) for row in rows
        ]

    a, b, c, d = (make.subject(name) for name in ("numpy", "torch", "onnxruntime-cpu", "another"))
    found, _ = lines(
        make, rows(make, a), rows(make, b, 2.0, seed=1), later(rows(make, c, 10.0)), later(rows(make, d, 20.0))
    )
    assert found["torch"].to_fastest == pytest.approx(2, rel=0.05)
    assert found["another"].to_fastest == pytest.approx(2, rel=0.05)
    assert (found["numpy"].to_fastest, found["onnxruntime-cpu"].to_fastest) == (1, 1)
