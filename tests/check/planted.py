"""Runtimes with one planted mistake each; a worker's child imports them as `planted:Name`."""

# ruff: noqa: ARG002 (the signatures are the contract's)

import functools
import os
import signal
import time

import numpy as np

from lstmbench.arrays import State
from lstmbench.errors import WorkerError
from lstmbench.model import reference, rounding, sampling
from lstmbench.model.arithmetic import EXACT
from lstmbench.records import Placement
from lstmbench.runtimes.numpy_float32 import NumpyFloat32 as Honest

__all__ = ["Honest"]
right_cell = reference.cell


class IgnoresState(Honest):
    def run(self, inputs, state):
        return super().run(inputs, None)


class CarriesNoState(Honest):
    """Starts from the state that it is given, and gives the same one back."""

    def run(self, inputs, state):
        output, after = super().run(inputs, state)
        return output, after if state is None else state


class StateOfTheFirstCall(Honest):
    """Takes the state that it saw first for every later one, as an input bound once and for all would be."""

    first = None

    def run(self, inputs, state):
        if state is not None and (self.first is None or self.first.h.shape != state.h.shape):
            self.first = state
        return super().run(inputs, None if state is None else self.first)


class DropsTheLastStep(Honest):
    """The shape is right, the last step never ran."""

    def run(self, inputs, state):
        steps = inputs.shape[1]
        if steps == 1:
            return super().run(inputs, state)
        output, after = super().run(inputs[:, :-1], state)
        return np.concatenate([output, output[:, -1:]], axis=1), after


class WrongAtBatchNine(Honest):
    """Another kernel takes over at a batch that the usual shapes do not have."""

    def run(self, inputs, state):
        output, after = super().run(inputs, state)
        return (np.zeros_like(output) if len(inputs) == 9 else output), after


class ForgetsAt65(Honest):
    """Starts anew from zeros after so many steps of one call."""

    most = 65

    def run(self, inputs, state):
        if inputs.shape[1] <= self.most:
            return super().run(inputs, state)
        before, _ = super().run(inputs[:, : self.most], state)
        output, after = super().run(inputs[:, self.most :], None)
        return np.concatenate([before, output], axis=1), after


class ForgetsAt200(ForgetsAt65):
    """Which the usual shapes do not have."""

    most = 200


class WrongFromRowSixOn(Honest):
    """Where there is more than one step: a kernel of five rows, called once."""

    def run(self, inputs, state):
        output, after = super().run(inputs, state)
        if inputs.shape[1] > 1:
            output[5:] = output[:1]
        return output, after


class DropsCWhereHIsZero(Honest):
    """Takes a state for none by looking at h alone."""

    def run(self, inputs, state):
        return super().run(inputs, None if state is not None and not state.h.any() else state)


class DropsHWhereCIsZero(Honest):
    def run(self, inputs, state):
        return super().run(inputs, None if state is not None and not state.c.any() else state)


class AnswersTheLastStepOnly(Honest):
    """The shape is wrong: the worker refuses it."""

    def run(self, inputs, state):
        output, after = super().run(inputs, state)
        return output[:, -1:], after


class SwapsHAndC(Honest):
    def run(self, inputs, state):
        output, (h, c) = super().run(inputs, state)
        return output, State(c, h)


class NotANumber(Honest):
    """One element of one output."""

    def run(self, inputs, state):
        output, after = super().run(inputs, state)
        output[-1, -1, -1] = np.nan
        return output, after


class NotANumberInC(Honest):
    def run(self, inputs, state):
        output, (h, c) = super().run(inputs, state)
        c[-1, -1, -1] = np.nan
        return output, State(h, c)


class OffByAThousandth(Honest):
    def run(self, inputs, state):
        output, after = super().run(inputs, state)
        output[0, -1, 1] += 1e-3
        return output, after


class MisreadsTheLastToken(Honest):
    """The last id of 400 is read as the one before it."""

    def run(self, inputs, state):
        return super().run(np.minimum(inputs, 398), state)


class ForgetsThePeephole(Honest):
    def __init__(self, exported, *, threads):
        super().__init__(exported, threads=threads)
        self._weights = {k: np.zeros_like(v) if "weight_ch" in k else v for k, v in self._weights.items()}


