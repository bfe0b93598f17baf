"""The proof of a written file: run it in ONNX Runtime at shapes that differ, from a random state, beside float64.

And every step of the longer ones by itself, from the reference's own state: of a chaotic cell only those are judged.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from lstmbench.arrays import Floats, Lengths, State, Tokens, Weights
from lstmbench.errors import ExportError, WorkerError
from lstmbench.export import quality
from lstmbench.model import stimulus
from lstmbench.parity import FEW, Expected, Verdict, compare, compare_draws, expect, expect_draws, windows
from lstmbench.records import Decoding, ExportedModel, Quality, ShapeCheck
from lstmbench.runtimes import catalogue
from lstmbench.worker import Worker

RUNTIME = "onnxruntime-cpu"
# B of 1 and more take different kernels
# fmt: off
SHAPES = (
    (1, 1), (2, 1), (9, 1), (1, 2), (3, 2), (6, 2), (1, 3), (5, 3), (4, 4), (2, 5),
    (7, 5), (1, 7), (2, 7), (8, 8), (1, 11), (3, 13), (16, 4), (2, 20), (3, 33), (1, 64),
)
# fmt: on
_DRAWN = (
    Decoding(prompt=1, temperature=0.0, top_k=0),
    Decoding(prompt=3, temperature=0.7, top_k=0),
    Decoding(prompt=2, temperature=1.3, top_k=3),
)
_SEED = 30_000


def demand_runtime() -> None:
    """RuntimeMissingError, saying what to install, if the proof cannot be made here."""
    if RUNTIME not in catalogue.available():
        catalogue.load(RUNTIME)  # says what it lacks


class Proof(NamedTuple):
    """Each output of each shape with its error, what ran them, and what the precision costs."""

    verified: tuple[ShapeCheck, ...]
    verified_with: str
    quality: Quality | None


def verify(exported: ExportedModel, weights: Weights, held_out: Tokens | None) -> Proof:
    """Run the file at every shape, and below fp32 on held-out tokens (N,) too.

    ExportError, naming the worst element, if one is too far off.
    """
    try:
        with Worker(RUNTIME, exported) as worker:
            checks = tuple(check for shape in _shapes(exported) for check in _check(worker, weights, *shape))
            return Proof(checks, f"{RUNTIME} {worker.info.version}", _quality(worker, weights, held_out))
    except WorkerError as error:
        raise ExportError(f"{exported.record.file} was not kept: {error}") from error


def _quality(worker: Worker, weights: Weights, held_out: Tokens | None) -> Quality | None:
    if worker.exported.record.precision == "fp32" or worker.exported.draws:  # form `scan` tells what those cost
        return None
    if worker.exported.model.head == "layer":
        return quality.of_layers(worker, weights)
    return None if held_out is None else quality.of_text(worker, weights, held_out)


def _shapes(exported: ExportedModel) -> Sequence[tuple[int, int]]:
    """B alone varies where T is fixed."""
    return SHAPES if exported.steps is None else [(batch, exported.steps) for batch in range(1, 21)]


class _Asked(NamedTuple):
    """What a call is given, R rows, and whether they start from the reference's own states."""

    inputs: Tokens | Floats  # the prompt, where the graph draws
    state: State
    time: int  # steps, or tokens drawn
    lengths: Lengths | None = None
    anchored: bool = False


def _check(worker: Worker, weights: Weights, batch: int, time: int) -> Iterator[ShapeCheck]:
    """Run at one shape, whole and each step by itself; compare the head's own output, h_n and c_n."""
    exported = worker.exported
    for asked in _asked(exported, weights, batch, time):
        for expected, verdict in (_draw if exported.draws else _run)(worker, weights, asked):
            _demand_pass(exported, batch, time, verdict)
            assert verdict.max_error is not None
            yield ShapeCheck(
                batch=len(asked.inputs),
                time=asked.time,
                output=expected.name,
                max_error=verdict.max_error,
                bound=expected.bound,
                unjudged_steps=0 if expected.judged is None else asked.time - expected.judged,
            )


def _asked(exported: ExportedModel, weights: Weights, batch: int, time: int) -> Iterator[_Asked]:
    model, precision = exported.model, exported.record.precision
    state = stimulus.state(model, batch=batch, seed=_SEED)
    inputs = stimulus.inputs(model, batch=batch, time=time, seed=_SEED)
    lengths = stimulus.lengths(batch=batch, time=time, seed=_SEED) if exported.record.lengths else None
    if exported.draws:
        prompt = stimulus.tokens(model, batch=batch, time=_how(batch, time).prompt, seed=_SEED)
        yield _Asked(prompt, state, time)
    else:
        yield _Asked(inputs, state, time, lengths, anchored=exported.steps == 1)
    if exported.steps is None and time > FEW:
        rows = windows(model, weights, inputs, state, lengths=lengths, precision=precision)
        yield _Asked(rows.inputs, rows.state, 1, rows.lengths, anchored=True)


def _run(worker: Worker, weights: Weights, asked: _Asked) -> Iterator[tuple[Expected, Verdict]]:
    model, record = worker.exported.model, worker.exported.record
    output, after = worker.run(asked.inputs, asked.state, lengths=asked.lengths)
    expectations = expect(
        model,
        weights,
        asked.inputs,
        asked.state,
        lengths=asked.lengths,
        precision=record.precision,
        operator=record.form == "lstm",
        anchored=asked.anchored,
    )
    for expected, got in zip(expectations, (output, *after), strict=True):
        yield expected, _judged(got, expected)


def _draw(worker: Worker, weights: Weights, asked: _Asked) -> Iterator[tuple[Expected, Verdict]]:
    """Draw `time` tokens a row, in a way that changes with the shape."""
    model, how = worker.exported.model, _how(len(asked.inputs), asked.time)
    prompt = asked.inputs.astype(np.int64)
    uniform = stimulus.uniform(batch=len(prompt), time=asked.time, seed=_SEED)
    tokens, after = worker.generate(prompt, uniform, how, asked.state)
    known = (model, weights, prompt, asked.state, tokens)
    drawn, *states = expect_draws(*known, precision=worker.exported.record.precision, anchored=asked.anchored)
    yield drawn, compare_draws(tokens, drawn, uniform, how)
    for expected, got in zip(states, after, strict=True):
        yield expected, _judged(got, expected)


def _how(batch: int, time: int) -> Decoding:
    return _DRAWN[(batch + time) % len(_DRAWN)]


def _judged(got: Floats, expected: Expected) -> Verdict:
    return compare(got, expected.want, name=expected.name, bound=expected.bound, judged=expected.judged)


def _demand_pass(exported: ExportedModel, batch: int, time: int, verdict: Verdict) -> None:
    if not verdict.passed:
        raise ExportError(
            f"{exported.record.file} was not kept: at (B={batch}, T={time}) it computes another function than the "
            f"model: {verdict.reason}"
        )
