"""One feature on one runtime, in a process that dies alone."""

from pathlib import Path
from typing import Any

from lstmbench.errors import CrashError, LstmbenchError, RuntimeMissingError
from lstmbench.probe.judge import Answer, Judged, judge
from lstmbench.probe.question import Question
from lstmbench.records import Finding, Machine, ProbeRow
from lstmbench.worker import GraphWorker, WorkerInfo

TIMEOUT_S = 60.0  # of loading and of each call, which take a fraction of a second: what is silent longer hangs


def examine(
    question: Question, runtime: str, path: Path, machine: Machine, *, timeout_s: float = TIMEOUT_S
) -> ProbeRow:
    """Write the graph to `path`, run it at each size in one session, and judge what came out.

    RuntimeMissingError where the runtime is not here at all; what it refuses or dies of is a finding.
    """
    path.write_bytes(question.model)
    answers: list[Answer] = []
    info: WorkerInfo | None = None
    try:
        with GraphWorker(runtime, path, timeout_s=timeout_s) as worker:
            info = worker.info
            for call in question.calls:
                answers.append(worker.run(call.feeds))  # noqa: PERF401 (those before a crash are kept)
    except RuntimeMissingError:
        raise
    except CrashError as error:
        return _row(question, runtime, machine, info, answers, finding="crashed", reason=str(error))
    except LstmbenchError as error:
        return _row(question, runtime, machine, info, answers, finding="refused", reason=str(error))
    return _row(question, runtime, machine, info, answers)


def _row(  # noqa: PLR0913 (what was asked of whom, and what came of it)
    question: Question,
    runtime: str,
    machine: Machine,
    info: WorkerInfo | None,
    answers: list[Answer],
    *,
    finding: Finding | None = None,
    reason: str = "",
) -> ProbeRow:
    judged = judge(question, answers)
    return ProbeRow(
        machine=machine.fingerprint,
        runtime=runtime,
        runtime_version=info.version if info else "",
        code_sha256=info.code_sha256 if info else "",
        device=info.device if info else "",
        placement=info.placement if info else (),
        feature=question.feature.name,
        question_sha256=question.sha256,
        **_found(judged, finding, reason),
    )


def _found(judged: Judged, finding: Finding | None, reason: str) -> dict[str, Any]:
    """What broke off says so, even where an answer before it was wrong."""
    if finding:
        return {"errors": judged.errors, "finding": finding, "reason": " ".join(reason.split())}
    return judged._asdict() | {"finding": "wrong" if judged.reason else "right"}
