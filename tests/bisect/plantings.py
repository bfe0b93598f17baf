"""Exports with one mistake in one layer, and what is true of it: what `check --bisect` is to find and may say."""

import functools
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np

from lstmbench.arrays import State
from lstmbench.evaluator import Attributes
from lstmbench.evaluator.lstm import lstm
from lstmbench.mistakes import MISTAKES, Case, Mistake
from lstmbench.model import reference, stimulus
from lstmbench.model.gates import ONNX_GATES, ONNX_PEEPHOLES, TORCH_GATES, TORCH_PEEPHOLES, order
from lstmbench.model.weights import random_weights
from lstmbench.records import ExportedModel, ExportRecord, ModelConfig

TERMS = {"W": "input weights", "U": "recurrent weights", "b": "bias", "P": "peephole"}
Weights = dict[str, np.ndarray]
B, T = 3, 12  # of the study's run

# what is said of a mistake that is none of the weights: words that name it, and the gates and terms that go with them
OF_CALLS = {
    "without initial_h": ("h_0 is ignored", "", ()),
    "without initial_c": ("c_0 is ignored", "", ()),
    "without the initial states": ("h_0 and c_0 are ignored", "", ()),
    "with initial_h and initial_c swapped": ("h_0 and c_0 have changed places", "", ()),
    "with Y_h and Y_c swapped": ("h_n and c_n have changed places", "", ()),
    "without the last step": ("the state comes back as it went in", "", ()),  # of a call of one step
    "with o peeping at c of the step before": ("peephole", "o", ("peephole",)),
    "with a peephole on the candidate (P_i)": ("peephole", "g", ("peephole",)),
}


class Truth(NamedTuple):
    """What may be said: of parts that are not a layer's, of a layer, or within one."""

    part: str
    layer: int | None
    reverse: bool = False
    gates: str = ""
    terms: tuple[str, ...] = ()
    words: str = ""
    step: int | None = None  # where it is another than the first


class Planting(NamedTuple):
    """A mistake in a place."""

    name: str
    truth: Truth
    weights: Weights  # of the file
    run: Callable[[Any, Any], Any] | None = None  # an engine that makes it; None: the file holds it


def of_weights(config: ModelConfig, weights: Weights, k: int, d: int) -> Iterator[Planting]:
    """Every mistake of `lstmbench.mistakes` that is one of weights; for `full`, of its matrices P as well."""
    layer = reference_layer(config, weights, k, d)
    own = to_case(layer)
    for mistake in MISTAKES:
        changed = mistake.change(own) if mistake.change else None
        if changed is None or changed.how != own.how or not changed.has("X"):
            continue
        if mistake.name in OF_CALLS or not _differs(changed, own):
            continue
        yield planted(mistake.name, config, weights, (k, d), of_case(changed, layer))
    if config.peephole == "full":
        for name, P in _of_matrices(layer.P):
            yield planted(name, config, weights, (k, d), layer._replace(P=P))


def of_engines(config: ModelConfig, weights: Weights, k: int, d: int) -> Iterator[Planting]:
    """Every mistake of `lstmbench.mistakes` in a step or a call of one layer, which an engine makes."""
    for mistake in MISTAKES:
        if mistake.name in OF_CALLS and not (mistake.name.count("peep") and config.peephole != "diagonal"):
            if config.peephole == "full":
                continue
            words, gates, terms = OF_CALLS[mistake.name]
            truth = Truth("layer", k, bool(d), gates, terms, words)
            yield Planting(mistake.name, truth, weights, Engine(config, weights, (k, d), mistake))


class Engine:
    """The operator layer by layer in float32, one of them wrongly."""

    def __init__(self, config: ModelConfig, weights: Weights, where: tuple[int, int], mistake: Mistake) -> None:
        self.config, self.weights, self.where, self.mistake = config, weights, where, mistake

    def __call__(self, inputs, state):
        """As an adapter's `run`."""
        config, D = self.config, self.config.directions
        x = self.weights["embedding.weight"][inputs] if config.head == "lm" else inputs
        zeros = np.zeros(config.state_shape(len(x)), np.float32)
        h, c = (zeros, zeros) if state is None else state
        h, c = h.copy(), c.copy()
        for k in range(config.num_layers):
            parts = []
            for d in range(D):
                n = k * D + d
                case = to_case(reference_layer(config, self.weights, k, d)).but(
                    X=x.swapaxes(0, 1), initial_h=h[n : n + 1], initial_c=c[n : n + 1]
                )
                case = case.told(direction="reverse") if d else case
                Y, Y_h, Y_c = self.mistake.answer(case) if (k, d) == self.where else _float32(case)
                parts.append(np.asarray(Y, np.float32)[:, 0].swapaxes(0, 1))
                h[n], c[n] = Y_h[0], Y_c[0]
            x = np.concatenate(parts, axis=-1)
        output = reference.project(config, self.weights, x) if config.head == "lm" else x
        return output, State(h, c)


