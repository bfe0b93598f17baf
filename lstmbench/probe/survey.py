"""Every mistake against ONNX's own cases with their own tolerances, and against the rows of the probe."""

from typing import NamedTuple

import numpy as np
import onnx

from lstmbench import machine
from lstmbench.mistakes import MISTAKES, Mistake, Outputs, distance
from lstmbench.probe.features import INTEGERS, Feature, features
from lstmbench.probe.onnx_cases import OnnxCase, onnx_cases
from lstmbench.probe.question import Call, Question, question
from lstmbench.records import MistakeRow, Survey


class _Found(NamedTuple):
    """What one row sees of a mistake; None of it where the mistake does not bear on the row."""

    by_tolerance: bool
    by_1e5: bool
    by_1e3: bool


def survey() -> Survey:
    """Plant every mistake in every case and row; no runtime is asked."""
    cases = onnx_cases()
    questions = [question(feature) for feature in features() if _exact(feature)]
    return Survey(
        machine=machine.observe(),
        onnx_version=onnx.__version__,
        cases=tuple(case.name for case in cases),
        rows=len(questions),
        mistakes=tuple(_row(mistake, cases, questions) for mistake in MISTAKES),
    )


def _exact(feature: Feature) -> bool:
    """Whether a row's tolerance is that of float32 or less: in coarse types 1e-3 would refuse what is right."""
    return feature.form not in INTEGERS and feature.cases[0].tensors["X"].dtype != np.float16


def _row(mistake: Mistake, cases: tuple[OnnxCase, ...], questions: list[Question]) -> MistakeRow:
    answers = [(case, mistake.answer(case.case)) for case in cases]
    seen = [found for one in questions if (found := _seen(mistake, one)) is not None]
    return MistakeRow(
        mistake=mistake.name,
        onnx_found=tuple(case.name for case, outputs in answers if outputs and not case.passed_by(outputs)),
        rows_asked=len(seen),
        rows_found=sum(found.by_tolerance for found in seen),
        close_1e5_found=sum(found.by_1e5 for found in seen),
        close_1e3_found=sum(found.by_1e3 for found in seen),
    )


def _seen(mistake: Mistake, one: Question) -> _Found | None:
    """What the calls of a row see together."""
    pairs = [(call, mistake.answer(call.case)) for call in one.calls]
    found = [_call(call, outputs) for call, outputs in pairs if outputs is not None]
    return _Found(*map(any, zip(*found, strict=True))) if found else None


def _call(call: Call, outputs: Outputs) -> _Found:
    off = [distance(got, want) for got, want in zip(outputs, call.right, strict=True)]
    beyond = any(error > tolerance for error, tolerance in zip(off, call.tolerances, strict=True))
    return _Found(beyond, *(not _close(call, outputs, by) for by in (1e-5, 1e-3)))


def _close(call: Call, outputs: Outputs, by: float) -> bool:
    return all(np.allclose(got, want, rtol=by, atol=by) for got, want in zip(outputs, call.right, strict=True))
