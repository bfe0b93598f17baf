"""What a mistake is: a function from a case to the outputs of an engine that makes it."""

from collections.abc import Callable
from typing import NamedTuple, TypeAlias

import numpy as np

from lstmbench.evaluator.lstm import Step
from lstmbench.mistakes.case import Case, Outputs, right

Answer: TypeAlias = Callable[[Case], Outputs | None]


class Mistake(NamedTuple):
    """One wrong reading; its name completes the sentence "it is the answer ..."."""

    name: str
    answer: Answer  # None where the case has nothing that could be taken wrongly
    dtype: type[np.floating] | None = None  # what it computes in, where that is the mistake


def of_inputs(name: str, change: Callable[[Case], Case | None]) -> Mistake:
    """A mistake that is the right answer to another question; none where that is the same one."""

    def answer(case: Case) -> Outputs | None:
        asked = change(case)
        return None if asked is None or _same(asked, case) else right(asked)

    return Mistake(name, answer)


def of_outputs(name: str, change: Callable[[Case, Outputs], Outputs | None]) -> Mistake:
    """A mistake with what comes out."""
    return Mistake(name, lambda case: change(case, right(case)))


def of_step(name: str, step: Step, *, applies: Callable[[Case], bool]) -> Mistake:
    """A mistake within a step."""
    return Mistake(name, lambda case: right(case, step=step) if applies(case) else None)


def _same(one: Case, other: Case) -> bool:
    alike = one.how == other.how and one.tensors.keys() == other.tensors.keys()
    return alike and all(np.array_equal(array, other.tensors[name]) for name, array in one.tensors.items())