class MixesUpTheRows(Honest):
    """Rows of a batch in another order: right at B = 1."""

    def run(self, inputs, state):
        output, after = super().run(inputs, state)
        return output[::-1].copy(), after


class DoesNotLoad(Honest):
    def __init__(self, exported, *, threads):
        raise WorkerError("the engine is too old for this file; install a newer one")


class CrashesOnABatch(Honest):
    def run(self, inputs, state):
        if len(inputs) > 1:
            os.kill(os.getpid(), signal.SIGSEGV)
        return super().run(inputs, state)


class LeaksAfterAHundred(Honest):
    """Loses a little of c at each call once a hundred steps are run."""

    steps = 0

    def run(self, inputs, state):
        output, (h, c) = super().run(inputs, state)
        self.steps += inputs.shape[1]
        return output, State(h, c * np.float32(0.99) if self.steps > 100 else c)


class ClaimsCuda(Honest):
    """Right, and on the CPU where it matters: what ONNX Runtime's CUDA provider does with an LSTM that has P."""

    provider = "CUDAExecutionProvider"
    elsewhere = "CPUExecutionProvider"

    def placement(self):
        return (
            Placement(provider=self.provider, operator="MatMul", nodes=3),
            Placement(provider=self.elsewhere, operator="LSTM", nodes=2, recurrent=True, precision="float32"),
        )


class IsOnCuda(ClaimsCuda):
    elsewhere = "CUDAExecutionProvider"


class CrashesHere(Honest):
    """In the worker's child that is one line."""

    def run(self, inputs, state):
        raise WorkerError("RuntimeError: no kernel")


class Hangs(Honest):
    def run(self, inputs, state):
        time.sleep(60)


class IgnoresLengths(Honest):
    """Runs every row to T."""

    def run(self, inputs, state, *, lengths=None):
        return super().run(inputs, state)


class KeepsNoState(Honest):
    """The output is cut, the state runs on."""

    def run(self, inputs, state, *, lengths=None):
        output, _ = super().run(inputs, state, lengths=lengths)
        return output, super().run(inputs, state)[1]


class CutsNoOutput(Honest):
    """The state is kept, the output runs on."""

    def run(self, inputs, state, *, lengths=None):
        _, after = super().run(inputs, state, lengths=lengths)
        return super().run(inputs, state)[0], after


class EndsOneStepLate(Honest):
    def run(self, inputs, state, *, lengths=None):
        return super().run(inputs, state, lengths=None if lengths is None else (lengths + 1).clip(max=inputs.shape[1]))


class ReversesFromTheLastStep(Honest):
    """The forward direction ends where it should, the other starts at T."""

    def run(self, inputs, state, *, lengths=None):
        (y, (h, c)), (y_on, (h_on, c_on)) = super().run(inputs, state, lengths=lengths), super().run(inputs, state)
        H = h.shape[-1]
        return np.concatenate([y[..., :H], y_on[..., H:]], -1), State(
            np.concatenate([h[:1], h_on[1:]]), np.concatenate([c[:1], c_on[1:]])
        )


# of runtimes that draw tokens themselves


class DrawsOneNumberLate(Honest):
    def generate(self, prompt, state, uniform, *, temperature, top_k):
        return super().generate(prompt, state, np.roll(uniform, -1, axis=1), temperature=temperature, top_k=top_k)


class DrawsAllRowsAtTheFirst(Honest):
    def generate(self, prompt, state, uniform, *, temperature, top_k):
        same = np.repeat(uniform[:1], len(uniform), axis=0)
        return super().generate(prompt, state, same, temperature=temperature, top_k=top_k)


class DrawsTooWarm(Honest):
    def generate(self, prompt, state, uniform, *, temperature, top_k):
        return super().generate(prompt, state, uniform, temperature=1.1 * temperature, top_k=top_k)


class DrawsWhereItShouldTakeTheMostLikely(Honest):
    def generate(self, prompt, state, uniform, *, temperature, top_k):
        return super().generate(prompt, state, uniform, temperature=temperature or 1.0, top_k=top_k)


