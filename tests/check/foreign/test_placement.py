"""No figure of anybody's file under the name of a provider that did not run its recurrence."""

import pytest

from lstmbench.records import UNTOLD


@pytest.fixture
def path(save, foreign_graphs):
    return save(foreign_graphs.lstm_file(foreign_graphs.Sizes()))


@pytest.mark.parametrize(
    ("name", "where"),
    [
        ("ClaimsCuda", "CPUExecutionProvider"),
        ("WritesStepsOut", "CPUExecutionProvider"),
        ("TellsNothing", UNTOLD),
    ],
)
def test_what_ran_elsewhere_is_refused_without_a_figure(check, path, name, where):
    report = check(path, f"planted_graphs:{name}")
    assert not report.passed
    assert all(row.max_error is None for row in report.rows)
    want = f"nodes that compute ran on {where}, not on CUDAExecutionProvider alone; --allow-mixed takes it, and says so"
    assert {row.reason for row in report.rows} == {want}


def test_allowed_it_is_judged_and_says_where_it_ran(check, path):
    report = check(path, "planted_graphs:ClaimsCuda", allow_mixed=True)
    assert report.passed
    assert {row.engine.strays for row in report.rows} == {("CPUExecutionProvider",)}


def test_what_stands_beside_the_recurrence_may_run_anywhere(check, path):
    (engine,) = {row.engine for row in check(path, "planted_graphs:IsOnCuda").rows}
    assert not engine.strays
    assert [part.precision for part in engine.placement if part.recurrent] == ["float16"]


@pytest.mark.parametrize("form", ["lstm", "scan", "loop", "unrolled3"])
def test_onnxruntime_tells_where_the_recurrence_of_any_file_ran(check, ours, form):
    """Of a file whose nodes are named by others: by their operators, in bodies, or all where no operator recurs."""
    model = ours(head="lm", peephole="diagonal")
    report = check(model.file(form=form, node_name="/model/{}"))
    (engine,) = {row.engine for row in report.rows}
    assert (engine.provider, engine.strays) == ("CPUExecutionProvider", ())
    recurrent = {part.operator: part.precision for part in engine.placement if part.recurrent}
    computes = {"lstm": "LSTM", "scan": "Tanh", "loop": "Tanh", "unrolled3": "Tanh"}[form]
    assert recurrent[computes] == "float32"
    outside = [part for part in engine.placement if not part.recurrent]
    assert bool(outside) == (form != "unrolled3"), "the embedding and the decoder, where it can be told"
