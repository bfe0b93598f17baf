"""Arrays as they go to an engine in JavaScript and back; `tensors.mjs` says how."""

import json
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lstmbench.errors import WorkerError

_TYPES = frozenset({"int64", "int32", "float32"})


def encode(inputs: Mapping[str, NDArray[Any]], **besides: bool) -> bytes:
    """Arrays by name, and what its head says besides -> a message; WorkerError for a type unknown there."""
    arrays = {name: np.ascontiguousarray(array) for name, array in inputs.items()}
    heads = [[name, _named(array), list(array.shape), array.nbytes] for name, array in arrays.items()]
    head = json.dumps({"arrays": heads, **besides}).encode()
    return b"".join([len(head).to_bytes(4, "little"), head, *(array.tobytes() for array in arrays.values())])


def decode(read: Callable[[int], bytes], engine: str) -> dict[str, NDArray[Any]]:
    """A message, by as many bytes at a time -> arrays by name; WorkerError with what the engine said it failed of."""
    head = json.loads(read(int.from_bytes(read(4), "little")))
    if "error" in head:
        raise WorkerError(f"{engine}: {' '.join(head['error'].split())}")
    return {
        name: np.frombuffer(bytearray(read(size)), np.dtype(kind)).reshape(shape)
        for name, kind, shape, size in head["arrays"]
    }


def _named(array: NDArray[Any]) -> str:
    if array.dtype.name not in _TYPES:
        raise WorkerError(f"an input is {array.dtype}: only {', '.join(sorted(_TYPES))} can be sent to JavaScript")
    return array.dtype.name
