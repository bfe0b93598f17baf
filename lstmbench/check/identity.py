"""What the rows of one export on one runtime are known by."""

from lstmbench.records import ExportedModel, Subject
from lstmbench.worker import WorkerInfo


def subject_of(exported: ExportedModel, runtime: str, threads: int, info: WorkerInfo | None) -> Subject:
    """The subject as its worker tells it; without one, of a runtime that could not even load."""
    record = exported.record
    return Subject(
        model=exported.name,
        model_sha256=record.sha256,
        head=record.model.head,
        peephole=record.model.peephole,
        form=record.form,
        precision=record.precision,
        runtime=runtime,
        runtime_version=info.version if info else "",
        code_sha256=info.code_sha256 if info else "",
        threads=threads,
        device=info.device if info else "",
        provider=info.provider if info else "",
        placement=info.placement if info else (),
    )
