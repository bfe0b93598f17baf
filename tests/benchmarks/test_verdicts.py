"""How often a right file is refused and a wrong one caught, in fp32 on ONNX Runtime's CPU; shown.

    pytest tests/benchmarks/test_verdicts.py

A verdict is that of `check` on one file: all cases at (1, 1) and at one more shape. Beside it stand two in wide use:
every output within `allclose(1e-5)`, and within `allclose(1e-3)`, of the float64 reference, relative and absolute, on
the very same cases. Of wrong files also: what ONNX's own LSTM cases would find of an engine that makes the mistake of
the file with the operator (`tests/check/by_onnx.py`). Of wrong files not one may pass, of right ones not one may be
refused: that alone is asserted.
"""

import concurrent.futures
import itertools
import multiprocessing
import os
import sys
import tempfile
from collections import Counter
from pathlib import Path

import numpy as np
import onnx_ir as ir
import pytest

from lstmbench.check import asking, rows
from lstmbench.check.cases import plan
from lstmbench.check.oracle import Oracle
from lstmbench.export import graph
from lstmbench.export.source import of_head
from lstmbench.model import folder
from lstmbench.model.weights import digest, random_weights
from lstmbench.records import ExportedModel, ExportRecord, ModelConfig, ModelFolder

ort = pytest.importorskip("onnxruntime")
stats = pytest.importorskip("scipy.stats")

CELLS, GAINS = ("full", "diagonal", "none"), (0.5, 1.0, 2.0)
FORMS = ("scan", "loop", "lstm", "step", "unrolled8")
PLANTED = Path(__file__).parents[1] / "check"
JUDGES = ("check", "allclose(1e-5)", "allclose(1e-3)")
ONNX = "ONNX's cases"
RIGHT = ((4, 16, 50), (48, 64, 50), (128, 33, 50), (256, 256, 50), (1024, 1024, 5))  # H, T, seeds


def exported_to(path, config, weights, form):
    """A model folder with a record that names the form; the file itself is never written."""
    folder.write_config(path, ModelFolder(model=config))
    folder.write_weights(path, weights, folder.WeightsNote(sha256=""))
    record = ExportRecord(
        file=f"{form}-fp32.onnx",
        sha256=digest(weights),
        model=config,
        form=form,
        precision="fp32",
        opset=21,
        ir_version=10,
        weights_sha256=digest(weights),
        verified=(),
        verified_with="nothing",
    )
    return ExportedModel(folder=str(path), record=record)


def in_onnxruntime(config, weights, form):
    from judging import OfSession

    options = ort.SessionOptions()
    options.intra_op_num_threads, options.log_severity_level = 1, 3
    model = ir.to_proto(graph.build(of_head(config.head, config, weights), form)).SerializeToString()
    return OfSession(ort.InferenceSession(model, options, providers=["CPUExecutionProvider"]), config)


def refused_by(exported, oracle, cases, runtime):
    """Which of the judges refuse it."""
    from judging import Asked, subject

    found, worker, about = set(), Asked(exported, runtime), subject(exported)
    for case in cases:
        question = oracle.ask(case)
        answer = asking.put(worker, case, question)
        if not all(row.passed for row in rows.judged(about, case, question, answer)):
            found.add("check")
        for tolerance in (1e-5, 1e-3):
            pairs = [(got, expected.want) for got, expected in zip(answer, question.expected, strict=True)]
            if not all(np.allclose(got, want, rtol=tolerance, atol=tolerance) for got, want in pairs):
                found.add(f"allclose({tolerance:.0e})".replace("e-0", "e-"))
    return found


def forms(config):
    return [form for form in FORMS if form != "lstm" or config.peephole != "full"]


def known(config, weights, shape):
    """Of each form: the export, its oracle (one for all that take any T) and its cases."""
    with tempfile.TemporaryDirectory() as home:
        of_any = None
        for form in forms(config):
            exported = exported_to(Path(home) / "model", config, weights, form)
            if exported.steps is None:
                of_any = oracle = of_any or Oracle(exported)
            else:
                oracle = Oracle(exported)
            yield form, exported, oracle, plan(exported, ((1, 1), shape))


