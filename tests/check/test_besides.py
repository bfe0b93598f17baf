"""Calls of more rows or steps than the cases have, where they were asked for."""

import pytest

from lstmbench import check as checking
from lstmbench.cli.check import _besides
from lstmbench.cli.check import check as verb
from lstmbench.errors import LstmbenchError

pytest.importorskip("onnxruntime")


def test_without_them_nothing_is_added():
    assert _besides(None, None) == ()


def test_each_is_asked_whole_and_a_step_at_a_time():
    found = _besides([16], [100, 200])
    assert {(work.kind, work.batch, work.time) for work in found if work.kind != "generate"} == {
        (kind, 16, time) for kind in ("score", "decode") for time in (100, 200)
    }
    assert {work.time for work in _besides([16], None)} == {1}


@pytest.mark.usefixtures("plugins")
def test_an_engine_that_goes_wrong_beyond_the_cases_is_seen_there(tiny, tmp_path):
    def check(run, workloads):
        return checking.check(
            [tiny], ["planted:ForgetsAt200"], run=tmp_path / run, workloads=workloads, progress=lambda _line: None
        )

    assert check("cases", ()).passed
    assert not check("besides", _besides(None, [210])).passed


def test_a_file_has_sizes_of_its_own():
    with pytest.raises(LstmbenchError, match="are for exports in model folders"):
        verb(["some.onnx"], time=[100])
