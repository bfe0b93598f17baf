"""Where nodes ran, read from ONNX Runtime's profile of one call: for versions and providers that tell no assignment.

ONNX Runtime before 1.24 tells of no node, and the WebGPU provider of none of its own.
"""

import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np

from lstmbench.records import ExportedModel

if TYPE_CHECKING:
    import onnxruntime as ort  # a worker whose engine is of JavaScript reads profiles too, and has none

_RAN = "_kernel_time"  # what the entry of a node that ran is named by, behind its own name


def nodes_that_ran(
    start: "Callable[[ort.SessionOptions], ort.InferenceSession]",
    chosen: "ort.SessionOptions",
    feeds: Mapping[str, Any],
) -> Iterator[tuple[str, str, str]]:
    """Start a session of its own that keeps a profile, run it once -> provider, operator and name of each node."""
    with tempfile.TemporaryDirectory() as folder:
        chosen.enable_profiling = True
        chosen.profile_file_prefix = str(Path(folder) / "profile")
        session = start(chosen)
        session.run(None, dict(feeds))
        written = msgspec.json.decode(Path(session.end_profiling()).read_bytes())
    yield from nodes(written)


def nodes(written: Iterable[Mapping[str, Any]]) -> Iterator[tuple[str, str, str]]:
    """Provider, operator and name of each node that ran, by the entries of a profile."""
    # a body runs once a step
    yield from sorted(
        {_node(entry) for entry in written if entry["name"].endswith(_RAN) and "provider" in entry["args"]}
    )


def smallest_call(exported: ExportedModel) -> dict[str, Any]:
    """Every input of an export by name, at B = 1 and as few steps as it takes; two where any number will do."""
    model, steps = exported.model, exported.steps or 2
    state = np.zeros(model.state_shape(1), np.float32)
    first = {"input_ids": np.zeros((1, steps), np.int64)}
    if model.head == "layer":
        first = {"x": np.zeros((1, steps, model.input_size), np.float32)}
    feeds: dict[str, Any] = {**first, "h_0": state, "c_0": state}
    if exported.record.lengths:
        feeds["lengths"] = np.full(1, steps, np.int32)
    if exported.draws:
        draw = np.full((1, steps), 0.5, np.float32)
        feeds |= {"temperature": np.array(1, np.float32), "top_k": np.array(0), "uniform": draw}
    return feeds


def _node(entry: Mapping[str, Any]) -> tuple[str, str, str]:
    told = entry["args"]
    return told["provider"], told["op_name"], entry["name"].removesuffix(_RAN)
