"""Where an export parts from the reference on a runtime: step, layer, gate and term, by a few calls of a black box."""

import math
from typing import NamedTuple

import numpy as np

from lstmbench.arrays import Lengths, State
from lstmbench.check.differences import clipped, crowd, gates, heads, joining, naming, probes, steps, tokens, windows
from lstmbench.check.differences.answers import seen
from lstmbench.check.differences.box import MOST_ROWS, Box
from lstmbench.check.differences.exchanged import exchanged
from lstmbench.check.differences.isolated import Array, Model
from lstmbench.check.differences.joining import MOST_CALLS, Joint
from lstmbench.check.differences.misread import misread
from lstmbench.check.differences.steps import Wrong
from lstmbench.check.differences.tokens import Tokens
from lstmbench.check.differences.trace import trace
from lstmbench.check.differences.variants import TERMS
from lstmbench.check.differences.windows import Window
from lstmbench.check.differences.wiring import SWAPPED, miswired
from lstmbench.check.differences.wrong_runs import Run
from lstmbench.model.gates import TORCH_GATES

MOST_STEPS = 1024  # that are asked for one by one


class Place(NamedTuple):
    """Where it went wrong; fields as in `Difference`."""

    part: str
    words: str
    step: int | None = None
    layer: int | None = None
    reverse: bool = False
    gates: str = ""
    terms: tuple[str, ...] = ()
    value: str = ""
    got: float | None = None
    want: float | None = None
    allowed: float | None = None


def most_probes(batch: int, time: int) -> int:
    """Calls that a search makes at most, whatever it finds."""
    alone = math.ceil(min(batch * time, MOST_STEPS) / MOST_ROWS)
    found = 1 + math.ceil(math.log2(MOST_ROWS)) + 2  # the row alone, how many are wrong; the layer, or the head twice
    found += tokens.MOST_CALLS
    joined = 1 + math.ceil(math.log2(max(time, 2))) + min(time, MOST_CALLS)
    return alone + max(found, joined)


def search(box: Box, model: Model, run: Run) -> Place | None:
    """The first place that is wrong; None if nothing is."""
    if spoilt := sorted(name for name, tensor in model.weights.items() if not np.isfinite(tensor).all()):
        return Place(
            "unanswered", f"the model itself holds what is not finite, in {', '.join(spoilt)}: nothing to set beside"
        )
    if box.steps is not None:
        window = windows.first_wrong(box, model, run.inputs, run.state)
        return _joint(box, model, run) if window is None else _of_window(window)
    traced = trace(model, *_some(run))
    if wrong := steps.first_wrong(box, model, traced):
        return _of_step(box, model, wrong)
    if (box.exported.steps or 1) > 1 and (window := windows.first_wrong(box, model, run.inputs, run.state)):
        return _of_window(window)  # of a call's steps rows of length 1 show the first alone
    return _joint(box, model, run)


