"""What of an output counts: the check's own horizon, behind which two right runs of a chaotic cell part."""

import numpy as np

from lstmbench.check.differences.isolated import Array
from lstmbench.parity import Expected


def over(got: Array, expected: Expected) -> Array:
    """Where an output is wrong: out of its bound in the steps that are judged, not finite in any."""
    wrong: Array = ~(np.abs(got - expected.want) <= expected.bound)
    if expected.judged is not None:
        behind = (slice(None),) * expected.time_axis + (slice(expected.judged, None),)
        wrong[behind] = ~np.isfinite(got[behind])
    return wrong


def right(got: Array, expected: Expected) -> bool:
    """Whether an output is of the shape that it must have, and nowhere wrong."""
    return got.shape == expected.want.shape and not over(got, expected).any()
