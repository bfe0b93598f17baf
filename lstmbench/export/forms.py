"""Which graph forms there are, and which cells each can hold."""

import re

from lstmbench.errors import ExportError
from lstmbench.records import Head, Peephole, steps_of

_UNROLLED = re.compile(r"unrolled[1-9][0-9]{0,3}")
MOST_STEPS = 1024  # of an unrolled graph: a dozen nodes each
_ALL: tuple[Peephole, ...] = ("full", "diagonal", "none")
_CELLS: dict[str, tuple[Peephole, ...]] = {
    "lstm": ("diagonal", "none"),
    "scan": _ALL,
    "loop": _ALL,
    "step": _ALL,
    "unrolledN": _ALL,
    "generate": _ALL,
}
_BY_STEPS = ("step", "unrolledN", "generate")  # a call is a number of steps that the file holds, or that it draws


def forms_of(peephole: Peephole, *, attention: bool = False) -> list[str]:
    """The forms that can hold a cell, the one to prefer first; `unrolledN` stands for any N up to MOST_STEPS.

    With `attention` those that take a whole sequence.
    """
    held = [form for form, cells in _CELLS.items() if peephole in cells]
    return [form for form in held if not attention or form not in _BY_STEPS]


def default_form(peephole: Peephole) -> str:
    """`lstm` where the operator can hold the cell, else `scan`."""
    return forms_of(peephole)[0]


def demand_form(peephole: Peephole, form: str, *, attention: bool = False) -> None:
    """ExportError, saying why and what to take instead, if there is no such form or it cannot hold the cell.

    Or if a call of it is no whole sequence, and `attention` is to read the past states of one.
    """
    kind = "unrolledN" if _UNROLLED.fullmatch(form) else form
    if kind not in _CELLS or form == "unrolledN":
        raise ExportError(f"no form {form!r}; there are {', '.join(_CELLS)}; unrolledN holds N steps, e.g. unrolled16")
    if peephole not in _CELLS[kind]:
        raise ExportError(
            f"form {form!r} cannot hold the cell {peephole!r}: ONNX's LSTM operator knows diagonal peepholes only; "
            f"take form {_either(forms_of(peephole, attention=attention))}"
        )
    if attention and kind in _BY_STEPS:
        raise ExportError(
            f"form {form!r} goes a step or a fixed number of steps at a time, and attention reads the past states of a "
            f"whole sequence in one call: take form {_either(forms_of(peephole, attention=True))}"
        )
    if (steps_of(form) or 1) > MOST_STEPS:
        raise ExportError(f"form {form!r} would hold a dozen nodes a step: take at most {MOST_STEPS}, or form 'scan'")


def demand_tokens(head: Head, form: str) -> None:
    """ExportError if the form draws tokens and the head has none."""
    if form == "generate" and head != "lm":
        raise ExportError("form 'generate' draws tokens, bare layers have none: take head 'lm' or another form")


def demand_lengths(peephole: Peephole, form: str) -> None:
    """ExportError if a call of the form has no rows of unequal length."""
    if form == "generate":
        raise ExportError("form 'generate' draws as many tokens for every row: export it without lengths")
    if form == "step" or steps_of(form) == 1:
        able = _either([name for name in forms_of(peephole) if name not in ("step", "generate")])
        raise ExportError(
            f"form {form!r} runs one step a call, which every row has: export it without lengths, or take form {able}"
        )


def _either(words: list[str]) -> str:
    return f"{', '.join(words[:-1])} or {words[-1]}"
