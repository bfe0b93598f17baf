"""Pairs that took turns: what is slower is told, what is the same is not, and what cannot be told is said to be so."""

import json

import numpy as np
import pytest
from msgspec.structs import replace

from lstmbench.report import changes, frames, render
from lstmbench.report.baseline import Limit, judge, partners
from lstmbench.report.kept_changes import keep
from lstmbench.report.raw import Raw

pytest.importorskip("scipy")


def rows(make, of, factor=1.0, *, jitter=0.002, seed=0, twin=False, processes=12, shared=0.0, **case):
    """Processes that differ by so much, all slower by a factor; `shared`: what befell each pass as a whole."""
    own = np.random.default_rng(seed).normal(scale=jitter, size=processes)
    whole = np.random.default_rng(99).normal(scale=shared, size=processes)
    times = 1e-3 * factor * np.exp(own + whole)
    return [replace(make.measured(of, 60, process=n, median_s=s, **case), twin=twin) for n, s in enumerate(times)]


@pytest.fixture
def run(make):
    """A run of one export and the kept one of its name, slower by a factor now, with a twin."""

    def run(factor=1.0, *, limits=(), twin=1.0, **options):
        kept = make.subject("numpy", model="baseline/kjv-full/scan-fp32", model_sha256="cd" * 32)
        now = make.subject("numpy")
        measured = [
            *rows(make, kept, seed=1, **options),
            *rows(make, now, factor, seed=2, **options),
            *rows(make, now, factor * twin, seed=3, twin=True, **options),
        ]
        parity = make.vouching([row for of in (kept, now) for row in make.checked(of)], measured)
        return judge(Raw(make.machine(), tuple(parity), tuple(measured)), limits)

    return run


P50 = Limit(0.5, 0.05)


@pytest.mark.parametrize(
    ("factor", "verdict", "over"),
    [
        (1.0, "tie", False),
        (1.02, "slower", False),
        (1.2, "slower", True),
        (1 / 1.2, "faster", False),
    ],
)
def test_a_planted_factor_is_told(run, factor, verdict, over):
    (change,) = run(factor, limits=[P50])
    assert (change.verdict, change.over) == (verdict, over)
    assert change.seen.ratio == pytest.approx(factor, rel=0.01)


def test_what_befalls_a_whole_pass_befalls_both(run):
    (change,) = run(1.05, shared=0.3)
    assert change.verdict == "slower"


def test_where_processes_differ_by_more_it_cannot_be_told(run):
    (change,) = run(1.05, jitter=0.1, limits=[P50])
    assert (change.verdict, change.over) == ("cannot tell", None)


def test_a_slowdown_that_may_be_within_its_limit_breaks_none(run):
    """Six per cent, known to a per cent or two: slower for sure, over five perhaps."""
    (change,) = run(1.055, jitter=0.01, limits=[P50])
    assert (change.verdict, change.over) == ("slower", None)


def test_nothing_finer_than_the_same_thing_twice_is_told(run):
    (change,) = run(1.02, twin=1.03)
    assert change.verdict == "tie"
    assert change.floor > 0.029


def test_five_passes_tell_nothing(run):
    (change,) = run(2.0, processes=5, limits=[P50])
    assert (change.seen, change.verdict, change.over) == (None, "cannot tell", None)


def test_a_quantile_that_the_samples_do_not_carry_is_not_told(run):
    median, tail = run(2.0, limits=[Limit(0.99, 0.1)])
    assert (median.verdict, median.over) == ("slower", None)
    assert (tail.seen, tail.verdict, tail.over) == (None, "cannot tell", None)


def test_a_higher_quantile_is_told_by_itself(run):
    _, high = run(1.2, limits=[Limit(0.9, 0.1)])
    assert (high.q, high.verdict, high.over) == (0.9, "slower", True)


