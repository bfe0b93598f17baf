"""What becomes of a case: one row for each output, compared or never answered."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from msgspec.structs import replace

from lstmbench import parity
from lstmbench.check.case import Case
from lstmbench.check.question import Question
from lstmbench.parity import Expected
from lstmbench.records import Asked, ParityRow, Start, Subject

_START: dict[Start, str] = {
    "random": "a random state",
    "none": "no state",
    "zeros": "a state of zeros",
    "h alone": "a state whose c is zero",
    "c alone": "a state whose h is zero",
    "large": "a large state",
}
_ASKED: dict[Asked, str] = {
    "plain": "",
    "steps": "each call a row that starts from the reference's state",
    "permuted": " with the rows in another order",
    "padded": " with something else behind the rows' ends",
    "again": " after a call with another state",
    "vocabulary": "each token of the vocabulary once",
}


def judged(subject: Subject, case: Case, question: Question, answer: Sequence[Any]) -> tuple[ParityRow, ...]:
    """Compare the head's own output, h_n and c_n with what they must be."""
    rows = []
    for expected, got in zip(question.expected, answer, strict=True):
        verdict = _verdict(case, question, expected, got)
        rows.append(_row(subject, case, expected, **verdict._asdict()))
    return tuple(rows)


def _verdict(case: Case, question: Question, expected: Expected, got: Any) -> parity.Verdict:
    if expected.name == parity.TOKENS and case.decoding and question.uniform is not None:
        return parity.compare_draws(got, expected, question.uniform, case.decoding)
    bound, judged, columns = expected.bound, expected.judged, expected.columns
    return parity.compare(got, expected.want, name=expected.name, bound=bound, judged=judged, columns=columns)


def looking(rows: Sequence[ParityRow], words: str) -> tuple[ParityRow, ...]:
    """The rows of a case, those that failed with what the answer looks like, if that can be told."""
    if not words:
        return tuple(rows)
    return tuple(row if row.passed else replace(row, reason=f"{row.reason}; {words}") for row in rows)


def unanswered(subject: Subject, case: Case, question: Question, reason: str) -> tuple[ParityRow, ...]:
    """What is left of a case by a runtime that did not load, crashed, hung or refused."""
    return tuple(_row(subject, case, expected, max_error=None, reason=reason) for expected in question.expected)


def first_failure(rows: Sequence[ParityRow]) -> str:
    """The first reason among the rows of a case, with the case; empty if all passed."""
    for row in rows:
        if not row.passed:
            return f"failed the check at (B={row.batch}, T={row.time}), {manner(row)}: {row.reason}"
    return ""


def manner(row: ParityRow) -> str:
    """How a case asks, in words."""
    calls = "one call" if len(row.chunks) == 1 else f"{len(row.chunks)} calls"
    ends = f", rows of {min(row.lengths)} to {max(row.lengths)} steps" if row.lengths else ""
    if row.asked == "vocabulary":
        return f"{_ASKED[row.asked]}, from token {row.first_token} on{_drawing(row)}"
    if row.asked == "steps":
        return f"{_ASKED['steps']}{ends}{_drawing(row)}"
    return f"{calls} from {_START[row.state]}{_ASKED[row.asked]}{ends}{_drawing(row)}"


def _drawing(row: ParityRow) -> str:
    if row.decoding is None:
        return ""
    temperature, top_k = row.decoding.temperature, row.decoding.top_k
    return f", drawing at temperature {temperature:g} from {f'the top {top_k}' if top_k else 'all'}"


def _row(subject: Subject, case: Case, expected: Expected, **found: Any) -> ParityRow:
    return ParityRow(
        subject=subject,
        **case._asdict(),
        output=expected.name,
        float32_error=_storable(expected.float32_error),
        bound=_storable(expected.bound),
        unjudged_steps=0 if expected.judged is None else case.time - expected.judged,
        **found,
    )


def _storable(value: float) -> float:
    """JSON has no infinity: where float32 cannot hold a model's numbers, its largest number stands for it."""
    return value if math.isfinite(value) else float(np.finfo(np.float32).max)
