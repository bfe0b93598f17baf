"""How often `check --bisect` names the right place: mistakes planted in one layer, with seeds that tuned nothing.

    python tests/bisect/study.py --seeds 5 --first 9000

Every mistake of `lstmbench.mistakes` that a layer can have, in each cell and form (one direction or two, bare layers or
a language model, sizes and weights by the seed) on ONNX Runtime's CPU; mistakes of steps, calls and states in an engine
of NumPy. What is said is held against what was planted: the layer, then gates and terms, or the words of a call's
mistake. "Wrong" is what names another layer, gate, term or cause than was planted; what says less than could be said is
counted by itself. In int8 nothing but the layer is to be said.
"""

import argparse
import sys
import time
from collections import Counter
from pathlib import Path
from typing import NamedTuple

import numpy as np
import onnx_ir as ir
import onnxruntime as ort
from scipy import stats

sys.path.insert(0, str(Path(__file__).parent))
import blocks
import plantings
from plantings import B, Planting, T, Truth

from lstmbench.arrays import State
from lstmbench.check.differences.box import Box
from lstmbench.check.differences.isolated import Model
from lstmbench.check.differences.search import Place, search
from lstmbench.check.differences.wrong_runs import Run
from lstmbench.export.serialise import serialise
from lstmbench.export.source import of_head
from lstmbench.model import stimulus

CELLS = ("full", "diagonal", "none")
FORMS = ("scan", "loop", "step", "unrolled4", "lstm")
MARKS = ("planted", "seen", "layer", "gates", "terms", "less", "wrong")


class Score(NamedTuple):
    """One search: what was right of what it said."""

    form: str
    cell: str
    marks: frozenset[str]
    said: str = ""  # where it was wrong, or said nothing


class Called:
    """What a box asks: a worker without a process."""

    def __init__(self, call) -> None:
        self._call = call

    def run(self, inputs, state=None, *, lengths=None):
        """As `Worker.run`."""
        return self._call(inputs, state) if lengths is None else self._call(inputs, state, lengths=lengths)


def judged(truth: Truth, found: Place | None, *, shows: str) -> tuple[set[str], bool]:
    """Which marks an answer earns, and whether it is wrong; `shows`: all, known, or layer alone."""
    if found is None:
        return {"planted"}, False
    marks = {"planted", "seen"}
    if found.part == "unknown":
        return marks | {"less"}, False
    if found.part != truth.part or (found.layer, found.reverse) not in ((truth.layer, truth.reverse), (None, False)):
        return marks, True
    marks.add("layer")
    wrong = False
    if found.step is not None and found.step != (truth.step or 0) and found.part != "joining":
        shown = "the first output that is wrong" in found.words and found.step > (truth.step or 0)
        return marks | {"less"}, not shown
    if truth.words and not truth.terms:
        named = truth.words in found.words
        return marks | ({"gates", "terms"} if named else {"less"}), bool(found.gates or found.terms) and not named
    for what, said, true in (
        ("gates", set(found.gates), set(truth.gates)),
        ("terms", set(found.terms), set(truth.terms)),
    ):
        alternatives = " or " in found.words
        if said == true:
            marks.add(what)
        elif said < true or (alternatives and true <= said):
            marks.add("less")
        else:
            wrong = True
    return marks, wrong or (shows == "layer" and bool(found.gates or found.terms))