class AlwaysTakesTheMostLikely(Honest):
    def generate(self, prompt, state, uniform, *, temperature, top_k):
        return super().generate(prompt, state, uniform, temperature=0.0, top_k=top_k)


class KeepsAll(Honest):
    def generate(self, prompt, state, uniform, *, temperature, top_k):
        return super().generate(prompt, state, uniform, temperature=temperature, top_k=0)


class LaysTokensSideBySideById(Honest):
    """Right in distribution, wrong at a given number."""

    def generate(self, prompt, state, uniform, *, temperature, top_k):
        order = sampling._order
        sampling._order = lambda logits: np.arange(len(logits)) if temperature and not top_k else order(logits)
        try:
            return super().generate(prompt, state, uniform, temperature=temperature, top_k=top_k)
        finally:
            sampling._order = order


class ForgetsTheStateBetweenCalls(Honest):
    def generate(self, prompt, state, uniform, *, temperature, top_k):
        return super().generate(prompt, None, uniform, temperature=temperature, top_k=top_k)


class ReadsTheLastTokenToo(Honest):
    """The state is that after the last token, not before it."""

    def generate(self, prompt, state, uniform, *, temperature, top_k):
        tokens, after = super().generate(prompt, state, uniform, temperature=temperature, top_k=top_k)
        return tokens, self.run(tokens[:, -1:], after)[1]


class ReadsThePromptsEndTwice(Honest):
    def generate(self, prompt, state, uniform, *, temperature, top_k):
        twice = np.concatenate([prompt, prompt[:, -1:]], axis=1)
        return super().generate(twice, state, uniform, temperature=temperature, top_k=top_k)


class ReadsThePromptsEndAlone(Honest):
    def generate(self, prompt, state, uniform, *, temperature, top_k):
        return super().generate(prompt[:, -1:], state, uniform, temperature=temperature, top_k=top_k)


class MixesUpTheRowsDrawn(Honest):
    def generate(self, prompt, state, uniform, *, temperature, top_k):
        tokens, after = super().generate(prompt, state, uniform, temperature=temperature, top_k=top_k)
        return tokens[::-1].copy(), after


class DrawsAnIdThatIsNone(Honest):
    def generate(self, prompt, state, uniform, *, temperature, top_k):
        tokens, after = super().generate(prompt, state, uniform, temperature=temperature, top_k=top_k)
        return tokens + self._config.vocabulary_size, after


class DrawsNearAnEdge(Honest):
    """Rounds otherwise: its logits are off by no more than float32 is."""

    def run(self, inputs, state):
        output, after = super().run(inputs, state)
        return output * np.float32(1 + 2**-23), after


class CannotDraw(Honest):
    generate = None


DRAWS_WRONG = (
    DrawsOneNumberLate,
    DrawsAllRowsAtTheFirst,
    DrawsTooWarm,
    DrawsWhereItShouldTakeTheMostLikely,
    AlwaysTakesTheMostLikely,
    KeepsAll,
    LaysTokensSideBySideById,
    ForgetsTheStateBetweenCalls,
    ReadsTheLastTokenToo,
    ReadsThePromptsEndTwice,
    ReadsThePromptsEndAlone,
    MixesUpTheRowsDrawn,
    DrawsAnIdThatIsNone,
)
WRONG = (
    IgnoresState,
    CarriesNoState,
    StateOfTheFirstCall,
    DropsTheLastStep,
    SwapsHAndC,
    NotANumber,
    NotANumberInC,
    OffByAThousandth,
    ForgetsThePeephole,
    MixesUpTheRows,
)


# of how the recurrence is computed


class PeepsWithTheWrongCell(Honest):
    """Diagonal: o sees the old cell state; full: o sees the new one."""

    def run(self, inputs, state, **lengths):
        return with_cell(super().run, wrong_cell)(inputs, state, **lengths)


def wrong_cell(layer, x, h, c, arithmetic):
    _, c_next = right_cell(layer, x, h, c, arithmetic)
    z = x @ layer.W.T + h @ layer.U.T + layer.b
    o, P = np.split(z, 4, axis=-1)[3], layer.P
    o = o + (np.split(P, 3)[2] * c if P.ndim == 1 else c_next @ np.split(P, 4)[3].T)
    return reference.sigmoid(o) * np.tanh(c_next), c_next


