"""Names for the arrays that flow between the parts; apart from the records, so that those load without NumPy.

Shapes: B batch, T time, E input, H hidden, L layers, D directions, V vocabulary.
"""

from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

Tokens: TypeAlias = NDArray[np.int64]  # (B, T)
Floats: TypeAlias = NDArray[np.float32]
Lengths: TypeAlias = NDArray[np.int32]  # (B,), of each row, 1 to T
Weights: TypeAlias = dict[str, Floats]


class State(NamedTuple):
    """Hidden and cell state, each (D·L, B, H)."""

    h: Floats
    c: Floats