@pytest.mark.parametrize(
    ("named", "over"),
    [(Limit(0.5, 0.3, "score"), False), (Limit(0.5, 0.3, "numpy"), False), (Limit(0.5, 0.3, "decode"), True)],
    ids=str,
)
def test_a_limit_by_name_takes_the_place_of_that_for_all(run, named, over):
    (change,) = run(1.2, limits=[P50, named])
    assert change.over is over


def test_many_pairs_at_once_widen_each_interval(make):
    """Alone it is told; among fifty it might be chance."""

    def verdicts(count):
        kept = make.subject("numpy", model="baseline/kjv-full/scan-fp32")
        now = make.subject("numpy")
        measured = []
        for time in range(1, count + 1):
            measured += rows(make, kept, seed=3 * time, jitter=0.01, time=time)
            measured += rows(make, now, 1.025 if time == 1 else 1.0, seed=3 * time + 1, jitter=0.01, time=time)
        parity = make.vouching([row for of in (kept, now) for row in make.checked(of)], measured)
        return [change.verdict for change in judge(Raw(make.machine(), tuple(parity), tuple(measured)))]

    assert verdicts(1) == ["slower"]
    assert set(verdicts(50)) <= {"tie", "cannot tell"}


@pytest.mark.parametrize(
    ("before", "after", "pairs"),
    [
        (["a/scan-fp32"], ["a/scan-fp32", "a/scan-int8"], {"a/scan-fp32": "a/scan-fp32"}),
        (["a/scan-fp32"], ["a/lstm-fp32"], {"a/lstm-fp32": "a/scan-fp32"}),
        (["a/scan", "a/loop"], ["a/scan", "a/lstm"], {"a/scan": "a/scan", "a/lstm": "a/loop"}),
        (["a/scan-fp32", "a/loop-fp32"], ["a/lstm-fp32"], {}),
        (["a/scan-fp32"], ["b/scan-fp32"], {}),
    ],
)
def test_pairs_are_of_one_name_or_the_last_of_one_model(before, after, pairs):
    assert partners(before, after) == pairs


def test_words_say_what_was_told_and_what_was_not(run):
    judged = run(1.2, limits=[P50, Limit(0.99, 0.1)])
    title, heads, (median, tail) = changes.table(judged)
    assert title == "Time over the baseline's, taken in turn on numpy"
    assert heads == ("export", "workload", "change", "99 % interval", "verdict")
    assert median[:2] == ("kjv-full/scan", "score 1×16 p50")
    assert median[4] == "slower"
    assert tail == ("kjv-full/scan", "score 1×16 p99", "n/a", "n/a", "cannot tell")
    assert changes.summary(judged).startswith(
        "1 slower, 1 cannot tell; intervals hold together at 99 %; the same thing "
    )
    assert changes.sentence(judged[0]).startswith("FAILED: kjv-full/scan on numpy, score 1×16, p50: slower by +")
    assert "(none of 5 % or more)" in changes.summary(run(limits=[P50]))


def test_what_was_told_is_in_a_file_a_table_a_frame_and_on_the_page(make, run, tmp_path):
    judged = run(1.2, limits=[P50])
    folder = make.write(
        tmp_path / "run", parity_rows=make.checked(make.subject()), measurements=[make.measured(make.subject())]
    )
    keep(folder, judged, make.machine().fingerprint)
    render(folder)
    assert [line["verdict"] for line in map(json.loads, (folder / "baseline.jsonl").read_text().splitlines())] == [
        "slower"
    ]
    found = frames(folder)["baseline"].iloc[0]
    assert (found["verdict"], found["over"], found["limit"]) == ("slower", True, 0.05)
    assert found["ratio"] == pytest.approx(1.2, rel=0.03)
    assert len((folder / "baseline.csv").read_text().splitlines()) == 2
    assert "slower, over the limit" in (folder / "report.md").read_text()
    assert "slower, over the limit" in (folder / "index.html").read_text()
    made_again = make.subject(model_sha256="ef" * 32, runtime_version="2.0.0")
    make.write(folder, parity_rows=make.checked(made_again), measurements=[make.measured(made_again)])
    assert frames(folder)["baseline"].empty