def _some(run: Run) -> tuple[Array, State | None, Lengths | None]:
    """As many rows of the batch as MOST_STEPS allows."""
    rows = max(1, MOST_STEPS // run.inputs.shape[1])
    state = None if run.state is None else State(*(array[:, :rows] for array in run.state))
    return run.inputs[:rows], state, None if run.lengths is None else run.lengths[:rows]


def _of_step(box: Box, model: Model, wrong: Wrong) -> Place:
    got = wrong.got if np.isfinite(wrong.got) else None
    place = Place(
        "output", "", wrong.t, value=f"{wrong.value}{list(wrong.unit)}", got=got, want=wrong.want, allowed=wrong.allowed
    )
    if wrong.row is not None:
        place = place._replace(part="layer", layer=wrong.row.k, reverse=bool(wrong.row.d))
    if of_states := _of_states(model, wrong, place):
        return of_states
    if got is None:
        return _not_finite(model, wrong, place)
    if model.coarse:
        return place._replace(words="wrong by more than integer activations make it; what inside is wrong is not told")
    if (count := crowd.least_rows(box, model, wrong)) is not None:
        return place._replace(
            part="batch", words=f"right in a call of {count - 1} row{'s' * (count > 2)}, wrong in one of {count}"
        )
    if wrong.row is None:
        terms, words = heads.cause(box, model, wrong)
        return place._replace(terms=terms, words=words)
    return _of_gate(box, model, wrong, place)


def _of_states(model: Model, wrong: Wrong, place: Place) -> Place | None:
    """A mistake of how states and rows come in and go out, if it is one."""
    if wrong.row is not None and (words := exchanged(model, wrong.answer, model.whole(wrong.inputs, wrong.state))):
        return _given_out(place, words)
    words = miswired(model, wrong)
    return place._replace(words=words) if words else None


def _given_out(place: Place, words: str) -> Place:
    """Of states that are right in their layers, and come out in the place of others."""
    return place._replace(part="layer" if SWAPPED in words else "output", words=words)


def _not_finite(model: Model, wrong: Wrong, place: Place) -> Place:
    """Of c' that is none one of i, f and g is to blame, of h' alone o; in integers one row spoils the scale of all."""
    place = place._replace(step=None if model.coarse else place.step)
    if wrong.row is None or model.coarse:
        return place._replace(words="not a finite number")
    n = model.index(wrong.row)
    h, c = (~np.isfinite(array[n, wrong.here]) for array in (wrong.answer.h, wrong.answer.c))
    units = np.flatnonzero(h | c)
    where = f" in unit {units[0]} alone" if len(units) == 1 else f" in {len(units)} of {len(h)} units"
    if not c.any():
        return place._replace(gates="o", words=f"not a finite number{where}, where c' is finite")
    return place._replace(words=f"not a finite number{where}: gate i, f or g, or all that they add up")


def _of_gate(box: Box, model: Model, wrong: Wrong, place: Place) -> Place:
    planned = probes.plan(model, wrong)
    answer = box.step(planned.inputs, planned.state)
    if not (np.isfinite(answer.h).all() and np.isfinite(answer.c).all()):
        return place._replace(words="right around this step, and not finite further off")
    assert wrong.row is not None
    given = seen(model, wrong.row, planned, answer)
    if words := clipped.limit(given):
        return place._replace(words=words)
    if misread(model, given, planned, answer):
        return place._replace(gates=TORCH_GATES, terms=("input",), words=naming.input_words(model, wrong))
    embedded = model.config.head == "lm" and place.layer == 0
    asked = _asked(box, model, wrong) if embedded and given.confined() else None
    if asked and (words := asked.alone(model)):
        return place._replace(gates=TORCH_GATES, terms=("input",), words=words)
    cause = naming.cause(model, wrong, gates.sums(given, planned))
    if embedded and "input" in cause.terms and (words := (asked or _asked(box, model, wrong)).words):
        cause = cause._replace(terms=("input",), words=words)
    place = place._replace(gates=cause.gates, terms=cause.terms, words=cause.words)
    if cause.gate:
        value = f"{cause.gate}[{cause.unit}]"
        place = place._replace(value=value, got=cause.got, want=cause.want, allowed=cause.allowed)
    return place


def _asked(box: Box, model: Model, wrong: Wrong) -> Tokens:
    return tokens.ask(box, model, State(*(array[:, wrong.here : wrong.here + 1] for array in wrong.state)))


def _of_window(window: Window) -> Place:
    row, known = window.row, window.variant
    place = Place("output" if row is None else "layer", "", window.first, value=window.value)
    place = place._replace(got=window.got, want=window.want, allowed=window.allowed)
    if row is not None:
        place = place._replace(layer=row.k, reverse=bool(row.d))
    if window.held:
        return _given_out(place, window.held)
    if window.taken:
        return place._replace(gates=TORCH_GATES, terms=("input",), words=window.taken)
    if known is None:
        last = window.t + window.steps - 1
        shown = "" if window.first is None else f"; the first output that is wrong is that of step {window.first}"
        return place._replace(words=f"wrong in the call of steps {window.t} to {last}, which come in one{shown}")
    terms = tuple(TERMS[term] for term in known.terms)
    return place._replace(gates=known.gates, terms=terms, words=f"{', '.join(terms)} {known.words}")


def _joint(box: Box, model: Model, run: Run) -> Place | None:
    if box.exported.draws:
        return None
    found: Joint | None = joining.wrong_joint(box, model, run)
    if found is None:
        return None
    if model.coarse and not found.known:
        return Place("unknown", f"each step alone is within its bound, and adds to what is not: {found.words}")
    words = f"each step alone is right, joined they are not: {found.words}"
    place = Place(
        "joining", words, found.time - 1, value=found.value, got=found.got, want=found.want, allowed=found.allowed
    )
    return place if found.row is None else place._replace(layer=found.row.k, reverse=bool(found.row.d))
