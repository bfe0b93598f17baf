"""State outputs that hold what belongs elsewhere: another layer's or direction's state, h for c, or zeros."""

from collections.abc import Iterator

import numpy as np

from lstmbench.check.differences import judged
from lstmbench.check.differences.box import Answer
from lstmbench.check.differences.isolated import Array, Model, Row
from lstmbench.check.differences.wiring import SWAPPED
from lstmbench.parity import Expected


def exchanged(model: Model, answer: Answer, expected: tuple[Expected, ...]) -> str:
    """What each wrong row of h_n and c_n holds in place of its own; empty where that is not all that is wrong."""
    output, h, c = expected
    if not (model.exported.draws or judged.right(answer.output, output)):
        return ""
    held = []
    for name, got, own in (("h", answer.h, h), ("c", answer.c, c)):
        for row in model.rows:
            if judged.over(got, own)[model.index(row)].any():
                others = list(_holds(model, got[model.index(row)], (h, c)))
                if len(others) != 1:
                    return ""
                held.append((name, row, *others[0]))
    return _words(held)


def _holds(model: Model, got: Array, states: tuple[Expected, Expected]) -> Iterator[tuple[str, Row | None]]:
    """Everything that a row (B, H) may be: the letter of the state and whose it is; nobody's of zeros."""
    if not got.any():
        yield "zeros", None
        return
    for name, e in zip("hc", states, strict=True):
        for row in model.rows:
            if (np.abs(got - e.want[model.index(row)]) <= e.bound).all():
                yield name, row


def _words(held: list[tuple[str, Row, str, Row | None]]) -> str:
    if held and all(row == other and name != letter for name, row, letter, other in held):
        layers = list(dict.fromkeys(row.words for _, row, *_ in held))
        return SWAPPED + (f" in {' and in '.join(layers)}" if len(layers) > 1 else "")
    parts = []
    for state in dict.fromkeys(name for name, *_ in held):
        places = [
            f"{letter if other is None else f'{letter} of {other.words}'} in the place of {row.words}"
            for name, row, letter, other in held
            if name == state
        ]
        parts.append(f"{state}_n holds {' and '.join(places)}")
    return "; ".join(parts)
