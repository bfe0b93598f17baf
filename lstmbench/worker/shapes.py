"""What may go into a runtime and what must come out of it: dtypes, shapes, ids inside the vocabulary."""

from typing import Any

import numpy as np

from lstmbench.arrays import Floats, Lengths, State, Tokens
from lstmbench.errors import AnswerError, WorkerError
from lstmbench.records import ExportedModel, ModelConfig, Placement, Workload


class ContractError(Exception):
    """An adapter that answered what the contract does not allow: for its author to mend."""


def demand_inputs(model: ModelConfig, inputs: Any) -> None:
    """Head `lm`: tokens (B, T) int64 in 0..V-1; head `layer`: x (B, T, E) float32; B, T >= 1.

    Runtimes do not check this themselves: some abort the process on B = 0, others answer wrongly on T = 0.
    """
    dtype: Any = np.int64 if model.head == "lm" else np.float32
    features = () if model.head == "lm" else (model.input_size,)
    words = "tokens (B, T) int64" if model.head == "lm" else f"x (B, T, {model.input_size}) float32"
    fits = isinstance(inputs, np.ndarray) and inputs.dtype == dtype and inputs.ndim == 2 + len(features)
    if not fits or inputs.shape[2:] != features or 0 in inputs.shape:
        raise WorkerError(f"the inputs must be {words} with B, T >= 1, not {_seen(inputs)}")
    if model.head == "lm" and not 0 <= inputs.min() <= inputs.max() < model.vocabulary_size:
        raise WorkerError(
            f"token ids must lie in 0..{model.vocabulary_size - 1}, not in {inputs.min()}..{inputs.max()}: "
            f"encode the text with this model's vocabulary"
        )


def demand_steps(exported: ExportedModel, time: int) -> None:
    """The T of a call that the export's form can take."""
    if exported.steps not in (None, time):
        raise WorkerError(f"{exported.name} takes T = {exported.steps} a call, not {time}")


def demand_draws(exported: ExportedModel, *, asked: bool) -> None:
    """Form `generate` draws tokens and gives no logits; the others give them and draw nothing."""
    if exported.draws and not asked:
        raise WorkerError(f"{exported.name} draws tokens and gives no logits: ask another form for them")
    if asked and not exported.draws:
        raise WorkerError(f"{exported.name} gives logits and draws no tokens: export form 'generate' for that")


def demand_uniform(uniform: Any, *, batch: int) -> None:
    """Numbers (B, N) float32 in [0, 1], N >= 1; 1 itself is what the largest below it rounds to."""
    fits = isinstance(uniform, np.ndarray) and uniform.dtype == np.float32 and uniform.ndim == 2
    if not fits or len(uniform) != batch or 0 in uniform.shape or not 0 <= uniform.min() <= uniform.max() <= 1:
        raise WorkerError(f"what is drawn at must be float32 ({batch}, N) in 0..1 with N >= 1, not {_seen(uniform)}")


def demand_lengths(exported: ExportedModel, lengths: Any, *, batch: int, time: int) -> None:
    """Lengths (B,) int32 in 1..T for an export that takes them, or none; ONNX Runtime is wrong at length 0."""
    if lengths is None:
        return
    if not exported.record.lengths:
        raise WorkerError(f"{exported.name} takes no lengths: export it with --lengths")
    fits = isinstance(lengths, np.ndarray) and lengths.dtype == np.int32 and lengths.shape == (batch,)
    if not fits:
        raise WorkerError(f"the lengths must be int32 ({batch},), not {_seen(lengths)}")
    if not 1 <= lengths.min() <= lengths.max() <= time:
        raise WorkerError(f"lengths must lie in 1..T, here 1..{time}, not in {lengths.min()}..{lengths.max()}")


def lengths_of(exported: ExportedModel, workload: Workload) -> Lengths | None:
    """Of each row of a workload's calls, (B,), if the export takes lengths."""
    if not exported.record.lengths or not workload.lengths:
        return all_of_one_length(exported, batch=workload.batch, time=workload.chunks[0])
    return np.array(workload.lengths, np.int32)


def all_of_one_length(exported: ExportedModel, *, batch: int, time: int) -> Lengths | None:
    """T for each row, (B,), if the export takes lengths: what is meant where none are given."""
    return np.full(batch, time, np.int32) if exported.record.lengths else None


