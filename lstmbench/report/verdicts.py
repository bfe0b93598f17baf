"""What the check said: one line per subject and output, and one standing per subject."""

import math
from collections.abc import Iterable, Sequence
from itertools import groupby
from typing import NamedTuple

from lstmbench.plain import plain
from lstmbench.records import ParityRow, Subject
from lstmbench.report import subjects
from lstmbench.report.subjects import SubjectColumns

_OUTPUTS = ("logits", "tokens", "y", "h_n", "c_n")  # the order of the graph
PASSED, FAILED, REPORTED = "within bound", "FAILED", "reported, not judged"


class ParityLine(NamedTuple):
    """The worst run of one output: a failed one if there is one, else the judged one with the largest error."""

    subject: SubjectColumns
    output: str
    runs: int  # shapes and ways to ask
    not_judged: int  # of these, only reported: the cell is chaotic there, and its single steps are judged instead
    max_error: float | None
    float32_error: float
    bound: float
    error_to_bound: float | None  # the largest share of a bound over all runs
    batch: int
    time: int
    chunks: str
    state: str
    asked: str
    worst_index: str
    got: float | None
    want: float | None
    verdict: str
    reason: str


class Standing(NamedTuple):
    """What parity says of one subject as a whole, to be put beside its speed."""

    max_error: float | None
    error_to_bound: float | None
    refused: str  # why its speed is not shown; empty when every output is within its bound


UNCHECKED = Standing(None, None, "not checked: parity.jsonl holds no output of this export on this runtime there")


def parity_lines(rows: Iterable[ParityRow]) -> list[ParityLine]:
    """One line per subject and output, subjects in the order of their names."""
    ordered = sorted(rows, key=_key)
    return [_line(list(group)) for _, group in groupby(ordered, key=_key)]


def standings(rows: Iterable[ParityRow]) -> dict[Subject, Standing]:
    """What parity says of each identity that was checked: the same file, runtime, version and threads."""
    grouped: dict[Subject, list[ParityRow]] = {}
    for row in rows:
        grouped.setdefault(row.subject.identity, []).append(row)
    return {subject: _standing(group) for subject, group in grouped.items()}


def _key(row: ParityRow) -> tuple[object, ...]:
    known = _OUTPUTS.index(row.output) if row.output in _OUTPUTS else len(_OUTPUTS)
    return (subjects.columns(row.subject), row.subject.model_sha256, known, row.output)


def _line(rows: Sequence[ParityRow]) -> ParityLine:
    worst = max(rows, key=lambda row: (not row.passed, row.judged, _error(row)))
    return ParityLine(
        subject=subjects.columns(worst.subject),
        output=plain(worst.output),
        runs=len(rows),
        not_judged=sum(not row.judged for row in rows),
        max_error=worst.max_error,
        float32_error=worst.float32_error,
        bound=worst.bound,
        error_to_bound=_largest_share(rows),
        batch=worst.batch,
        time=worst.time,
        chunks=_chunks(worst.chunks),
        state=worst.state,
        asked=worst.asked,
        worst_index=f"[{', '.join(map(str, worst.worst_index))}]" if worst.worst_index else "n/a",
        got=worst.got,
        want=worst.want,
        verdict=FAILED if not worst.passed else PASSED if worst.judged else REPORTED,
        reason=plain(worst.reason),
    )


def _chunks(steps: Sequence[int]) -> str:
    """Steps a call: '5+1+10', '64x1'."""
    return f"{len(steps)}x{steps[0]}" if len(steps) > 1 and len(set(steps)) == 1 else "+".join(map(str, steps))


def _standing(rows: Sequence[ParityRow]) -> Standing:
    failed = [row for row in rows if not row.passed]
    if failed:
        worst = max(failed, key=_error)
        where = f"B = {worst.batch}, T = {worst.time}"
        return Standing(None, None, f"failed the check at {where}: {plain(worst.reason)}")
    judged = [row for row in rows if row.judged]
    if not judged:
        return Standing(None, None, f"{REPORTED}: at every shape its runs are chaotic")
    return Standing(max(map(_error, judged)), _largest_share(judged), "")


def _largest_share(rows: Sequence[ParityRow]) -> float | None:
    shares = [_share(row) for row in rows if row.judged or not row.passed]
    return max(shares) if shares and all(map(math.isfinite, shares)) else None


def _share(row: ParityRow) -> float:
    if row.bound == 0:  # bit by bit or not at all
        return 0.0 if row.max_error == 0 else math.inf
    return _error(row) / row.bound


def _error(row: ParityRow) -> float:
    return math.inf if row.max_error is None else row.max_error
