"""What a study says of its models: shares, bounds, and the same bytes from the same file."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lstmbench import disk
from lstmbench.records import CorpusInfo, ModelConfig, ModelFolder, Score, Study, StudyRow, TrainConfig
from lstmbench.report import render_study, study_tables
from lstmbench.report.quality import best_floor, qualities, upper_bound

INFO = CorpusInfo(name="te|xt", unit="char", sha256="ab" * 32, characters=4000, tokens=3600)
SEEDS = {"full": (1.00, 1.02, 1.01), "diagonal": (0.98, 0.99, 0.97), "none": (1.00, 1.01, 0.99)}


# seeds that differ by a thousandth or more: the spread is not lost in rounding
THREE = st.lists(st.integers(500, 2000), min_size=3, max_size=3, unique=True).map(lambda ns: [n / 1000 for n in ns])


def score(nats, *, lossless=True):
    bits = nats / math.log(2) if lossless else None
    return Score(nats=nats, perplexity=math.exp(nats), bits_per_character=bits, tokens=190)


def study(make, nats_by_cell=SEEDS, *, lossless=True):
    rows = [
        StudyRow(
            name=f"text-{cell}-seed{seed}",
            folder=ModelFolder(
                model=ModelConfig(head="lm", peephole=cell, input_size=4, hidden_size=8, vocabulary_size=9),
                training=TrainConfig(seed=seed),
                corpus=INFO,
            ),
            parameters=500,
            weights_sha256="cd" * 32,
            test=score(nats, lossless=lossless),
        )
        for cell, seeds in nats_by_cell.items()
        for seed, nats in enumerate(seeds)
    ]
    floor = tuple(score(nats, lossless=lossless) for nats in (2.0, 1.25, 1.5))
    return Study(floor=floor, rows=tuple(rows), machine=make.machine())


def test_shares_are_of_the_best_floor_and_of_the_mean_of_none(make):
    full, diagonal, none = qualities(study(make))
    assert best_floor(study(make))[0] == 2
    assert full.under_floor == pytest.approx(1 - 1.01 / 1.25)
    assert (full.loss, diagonal.loss) == (pytest.approx(0.01), pytest.approx(-0.02))
    assert none.loss is none.loss_bound is None


def test_the_bound_is_welchs(make):
    # by hand: means 1.01 and 1.00, variances 1e-4, so s.e. = √(2e-4/3), 4 degrees of freedom, t(0.95) = 2.1318
    full = qualities(study(make))[0]
    assert full.loss_bound == pytest.approx((0.01 + 2.131847 * np.sqrt(2e-4 / 3)) / 1.0, rel=1e-6)


def test_one_seed_carries_no_bound(make):
    full = qualities(study(make, {"full": (1.0,), "none": (1.0,)}))[0]
    assert full.loss == 0
    assert full.loss_bound is None
    assert "n/a" in study_tables(study(make, {"full": (1.0,), "none": (1.0,)}))[0].rows[0]


def test_the_bound_holds_as_often_as_it_says():
    rng = np.random.default_rng(5)
    held = [upper_bound(rng.normal(1.02, 0.01, 3), rng.normal(1, 0.01, 3)) >= 0.02 for _ in range(1000)]
    # 95 % nominal; the standard error of a share of 1000 is 0.7 points, Welch is exact to about a point here
    assert 0.93 < np.mean(held) < 0.98


@settings(max_examples=30, deadline=None)
@given(nats=THREE, none=THREE)
def test_the_bound_is_never_below_the_loss(nats, none):
    assert upper_bound(nats, none) >= np.mean(nats) / np.mean(none) - 1 - 1e-9


def test_seeds_that_do_not_spread_carry_no_bound():
    assert upper_bound([1.0, 1.0], [0.9, 0.9]) is None


def test_files_are_drawn_from_the_record_alone_and_name_the_machine(make, tmp_path):
    disk.write_record(tmp_path / "study.json", study(make))
    render_study(tmp_path)
    drawn = {name: (tmp_path / name).read_text() for name in ("study.md", "study.csv")}
    assert "Test CPU" in drawn["study.md"]
    assert "| full | 1 | 8 | 500 | 1.4427 | 1.4715 | 1.4571 | 1.4571 | 19.2 % | +1.00 % |" in drawn["study.md"]
    assert "te\\|xt" in drawn["study.md"], "what comes from data stays text"
    assert len(drawn["study.csv"].splitlines()) == 1 + 9
    render_study(tmp_path)
    assert drawn == {name: (tmp_path / name).read_text() for name in drawn}


def test_a_text_of_words_is_told_in_nats(make):
    table = study_tables(study(make, lossless=False))[0]
    assert "nats a token" in table.title
    assert table.rows[0][4] == "1.0100"  # the mean
