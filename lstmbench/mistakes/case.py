"""One call of the LSTM operator: its inputs by the names of the specification, and its attributes."""

from typing import Any, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from lstmbench.evaluator import Attributes, lstm, one_step
from lstmbench.evaluator.lstm import Step

Array: TypeAlias = NDArray[Any]
Outputs: TypeAlias = tuple[Array, Array, Array]  # Y, Y_h, Y_c
OUTPUTS = ("Y", "Y_h", "Y_c")


class Case(NamedTuple):
    """What a node is given; an input that is left out is not in `tensors`."""

    tensors: dict[str, Array]  # X, W, R, B, sequence_lens, initial_h, initial_c, P
    how: Attributes = Attributes()

    def has(self, *names: str) -> bool:
        """Whether all of these inputs are given."""
        return all(name in self.tensors for name in names)

    def but(self, **tensors: Array) -> "Case":
        """The same with other tensors."""
        return self._replace(tensors=self.tensors | tensors)

    def without(self, *names: str) -> "Case":
        """The same with these inputs left out."""
        return self._replace(tensors={n: a for n, a in self.tensors.items() if n not in names})

    def told(self, **attributes: Any) -> "Case":
        """The same with other attributes."""
        return self._replace(how=self.how._replace(**attributes))

    def into(self, dtype: type[np.floating]) -> "Case":
        """The same with every float in this type."""
        floats = {n: a.astype(dtype) for n, a in self.tensors.items() if n != "sequence_lens"}
        return self.but(**floats)

    @property
    def hidden(self) -> int:
        """H."""
        return int(self.tensors["R"].shape[2])

    @property
    def directions(self) -> int:
        """D."""
        return len(self.tensors["W"])


def distance(got: Array, want: Array) -> float:
    """The largest difference of two arrays of one shape; 0 where they are empty, NaN where one holds it."""
    return float(np.abs(got.astype(np.float64) - want).max(initial=0.0))


def right(case: Case, *, step: Step = one_step) -> Outputs:
    """What the operator gives, in float64; with another `step`, what an engine gives that has its step wrong."""
    return run(case.into(np.float64), step=step)


def run(case: Case, *, step: Step = one_step) -> Outputs:
    """The same in the type of the tensors."""
    return lstm(**case.tensors, how=case.how, step=step)
