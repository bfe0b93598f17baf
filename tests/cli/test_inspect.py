"""`lstmbench inspect` from outside: the page, the JSON, the exit statuses."""

import json
import subprocess
import sys
from pathlib import Path

import onnx
import pytest
from onnx import TensorProto, helper
from typer.testing import CliRunner

from lstmbench import cli

MODELS = Path(__file__).parents[2] / "models"
FULL, DIAGONAL = MODELS / "kjv-full/scan-fp32.onnx", MODELS / "kjv-diagonal/lstm-fp32.onnx"


def run(*arguments, columns=80):
    return CliRunner().invoke(cli.app, ["inspect", *map(str, arguments)], env={"COLUMNS": str(columns)})


@pytest.mark.parametrize("columns", [80, 120])
@pytest.mark.parametrize(("path", "form", "cell"), [(FULL, "scan", "full"), (DIAGONAL, "lstm", "diagonal")])
def test_the_page_of_the_models_in_this_repository(path, form, cell, columns):
    done = run(path, columns=columns)
    assert done.exit_code == 0, done.output
    assert f"form {form}, head lm, cell {cell}, precision fp32" in done.stdout
    assert "state in and out: h_0 → h_n, c_0 → c_n" in done.stdout
    assert max(map(len, done.stdout.splitlines())) <= columns


def test_json_is_one_document_with_all_that_the_page_says():
    told = json.loads(run(FULL, "--json").stdout)
    assert (told["schema"], told["form"], told["cell"]) == ("lstmbench.inspection/1", "scan", "full")
    assert told["inputs"][0] == {"name": "input_ids", "dtype": "int64", "shape": ["B", "T"], "time_axis": 1}
    assert len(told["recurrences"]) == told["num_layers"] == 2


@pytest.mark.parametrize("flags", [(), ("--json",)])
def test_metadata_that_the_graph_contradicts_leaves_with_1(tmp_path, flags):
    proto = onnx.load_model(DIAGONAL)
    for node in proto.graph.node:
        if node.op_type == "LSTM":
            del node.input[7]
    path = tmp_path / "robbed.onnx"
    path.write_bytes(proto.SerializeToString())
    done = run(path, *flags, columns=200)
    assert done.exit_code == 1
    assert "metadata says peephole diagonal, the graph says none (no input P)" in done.stdout


def test_a_folder_is_answered_with_its_files_in_one_line_and_status_2():
    done = run(MODELS / "kjv-full")
    assert (done.exit_code, done.stdout, len(done.stderr.splitlines())) == (2, "", 1)
    assert "scan-fp32.onnx" in done.stderr


def test_neither_torch_nor_onnxruntime_is_loaded():
    code = (
        "import sys; from pathlib import Path; from lstmbench.inspect import inspect\n"
        f"inspect(Path({str(FULL)!r}))\n"
        "print([m for m in ('torch', 'onnxruntime', 'pandas') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.strip() == "[]"


def test_whatever_a_file_holds_the_page_has_an_end(tmp_path):
    """Names, inputs, nodes, warnings and metadata: a thousand of each, a thousand letters long."""
    long = "n" * 1000
    ports = [helper.make_tensor_value_info(f"x{n}{long}", TensorProto.FLOAT, [long]) for n in range(1000)]
    outputs = [helper.make_tensor_value_info(f"y{n}", TensorProto.FLOAT, ["T", 1, 2]) for n in range(1000)]
    nodes = [helper.make_node(f"Op{n}{long}", [ports[n].name], [f"y{n}"], name=long, domain=long) for n in range(1000)]
    graph = helper.make_graph(nodes, long, ports, outputs)
    imports = [helper.make_opsetid(f"{n}{long}", 1) for n in range(100)]
    model = helper.make_model(graph, opset_imports=imports, ir_version=9, producer_name=long * 100)
    helper.set_model_props(model, {f"lstmbench.{n}{long}": long for n in range(1000)})
    path = tmp_path / "endless.onnx"
    path.write_bytes(model.SerializeToString())
    done = run(path)
    assert done.exit_code in {0, 1}, done.output
    assert len(done.output) < 400_000 < path.stat().st_size / 4
    assert "and 1,800 more; --json gives all" in done.output
    assert max(map(len, done.output.splitlines())) < 1_100
