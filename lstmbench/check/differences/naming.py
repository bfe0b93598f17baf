"""From the sums of the gates to the words of a report: which gate, which term, how it is wrong."""

import math
from typing import NamedTuple

import numpy as np

from lstmbench.check.differences.fit import MORE, left_of
from lstmbench.check.differences.gates import Sums
from lstmbench.check.differences.isolated import Array, Model
from lstmbench.check.differences.parts import PARTS
from lstmbench.check.differences.probes import INPUTS
from lstmbench.check.differences.steps import Wrong
from lstmbench.check.differences.variants import TERMS, Variant
from lstmbench.model.gates import TORCH_GATES
from lstmbench.model.reference import sigmoid

_OR = " or "
# If weights were wrong, what a sum is off by at one input would be no nearer to that at another than two draws of one
# normal variable of its size are: within `a` of each other with a chance of at most 2a / (√(4π) · size). That all
# INPUTS - 1 of them are has a chance below one in a thousand from a size of so many `a` on.
_ALIKE = 2 / (math.sqrt(4 * math.pi) * 1e-3 ** (1 / (INPUTS - 1)))


class Cause(NamedTuple):
    """What is wrong inside a layer."""

    gates: str  # in the order of TORCH_GATES; all of them where the layer's input is wrong
    terms: tuple[str, ...]  # as in TERMS, or "input"
    words: str
    gate: str = ""  # the one whose value at the step is told
    unit: int | None = None
    got: float | None = None
    want: float | None = None
    allowed: float | None = None


def cause(model: Model, wrong: Wrong, sums: Sums) -> Cause:
    """Name the gates and terms whose sums differ from the reference's."""
    if sums.known is not None:
        return _with_values(_known(model, wrong, sums.known), sums)
    over = np.abs(sums.got - sums.want) > sums.allowed + MORE  # (H, 4, m)
    if stuck := _stuck(sums):
        return _with_values(stuck, sums)
    if sums.alone:
        return _with_values(_alone(sums, model), sums)
    if not sums.met or not over.any():
        words = "no weights of this cell give its answers" if not sums.met else "its gates are right around this step"
        return Cause("", (), words)
    if input_is_wrong(sums, over):
        return _with_values(_of_input(sums, over, _which_input(model, wrong, over)), sums)
    return _with_values(_by_term(sums, over, model), sums)


def _known(model: Model, wrong: Wrong, known: Variant) -> Cause:
    gates = "".join(gate for gate in TORCH_GATES if gate in known.gates)
    terms = tuple(TERMS[term] for term in known.terms)
    if (known.terms, known.words) == (("W",), "missing"):
        return Cause(gates, (*terms, "input"), f"{TERMS['W']} missing{_OR}{_zero_input(model, wrong)}")
    return Cause(gates, terms, f"{_listed(terms)} {known.words}{_where(terms, gates)}")


def _stuck(sums: Sums) -> Cause | None:
    """Gates at their end in every row, where no term shows: what ONNX Runtime's LSTM makes of a NaN in its weights."""
    off = (np.abs(sums.got - sums.want) > MORE).any(axis=2)  # (H, 4)
    least = np.abs(sums.got[..., :INPUTS]).min(axis=2) - np.abs(sums.got[..., INPUTS:]).sum(axis=2)
    ends = np.stack([1 - np.abs(opened(gate, least[:, n])) for n, gate in enumerate(TORCH_GATES)], axis=1)
    if not off.any() or not sums.met or (ends > sums.bound)[off].any():
        return None
    gates = "".join(gate for n, gate in enumerate(TORCH_GATES) if off[:, n].any())
    units = np.flatnonzero(off.any(axis=1))
    where = f"unit {units[0]} is" if len(units) == 1 else f"{len(units)} units are"
    return Cause(gates, (), f"{where} stuck at an end whatever comes in: a weight is NaN, or far too large")


def _alone(sums: Sums, model: Model) -> Cause:
    """Single terms that explain every answer; where several do, for c' or for h', which of them is left open."""
    over = np.abs(sums.got - sums.want) > MORE
    if any(len(terms) > 1 for terms in sums.alone):
        every = {(gate, TERMS[term]) for terms in sums.alone for gate, term in terms}
        words = ", and ".join(" or ".join(f"{TERMS[term]} of {gate}" for gate, term in terms) for terms in sums.alone)
        gates = "".join(gate for gate in TORCH_GATES if any(gate == one for one, _ in every))
        return Cause(gates, tuple(term for term in TERMS.values() if any(term == one for _, one in every)), words)
    found: dict[str, str] = {}
    for ((gate, term),) in sums.alone:
        found[TERMS[term]] = found.get(TERMS[term], "") + gate
    return _told(sums, found, over, model)


def _by_term(sums: Sums, over: Array, model: Model) -> Cause:
    found: dict[str, str] = {}  # gates by term
    for n, gate in enumerate(TORCH_GATES):
        for part, columns in PARTS.items():
            if over[:, n, columns].any():
                term = {"x": _bias_or_weights(sums, over, n), "h": TERMS["U"], "c": TERMS["P"]}[part]
                found[term] = found.get(term, "") + gate
    return _told(sums, found, over, model)


def _told(sums: Sums, found: dict[str, str], over: Array, model: Model) -> Cause:
    gates = "".join(gate for gate in TORCH_GATES if any(gate in some for some in found.values()))
    units = np.flatnonzero(over.any(axis=(1, 2)))
    words = ", ".join(_one_term(sums, over, term, some, gates) for term, some in found.items())
    where = f" in unit {units[0]} alone" if len(units) == 1 and model.config.hidden_size > 1 else ""
    terms = dict.fromkeys(term for names in found for term in names.split(_OR))
    return Cause(gates, tuple(terms), words + where)