def right(task):
    """A model in all forms -> (form, judge) refused."""
    H, T, peephole, gain, seed = task
    sys.path.insert(0, str(PLANTED))
    config = ModelConfig(head="layer", peephole=peephole, input_size=H, hidden_size=H)
    weights = random_weights(config, seed=seed, gain=gain)
    count = Counter()
    for form, exported, oracle, cases in known(config, weights, (1 if T > 500 else 2, T)):
        if T > 500 and exported.steps:  # an oracle of its own, half a minute each; those of any T share one
            continue
        refused = refused_by(exported, oracle, cases, in_onnxruntime(config, weights, form))
        count.update([(form, "files"), *((form, judge) for judge in refused)])
        if "check" in refused:
            count[f"refused: {form} {task}"] += 1
    return count


def wrong(task):
    """A model in all forms with each mistake in turn -> (form, judge) caught."""
    peephole, gain, seed = task
    sys.path.insert(0, str(PLANTED))
    import by_onnx
    import mistakes
    import planted

    config = ModelConfig(head="layer", peephole=peephole, input_size=24, hidden_size=24)
    weights = random_weights(config, seed=seed, gain=gain)
    count = Counter()

    def note(form, name, refused, by_onnx):
        refused = refused | ({ONNX} if by_onnx else set())
        count.update([(form, "files"), *((form, judge) for judge in refused)])
        if "check" not in refused:
            count[f"passed: {name} in {form} {task}"] += 1

    plants = {name: (plant, by_onnx.catch_weights(plant)) for name, plant in mistakes.of(config).items()}
    for form, exported, oracle, cases in known(config, weights, (2, 12)):
        for name, (plant, seen) in plants.items():
            note(form, name, refused_by(exported, oracle, cases, in_onnxruntime(config, plant(weights), form)), seen)
        if form == "scan":
            adapters = [*planted.OF_THE_STATE, planted.SwapsHAndC, planted.CarriesNoState, planted.DropsTheLastStep]
            adapters += [planted.PeepsWithTheWrongCell] * (peephole != "none")
            for mistake in adapters:
                refused = refused_by(exported, oracle, cases, mistake(exported, threads=1))
                note("an adapter", mistake.__name__, refused, by_onnx.catch_adapter(mistake.__name__))
    return count


def counted(work, tasks):
    """On all cores, one thread each."""
    os.environ |= {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    spawn = multiprocessing.get_context("spawn")
    with concurrent.futures.ProcessPoolExecutor(mp_context=spawn) as pool:
        return sum(pool.map(work, tasks), Counter())


def table(count, words, judges=JUDGES):
    lines = [f"{'form':12} {'files':>7}  " + "  ".join(f"{f'{judge} {words}':>24}" for judge in judges)]
    lines += [
        f"{form:12} {count[form, 'files']:7}  " + "  ".join(f"{count[form, judge]:24}" for judge in judges)
        for form in dict.fromkeys(key[0] for key in count if isinstance(key, tuple))
    ]
    return "\n".join([*lines, *(key for key in count if isinstance(key, str))])


def at_most(failures, files):
    """The one-sided 95 % bound of a share (Clopper and Pearson)."""
    return float(stats.beta.ppf(0.95, failures + 1, files - failures)) if failures < files else 1.0


@pytest.mark.slow
@pytest.mark.parametrize(("H", "T", "seeds"), RIGHT)
def test_right_files_are_not_refused(H, T, seeds, capsys):
    tasks = [(H, T, *rest) for rest in itertools.product(CELLS, GAINS, range(seeds))]
    if T > 500:  # a minute each: a gain a seed
        tasks = [(H, T, cell, GAINS[seed % len(GAINS)], seed) for cell, seed in itertools.product(CELLS, range(seeds))]
    count = counted(right, tasks)
    files, failed = (sum(n for key, n in count.items() if key[1:] == (what,)) for what in ("files", "check"))
    with capsys.disabled():
        sys.stdout.write(
            f"\nright files, H = {H}, T = {T}, {seeds} seeds\n{table(count, 'refuses')}\n"
            f"check refuses {failed} of {files}: at most {at_most(failed, files):.2%} with 95 % confidence\n"
        )
    assert not failed


@pytest.mark.slow
@pytest.mark.parametrize("seeds", [20])
def test_wrong_files_are_caught(seeds, capsys):
    tasks = [(cell, GAINS[seed % len(GAINS)], seed) for cell, seed in itertools.product(CELLS, range(seeds))]
    count = counted(wrong, tasks)
    files, caught, seen = (sum(n for k, n in count.items() if k[1:] == (what,)) for what in ("files", "check", ONNX))
    with capsys.disabled():
        sys.stdout.write(
            f"\nwrong files, {seeds} seeds\n{table(count, 'catches', (*JUDGES, ONNX))}\n"
            f"check catches {caught} of {files}, ONNX's own cases {seen}\n"
        )
    assert caught == files
