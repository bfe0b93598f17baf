"""A file of ours that its graph alone cannot be judged by, wherever it lies: held to the model as its exports are."""

import json
import shutil

import numpy as np
import onnx
import pytest
from onnx import numpy_helper
from typer.testing import CliRunner

from lstmbench import cli
from lstmbench.model import folder
from lstmbench.model.weights import random_weights
from lstmbench.records import ModelConfig, ModelFolder

pytest.importorskip("onnxruntime")

CONFIG = ModelConfig(head="lm", peephole="diagonal", input_size=5, hidden_size=6, vocabulary_size=9)
FILES = (("lstm", "int8"), ("scan", "fp16"), ("generate", "fp32"))


def run(*arguments):
    known = ["check", *map(str, arguments), "--runtime", "onnxruntime-cpu"]
    return CliRunner().invoke(cli.app, known, env={"COLUMNS": "100"})


def write(path, config=CONFIG, seed=3):
    folder.write_config(path, ModelFolder(model=config))
    folder.write_weights(path, random_weights(config, seed=seed), folder.WeightsNote(sha256=""))
    return path


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    from lstmbench.export import export

    path = write(tmp_path_factory.mktemp("models") / "tiny")
    for form, precision in (*FILES, ("scan", "fp32")):
        export(path, form=form, precision=precision)
    return path


@pytest.fixture
def taken(model, tmp_path):
    """A file that was taken out of the folder, without its record, perhaps edited."""

    def taken(name, edit=lambda _proto: None):
        proto = onnx.load(model / name)
        edit(proto)
        path = tmp_path / "elsewhere.onnx"
        onnx.save(proto, path)
        return path

    return taken


@pytest.mark.parametrize(("form", "precision"), FILES)
def test_it_is_judged_as_in_the_models_folder(taken, model, form, precision):
    done = run(taken(f"{form}-{precision}.onnx"), "--against", model)
    assert done.exit_code == 0, done.output
    assert "tiny/elsewhere" in done.stdout
    assert ("tokens" if form == "generate" else "logits") in done.stdout
    if precision != "fp32":
        assert "what the precision costs is n/a" in done.stderr, "no text is known of this model"


def test_one_weight_that_was_changed_fails(taken, model):
    def edit(proto):
        bias = next(one for one in proto.graph.initializer if numpy_helper.to_array(one).shape == (9,))
        values = numpy_helper.to_array(bias).copy()
        values[4] += 1
        bias.CopyFrom(numpy_helper.from_array(values, bias.name))

    done = run(taken("lstm-int8.onnx", edit), "--against", model)
    assert done.exit_code == 1
    assert "logits[" in done.stderr


def test_what_it_says_of_its_weights_is_not_believed(taken, tmp_path):
    """The same sizes, other weights: the answer differs, whatever the file says that it was made from."""
    done = run(taken("lstm-int8.onnx"), "--against", write(tmp_path / "other", seed=4))
    assert done.exit_code == 1
    assert "the reference says" in done.stderr


def claims(**told):
    def edit(proto):
        for entry in proto.metadata_props:
            entry.value = told.get(entry.key.removeprefix("lstmbench."), entry.value)

    return edit


def without_its_words(proto):
    del proto.metadata_props[:]


@pytest.mark.parametrize(
    ("edit", "words"),
    [
        (claims(hidden_size="7"), "says that it is of another model than tiny"),
        (claims(precision="int3"), "says of itself what no export of lstmbench says: Invalid enum value 'int3'"),
        (claims(hidden_size="-1"), "says of itself what no export of lstmbench says"),
        (without_its_words, "below it those of 'lstmbench export' can, with --against and their model"),
    ],
)
def test_what_cannot_be_judged_says_why(taken, model, edit, words):
    done = run(taken("lstm-int8.onnx", edit), "--against", model)
    assert done.exit_code == 2, done.output
    (line,) = done.stderr.splitlines()
    assert words in line


def test_a_promise_counts_where_the_record_lies_beside_it(model, tmp_path):
    from lstmbench.flows.ours import as_export

    for name in ("lstm-int8.onnx", "lstm-int8.json"):
        shutil.copy(model / name, tmp_path / name)
    with as_export(tmp_path / "lstm-int8.onnx", model) as exported:
        assert exported.record.verified_with.startswith("onnxruntime-cpu ")
    (tmp_path / "lstm-int8.json").write_text("{}")
    with as_export(tmp_path / "lstm-int8.onnx", model) as exported:
        assert exported.record.verified_with == ""
        assert exported.path.is_file()
    assert not exported.path.exists()


def test_large_tensors_in_a_file_of_their_own_come_along(model, tmp_path):
    from lstmbench.flows.ours import as_export

    proto = onnx.load(model / "scan-fp16.onnx")
    onnx.save(proto, tmp_path / "big.onnx", save_as_external_data=True, location="big.data", size_threshold=200)
    with as_export(tmp_path / "big.onnx", model) as exported:
        assert exported.record.data is not None
        assert (exported.path.parent / "big.data").read_bytes() == (tmp_path / "big.data").read_bytes()
    done = run(tmp_path / "big.onnx", "--against", model)
    assert done.exit_code == 0, done.output


def test_as_json_the_costs_lie_beside_the_rows(model, tmp_path):
    done = run(model / "lstm-int8.onnx", "--against", model, "--json")
    found = json.loads(done.stdout)
    assert set(found) == {"rows", "clearances", "costs"}
    (cost,) = found["costs"]
    assert (cost["model"], cost["runtime"], cost["quality"]) == ("tiny/lstm-int8", "onnxruntime-cpu", None)
    assert cost["source"].startswith("n/a")
    assert np.isfinite([row["max_error"] for row in found["rows"]]).all()


def no_peephole_of_f(proto):
    held = next(one for one in proto.graph.initializer if one.name == "l0.p_f")
    held.CopyFrom(numpy_helper.from_array(np.zeros_like(numpy_helper.to_array(held)), held.name))


def test_a_difference_of_an_edited_file_is_searched(taken, model):
    done = run(taken("scan-fp32.onnx", no_peephole_of_f), "--against", model, "--bisect")
    assert done.exit_code == 1, done.output
    line = done.stdout.splitlines()[-1]
    assert line.startswith("tiny/elsewhere on onnxruntime-cpu: layer 0, gate f, from step 0: peephole missing")


@pytest.mark.parametrize("name", ["scan-fp32.onnx", "lstm-int8.onnx"])
def test_what_is_right_has_no_difference(taken, model, name):
    done = run(taken(name), "--against", model, "--bisect")
    assert done.exit_code == 0, done.output
    assert "tiny/elsewhere on onnxruntime-cpu: no difference found" in done.stdout


def test_a_search_needs_a_file_of_ours_and_its_model(taken, model):
    ours, foreign = "scan-fp32.onnx", without_its_words
    words = "one file of 'lstmbench export' --against its model"
    for arguments in (
        [taken(ours)],
        [taken(ours), "--against", model / ours],
        [taken(ours, foreign), "--against", model],
    ):
        done = run(*arguments, "--bisect")
        assert done.exit_code == 2, done.output
        assert words in done.stderr
    done = run(taken(ours), "--against", model, "--bisect", "--json")
    assert done.exit_code == 2
    assert "--json gives what the cases found" in done.stderr
