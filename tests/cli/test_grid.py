"""`bench --grid`: layers of the grid's own from the command line to the tables."""

import os
import subprocess
import sys

import pytest

pytest.importorskip("onnxruntime")
MINE = """
[[workloads]]
batch = [1]
time = [3]
layer = { peephole = ["full"], hidden_size = 4 }
"""


def bench(cwd, *arguments):
    command = [sys.executable, "-m", "lstmbench", "bench", *arguments]
    return subprocess.run(
        command, cwd=cwd, capture_output=True, text=True, timeout=120, check=False, env=os.environ | {"COLUMNS": "118"}
    )


def test_a_grid_of_ones_own_makes_its_layers_and_times_them(tmp_path):
    (tmp_path / "mine.toml").write_text(MINE)
    quick = ("--runtime", "onnxruntime-cpu", "--seconds", "0.01", "--processes", "1", "--out", "run")
    done = bench(tmp_path, "--grid", "mine.toml", *quick)
    assert done.returncode == 0, done.stderr
    assert "full-4x4/layer-scan · onnxruntime-cpu" in done.stdout
    assert sorted(path.name for path in tmp_path.iterdir()) == ["mine.toml", "run"]
    assert (tmp_path / "run/models/full-4x4/layer-scan-fp32.onnx").is_file()


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("--grid", "huge"), "there is no grid 'huge': give quick, lm, deepbench, or a file that ends with .toml"),
        (("kjv-full", "--grid", "deepbench"), "grid deepbench makes its own layers: give no model with it"),
        (("--grid", "lm", "--batch", "1", "--time", "2"), "give --batch and --time, or a --grid, not both"),
        (("--grid", "lm", "--batch", "1"), "give --batch and --time together, or a named --grid"),
    ],
)
def test_what_cannot_be_is_one_line(tmp_path, arguments, says):
    done = bench(tmp_path, *arguments)
    assert (done.returncode, done.stderr) == (2, f"lstmbench: {says}\n")
    assert not list(tmp_path.iterdir())
