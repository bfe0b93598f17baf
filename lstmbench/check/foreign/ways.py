"""Ways to call a graph that must not change its answer; all names are the graph's own."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
Arrays: TypeAlias = Mapping[str, Array]
Run: TypeAlias = Callable[[Arrays], Arrays]  # one call of the graph
Way: TypeAlias = Callable[[Run, Arrays], Arrays]


def whole(run: Run, inputs: Arrays) -> Arrays:
    """One call."""
    return run(inputs)


def cut(
    calls: Sequence[int],
    time: Mapping[str, int],
    outputs: Mapping[str, int],
    states: Sequence[tuple[str, str]],
    lengths: Sequence[str],
) -> Way:
    """So many steps a call, the state carried; `time` and `outputs` say along which axis T is. Rows are of length T."""

    def way(run: Run, inputs: Arrays) -> Arrays:
        given, parts, start = dict(inputs), [], 0
        for steps in calls:
            given |= {name: _steps(inputs[name], axis, start, steps) for name, axis in time.items()}
            given |= {name: np.full_like(inputs[name], steps) for name in lengths}
            parts.append(run(given))
            given |= {before: parts[-1][after].astype(inputs[before].dtype, copy=False) for before, after in states}
            start += steps
        joined = {name: np.concatenate([part[name] for part in parts], axis) for name, axis in outputs.items()}
        return dict(parts[-1]) | joined

    return way


def in_another_order(inputs_of: Mapping[str, int], outputs_of: Mapping[str, int]) -> Way:
    """Every row in the place of the next, after a call in which they are not; `…_of` say along which axis B is."""

    def way(run: Run, inputs: Arrays) -> Arrays:
        run(inputs)
        answer = run(dict(inputs) | {name: np.roll(inputs[name], 1, axis) for name, axis in inputs_of.items()})
        return dict(answer) | {name: np.roll(answer[name], -1, axis) for name, axis in outputs_of.items()}

    return way


def with_others(others: Arrays, keep: Callable[[str, Array], Array]) -> Way:
    """Other inputs in the place of some; of each output what `keep` leaves of it."""

    def way(run: Run, inputs: Arrays) -> Arrays:
        return {name: keep(name, array) for name, array in run(dict(inputs) | dict(others)).items()}

    return way


def all_of_it(name: str, array: Array) -> Array:
    """Keep an output as it is."""
    del name
    return array


def up_to(ends: Array, axes: Mapping[str, tuple[int, int]]) -> Callable[[str, Array], Array]:
    """Zeros behind the end (B,) of each row; `axes`: where B and T are of an output that has both."""
    return partial(_up_to, ends, axes)


def behind(ends: Array, array: Array, axes: tuple[int, int]) -> NDArray[np.bool_]:
    """Which elements lie behind the ends (B,) of the rows; `axes`: where B and T are."""
    found: NDArray[np.bool_] = np.zeros(array.shape, bool)
    rows: Array = np.moveaxis(found, axes, (0, 1))  # the same elements
    steps: int = rows.shape[1]
    rows[np.arange(steps) >= ends[:, None]] = True
    return found


def _up_to(ends: Array, axes: Mapping[str, tuple[int, int]], name: str, array: Array) -> Array:
    return np.where(behind(ends, array, axes[name]), array.dtype.type(0), array) if name in axes else array


def _steps(array: Array, axis: int, start: int, count: int) -> Array:
    return np.ascontiguousarray(array[(slice(None),) * axis + (slice(start, start + count),)])
