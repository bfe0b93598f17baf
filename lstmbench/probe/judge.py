"""Answers beside what the operator gives: right, or wrong, and if so which mistake they are the answer of."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import chain
from typing import NamedTuple

import numpy as np

from lstmbench.mistakes import MISTAKES, OUTPUTS, Array, Mistake, Outputs, both, distance
from lstmbench.probe.question import Call, Question
from lstmbench.probe.tolerance import tolerances
from lstmbench.records import ProbeError

Answer = Mapping[str, Array]


class Judged(NamedTuple):
    """The fields of a `ProbeRow` that an answer decides."""

    errors: tuple[ProbeError, ...]
    reason: str  # of the output that is off most; empty where all are right
    resembles: str


def judge(question: Question, answers: Sequence[Answer]) -> Judged:
    """Judge the answers to the first calls, or to all."""
    found = [
        _output(question, call, name, n, answer)
        for call, answer in zip(question.calls, answers, strict=False)
        for n, name in enumerate(OUTPUTS)
    ]
    errors = tuple(error for error, _ in found)
    wrong = [(error, reason) for error, reason in found if not error.passed]
    if not wrong:
        return Judged(errors, "", "")
    _, reason = max(wrong, key=lambda pair: _share(pair[0]))
    return Judged(errors, reason, _resembles(question, answers))


def _output(question: Question, call: Call, name: str, n: int, answer: Answer) -> tuple[ProbeError, str]:
    want, tolerance, (batch, time) = call.right[n], call.tolerances[n], call.size
    max_error, reason = _off(name, answer.get(name), want, question.dtype, tolerance)
    where = f" at B={batch}, T={time}" if len(question.calls) > 1 and reason else ""
    error = ProbeError(batch=batch, time=time, output=name, max_error=max_error, tolerance=tolerance)
    return error, f"{reason}{where}"


def _off(
    name: str, got: Array | None, want: Array, dtype: "np.dtype[np.generic]", tolerance: float
) -> tuple[float | None, str]:
    if got is None:
        return None, f"{name} is not given"
    if got.shape != want.shape or got.dtype != dtype:
        return None, f"{name} is {got.dtype} {got.shape}, the operator gives {dtype} {want.shape}"
    off = np.abs(got.astype(np.float64) - want)
    if not off.size:
        return 0.0, ""
    at = np.unravel_index(int(np.where(np.isfinite(off), off, np.inf).argmax()), off.shape)
    value = f"{name}{[int(i) for i in at]} is {got[at]:.7g}, the operator gives {want[at]:.7g}"
    if not np.isfinite(off).all():
        return None, value
    worst = float(off.max())
    return worst, "" if worst <= tolerance else f"{value}: off by {worst:.1e}, allowed {tolerance:.1e}"


def _resembles(question: Question, answers: Sequence[Answer]) -> str:
    """The first mistake that gives these very answers, or the first two; empty where none do."""
    return next((mistake.name for mistake in chain(MISTAKES, _pairs()) if _is_of(mistake, question, answers)), "")


def _pairs() -> Iterator[Mistake]:
    """Something is left out, and then another mistake is made."""
    lacking = [mistake for mistake in MISTAKES if mistake.change is not None and mistake.name.startswith("without ")]
    return (both(first, second) for first in lacking for second in MISTAKES if first is not second)


def _is_of(mistake: Mistake, question: Question, answers: Sequence[Answer]) -> bool:
    bears = False
    for call, answer in zip(question.calls, answers, strict=False):
        wrong = mistake.answer(call.case)
        bears = bears or wrong is not None
        # who computes in another type is off by the rounding of that type
        allowed = tolerances(call.case.into(mistake.dtype)) if mistake.dtype else call.tolerances
        if not _agrees(answer, call.right if wrong is None else wrong, allowed, question.dtype):
            return False
    return bears


def _agrees(
    answer: Answer, outputs: Outputs, tolerances_: tuple[float, float, float], dtype: "np.dtype[np.generic]"
) -> bool:
    for name, want, tolerance in zip(OUTPUTS, outputs, tolerances_, strict=True):
        got = answer.get(name)
        if got is None or got.shape != want.shape or got.dtype != dtype:
            return False
        if not distance(got, want) <= tolerance:  # NaN agrees with nothing
            return False
    return True


def _share(error: ProbeError) -> float:
    return float("inf") if error.max_error is None else error.max_error / error.tolerance
