"""`arrivals` from the command line: check, serve, table; and what cannot be asked."""

import os
import subprocess
import sys

import pytest

from lstmbench import disk
from lstmbench.flows.made import made
from lstmbench.records import ArrivalRow, Layers

pytest.importorskip("onnxruntime")
pytest.importorskip("mlperf_loadgen")


def arrivals(cwd, *arguments):
    command = [sys.executable, "-m", "lstmbench", "arrivals", *arguments]
    wide = os.environ | {"COLUMNS": "160"}
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=120, check=False, env=wide)


def test_what_passed_is_served_once_and_a_wrong_flag_serves_nothing(tmp_path):
    made(Layers(peephole=("full",), hidden_size=4), tmp_path / "models", progress=lambda _line: None)
    asked = ("full-4x4", "--runtime", "onnxruntime-cpu", "--time", "3", "--seconds", "0.1", "--out", "run")
    server = (*asked, "--scenario", "server", "--rate", "500", "--within-ms", "100")
    done = arrivals(tmp_path, *server)
    assert done.returncode == 0, done.stderr
    assert "server, 500/s within 100 ms" in done.stdout
    (first,) = disk.read_journal(tmp_path / "run/arrivals.jsonl", ArrivalRow)
    assert len(first.served.latency_s) >= 100
    arrivals(tmp_path, *server)
    assert disk.read_journal(tmp_path / "run/arrivals.jsonl", ArrivalRow) == [first]

    wrong = arrivals(tmp_path, *asked, "--scenario", "server")
    assert (wrong.returncode, len(wrong.stderr.splitlines())) == (2, 1)
    assert "scenario server needs --rate and --within-ms" in wrong.stderr
