"""Any ONNX file in OpenVINO, and what it tells of the nodes that it runs."""

import re
from collections import Counter
from collections.abc import Mapping
from typing import Any

from numpy.typing import NDArray

from lstmbench.records import Placement

_LAYER = re.compile(r"l[0-9]+\.")  # how nodes of a layer are named
_SEQUENCES = frozenset({"RNNSeq", "RNNCell"})  # the LSTM operator, which loses its name
_NOTHING = frozenset({"Const", "Input", "Output"})
# they move data, or tell no more than what stands around their bodies
_MOVE = frozenset("TensorIterator Loop Reshape Transpose Gather Concatenation Split Reorder Broadcast ShapeOf".split())  # noqa: SIM905
_PRECISIONS = {"f32": "float32", "bf16": "bfloat16", "f16": "float16", "i8": "int8", "u8": "int8"}


class OpenVinoGraph:
    """A graph with its own inputs and outputs."""

    def __init__(self, compiled: Any, *, version: str) -> None:
        self._compiled, self.version = compiled, version

    def run(self, inputs: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
        """Compute all outputs."""
        answer = self._compiled(dict(inputs))
        return {name: answer[output] for output in self._compiled.outputs for name in output.get_names()}

    def request(self, inputs: Mapping[str, Any]) -> Any:
        """One that holds these tensors, to be inferred as often as it is asked."""
        request = self._compiled.create_infer_request()
        for name, tensor in inputs.items():
            request.set_tensor(name, tensor)
        return request

    def placement(self) -> tuple[Placement, ...]:
        """How many nodes of each kind the device runs."""
        return placed(self._compiled)

    def close(self) -> None:
        """Forget the compiled model."""
        del self._compiled


def placed(compiled: Any) -> tuple[Placement, ...]:
    """What its execution graph tells: device, kind of node in OpenVINO's words, precision of those that recur."""
    (device,) = compiled.get_property("EXECUTION_DEVICES")
    kinds = Counter[tuple[str, bool, str]]()
    for node in compiled.get_runtime_model().get_ops():
        told = node.get_rt_info()
        kind, precision = told["layerType"].value, told["runtimePrecision"].value
        if kind in _NOTHING:
            continue
        recurrent = kind in _SEQUENCES or bool(_LAYER.match(node.get_friendly_name()))
        kinds[kind, recurrent, _PRECISIONS.get(precision, "") if recurrent and kind not in _MOVE else ""] += 1
    return tuple(
        Placement(provider=device, operator=kind, nodes=nodes, recurrent=recurrent, precision=precision)
        for (kind, recurrent, precision), nodes in sorted(kinds.items())
    )
