"""What long runs found, as a sheet, a figure and a terminal's table."""

import pytest
from typer.testing import CliRunner

from lstmbench import disk
from lstmbench.cli import app
from lstmbench.errors import RecordError
from lstmbench.records import DriftRow
from lstmbench.report import axes, drift, drift_table, figures, look, panels, render_drift
from lstmbench.runfolder import DRIFT, MACHINE


def rows(of, *, steps=(1, 10, 100, 1000), error=1e-6, lyapunov=-0.1, against="file"):
    known = {"subject": of, "steps": max(steps), "batch": 4, "against": against, "lyapunov": lyapunov}
    return [
        DriftRow(output=output, step=step, max_error=error * step, median_error=error, **known)
        for step in steps
        for output in ("logits", "h", "c")
    ]


def test_a_line_is_one_output_of_one_subject_in_the_order_of_the_graph(make):
    lines = drift.drift_lines(rows(make.subject()) + rows(make.subject("torch")))
    assert [(line.subject.runtime, line.output) for line in lines] == [
        (runtime, output) for runtime in ("numpy", "torch") for output in ("logits", "h", "c")
    ]
    assert [lines[0].at(step) for step in drift.STEPS] == ["1.0e-6", "1.0e-5", "1.0e-4", "1.0e-3", "n/a"]


def test_the_longest_run_is_shown_and_a_step_is_that_at_which_a_call_ended(make):
    lines = drift.drift_lines(rows(make.subject(), steps=(1, 5)) + rows(make.subject(), steps=(16, 112)))
    assert [lines[0].at(step) for step in (1, 10, 100, 1000)] == ["1.6e-5", "1.6e-5", "1.1e-4", "n/a"]


def test_chaos_and_what_is_not_finite_are_said_in_words(make):
    (line, *_) = drift.drift_lines(rows(make.subject(), lyapunov=0.2))
    assert drift.sheet([line]).rows[0].values[-1] == "YES, λ +0.200"
    broken = [
        row.__class__(**{**{f: getattr(row, f) for f in row.__struct_fields__}, "max_error": None})
        for row in rows(make.subject())
    ]
    assert drift.drift_lines(broken)[0].at(10) == "not finite"


def test_rounded_and_trained_references_have_lines_of_their_own_in_the_panels_of_their_export(make):
    both = rows(make.subject()) + rows(make.subject(), against="trained")
    lines = drift.drift_lines(both)
    (figure,) = figures.drift_figures(lines, look.look(line.subject for line in lines))
    assert len(figure.panels) == 3
    assert all("beside the trained" in panel.body for panel in figure.panels)
    assert [row[1] for row in drift_table(both).rows][3:] == ["logits, trained", "h, trained", "c, trained"]


@pytest.mark.parametrize("error", [0.0, None])
def test_a_run_without_any_error_can_be_drawn(make, error):
    given = [
        row.__class__(**{**{f: getattr(row, f) for f in row.__struct_fields__}, "max_error": error})
        for row in rows(make.subject())
    ]
    lines = drift.drift_lines(given)
    drawn = list(figures.drift_figures(lines, look.look(line.subject for line in lines)))
    assert len(drawn) == (error is not None)


def test_every_export_has_a_row_of_panels_and_lines_that_coincide_differ_in_dash_and_point(make):
    subjects = [make.subject(runtime, cell) for cell in ("full", "diagonal") for runtime in ("numpy", "torch")]
    lines = drift.drift_lines(row for subject in subjects for row in rows(subject))
    (figure,) = figures.drift_figures(lines, look.look(line.subject for line in lines))
    assert len(figure.panels) == 6
    for panel in figure.panels:
        assert "stroke-dasharray" in panel.body
        assert panel.body.count("numpy 2") == panel.body.count("torch 2")


@pytest.mark.parametrize("ends", [(2.1e-6, 2.6e-6), (1e-6, 4e-6), (1e-9, 1e-2), (2.5e-6, 1.2e-5)])
def test_no_two_ticks_have_one_label(ends):
    axis = axes.log_axis(ends)
    kind = panels._number_format(axis)
    digits = int(kind[1 : kind.index("~")])
    assert len({f"{tick:.{digits}e}" for tick in axis.ticks}) == len(axis.ticks) > 1


@pytest.fixture
def alone(make, tmp_path):
    """A run that holds long runs and nothing else."""
    disk.write_record(tmp_path / MACHINE, make.machine())
    disk.write_journal(tmp_path / DRIFT, rows(make.subject()) + rows(make.subject("torch")))
    return tmp_path


def test_a_run_of_drift_alone_gets_its_chart_and_table_by_report(alone):
    assert CliRunner().invoke(app, ["report", str(alone)]).exit_code == 0
    assert {path.name for path in (alone / "charts").iterdir()} == {"drift.svg", "drift.png"}
    page = (alone / "drift.md").read_text()
    assert "![Drift: error over a long run](charts/drift.png)" in page
    assert "numpy" in page
    before = {path: path.read_bytes() for path in alone.rglob("*.*") if path.is_file()}
    render_drift(alone)
    assert before == {path: path.read_bytes() for path in before}


def test_a_run_of_drift_without_a_whole_row_is_one_line(alone):
    (alone / DRIFT).write_bytes(b"")
    with pytest.raises(RecordError, match=r"holds no whole line of drift\.jsonl yet"):
        render_drift(alone)
