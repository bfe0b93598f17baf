"""Tokens that a graph draws itself: rounding may change them, a mistake may not."""

from pathlib import Path

import msgspec
import numpy as np
import pytest

from lstmbench import check as checking
from lstmbench import disk
from lstmbench.check.cases import plan
from lstmbench.check.oracle import Oracle
from lstmbench.errors import WorkerError
from lstmbench.export import export
from lstmbench.model import reference, sampling
from lstmbench.parity import compare_draws
from lstmbench.records import TIMED, Decoding, ParityRow, Workload
from lstmbench.worker import Worker

SHAPES = ((1, 1), (2, 16), (5, 33))
MISTAKES = (
    "DrawsOneNumberLate",
    "DrawsAllRowsAtTheFirst",
    "DrawsTooWarm",
    "DrawsWhereItShouldTakeTheMostLikely",
    "AlwaysTakesTheMostLikely",
    "KeepsAll",
    "LaysTokensSideBySideById",
    "ForgetsTheStateBetweenCalls",
    "ReadsTheLastTokenToo",
    "ReadsThePromptsEndTwice",
    "ReadsThePromptsEndAlone",
    "MixesUpTheRowsDrawn",
    "DrawsAnIdThatIsNone",
)


@pytest.fixture
def drawing(make, lm):
    return make(lm, form="generate")


@pytest.fixture
def check(tmp_path):
    def check(exported, *runtimes, **options):
        names = [name if name == "numpy" else f"planted:{name}" for name in runtimes]
        options = {"shapes": SHAPES, "progress": lambda _line: None} | options
        return checking.check([exported], names, run=tmp_path / "run", **options)

    return check


def test_the_reference_in_float32_passes_every_case_and_what_passed_is_not_run_again(inline, drawing, check, tmp_path):
    report = check(drawing, "numpy")
    assert report.passed
    assert {row.output for row in report.rows} == {"tokens", "h_n", "c_n"}
    assert disk.read_journal(tmp_path / "run/parity.jsonl", ParityRow) == list(report.rows)
    inline.clear()
    assert check(drawing, "numpy") == report
    assert inline == []


def test_cases_take_the_most_likely_cool_and_cut_draws_whole_and_in_pieces_and_what_is_timed(drawing):
    timed = [Workload(kind=kind, batch=3, time=8) for kind in ("score", "decode", "generate")]
    cases = plan(drawing, [(2, 16)], timed)
    assert {case.decoding.temperature for case in cases} >= {0.0, 1.0}
    assert {case.decoding.top_k for case in cases} >= {0, 5}
    assert {case.chunks for case in cases} == {(16,), (5, 1, 10), (1,) * 16, (3,), (8,), (1,)}
    assert [case.decoding for case in cases if (case.batch, case.time) == (3, 8)] == [TIMED]


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_planted_mistake_fails(inline, drawing, check, mistake):
    report = check(drawing, mistake)
    assert report.failures()
    (clearance,) = report.clearances
    assert clearance.refused
    assert "\n" not in clearance.refused


def test_the_mistakes_above_are_all_that_are_planted(plugins):
    import planted

    assert {mistake.__name__ for mistake in planted.DRAWS_WRONG} == set(MISTAKES)


def test_logits_that_round_otherwise_pass(inline, drawing, check):
    assert check(drawing, "DrawsNearAnEdge").passed


def test_the_reason_names_the_draw_and_how_it_was_made(inline, drawing, check):
    report = check(drawing, "LaysTokensSideBySideById")
    row = report.failures()[0]
    assert (row.output, row.got != row.want) == ("tokens", True)
    assert f"tokens{list(row.worst_index)} is {row.got:.0f}, the reference draws {row.want:.0f} there: " in row.reason
    assert row.bound < row.max_error
    assert "from a random state, drawing at temperature 0.8 from all: tokens[" in report.clearances[0].refused


