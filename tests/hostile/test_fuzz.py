"""A file spoilt at random is read as what it was or refused in one line: nothing else comes of it."""

import resource
import subprocess
import sys
from pathlib import Path

import pytest
from entries import IN_A_WORKER, KINDS, outcome
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

MOST_MIB = 400  # more at the end than at the start: sound files take some KB, what is claimed may take all there is
HOW = {"deadline": None, "suppress_health_check": list(HealthCheck), "derandomize": True, "database": None}


def _pick(data):
    return lambda n: data.draw(st.integers(0, n - 1))


def _peak_mib():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**10


@pytest.mark.parametrize("name", [name for name in KINDS if "reported" not in name])
def test_a_spoilt_file_is_read_as_it_was_or_refused_in_one_line(base, tmp_path, name):
    before = _peak_mib()

    @settings(max_examples=25 if KINDS[name].compared else 8, **HOW)  # a check takes some tenths of a second
    @given(data=st.data())
    def spoilt(data):
        outcome(KINDS[name], base, tmp_path / "tried", _pick(data))

    spoilt()
    assert _peak_mib() - before < MOST_MIB


@pytest.mark.parametrize("name", [name for name in KINDS if "reported" in name])
def test_a_spoilt_run_is_reported_or_refused_in_one_line(base, tmp_path, name):
    @settings(max_examples=6, **HOW)
    @given(data=st.data())
    def spoilt(data):
        outcome(KINDS[name], base, tmp_path / "tried", _pick(data))

    spoilt()


def test_a_spoilt_graph_takes_no_more_than_its_worker_down(base, tmp_path):
    @settings(max_examples=4, **HOW)
    @given(data=st.data())
    def spoilt(data):
        outcome(IN_A_WORKER, base, tmp_path / "tried", _pick(data))

    spoilt()


@pytest.mark.slow
def test_the_study_tries_every_kind_and_finds_nothing_else():
    study = [sys.executable, str(Path(__file__).parent / "study.py"), "--seconds", "25", "--seed", "5000"]
    done = subprocess.run(study, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    assert all(name in done.stdout for name in KINDS)
