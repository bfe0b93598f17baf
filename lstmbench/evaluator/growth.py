"""What a graph makes of what it is given may be of any size: a node is refused by its name before it takes it all.

An array that is too large is refused when it is there, so memory is to be limited besides, as the process does in which
graphs are evaluated. Resize takes some 10 µs a number and is asked before.
"""

import functools
import math
from collections.abc import Callable
from typing import Any

import numpy as np
import onnx
from onnx.reference.op_run import OpRun

from lstmbench.errors import GraphError
from lstmbench.evaluator.supported import named
from lstmbench.evaluator.walk import tensors

_LEAST, _TIMES = 2**26, 4  # numbers in one array: 512 MiB in float64, or some times the largest that the file holds
MOST_RESIZED = 2**20
_RESIZE = ("Resize", "Upsample")


def most_numbers(model: onnx.ModelProto) -> int:
    """How many numbers an array may have that the graph makes."""
    return max(_LEAST, _TIMES * max((math.prod(tensor.dims) for tensor in tensors(model)), default=0))


def watch(node: OpRun, most: int) -> None:
    """Let a node of `onnx.reference` raise GraphError where what it makes is larger."""
    vars(node)["run"] = functools.partial(_run, node, node.run, most)


def _run(node: OpRun, run: Callable[..., Any], most: int, *inputs: Any, **given: Any) -> Any:
    if node.onnx_node.op_type in _RESIZE:
        _demand(node, _resized(inputs), MOST_RESIZED)
    outputs = run(*inputs, **given)
    for output in outputs:
        _demand(node, float(getattr(output, "size", 0)), most)
    return outputs


def _demand(node: OpRun, count: float, most: int) -> None:
    if count > most:
        raise GraphError(
            f"{named(node.onnx_node)} makes an array of {count:,.0f} numbers: at most {most:,} are evaluated"
        )


def _resized(inputs: tuple[Any, ...]) -> float:
    """How many numbers come out, by the last input that says so: scales of axes, or sizes; 0 where none does."""
    told = [np.asarray(one) for one in inputs[1:] if one is not None and np.size(one)]
    counts = float(np.prod(np.abs(told[-1].astype(np.float64)))) if told else 0.0
    return counts if told and told[-1].dtype.kind in "iu" else counts * np.size(inputs[0])