def reference_layer(config: ModelConfig, weights: Weights, k: int, d: int) -> reference.Layer:
    """As the file holds it, float32; b (2, 4H) is both biases."""
    suffix = f"l{k}{'_reverse' if d else ''}"
    W, U, P = (weights.get(f"lstm.{kind}_{suffix}") for kind in ("weight_ih", "weight_hh", "weight_ch"))
    b = np.stack([weights[f"lstm.bias_{kind}_{suffix}"] for kind in ("ih", "hh")])
    return reference.Layer(W, U, b, P)


def to_case(layer: reference.Layer) -> Case:
    """A layer as the operator's tensors; X and the states are placeholders."""
    rows = order(TORCH_GATES, ONNX_GATES)
    H = layer.U.shape[1]

    def in_onnx(array):
        return array.reshape(4, H, -1)[rows].reshape(1, *array.shape)

    B = np.concatenate([in_onnx(half) for half in layer.b], axis=1)
    zero = np.zeros((1, 1, H), np.float32)
    tensors = {"X": np.zeros((1, 1, layer.W.shape[1]), np.float32), "W": in_onnx(layer.W), "R": in_onnx(layer.U)}
    tensors |= {"B": B, "initial_h": zero, "initial_c": zero + 1}
    if layer.P is not None and layer.P.ndim == 1:
        tensors["P"] = layer.P.reshape(3, H)[order(TORCH_PEEPHOLES, ONNX_PEEPHOLES)].reshape(1, -1)
    return Case(tensors, Attributes())


def of_case(case: Case, like: reference.Layer) -> reference.Layer:
    """Back again."""
    rows = order(ONNX_GATES, TORCH_GATES)
    H = like.U.shape[1]

    def in_torch(array, shape):
        return array.reshape(4, H, -1)[rows].reshape(shape).astype(np.float32)

    W, U = in_torch(case.tensors["W"], like.W.shape), in_torch(case.tensors["R"], like.U.shape)
    B = case.tensors["B"].reshape(2, -1)
    b = np.stack([in_torch(half, half.shape) for half in B])
    P = like.P
    if P is not None and P.ndim == 1:
        read = case.tensors.get("P", np.zeros((1, 3 * H), np.float32))
        P = read.reshape(3, H)[order(ONNX_PEEPHOLES, TORCH_PEEPHOLES)].ravel().astype(np.float32)
    return reference.Layer(W, U, b, P)


def _of_matrices(P: np.ndarray) -> Iterator[tuple[str, np.ndarray]]:
    blocks = P.reshape(4, -1, P.shape[1])
    yield "without P", np.zeros_like(P)
    for n, gate in enumerate(TORCH_GATES):
        yield f"without P of {gate}", (blocks * (np.arange(4) != n)[:, None, None]).reshape(P.shape).astype(np.float32)
    for turned in ("figo", "ifog", "gifo", "oifg", "igof"):
        rows = [TORCH_GATES.index(gate) for gate in turned]
        yield f"with P read as {turned}", blocks[rows].reshape(P.shape)
    yield "with P transposed", blocks.swapaxes(1, 2).reshape(P.shape)
    off = P.copy()
    off[0, 0] += 1e-3
    yield "with one number of P off by 0.001", off


def planted(name: str, config: ModelConfig, weights: Weights, where: tuple[int, int], wrong: Any) -> Planting:
    k, d = where
    right, suffix = reference_layer(config, weights, k, d), f"l{k}{'_reverse' if d else ''}"
    gates, terms = _parted(right, wrong)
    new = dict(weights) | {f"lstm.weight_ih_{suffix}": wrong.W, f"lstm.weight_hh_{suffix}": wrong.U}
    new |= {f"lstm.bias_ih_{suffix}": wrong.b[0], f"lstm.bias_hh_{suffix}": wrong.b[1]}
    new |= {} if wrong.P is None else {f"lstm.weight_ch_{suffix}": wrong.P}
    return Planting(name, Truth("layer", k, bool(d), gates, terms), new)