class Clips(Honest):
    """The sums of all gates, as attribute `clip` of an LSTM node has it."""

    most = 6.0

    def run(self, inputs, state, **lengths):
        return with_cell(super().run, functools.partial(clipped_cell, self.most))(inputs, state, **lengths)


class ClipsAt3(Clips):
    most = 3.0


class ClipsAt10(Clips):
    most = 10.0


class TakesTanhByExponentials(Honest):
    """(e^2z - 1) / (e^2z + 1), which is inf / inf at z = 45 in float32."""

    def run(self, inputs, state, **lengths):
        with np.errstate(over="ignore", invalid="ignore"):
            return with_cell(super().run, cell_by_exponentials)(inputs, state, **lengths)


def cell_by_exponentials(layer, x, h, c, arithmetic):
    h_next, c_next = right_cell(layer, x, h, c, arithmetic)
    powers = np.exp(2 * c_next)
    return h_next / np.tanh(c_next) * ((powers - 1) / (powers + 1)), c_next


def clipped_cell(most, layer, x, h, c, arithmetic):
    def sums(z):
        return np.clip(z, -most, most).astype(np.float32)

    P = np.zeros((3, 1), np.float32) if layer.P is None or layer.P.ndim == 2 else np.split(layer.P, 3)
    z = x @ layer.W.T + h @ layer.U.T + layer.b
    z = z + c @ layer.P.T if layer.P is not None and layer.P.ndim == 2 else z
    i, f, g, o = np.split(z, 4, axis=-1)
    kept = reference.sigmoid(sums(f + P[1] * c)) * c
    c_next = kept + reference.sigmoid(sums(i + P[0] * c)) * np.tanh(sums(g))
    return reference.sigmoid(sums(o + P[2] * c_next)) * np.tanh(c_next), c_next


def with_cell(run, cell):
    """The run with another cell in the reference."""

    def changed(*given, **named):
        right, reference.cell = reference.cell, cell
        try:
            return run(*given, **named)
        finally:
            reference.cell = right

    return changed


class LeavesTheReverseOutputAsItCame(Honest):
    """The last step first."""

    def run(self, inputs, state):
        output, after = super().run(inputs, state)
        H = after.h.shape[-1]
        return np.concatenate([output[..., :H], output[:, ::-1, H:]], axis=-1), after


class FreezesTheTimeAxis(Honest):
    """Traced at T = 2: later steps repeat the second."""

    def run(self, inputs, state):
        output, after = super().run(inputs[:, :2], state)
        last = np.repeat(output[:, -1:], max(0, inputs.shape[1] - 2), axis=1)
        return np.concatenate([output, last], axis=1), after


class ReadsTheStepsBackwards(Honest):
    def run(self, inputs, state):
        return super().run(inputs[:, ::-1], state)


# of the precision of products


class RoundsOperandsToTf32(Honest):
    """As a GPU multiplies float32 where it may; the sums are float32."""

    bits, cut = 10, False

    def run(self, inputs, state):
        one = functools.partial(rounding.shortened, bits=self.bits, cut=self.cut)
        config, weights = rounding.untied(self._config, self._weights)
        names = {name for names in rounding.products(config, weights) for name in names}
        weights = {name: one(w) if name in names else w for name, w in weights.items()}
        how = EXACT._replace(inputs=one)
        output, (h, c) = reference.run(config, weights, inputs, state, dtype=np.float32, arithmetic=how)
        return output, State(h, c)


class CutsOperandsToTf32(RoundsOperandsToTf32):
    cut = True


class RoundsOperandsToBfloat16(RoundsOperandsToTf32):
    bits = 7


class CutsOperandsToBfloat16(RoundsOperandsToBfloat16):
    cut = True


# of the contract of the state


class KeepsTheLastState(Honest):
    """Goes on where the last call ended, if it is given no state."""

    last = None

    def run(self, inputs, state):
        if state is None and self.last is not None and self.last.h.shape[1] == len(inputs):
            state = self.last
        output, self.last = super().run(inputs, state)
        return output, self.last


