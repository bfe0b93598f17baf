"""Arrays by name, as a graph takes and gives them: checked before they are sent, either way."""

from collections.abc import Mapping
from typing import Any, get_args

import numpy as np
from numpy.typing import NDArray

from lstmbench.errors import WorkerError
from lstmbench.units import mebibytes
from lstmbench.worker import messages, wire
from lstmbench.worker.messages import Array, Dtype

_AROUND_BYTES = 4096  # what a message takes beside the data, and so much again for each array


def pack(arrays: Mapping[str, Any]) -> dict[str, Array]:
    """Pack each under its name.

    TypeError for what no message holds, as text or a list; WorkerError where all do not fit in one.
    """
    for name, array in arrays.items():
        if not isinstance(array, np.ndarray) or array.dtype.name not in get_args(Dtype):
            what = array.dtype if isinstance(array, np.ndarray) else type(array).__name__
            raise TypeError(f"{name} is of type {what}: a worker moves arrays of numbers and of truth values alone")
    need_bytes = _AROUND_BYTES + sum(_AROUND_BYTES + array.nbytes for array in arrays.values())
    if need_bytes > wire.LIMIT_BYTES:
        raise WorkerError(
            f"{', '.join(arrays)} take {mebibytes(need_bytes)}, a worker moves at most {mebibytes(wire.LIMIT_BYTES)} "
            f"a run: take smaller inputs"
        )
    return {name: messages.pack(array) for name, array in arrays.items()}


def unpack(arrays: Mapping[str, Array]) -> dict[str, NDArray[Any]]:
    """Unpack each under its name."""
    return {name: messages.unpack(array) for name, array in arrays.items()}