def _parted(right: reference.Layer, wrong: reference.Layer) -> tuple[str, tuple[str, ...]]:
    """The gates and terms in which two layers differ by more than rounding."""
    found: dict[str, set[str]] = {}
    for term, name in TERMS.items():
        one, other = getattr(right, term), getattr(wrong, term)
        if one is None:
            continue
        if term == "b":
            one, other = one.sum(axis=0), other.sum(axis=0)
        gates = TORCH_PEEPHOLES if term == "P" and one.ndim == 1 else TORCH_GATES
        pairs = zip(gates, np.split(one, len(gates)), np.split(other, len(gates)), strict=True)
        found[name] = {gate for gate, a, b in pairs if not np.abs(a - b).max() <= 1e-6}
    gates = "".join(gate for gate in TORCH_GATES if any(gate in some for some in found.values()))
    return gates, tuple(name for name, some in found.items() if some)


def _differs(one: Case, other: Case) -> bool:
    gates, _ = _parted(*(of_case(case, _like(other)) for case in (one, other)))
    return bool(gates)


def _like(case: Case) -> reference.Layer:
    t = case.tensors
    H = t["R"].shape[2]
    P = np.zeros(3 * H, np.float32) if case.has("P") else None
    return reference.Layer(t["W"][0], t["R"][0], np.zeros((2, 4 * H), np.float32), P)


def _float32(case: Case):
    return lstm(**case.tensors, how=case.how)


def run_inputs(config: ModelConfig):
    """What the study's run is given, (B, T) or (B, T, E)."""
    return stimulus.inputs(config, batch=B, time=T, seed=77)


def model(peephole: str, head: str, seed: int, *, bidirectional: bool = False) -> tuple[ModelConfig, Weights]:
    """Two layers of a size and of weights that go with the seed."""
    rng = np.random.default_rng([seed, 1])
    sizes = {"input_size": int(rng.integers(3, 20)), "hidden_size": int(rng.integers(5, 40)), "num_layers": 2}
    sizes |= {"vocabulary_size": int(rng.integers(7, 60))} if head == "lm" else {"bidirectional": bidirectional}
    config = ModelConfig(head=head, peephole=peephole, **sizes)
    return config, random_weights(config, seed=seed, gain=float(rng.choice([0.5, 1.0, 1.5])))


@functools.cache
def exported(config: ModelConfig, form: str, precision: str = "fp32") -> ExportedModel:
    """A record of a file that is held in memory alone."""
    known = {"opset": 21, "ir_version": 10, "verified": (), "verified_with": "nothing"}
    digests = {"sha256": "0" * 64, "weights_sha256": "0" * 64}
    record = ExportRecord(
        file=f"{form}-{precision}.onnx", model=config, form=form, precision=precision, **digests, **known
    )
    return ExportedModel(folder="study", record=record)


