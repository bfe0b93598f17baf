"""The same model gives the same bytes in another process, whatever the order in which that one hashes strings."""

import os
import subprocess
import sys

import pytest

pytest.importorskip("onnxruntime")

EVERY_FILE = """
import hashlib, pathlib, sys
from lstmbench.export.nodes import Nodes
from lstmbench.export.serialise import serialise, store
from lstmbench.export.source import of_head
from lstmbench.model import folder

path, aside, planted = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]), sys.argv[3:]
def shuffled(self, *arguments, close=Nodes.graph):
    self._constants = {name: self._constants[name] for name in set(self._constants)}
    return close(self, *arguments)

if planted:  # an order that hashes decide
    Nodes.graph = shuffled
made = folder.read(path)
source = of_head("lm", made.folder.model, made.weights)
forms = ["scan", "loop", "step", "unrolled3"] + ["lstm"] * (made.folder.model.peephole == "diagonal")
for form in forms:
    for precision in ("fp32", "fp16", "int8", "int4", "int4a8")[: 3 if form == "lstm" else 5]:
        for beside in (False, True):
            file = aside / f"{form}-{precision}.onnx"
            store(serialise(source, form, precision, path), file, external_data=beside)
            for written in sorted(aside.iterdir()):
                print(written.name, beside, hashlib.sha256(written.read_bytes()).hexdigest())
                written.unlink()
"""


def sums(path, aside, seed, *planted):
    aside.mkdir()
    environment = {**os.environ, "PYTHONHASHSEED": seed}
    command = [sys.executable, "-c", EVERY_FILE, str(path), str(aside), *planted]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    return done.stdout.splitlines()


@pytest.mark.parametrize("peephole", ["full", "diagonal"])
def test_every_form_and_precision_has_the_same_bytes_in_another_process(model, tmp_path, peephole):
    path = model(peephole, num_layers=2, hidden_size=33, input_size=33)
    one, other = (sums(path, tmp_path / seed, seed) for seed in ("1", "77"))
    assert one == other
    files = 4 * 5 + (3 if peephole == "diagonal" else 0)
    assert len(set(one)) == len(one) == 3 * files  # alone, and a graph with its data


def test_an_order_that_hashes_decide_would_be_seen(model, tmp_path):
    path = model("full")
    assert sums(path, tmp_path / "1", "1", "planted") != sums(path, tmp_path / "77", "77", "planted")
