"""How Node.js is talked to, with an engine of tests; and the real one where its environment is at hand."""

import json
import shutil

import numpy as np
import pytest

from lstmbench import environments
from lstmbench.conformance import promises
from lstmbench.errors import RuntimeMissingError, WorkerError
from lstmbench.runtimes.node_session import NodeSession

node = pytest.mark.skipif(not shutil.which("node"), reason="no Node.js here")
ENGINE = """
class Tensor { constructor(type, data, dims) { Object.assign(this, { type, data, dims }) } }
const InferenceSession = { async create(file, options) {
  if (file.endsWith("bad")) throw new Error("no such\\noperator");
  console.log("x".repeat(1e5));
  return { async run(feeds) {
    if (feeds.end) process.exit(3);
    return { ...feeds, threads: new Tensor("int32", Int32Array.of(options.intraOpNumThreads), [1]) };
  } };
} };
module.exports = { Tensor, InferenceSession };
"""


@pytest.fixture
def folder(tmp_path):
    package = tmp_path / "node_modules" / "onnxruntime-node"
    package.mkdir(parents=True)
    (package / "package.json").write_text(json.dumps({"name": "onnxruntime-node", "main": "index.cjs"}))
    (package / "index.cjs").write_text(ENGINE)
    return tmp_path


@node
def test_arrays_come_back_as_they_were_sent_whatever_is_printed(folder, capfd):
    session = NodeSession(folder, folder / "good", threads=2, version="1")
    sent = {
        "x": np.arange(6, dtype=np.float32).reshape(2, 3).T,
        "ids": np.array([[2**40, -1]]),
        "lengths": np.array([1, 2], np.int32),
    }
    for _ in range(2):
        got = session.run(sent)
        assert got.pop("threads").tolist() == [2]
        assert all(np.array_equal(got[name], array) and got[name].dtype == array.dtype for name, array in sent.items())
    assert session.placement() == ()
    session.close()
    assert session._process.returncode == 0


@node
def test_what_does_not_load_is_one_line(folder):
    with pytest.raises(WorkerError, match="onnxruntime-node 1: no such operator"):
        NodeSession(folder, folder / "bad", threads=1, version="1")


@node
def test_a_process_that_ends_is_told_with_its_status(folder):
    session = NodeSession(folder, folder / "good", threads=1, version="1")
    with pytest.raises(WorkerError, match="ended with status 3"):
        session.run({"end": np.zeros(1, np.float32)})
    session.close()


def test_without_node_one_line_says_what_to_install(folder, monkeypatch):
    monkeypatch.setenv("PATH", str(folder))
    with pytest.raises(RuntimeMissingError, match=r"it needs Node.js: apt-get install nodejs"):
        NodeSession(folder, folder / "good", threads=1, version="1")


@node
def test_what_it_has_no_name_for_is_not_sent(folder):
    session = NodeSession(folder, folder / "good", threads=1, version="1")
    with pytest.raises(WorkerError, match="an input is float64"):
        session.run({"x": np.zeros(1)})
    session.close()


def test_the_real_one_is_right_where_it_is_at_hand(tmp_path):
    pytest.importorskip("onnxruntime")  # what an export is proved with
    try:
        environments.choose("onnxruntime-node")
    except RuntimeMissingError as error:
        pytest.skip(str(error))
    from lstmbench.flows.conform import _subject

    assert not promises.state(_subject(tmp_path, "onnxruntime-node", "scan", 60))
