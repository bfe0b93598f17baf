"""Clearances for runtimes of known cost, which have no file and answer nothing that could be wrong."""

import msgspec

from lstmbench.check.identity import subject_of
from lstmbench.flows import known_costs
from lstmbench.records import Clearance, ExportedModel, ExportRecord, ModelConfig
from lstmbench.runtimes import digest, load

MODEL = ModelConfig(head="lm", peephole="none", input_size=1, hidden_size=1, vocabulary_size=2)


def pretended(name: str, model: str = "", *, baseline: bool = False) -> Clearance:
    """Of the class of that name in `known_costs`, as if it ran a model of that name."""
    record = ExportRecord(
        file="scan-fp32.onnx",
        sha256="0" * 64,
        model=MODEL,
        form="scan",
        precision="fp32",
        opset=21,
        ir_version=10,
        weights_sha256="0" * 64,
        verified=(),
        verified_with="",
    )
    exported = ExportedModel(folder=f"self-test/{model or name}", record=record, baseline=baseline)
    runtime = f"{known_costs.__name__}:{name}"
    seen = {"runtime_version": known_costs.Nothing.version, "code_sha256": digest(load(runtime))}
    subject = msgspec.structs.replace(subject_of(exported, runtime, 1, None), **seen)
    return Clearance(exported=exported, subject=subject)
