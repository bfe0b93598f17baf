"""Runtimes with one planted mistake each; a worker's child imports them as `planted:Name`."""

# ruff: noqa: ARG002 (the signatures are the contract's)

import os
import signal
import time

import numpy as np

from lstmbench.arrays import State
from lstmbench.errors import WorkerError
from lstmbench.model import sampling
from lstmbench.runtimes.numpy_float32 import NumpyFloat32 as Honest

__all__ = ["Honest"]


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
