"""Scan and Loop, with all directions and axes; `onnx.reference` refuses them in Scan and stacks Loop's outputs amiss.

Source: the specifications of operators Scan (version 9 and later) and Loop, domain ai.onnx. A Loop that is not at its
end after MOST_S seconds is given up: a count or a condition that comes from anywhere may never end it.
"""

import time
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from onnx.reference.op_run import OpRun

Array = NDArray[Any]
MOST_S = 30.0  # of one Loop, however often it is asked to go round


class Scan(OpRun):
    """States, then what is scanned -> last states, then what was stacked."""

    def need_context(self) -> bool:
        """A body sees the values around it."""
        return True

    def _run(
        self, *given: Array, context: Mapping[str, Any], body: Any, num_scan_inputs: int, **told: Any
    ) -> tuple[Array, ...]:
        states, scanned = list(given[: len(given) - num_scan_inputs]), given[len(given) - num_scan_inputs :]
        backwards = _each(told, "scan_input_directions", num_scan_inputs)
        axes = _each(told, "scan_input_axes", num_scan_inputs)
        rows = [_rows(array, axis, back) for array, axis, back in zip(scanned, axes, backwards, strict=True)]
        if len({len(row) for row in rows}) != 1:
            raise ValueError(f"Scan takes sequences of one length, not of {[len(row) for row in rows]}")
        stacked: list[list[Array]] = [[] for _ in body.output_names[len(states) :]]
        for step in zip(*rows, strict=True):
            outputs = body.run(None, {**context, **dict(zip(body.input_names, (*states, *step), strict=True))})
            for kept, output in zip(stacked, outputs[len(states) :], strict=True):
                kept.append(output)
            states = outputs[: len(states)]
        return (*states, *_stack(stacked, told))


def _each(told: Mapping[str, Any], name: str, count: int) -> list[int]:
    """One number for each input or output; zeros if none are given."""
    return list(told.get(name) or [0] * count)


def _rows(array: Array, axis: int, backwards: int) -> Array:
    rows = np.moveaxis(array, axis, 0)
    return rows[::-1] if backwards else rows


def _stack(stacked: Sequence[list[Array]], told: Mapping[str, Any]) -> list[Array]:
    backwards = _each(told, "scan_output_directions", len(stacked))
    axes = _each(told, "scan_output_axes", len(stacked))
    if not all(stacked):
        raise ValueError("Scan over no steps: what it stacks has no shape")
    return [
        np.stack(kept[::-1] if back else kept, axis) for kept, axis, back in zip(stacked, axes, backwards, strict=True)
    ]


class Loop(OpRun):
    """Trip count, condition, carried values -> last carried values, then what was stacked."""

    def need_context(self) -> bool:
        """A body sees the values around it."""
        return True

    def _run(
        self,
        count: Array | None,
        going: Array | None,
        *carried: Array,
        context: Mapping[str, Any],
        body: Any,
        **_: Any,
    ) -> tuple[Array, ...]:
        states, number, ends_s = list(carried), 0, time.monotonic() + MOST_S
        going = np.array(True) if going is None else going  # noqa: FBT003 (NumPy's signature)
        stacked: list[list[Array]] = [[] for _ in body.output_names[1 + len(states) :]]
        while going.all() and (count is None or number < int(count.item())):
            given = (np.array(number, np.int64), going, *states)
            going, *outputs = body.run(None, {**context, **dict(zip(body.input_names, given, strict=True))})
            states = outputs[: len(states)]
            for kept, output in zip(stacked, outputs[len(states) :], strict=True):
                kept.append(output)
            number += 1
            if time.monotonic() > ends_s:
                name = self.onnx_node.name or self.onnx_node.output[0]
                raise TimeoutError(f"node {name!r} (Loop) took {number:,} steps in {MOST_S:g} s and is not at its end")
        return (*states, *_stack(stacked, {}))