def of_numbers(config: ModelConfig, weights: Weights, k: int, d: int) -> Iterator[Planting]:
    """A weight that is no number, in each tensor of the layer and behind it."""
    rng, suffix = np.random.default_rng(5), f"l{k}{'_reverse' if d else ''}"
    for kind, term in (("weight_ih", "W"), ("weight_hh", "U"), ("bias_ih", "b"), ("weight_ch", "P")):
        name = f"lstm.{kind}_{suffix}"
        if name in weights:
            array = weights[name].copy()
            at = tuple(int(rng.integers(n)) for n in array.shape)
            array[at] = np.nan
            gates = TORCH_PEEPHOLES if len(array) == 3 * config.hidden_size else TORCH_GATES
            truth = Truth("layer", k, bool(d), gates[at[0] // config.hidden_size], (TERMS[term],))
            yield Planting(f"NaN in {kind}", truth, dict(weights) | {name: array})
    if config.head == "lm":
        array = weights["decoder.weight"].copy()
        array[2, 1] = np.nan
        truth = Truth("output", None, terms=("projection weights",))
        yield Planting("NaN in decoder.weight", truth, dict(weights) | {"decoder.weight": array})


class Miswired(Engine):
    """One layer of one direction, run in reverse or started from another layer's state."""

    def __init__(self, config: ModelConfig, weights: Weights, k: int, *, how: str) -> None:
        super().__init__(config, weights, (k, 0), Mistake(how, self._wrong))
        self.k, self.how = k, how

    def __call__(self, inputs, state):
        """As an adapter's `run`."""
        zeros = np.zeros(self.config.state_shape(len(inputs)), np.float32)
        h, c = (zeros, zeros) if state is None else state
        h, c, other = h.copy(), c.copy(), 1 - self.k
        if self.how.startswith("initial"):
            for array, letter in ((h, "h"), (c, "c")):
                if letter in self.how.split():
                    array[self.k] = array[other]
        self.below = (
            self.k
            and reference.run_layers(
                self.config,
                self.weights,
                self.weights["embedding.weight"][inputs] if self.config.head == "lm" else inputs,
                (h, c),
                lengths=None,
            )[1]
        )
        return super().__call__(inputs, State(h, c))

    def _wrong(self, case):
        if self.how.startswith("initial"):
            return _float32(case)
        if self.how == "final":
            return _float32(case.but(initial_h=self.below[0][:1], initial_c=self.below[1][:1]))
        Y, Y_h, Y_c = _float32(case.told(direction="reverse"))
        return (Y, Y_h, Y_c) if self.how == "reverse" else (Y[::-1], Y_h, Y_c)


def of_wiring(config: ModelConfig, weights: Weights, k: int) -> Iterator[Planting]:
    """A layer that is run in reverse, or started from the state of another."""
    for how in ("reverse", "reverse, unturned"):
        whole = k == 0 and how != "reverse"  # no layer below: all of the run goes backwards
        words = "time runs backwards" if whole else "is run in reverse"
        truth = Truth("joining", None if whole else k, words=words)
        yield Planting(f"layer run in {how}", truth, weights, Miswired(config, weights, k, how=how))
    for letters in ("h c", "h", "c"):
        truth = Truth("layer", k, words=f"starts from the state of layer {1 - k}")
        how = f"initial {letters}"
        name = f"layer started from another's {letters}"
        yield Planting(name, truth, weights, Miswired(config, weights, k, how=how))
    if k:
        truth = Truth("layer", k, words="from the state that layer 0 ends in")
        yield Planting("started from the last state below", truth, weights, Miswired(config, weights, k, how="final"))


def of_steps(config: ModelConfig, weights: Weights, k: int, steps: int) -> Iterator[Planting]:
    """An unrolled file of which one step is wrong."""
    right = Engine(config, weights, (k, 0), RIGHT)
    for at in range(steps):

        def call(inputs, state, at=at):
            outputs = []
            for t in range(inputs.shape[1]):
                engine = right if t != at else Engine(config, weights, (k, 0), LOST)
                output, state = engine(inputs[:, t : t + 1], state)
                outputs.append(output)
            return np.concatenate(outputs, axis=1), state

        yield Planting(
            f"step {at} of {steps} without h",
            Truth("layer", k, words="in the call of steps 0 to", step=at),
            weights,
            call,
        )


def of_outputs(config: ModelConfig, weights: Weights, k: int) -> Iterator[Planting]:
    """States that come out in the place of others, sums that are clipped, and two tokens that change places."""
    right = Engine(config, weights, (k, 0), RIGHT)
    for name, places in (("h", [1, 0]), ("c", [1, 1])):

        def call(inputs, state, name=name, places=places):
            output, after = right(inputs, state)
            return output, after._replace(**{name: getattr(after, name)[places]})

        truth = Truth("output", 0, words=f"{name}_n holds {name} of layer 1 in the place of layer 0")
        yield Planting(f"{name}_n in the order {places}", truth, weights, call)
    clipped = Mistake("clipped", lambda case: _float32(case.told(clip=0.75)))
    truth = Truth("layer", k, words="clipped to ±0.75")
    yield Planting("clip of 0.75", truth, weights, Engine(config, weights, (k, 0), clipped))
    if config.head == "lm":
        rows = [1, 0, *range(2, config.vocabulary_size)]
        swapped = weights | {"embedding.weight": weights["embedding.weight"][rows]}
        truth = Truth("layer", 0, words="tokens 0 and 1 have changed places in the embedding")
        yield Planting("embedding of 0 and 1 exchanged", truth, weights, Engine(config, swapped, (k, 0), RIGHT))


LOST = Mistake("without initial_h", lambda case: _float32(case.but(initial_h=0 * case.tensors["initial_h"])))
RIGHT = Mistake("none", _float32)