def search_one(config, weights, planting: Planting, form: str, precision: str) -> Place | None:
    """Run the search on the wrong export."""
    exported = plantings.exported(config, form, precision)
    call = planting.run or in_onnxruntime(config, planting.weights, form, precision)
    box = Box(Called(call), exported)
    steps = exported.steps
    chunks = (steps,) * (T // steps) if steps else (T,)
    run = Run(plantings.run_inputs(config), stimulus.state(config, batch=B, seed=78), None, chunks)
    return search(box, Model(exported, weights), run)


def in_onnxruntime(config, weights, form, precision):
    """The export, wrong weights and all, in a session."""
    built = serialise(of_head(config.head, config, weights), form, precision, Path("no such folder"))
    options = ort.SessionOptions()
    options.intra_op_num_threads, options.log_severity_level = 1, 3
    data = ir.to_proto(built).SerializeToString()
    session = ort.InferenceSession(data, options, providers=["CPUExecutionProvider"])
    first = session.get_inputs()[0].name

    def call(inputs, state):
        zeros = np.zeros(config.state_shape(len(inputs)), np.float32)
        h, c = (zeros, zeros) if state is None else state
        output, h, c = session.run(config.output_names, {first: inputs, "h_0": h, "c_0": c})
        return output, State(h, c)

    return call


def cases(seed: int):
    """Everything that one seed plants: configuration, right weights, planting, form, precision."""
    for cell in CELLS:
        for n, (head, both) in enumerate((("lm", False), ("layer", False), ("layer", True))):
            config, weights = plantings.model(cell, head, seed * 10 + n, bidirectional=both)
            for planting, form, precision in _of_model(config, weights, seed + n):
                yield config, weights, planting, form, precision


def _of_model(config, weights, seed):
    k, both = seed % 2, config.bidirectional
    forms = [form for form in FORMS if form != "lstm" or config.peephole != "full"]
    forms = [form for form in forms if not both or form not in ("step", "unrolled4")]
    every = list(plantings.of_weights(config, weights, k, int(both)))
    for m, planting in enumerate(every):
        yield planting, forms[(m + seed) % len(forms)], "fp32"
    yield from (
        (planting, "scan" if config.peephole == "full" else "lstm", "int8") for planting in every[seed % 7 :: 7]
    )
    yield from ((planting, "scan", "fp16") for planting in every[(seed + 3) % 7 :: 7])
    for planting in plantings.of_numbers(config, weights, k, int(both)):
        yield planting, forms[seed % len(forms)], "fp32"
    yield from ((planting, "scan", "fp32") for planting in plantings.of_engines(config, weights, k, int(both)))
    for n, planting in enumerate(blocks.of_blocks(config, weights, k, int(both), seed=seed)):
        yield planting, forms[(n + seed) % len(forms)], "fp32"
    if config.head == "lm":
        for n, planting in enumerate(blocks.of_rows(config, weights, seed=seed)):
            yield planting, forms[(n + seed) % len(forms)], "fp32"
        yield from ((planting, "scan", "fp32") for planting in blocks.of_logits(config, weights))
    if not both and config.peephole != "full":
        yield from ((planting, "scan", "fp32") for planting in plantings.of_wiring(config, weights, k))
        yield from ((planting, "unrolled4", "fp32") for planting in plantings.of_steps(config, weights, k, 4))
        yield from ((planting, FORMS[seed % 4], "fp32") for planting in plantings.of_outputs(config, weights, k))


def scored(seed: int, config, weights, planting: Planting, form: str, precision: str) -> Score:
    """Search one, and judge what is said."""
    place = search_one(config, weights, planting, form, precision)
    marks, wrong = judged(planting.truth, place, shows="layer" if precision == "int8" else "all")
    name = "engine" if planting.run else form if precision == "fp32" else f"{form}, {precision}"
    line = f"{seed} {name} {config.peephole} {config.head} H={config.hidden_size}: {planting.name}: {_said(place)}"
    return Score(name, config.peephole, frozenset(marks | ({"wrong"} if wrong else set())), line)


def _said(place: Place | None) -> str:
    if place is None:
        return "nothing"
    return f"{place.part} {place.layer}{'r' * place.reverse} {place.gates} {place.words} from {place.step}"


def score(seed: int, *, only: str = "") -> list[Score]:
    """Search all of them."""
    some = [case for case in cases(seed) if only in f"{case[2].name} {case[3]} {case[4]} {case[0].peephole}"]
    return [scored(seed, *case) for case in some]


def table(scores: list[Score]) -> str:
    """A row a form and cell."""
    count = Counter((score.form, score.cell, mark) for score in scores for mark in score.marks)
    keys = list(dict.fromkeys((score.form, score.cell) for score in scores))
    lines = [f"{'form':12} {'cell':9}" + "".join(f"{mark:>9}" for mark in MARKS)]
    lines += [f"{form:12} {cell:9}" + "".join(f"{count[form, cell, mark]:9}" for mark in MARKS) for form, cell in keys]
    totals = [sum(mark in score.marks for score in scores) for mark in MARKS]
    return "\n".join([*lines, f"{'all':22}" + "".join(f"{total:9}" for total in totals)])


def sentence(scores: list[Score], seeds: range, minutes: float) -> str:
    """The figures as documentation quotes them."""
    count = Counter(mark for score in scores for mark in score.marks)
    most = stats.beta.ppf(0.95, count["wrong"] + 1, count["planted"] - count["wrong"])  # Clopper and Pearson
    return (
        f"Of {count['planted']:,} mistakes {count['seen']:,} were found, {count['layer']:,} with the place, "
        f"{count['terms']:,} with gates and terms whole; {count['less']:,} were told less than could be told, "
        f"{count['wrong']:,} wrongly (at most {most:.2%} with 95 % confidence). Seeds {seeds[0]} to {seeds[-1]}, "
        f"ONNX Runtime {ort.__version__}, {minutes:.0f} min, {time.strftime('%Y-%m-%d')}"
    )


def main() -> None:
    """Print the table, and a line of each answer that was wrong."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--first", type=int, default=9000)
    parser.add_argument("--only", default="")
    parser.add_argument("--show", default="wrong", choices=MARKS)
    given = parser.parse_args()
    seeds, begin_s = range(given.first, given.first + given.seeds), time.monotonic()
    scores = [one for seed in seeds for one in score(seed, only=given.only)]
    for one in scores:
        if given.show in one.marks:
            print(one.said)
    print(table(scores))
    print(sentence(scores, seeds, (time.monotonic() - begin_s) / 60))


if __name__ == "__main__":
    main()
