"""What a mistake is: a function from a case to the outputs of an engine that makes it."""

from collections.abc import Callable
from typing import NamedTuple, TypeAlias

import numpy as np

from lstmbench.evaluator.lstm import Step
from lstmbench.mistakes.case import Case, Outputs, right

Answer: TypeAlias = Callable[[Case], Outputs | None]
Change: TypeAlias = Callable[[Case], Case | None]


class Mistake(NamedTuple):
    """One wrong reading; its name completes the sentence "it is the answer ..."."""

    name: str
    answer: Answer  # None where the case has nothing that could be taken wrongly
    dtype: type[np.floating] | None = None  # what it computes in, where that is the mistake
    change: Change | None = None  # where it is the right answer to another question: which


def both(first: Mistake, second: Mistake) -> Mistake:
    """An engine that makes two; the first must be one that has a `change`."""
    assert first.change is not None
    change = first.change

    def answer(case: Case) -> Outputs | None:
        asked = change(case)
        return None if asked is None else second.answer(asked)

    return Mistake(f"{first.name}, {second.name}", answer, second.dtype)


def of_inputs(name: str, change: Change) -> Mistake:
    """A mistake that is the right answer to another question; none where that is the same one."""

    def asked(case: Case) -> Case | None:
        other = change(case)
        return None if other is None or _same(other, case) else other

    def answer(case: Case) -> Outputs | None:
        other = asked(case)
        return None if other is None else right(other)

    return Mistake(name, answer, change=asked)


def of_outputs(name: str, change: Callable[[Case, Outputs], Outputs | None]) -> Mistake:
    """A mistake with what comes out."""
    return Mistake(name, lambda case: change(case, right(case)))


def of_step(name: str, step: Step, *, applies: Callable[[Case], bool]) -> Mistake:
    """A mistake within a step."""
    return Mistake(name, lambda case: right(case, step=step) if applies(case) else None)


def _same(one: Case, other: Case) -> bool:
    alike = one.how == other.how and one.tensors.keys() == other.tensors.keys()
    return alike and all(np.array_equal(array, other.tensors[name]) for name, array in one.tensors.items())
