import sys
from pathlib import Path

import numpy as np
import onnx
import onnx_ir as ir
import pytest

from lstmbench.check.foreign import check_file, judge, oracle
from lstmbench.export import graph
from lstmbench.export.source import of_head
from lstmbench.inspect import carried
from lstmbench.model import folder
from lstmbench.model.weights import expected_shapes, random_weights
from lstmbench.records import ModelConfig, ModelFolder

sys.path.insert(0, str(Path(__file__).parents[2]))

from inline_worker import Inline


@pytest.fixture
def plugins(monkeypatch):
    """`planted_graphs` can be imported, here and in a worker's child."""
    here = str(Path(__file__).parent)
    monkeypatch.syspath_prepend(here)
    monkeypatch.setenv("PYTHONPATH", here)


@pytest.fixture
def inline(plugins, monkeypatch):
    """Workers run in this process, which keeps its memory."""
    for module in (judge, oracle):
        monkeypatch.setattr(module, "GraphWorker", Inline)


@pytest.fixture
def check(inline):
    """Check a file without processes."""

    def check(path, *runtimes, **options):
        known = {"progress": lambda _: None, "recognise": carried} | options
        return check_file(path, runtimes or ("onnxruntime-cpu",), **known)

    return check


@pytest.fixture
def save(tmp_path):
    """Write a model to a file of this name."""

    def save(model, name="foreign.onnx"):
        path = tmp_path / name
        path.write_bytes(model.SerializeToString())
        return path

    return save


class Ours:
    """A model folder with random weights, and its exports under whatever names."""

    def __init__(self, path, save, *, gain=1.0, **sizes):
        self.path, self.save = path, save
        self.config = ModelConfig(**{"head": "lm", "peephole": "full", "input_size": 5, "hidden_size": 6} | sizes)
        self.weights = random_weights(self.config, seed=4, gain=gain)
        folder.write_config(path, ModelFolder(model=self.config))
        folder.write_weights(path, self.weights, folder.WeightsNote(sha256=""))

    def file(
        self, *, form="scan", head=None, names=(), lengths=False, weights=None, name="foreign.onnx", node_name="{}"
    ):
        """Export, rename nodes, inputs and outputs, and turn both lists around."""
        head = head or self.config.head
        config = self.config if head == self.config.head else self.config.layers_only()
        held = {n: (weights or self.weights)[n] for n in expected_shapes(config)}
        model = graph.build(of_head(head, config, held, lengths=lengths), form)
        for value in (*model.graph.inputs, *model.graph.outputs):
            value.name = dict(names).get(value.name, value.name)
        for node in model.graph.all_nodes():
            node.name = node_name.format(f"n{id(node)}" if node_name != "{}" else node.name)
        proto = ir.to_proto(model)
        for ports in (proto.graph.input, proto.graph.output):
            turned = [onnx.ValueInfoProto.FromString(port.SerializeToString()) for port in reversed(ports)]
            del ports[:]
            ports.extend(turned)
        return self.save(proto, name)


@pytest.fixture
def ours(tmp_path, save):
    """Make a model folder."""

    def ours(name="tiny", **sizes):
        sizes = {"vocabulary_size": 9 if sizes.get("head", "lm") == "lm" else 0} | sizes
        return Ours(tmp_path / name, save, **sizes)

    return ours


@pytest.fixture
def change():
    """A copy of the weights with one tensor's elements changed."""

    def change(weights, name, by=1e-3):
        held = dict(weights)
        held[name] = held[name] + np.float32(by)
        return held

    return change
