"""The study's counts as a table, and an exit status that says whether the promises are kept."""

import pytest
import typer

from lstmbench.cli.selftest import selftest
from lstmbench.flows import detection
from lstmbench.flows.detection import ALL_RULES, OURS
from lstmbench.report.detection import PLANTED, Rate

pytest.importorskip("pandas")


def rates(**ours):
    """Every rule finds everything and calls nothing else, but for what ours did of what was planted."""
    return [
        Rate(busy, rule, planted, ours.get(f"by{planted}", 1000 * bool(planted)) if rule == OURS else 0, 1000)
        for busy in (False, True)
        for rule in ALL_RULES
        for planted in PLANTED
    ]


def test_kept_promises_are_said(monkeypatch, tmp_path, capsys):
    monkeypatch.setenv("COLUMNS", "100")
    monkeypatch.setattr(detection, "study", lambda *_what, **_how: rates(by0=10, by2=900, by5=990))
    selftest(out=tmp_path, study=1000)
    shown = capsys.readouterr().out
    assert "every promise is kept" in shown
    assert shown.count(OURS) == 2
    assert "1.7 %" in shown  # of 10 in 1,000, at most


@pytest.mark.parametrize("wrong", [{"by0": 11}, {"by2": 899}, {"by5": 989}])
def test_a_broken_one_is_exit_status_1(monkeypatch, tmp_path, capsys, wrong):
    monkeypatch.setattr(detection, "study", lambda *_what, **_how: rates(**wrong))
    with pytest.raises(typer.Exit) as ended:
        selftest(out=tmp_path, study=1000)
    assert ended.value.exit_code == 1
    assert "FAILED: 2 of 6 promises" in capsys.readouterr().out