def demand_state(model: ModelConfig, state: State | None, *, batch: int) -> None:
    """H and c (D·L, B, H) float32, or none."""
    for name, array in () if state is None else (("h", state.h), ("c", state.c)):
        if not _is_floats(array, model.state_shape(batch)):
            raise WorkerError(f"the state {name} must be float32 {model.state_shape(batch)}, not {_seen(array)}")


def demand_workload(exported: ExportedModel, workload: Workload, inputs: Tokens | Floats) -> None:
    """`score` takes inputs of (B, T); the others take tokens of B rows and start from their first column."""
    model = exported.model
    demand_inputs(model, inputs)
    demand_draws(exported, asked=workload.kind == "generate")
    for steps in {*workload.chunks}:
        demand_steps(exported, steps)
    if workload.kind in {"decode", "request"} and model.head != "lm":
        raise WorkerError("decoding needs head 'lm': head 'layer' has no tokens to feed back; time 'score' instead")
    if workload.kind == "decode" and model.uncut:
        raise WorkerError(f"{exported.name} cannot decode a step a call: {model.uncut}; time 'score' instead")
    want = (workload.batch, inputs.shape[1] if workload.kind == "decode" else workload.time)
    if inputs.shape[:2] != want:
        raise WorkerError(f"the inputs of {workload.kind} must begin with the shape {want}, not {inputs.shape[:2]}")


def demand_answer(model: ModelConfig, answer: Any, *, batch: int, time: int) -> tuple[Floats, State]:
    """What an adapter returned, if it keeps the contract: float32, in the shapes of the output and of the state."""
    try:
        output, (h, c) = answer
    except (TypeError, ValueError) as error:
        raise ContractError("run must answer (output, State(h, c))") from error
    shapes = (model.output_shape(batch, time), *(model.state_shape(batch),) * 2)
    for name, array, shape in zip(model.output_names, (output, h, c), shapes, strict=True):
        if not _is_floats(array, shape):
            raise ContractError(f"run must answer {name} as float32 {shape}, not {_seen(array)}")
    return output, State(h, c)


def demand_tokens(model: ModelConfig, answer: Any, *, batch: int, count: int) -> tuple[Tokens, State]:
    """What an adapter drew, if it keeps the contract: ids int64 (B, N) inside the vocabulary, and the state."""
    try:
        tokens, (h, c) = answer
    except (TypeError, ValueError) as error:
        raise ContractError("generate must answer (tokens, State(h, c))") from error
    if not isinstance(tokens, np.ndarray) or tokens.dtype != np.int64 or tokens.shape != (batch, count):
        raise ContractError(f"generate must answer tokens as int64 {(batch, count)}, not {_seen(tokens)}")
    if not 0 <= tokens.min() <= tokens.max() < model.vocabulary_size:
        raise ContractError(
            f"generate must answer ids in 0..{model.vocabulary_size - 1}, not in {tokens.min()}..{tokens.max()}"
        )
    shape = model.state_shape(batch)
    for name, array in (("h_n", h), ("c_n", c)):
        if not _is_floats(array, shape):
            raise ContractError(f"generate must answer {name} as float32 {shape}, not {_seen(array)}")
    return tokens, State(h, c)


def demand_placement(placement: Any) -> tuple[Placement, ...]:
    """What an adapter tells of its nodes, if it keeps the contract."""
    if not isinstance(placement, tuple | list) or not all(isinstance(part, Placement) for part in placement):
        raise ContractError(f"placement must answer a tuple of lstmbench.records.Placement, not {placement!r:.60}")
    return tuple(placement)


def demand_finite(model: ModelConfig, answer: tuple[Tokens | Floats, State]) -> None:
    """No NaN and no infinity in what is timed: what passed the check once may still break at a later call."""
    for name, array in zip(model.output_names, (answer[0], *answer[1]), strict=True):
        if not np.isfinite(array).all():
            raise AnswerError(f"{name} holds NaN or infinity while it is timed, and did not when it was checked")


def _is_floats(array: Any, shape: tuple[int, ...]) -> bool:
    return isinstance(array, np.ndarray) and array.dtype == np.float32 and array.shape == shape


def _seen(value: Any) -> str:
    return f"{value.dtype} {value.shape}" if isinstance(value, np.ndarray) else type(value).__name__
