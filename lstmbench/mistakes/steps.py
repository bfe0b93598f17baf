"""Steps that are computed wrongly: which cell state a gate sees, and where the clip stands."""

import dataclasses
from collections.abc import Callable, Iterator

import numpy as np

from lstmbench.evaluator import Direction
from lstmbench.mistakes.case import Array, Case
from lstmbench.mistakes.mistake import Mistake, of_step
from lstmbench.model.gates import ONNX_PEEPHOLES


@dataclasses.dataclass(frozen=True)
class _Step:
    """One step with a choice at each place where engines differ; the defaults are the specification."""

    o_sees_old: bool = False
    candidate_sees: bool = False  # P_i ⊙ c_{t-1} in the candidate too
    clips_state: bool = True  # what goes into h
    carries_clipped: bool = False
    clips_before_peephole: bool = False
    coupled: str = "f"  # the gate that input_forget makes of the other

    def __call__(self, x: Array, h: Array, c: Array, direction: Direction) -> tuple[Array, Array]:
        """One step: x (B, E), h and c (B, H) -> h, c."""
        f, g, last = direction.functions
        i_, o_, f_, c_ = np.split(x @ direction.W.T + h @ direction.R.T + direction.B, 4, axis=1)
        P_i, P_o, P_f = direction.P

        def clipped(z: Array) -> Array:
            return z.clip(-direction.clip, direction.clip)

        def seen(z: Array, peephole: Array) -> Array:
            return clipped(z) + peephole if self.clips_before_peephole else clipped(z + peephole)

        i, forget = f(seen(i_, P_i * c)), f(seen(f_, P_f * c))
        if direction.input_forget:
            i, forget = (i, 1 - i) if self.coupled == "f" else (1 - forget, forget)
        new = forget * c + i * g(clipped(c_ + P_i * c if self.candidate_sees else c_))
        o = f(seen(o_, P_o * (c if self.o_sees_old else new)))
        after = clipped(new) if self.clips_state else new
        return o * last(after), after if self.carries_clipped else new


def steps() -> Iterator[Mistake]:
    """What can be wrong within a step."""
    yield of_step("with o peeping at c of the step before", _Step(o_sees_old=True), applies=_peeps_by("o"))
    yield of_step("with a peephole on the candidate (P_i)", _Step(candidate_sees=True), applies=_peeps_by("i"))
    yield of_step("without clip on C_t", _Step(clips_state=False), applies=_clips)
    yield of_step("with C_t carried on clipped", _Step(carries_clipped=True), applies=_clips)
    yield of_step(
        "with clip before the peepholes",
        _Step(clips_before_peephole=True),
        applies=lambda case: _clips(case) and _peeps(case),
    )
    yield of_step("with i = 1 - f for input_forget", _Step(coupled="i"), applies=lambda case: case.how.input_forget)


def _peeps(case: Case) -> bool:
    return case.has("P")


def _peeps_by(gate: str) -> Callable[[Case], bool]:
    at = ONNX_PEEPHOLES.index(gate)
    return lambda case: case.has("P") and bool(case.tensors["P"].reshape(-1, 3, case.hidden)[:, at].any())


def _clips(case: Case) -> bool:
    return case.how.clip is not None
