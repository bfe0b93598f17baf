"""The worker on another Python: the parent's own source, and nothing else of the parent's path."""

import sys
from pathlib import Path

from lstmbench.environments import Chosen
from lstmbench.worker import child
from lstmbench.worker.messages import Meet, Met
from lstmbench.worker.talk import Talk


def test_it_is_isolated_and_runs_our_own_source():
    command = child._command_of(Path("/cache/bin/python"))
    assert command[:2] == ["/cache/bin/python", "-I"]
    assert Path(command[2]) == Path(child.__file__).with_name("abroad.py")


def test_no_variable_of_ours_reaches_it(tmp_path, monkeypatch):
    (tmp_path / "numpy.py").write_text("raise ImportError('not the one we mean')\n")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    with Talk("numpy", threads=1, timeout_s=60, chosen=Chosen("numpy", python=Path(sys.executable))) as talk:
        met = talk.ask(Meet(runtime="numpy"), Met, doing="starting", timeout_s=60)
    assert met.version
    assert (met.device, met.lacks) == ("", "")