def _one_term(sums: Sums, over: Array, term: str, gates: str, all_gates: str) -> str:
    n, part = [TORCH_GATES.index(gate) for gate in gates], PARTS[{TERMS["U"]: "h", TERMS["P"]: "c"}.get(term, "x")]
    wrong = over[:, n, part].any(axis=(1, 2))
    got, want, allowed = (array[wrong][:, n, part] for array in (sums.got, sums.want, sums.allowed))
    gone = (np.abs(got) <= allowed + MORE).all() and (np.abs(want) > allowed + MORE).any()
    only = "" if gates == all_gates else f" of {_listed(tuple(gates))}"
    return f"{term} {'missing' if gone else 'wrong'}{only}{_where((term,), gates)}"


def _where(terms: tuple[str, ...], gates: str) -> str:
    """Gate o of some cells sees c', the others the old c."""
    return " (right where c is 0)" if terms == (TERMS["P"],) and "o" not in gates else ""


def _bias_or_weights(sums: Sums, over: Array, n: int) -> str:
    """A bias is off by the same whatever the input is; where noise may hide that it is not, both are named."""
    units = over[:, n, :INPUTS].any(axis=1)
    off = (sums.got - sums.want)[units, n, :INPUTS]
    allowed = sums.allowed[units, n, :INPUTS] + sums.allowed[units, n, :1] + MORE
    if (np.abs(off - off[:, :1]) > allowed).any():
        return TERMS["W"]
    alike = (np.abs(off[:, :1]) > _ALIKE * allowed[:, 1:]).all(axis=1)
    return TERMS["b"] if alike.any() else TERMS["W"] + _OR + TERMS["b"]


def input_is_wrong(sums: Sums, over: Array) -> bool:
    """Whether another input, of the same for all gates, explains what is wrong with α; β and γ being right."""
    if over[:, :, INPUTS:].any():
        return False
    for m in np.flatnonzero(over[:, :, :INPUTS].any(axis=(0, 1))):
        told = np.isfinite(sums.allowed[..., m]) & (sums.allowed[..., m] > 0)
        weight = 1 / (sums.allowed[..., m][told] + MORE)
        rows = sums.W[told] * weight[:, None]  # (N, E)
        off = (sums.got - sums.want)[..., m][told] * weight
        if len(rows) < rows.shape[1] + 4:
            return False
        inverse = np.linalg.pinv(rows)
        if (np.abs(off - rows @ (inverse @ off)) > left_of(rows, inverse)).any():
            return False
    return True


def _of_input(sums: Sums, over: Array, words: str) -> Cause:
    """An input that is off by the same every time and a bias cannot be told apart where noise is wide."""
    off = (sums.got - sums.want)[..., :INPUTS]
    allowed = sums.allowed[..., :INPUTS] + sums.allowed[..., :1] + MORE
    if (np.abs(off - off[..., :1]) > allowed).any():
        return _or_weights(over, words)
    gates = "".join(gate for n, gate in enumerate(TORCH_GATES) if over[:, n].any())
    return Cause(gates, (TERMS["b"], "input"), f"{TERMS['b']} wrong{_OR}{words}")


def _or_weights(over: Array, words: str) -> Cause:
    """Weights W·A, A the same in all gates, give what W gives of A·x: where more than one input is wrong, both do."""
    if not over[:, :, 1:INPUTS].any():
        return Cause(TORCH_GATES, ("input",), words)
    return Cause(TORCH_GATES, (TERMS["W"], "input"), f"{words}{_OR}its {TERMS['W']} are wrong, in all gates alike")


def input_words(model: Model, wrong: Wrong) -> str:
    """Of a layer that was given something else."""
    if wrong.row is not None and wrong.row.k:
        return "its input is not the output of the layer below"
    return "its input is not x" if model.config.head == "layer" else "its input is not the embedding"


def _which_input(model: Model, wrong: Wrong, over: Array) -> str:
    only = not over[:, :, 1:INPUTS].any()
    if model.config.head == "layer" or (wrong.row is not None and wrong.row.k):
        return input_words(model, wrong)
    token = int(wrong.inputs[wrong.here].ravel()[0])
    return f"the embedding of token {token} is wrong" if only else "the embedding is wrong"


def _zero_input(model: Model, wrong: Wrong) -> str:
    """What nobody outside can tell from weights that are missing: a product with zeros is 0 as well."""
    embedded = model.config.head == "lm" and (wrong.row is None or not wrong.row.k)
    return "the embedding all zeros" if embedded else "its input all zeros"


def _with_values(found: Cause, sums: Sums) -> Cause:
    """The gate and unit that is furthest off at the step that was wrong."""
    at = sums.now[:, None, :]  # (H, 1, m)
    got, want = ((theta * at).sum(axis=-1) for theta in (sums.got, sums.want))  # (H, 4)
    told = np.where(at == 0, 0, sums.allowed)
    allowed = (np.abs(at) * np.where(np.isfinite(told), told, 1e30)).sum(axis=-1)
    unit, n = np.unravel_index(int((np.abs(got - want) / (allowed + MORE)).argmax()), got.shape)
    gate = TORCH_GATES[n]
    a, b = (float(opened(gate, z[unit, n])) for z in (got, want))
    slope = float(np.abs(opened(gate, want[unit, n] + allowed[unit, n]) - b))
    return found._replace(gate=gate, unit=int(unit), got=a, want=b, allowed=slope)


def opened(gate: str, z: Array) -> Array:
    """A gate by its sum."""
    return np.tanh(z) if gate == "g" else sigmoid(z)


def _listed(words: tuple[str, ...]) -> str:
    return " and ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)
