"""The check's own question and verdict, put once more."""

from collections.abc import Iterable, Sequence

from lstmbench.check import asking, rows
from lstmbench.check.case import Case
from lstmbench.check.differences.search import Place
from lstmbench.check.oracle import Oracle
from lstmbench.records import ParityRow, Subject
from lstmbench.worker import Worker

_AGAIN = "each part of a step is within its own bound, and the check fails whenever it asks"
_ONCE = (
    "what the check failed is right when it is asked by itself, so that it hangs on what was asked before, or on chance"
)


def failing(worker: Worker, subject: Subject, cases: Iterable[Case]) -> tuple[ParityRow, ...]:
    """The outputs that fail in the first case that does; () where all pass."""
    oracle = Oracle(worker.exported)
    for case in cases:
        question = oracle.ask(case)
        answer = asking.put(worker, case, question)
        if case.decoding:
            question = question._replace(expected=oracle.follow(case, answer[0]))
        if failed := tuple(row for row in rows.judged(subject, case, question, answer) if not row.passed):
            return failed
    return ()


def told(failed: Sequence[ParityRow], *, again: bool) -> Place:
    """What is known of a failure that no part of a step shows: the case, the output and its worst element."""
    row = failed[0]
    alone = ", where h_n and c_n are right" if len(failed) == 1 and row.output not in ("h_n", "c_n") else ""
    token = f", token {row.worst_index[-1]}" if row.output == "logits" and row.worst_index else ""
    words = f"{_AGAIN if again else _ONCE}: {rows.manner(row)}{alone}{token}"
    place = Place("unknown", words)
    if row.want is None:
        return place._replace(words=f"{words}: {row.reason}")
    return place._replace(value=f"{row.output}{list(row.worst_index)}", got=row.got, want=row.want, allowed=row.bound)
