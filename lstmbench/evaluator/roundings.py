"""How many roundings follow one another in an operator that is neither a product of matrices nor a plain function.

Such an operator computes where it reads, or a factor, in float32: what that is off by grows with the sizes, and no run
of ours in another order of summation shows it.
"""

import math
from collections.abc import Mapping
from typing import Any

from onnx.reference.op_run import OpRun

_TAPS = {"linear": 2, "cubic": 4}


def roundings(node: OpRun, results: Mapping[str, Any]) -> int:
    """Of one node that was run; 0 where products are counted as they are taken, or a function rounds once."""
    given, made = ([getattr(results.get(name), "shape", ()) for name in names] for names in (node.input, node.output))
    if not given or not made:
        return 0
    if node.op_type in {"Resize", "Upsample"}:
        return _of_resize(str(getattr(node, "mode", "")), given[0], made[0])
    if node.op_type in {"DFT", "STFT"}:
        # an angle 2π·k·n/N is off by as many roundings as there are turns, N at most: as a walk, N²
        return int(max(0, *made[0], *given[0])) ** 2
    return 0


def _of_resize(mode: str, given: tuple[int, ...], made: tuple[int, ...]) -> int:
    """The terms of a sum; and a place of up to L, off by L roundings of 1, times a slope of what lies there: L²."""
    taps = _TAPS.get(mode.removeprefix("bi"))
    resized = [size for size, other in zip(given, made, strict=False) if size != other]
    return 0 if taps is None or not resized else math.prod([taps] * len(resized)) + max(resized) ** 2