class AddsTheLastState(Honest):
    """A little of what the last call left reaches the next, whatever it is given."""

    last = None

    def run(self, inputs, state):
        output, after = super().run(inputs, state)
        if self.last is not None and self.last.h.shape == after.h.shape:
            after = State(after.h + 1e-3 * self.last.h, after.c)
        self.last = after
        return output, after


class ReadsLaterSteps(Honest):
    """Of attention without a causal mask; right where a call is one step."""

    def run(self, inputs, state):
        attend = reference.attend
        reference.attend = lambda weights, h, **how: np.flip(attend(weights, np.flip(h, 1).copy(), **how), 1).copy()
        try:
            return super().run(inputs, state)
        finally:
            reference.attend = attend


class AnswersFromMemory(Honest):
    """The second call of one shape gets the answer of the first."""

    def run(self, inputs, state):
        known = self.__dict__.setdefault("known", {})
        key = (inputs.shape, state is None)
        if key not in known:
            known[key] = super().run(inputs, state)
        output, after = known[key]
        return output.copy(), after


class StartsFromOnes(Honest):
    """Where it is given no state."""

    def run(self, inputs, state):
        ones = np.ones(self._config.state_shape(len(inputs)), np.float32)
        return super().run(inputs, state or State(ones, ones))


class TakesZerosForAPlaceholder(Honest):
    """A state of zeros is replaced by the last one that was none."""

    last = None

    def run(self, inputs, state):
        if state is not None and not state.h.any() and self.last is not None and self.last.h.shape == state.h.shape:
            state = self.last
        elif state is not None and state.h.any():
            self.last = state
        return super().run(inputs, state)


class ForgetsTheStateOfASingleStep(Honest):
    """A kernel of its own for T = 1, which starts from zero."""

    def run(self, inputs, state):
        return super().run(inputs, None if inputs.shape[1] == 1 else state)


class FixesTheFirstRowsPlace(Honest):
    """The first row that it ever sees is taken for the first row of every batch of that shape."""

    def run(self, inputs, state):
        first = self.__dict__.setdefault("first", {}).setdefault(inputs.shape, inputs[:1].copy())
        return super().run(np.concatenate([first, inputs[1:]]), state)


# of lengths


class SortsRowsByLength(Honest):
    """And leaves them so."""

    def run(self, inputs, state, *, lengths=None):
        if lengths is None:
            return super().run(inputs, state)
        order = np.argsort(-lengths, kind="stable")
        state = None if state is None else State(*(array[:, order] for array in state))
        return super().run(inputs[order], state, lengths=lengths[order])


class MasksByMultiplying(Honest):
    """What stands behind a row's end times zero: nothing, as long as it is small."""

    def run(self, inputs, state, *, lengths=None):
        output, after = super().run(inputs, state, lengths=lengths)
        if lengths is None:
            return output, after
        behind = np.arange(inputs.shape[1]) >= lengths[:, None]
        spoilt = (0 * np.where(behind[..., None], inputs, 0)).sum(axis=(1, 2), dtype=np.float32)
        return output + spoilt[:, None, None], after


class ReadsBehindTheEnd(Honest):
    """A thousandth of what the next token would be, in every row that ends early."""

    def run(self, inputs, state, *, lengths=None):
        output, after = super().run(inputs, state, lengths=lengths)
        if lengths is not None:
            following = inputs[np.arange(len(inputs)), lengths.clip(max=inputs.shape[1] - 1)]
            output = output + np.float32(1e-3) * (following * (lengths < inputs.shape[1]))[:, None, None]
        return output.astype(np.float32), after


OF_THE_STATE = (
    KeepsTheLastState,
    AddsTheLastState,
    AnswersFromMemory,
    StartsFromOnes,
    TakesZerosForAPlaceholder,
    ForgetsTheStateOfASingleStep,
    FixesTheFirstRowsPlace,
    ReadsTheStepsBackwards,
    FreezesTheTimeAxis,
)


class TellsNothing(ClaimsCuda):
    """Claims a provider, and shows of no node that it ran there."""

    def placement(self):
        return ()


class ShowsNoRecurrentNode(ClaimsCuda):
    def placement(self):
        return (Placement(provider=self.provider, operator="MatMul", nodes=3),)