def test_a_draw_on_an_edge_may_fall_either_way_and_all_that_follows_is_judged_by_what_was_drawn(drawing):
    """The reference is put on an edge by its own logits; the token on the other side is then as good."""
    oracle, how = Oracle(drawing), Decoding(prompt=1, temperature=1.0, top_k=0)
    case = plan(drawing, [(1, 6)])[-3]
    question = oracle.ask(case)
    logits = question.expected[0].want[0, 0]
    order = np.argsort(-logits)
    edge = np.cumsum(np.exp(logits[order]))[0] / np.exp(logits).sum()
    uniform = question.uniform.copy()
    uniform[0, 0] = edge
    run = lambda tokens, state: reference.run(drawing.model, oracle._weights, tokens, state)  # noqa: E731
    for first in order[:2]:
        after = sampling.decode(
            run, np.array([[first]]), run(question.inputs, None)[1], uniform[:, 1:], temperature=1.0, top_k=0
        )
        tokens = np.concatenate([[[first]], after[0]], axis=1)
        verdict = compare_draws(tokens, oracle.follow(case, tokens)[0], uniform, how)
        assert verdict.passed, first
    wrong = np.concatenate([[[order[2]]], after[0]], axis=1)
    assert "tokens[0, 0]" in compare_draws(wrong, oracle.follow(case, wrong)[0], uniform, how).reason


def test_tokens_that_follow_another_draw_than_the_one_shown_fail(inline, drawing):
    oracle = Oracle(drawing)
    case = plan(drawing, [(2, 16)])[0]
    question = oracle.ask(case)
    how = msgspec.structs.replace(case.decoding, temperature=0.0)
    tokens = question.expected[0].want.argmax(-1)
    assert compare_draws(tokens, oracle.follow(case, tokens)[0], question.uniform, how).passed
    tokens[1, 3] = (tokens[1, 3] + 1) % 7
    verdict = compare_draws(tokens, oracle.follow(case, tokens)[0], question.uniform, how)
    assert verdict.worst_index[0] == 1
    assert verdict.worst_index[1] >= 3


def test_a_runtime_that_cannot_draw_says_so_in_a_line(plugins, drawing, check):
    (clearance,) = check(drawing, "CannotDraw").clearances
    assert clearance.refused == "runtime 'planted:CannotDraw' cannot draw tokens: it takes no form 'generate'"


def test_a_graph_that_draws_gives_no_logits_and_one_that_gives_logits_draws_nothing(plugins, drawing, tiny):
    prompt, uniform = np.array([[1, 2]]), np.zeros((1, 3), np.float32)
    with Worker("planted:Honest", drawing) as worker:
        with pytest.raises(WorkerError, match="tiny/generate-fp32 draws tokens and gives no logits"):
            worker.run(prompt)
        for wrong in (uniform.astype(float), uniform[:, :0], uniform[0], uniform + 1.5, np.zeros((2, 3), np.float32)):
            with pytest.raises(WorkerError, match=r"drawn at must be float32 \(1, N\) in 0\.\.1"):
                worker.generate(prompt, wrong, TIMED)
        tokens, state = worker.generate(prompt, uniform, TIMED)
        assert tokens.shape == (1, 3)
        assert state.h.shape == (2, 1, 4)
    with Worker("planted:Honest", tiny) as worker, pytest.raises(WorkerError, match="gives logits and draws no tokens"):
        worker.generate(prompt, uniform, TIMED)


@pytest.mark.parametrize("runtime", ["numpy", "onnxruntime-cpu", pytest.param("torch", marks=pytest.mark.torch)])
def test_every_runtime_of_ours_passes(make, lm, tmp_path, runtime):
    pytest.importorskip("onnxruntime")
    if runtime == "torch":
        pytest.importorskip("torch")
    exported = export(Path(make(lm).folder), form="generate")
    workloads = [Workload(kind="generate", batch=2, time=9)]
    report = checking.check(
        [exported], [runtime], run=tmp_path / "run", shapes=SHAPES, workloads=workloads, progress=lambda _line: None
    )
    assert report.passed
