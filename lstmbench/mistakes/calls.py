"""Inputs and attributes of a call that are not looked at, or are looked at wrongly."""

from collections.abc import Iterator

import numpy as np

from lstmbench.mistakes.case import Case, Outputs, right, run
from lstmbench.mistakes.mistake import Mistake, of_inputs, of_outputs

_PLAIN = {"activations": (), "activation_alpha": (), "activation_beta": ()}
_NUMBERS = {"activation_alpha": (), "activation_beta": ()}


def ignored() -> Iterator[Mistake]:
    """What a node says and an engine passes over."""
    yield of_inputs("without sequence_lens", lambda case: _left_out(case, "sequence_lens"))
    yield of_inputs("without initial_h", lambda case: _left_out(case, "initial_h"))
    yield of_inputs("without initial_c", lambda case: _left_out(case, "initial_c"))
    yield of_inputs("without the initial states", lambda case: _left_out(case, "initial_h", "initial_c"))
    yield of_inputs("with initial_h and initial_c swapped", _swapped_states)
    yield of_inputs("without clip", lambda case: None if case.how.clip is None else case.told(clip=None))
    yield of_inputs(
        "without input_forget", lambda case: case.told(input_forget=False) if case.how.input_forget else None
    )
    yield of_inputs("with the usual activations", lambda case: case.told(**_PLAIN) if case.how.activations else None)
    yield of_inputs(
        "without alpha and beta",
        lambda case: case.told(**_NUMBERS) if case.how.activation_alpha or case.how.activation_beta else None,
    )
    yield of_inputs("run forwards", lambda case: case.told(direction="forward") if _is_reverse(case) else None)
    yield Mistake("with B and T of X taken for each other", _layout_ignored)


def directions() -> Iterator[Mistake]:
    """What can be wrong with two directions."""
    yield of_inputs("with the weights of the first direction in both", _first_weights)
    yield of_inputs("with the activations of the first direction in both", _first_activations)
    yield of_outputs("with the two directions swapped", _swapped_directions)
    yield of_outputs("with Y of the reverse direction in the order of its steps", _not_turned)
    yield Mistake("with the reverse direction starting at T in every row", _from_the_end)


def outputs() -> Iterator[Mistake]:
    """What can be wrong with what comes out."""
    yield of_outputs("with Y_h and Y_c swapped", lambda _case, got: (got[0], got[2], got[1]))
    yield of_inputs("without the last step", _one_less)
    yield Mistake("with Y going on behind the end of a row", _going_on)
    yield of_outputs("with Y_h from the last row of Y", _last_row)
    yield of_outputs("with zero states where no step is taken", _forgotten)
    yield Mistake("in float32", _in_float32, np.float32)


def _left_out(case: Case, *names: str) -> Case | None:
    return case.without(*names) if case.has(*names) else None


def _swapped_states(case: Case) -> Case | None:
    if not case.has("initial_h", "initial_c"):
        return None
    return case.but(initial_h=case.tensors["initial_c"], initial_c=case.tensors["initial_h"])


def _is_reverse(case: Case) -> bool:
    return case.how.direction == "reverse"


def _layout_ignored(case: Case) -> Outputs | None:
    """The memory of X (B, T, E) and of the states read as if layout were 0, the results likewise."""
    if not case.how.layout:
        return None
    X = case.tensors["X"]
    turned = {
        n: case.tensors[n].reshape(case.directions, len(X), -1) for n in ("initial_h", "initial_c") if case.has(n)
    }
    read = case.told(layout=0).but(X=X.reshape(X.shape[1], X.shape[0], -1), **turned)
    shapes = [array.shape for array in right(case)]
    Y, Y_h, Y_c = (array.reshape(shape) for array, shape in zip(right(read), shapes, strict=True))
    return Y, Y_h, Y_c


def _first_weights(case: Case) -> Case | None:
    if case.directions == 1:
        return None
    return case.but(**{n: np.stack([case.tensors[n][0]] * 2) for n in "WRBP" if case.has(n)})


def _first_activations(case: Case) -> Case | None:
    if case.directions == 1 or not case.how.activations:
        return None
    return case.told(activations=case.how.activations[:3] * 2, activation_alpha=case.how.activation_alpha * 2)


def _swapped_directions(case: Case, got: Outputs) -> Outputs | None:
    if case.directions == 1 or case.how.layout:
        return None
    Y, Y_h, Y_c = got
    return Y[:, ::-1], Y_h[::-1], Y_c[::-1]


def _not_turned(case: Case, got: Outputs) -> Outputs | None:
    """Y (T, D, B, H) of the reverse direction as it was computed, the last step first."""
    if case.how.direction == "forward" or case.how.layout:
        return None
    Y = got[0].copy()
    for row, end in enumerate(_ends(case)):
        Y[:end, -1, row] = Y[:end, -1, row][::-1].copy()
    return Y, got[1], got[2]


def _from_the_end(case: Case) -> Outputs | None:
    """The reverse direction of a short row reads what lies behind the row's end."""
    if case.how.direction == "forward" or not case.has("sequence_lens") or case.how.layout:
        return None
    backwards = _one_direction(case, case.directions - 1)
    Y, Y_h, Y_c = right(backwards.but(X=backwards.tensors["X"][::-1]))
    wrong = (Y[::-1], Y_h, Y_c)
    if case.directions == 1:
        return wrong
    forwards = right(_one_direction(case, 0))
    Y, Y_h, Y_c = (
        np.concatenate(pair, axis) for pair, axis in zip(zip(forwards, wrong, strict=True), (1, 0, 0), strict=True)
    )
    return Y, Y_h, Y_c


def _one_direction(case: Case, d: int) -> Case:
    """One direction by itself, run forwards."""
    own = {n: a if n in ("X", "sequence_lens") else a[d : d + 1] for n, a in case.tensors.items()}
    return Case(own, case.how).told(direction="forward", activations=case.how.activations[3 * d : 3 * d + 3])


def _one_less(case: Case) -> Case:
    return case.but(sequence_lens=np.array(_ends(case), np.int32) - 1)


def _going_on(case: Case) -> Outputs | None:
    if not case.has("sequence_lens"):
        return None
    _, Y_h, Y_c = right(case)
    return right(case.without("sequence_lens"))[0], Y_h, Y_c


def _last_row(case: Case, got: Outputs) -> Outputs | None:
    """Y_h of the forward direction from Y at T - 1, which is behind the end of a short row."""
    if not case.has("sequence_lens") or case.how.direction == "reverse" or case.how.layout or not len(got[0]):
        return None
    Y_h = got[1].copy()
    Y_h[0] = got[0][-1, 0]
    return got[0], Y_h, got[2]


def _forgotten(case: Case, got: Outputs) -> Outputs | None:
    """Y_h and Y_c of rows of length 0 are not those that were given."""
    none = np.array(_ends(case)) == 0
    if not none.any() or case.how.layout:
        return None
    Y_h, Y_c = (np.where(none[:, None], 0.0, state) for state in got[1:])
    return got[0], Y_h, Y_c


def _in_float32(case: Case) -> Outputs | None:
    return run(case.into(np.float32)) if case.tensors["X"].dtype == np.float64 else None


def _ends(case: Case) -> list[int]:
    """The length of each row."""
    if case.has("sequence_lens"):
        return [int(n) for n in case.tensors["sequence_lens"]]
    time, batch = case.tensors["X"].shape[:2][:: -1 if case.how.layout else 1]
    return [time] * batch
