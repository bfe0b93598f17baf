"""A row that is wrong among others and right alone: from how many rows a call on."""

from lstmbench.arrays import State
from lstmbench.check.differences.box import Box
from lstmbench.check.differences.isolated import Model
from lstmbench.check.differences.steps import Wrong, judge


def least_rows(box: Box, model: Model, wrong: Wrong) -> int | None:
    """By bisection, the smallest call that is wrong; None where the row is wrong alone too."""
    rows = [wrong.here, *(n for n in range(len(wrong.inputs)) if n != wrong.here)]

    def is_wrong(count: int) -> bool:
        some = rows[:count]
        inputs, state = wrong.inputs[some], State(*(array[:, some] for array in wrong.state))
        return bool(judge(model, inputs, state, box.step(inputs, state)))

    if len(rows) == 1 or is_wrong(1):
        return None
    right, many = 1, len(rows)
    while many - right > 1:
        middle = (right + many) // 2
        right, many = (right, middle) if is_wrong(middle) else (middle, many)
    return many
