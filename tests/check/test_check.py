"""What is right passes, every planted mistake fails, and what was found stays found."""

import itertools
import math
from collections.abc import Callable

import msgspec
import numpy as np
import pytest

from lstmbench import check as checking
from lstmbench import disk
from lstmbench.check import cases, examine
from lstmbench.errors import CheckpointError, LstmbenchError, RuntimeMissingError
from lstmbench.model import folder
from lstmbench.model.weights import random_weights
from lstmbench.records import ModelConfig, ParityRow, Workload

LM = ModelConfig(head="lm", peephole="none", input_size=2, hidden_size=3, vocabulary_size=10)
SHAPES = ((1, 1), (2, 16), (5, 33))
MISTAKES = (
    "IgnoresState",
    "CarriesNoState",
    "StateOfTheFirstCall",
    "DropsTheLastStep",
    "SwapsHAndC",
    "NotANumber",
    "NotANumberInC",
    "OffByAThousandth",
    "ForgetsThePeephole",
    "MixesUpTheRows",
)


@pytest.fixture
def run(tmp_path):
    return tmp_path / "run"


@pytest.fixture
def check(run) -> Callable[..., checking.CheckReport]:
    def check(exported, *runtimes, **options):
        options = {"shapes": SHAPES, "progress": lambda _line: None} | options
        names = [name if name == "numpy" else f"planted:{name}" for name in runtimes]
        models = exported if isinstance(exported, list) else [exported]
        return checking.check(models, names, run=run, **options)

    return check


def journal(run) -> list[ParityRow]:
    return disk.read_journal(run / "parity.jsonl", ParityRow)


def test_the_reference_in_float32_passes_every_case(inline, tiny, check, run):
    report = check(tiny, "numpy")
    assert report.passed
    assert report.failures() == ()
    assert len(report.rows) == 3 * (7 + 13 + 13 + 2)  # at (1, 1) there is one way to cut and no other order of rows
    assert journal(run) == list(report.rows)
    assert {row.subject.runtime_version for row in report.rows} == {np.__version__}
    assert all(row.max_error <= row.bound for row in report.rows)


@pytest.mark.parametrize("head", ["lm", "layer"])
@pytest.mark.parametrize("peephole", ["full", "diagonal", "none"])
def test_every_cell_and_head_can_be_checked(inline, make, check, head, peephole):
    vocabulary_size = 5 if head == "lm" else 0
    config = ModelConfig(
        head=head, peephole=peephole, input_size=3, hidden_size=4, num_layers=2, vocabulary_size=vocabulary_size
    )
    assert check(make(config), "Honest").passed


def test_both_directions_are_checked_in_one_call_as_pieces_are_another_function(inline, make, check):
    config = ModelConfig(head="layer", peephole="full", input_size=3, hidden_size=4, bidirectional=True)
    report = check(make(config), "Honest")
    assert report.passed
    assert {row.chunks for row in report.rows if row.asked != "steps"} == {(1,), (3,), (16,), (33,)}
    assert not check(make(config), "IgnoresState").passed


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_planted_mistake_fails(inline, tiny, check, mistake):
    report = check(tiny, mistake)
    assert not report.passed
    assert report.failures()
    (clearance,) = report.clearances
    assert clearance.refused.startswith("failed the check at (B=")
    assert "\n" not in clearance.refused


def test_the_mistakes_above_are_all_that_are_planted(plugins):
    import planted

    assert {mistake.__name__ for mistake in planted.WRONG} == set(MISTAKES)


@pytest.mark.parametrize("mistake", ["CarriesNoState", "StateOfTheFirstCall"])
def test_only_pieces_or_only_a_state_give_such_a_mistake_away(inline, tiny, check, mistake):
    whole_from_none = [row for row in check(tiny, mistake).rows if row.state == "none" and len(row.chunks) == 1]
    assert whole_from_none
    assert all(row.passed for row in whole_from_none)


def test_the_worst_element_is_named_with_both_values(inline, tiny, check):
    row = check(tiny, "OffByAThousandth").failures()[0]
    assert (row.batch, row.time, row.output) == (1, 1, "logits")
    assert row.worst_index == (0, 0, 1)
    assert row.got - row.want == pytest.approx(1e-3, rel=1e-2)
    assert row.reason


def test_what_is_not_a_number_has_no_error_and_fails_with_its_place(inline, tiny, check, run):
    row = next(row for row in check(tiny, "NotANumberInC").failures() if row.output == "c_n")
    assert row.max_error is None
    assert row.worst_index == (1, 0, 3)  # the second of L = 2 layers, H = 4
    assert "nan" in row.reason
    assert row in journal(run)


def test_a_runtime_that_refuses_leaves_its_reason_and_is_asked_nothing_more(inline, tiny, check, run):
    report = check(tiny, "AnswersTheLastStepOnly", "Honest")
    refused, passed = report.clearances
    assert "float32 (2, 16, 7), not float32 (2, 1, 7)" in refused.refused
    assert passed.passed
    rows = [row for row in journal(run) if "Last" in row.subject.runtime]
    assert {row.output for row in rows if not row.passed} == {"logits", "h_n", "c_n"}
    assert {(row.batch, row.time) for row in rows if not row.passed} == {(2, 16)}
    assert not any(row.batch == 5 for row in rows)


def test_a_runtime_that_does_not_load_leaves_its_reason_and_no_version(inline, tiny, check):
    report = check(tiny, "DoesNotLoad", "Honest")
    refused, passed = report.clearances
    assert refused.refused == "the engine is too old for this file; install a newer one"
    assert refused.subject.runtime_version == ""
    assert passed.passed
    assert {row.reason for row in report.failures()} == {refused.refused}


def test_what_takes_too_long_is_refused_where_it_stood_and_goes_on_there(inline, tiny, check, run):
    (late,) = check(tiny, "Honest", most_s=0).clearances
    assert late.refused == "its check took 0 s up to case 1 of 35; the next call goes on there"
    assert not late.passed
    assert {row.max_error for row in journal(run)} == {None}
    assert check(tiny, "Honest", most_s=600).passed


def test_what_passed_before_the_time_was_up_stays_passed(inline, tiny, check, run, monkeypatch):
    looks = itertools.count()
    monkeypatch.setattr(examine, "monotonic", lambda: next(looks))  # every look at the clock is a second later
    (late,) = check(tiny, "Honest", most_s=5).clearances
    assert "5 s up to case 5 of 35" in late.refused
    assert sum(row.passed for row in journal(run)) == 3 * 4


def test_what_passed_is_not_run_again(inline, tiny, check, run):
    first = check(tiny, "Honest")
    inline.clear()
    before = (run / "parity.jsonl").read_bytes()
    assert check(tiny, "Honest") == first
    assert inline == []
    assert (run / "parity.jsonl").read_bytes() == before


def test_other_threads_and_another_version_are_checked_anew_beside_the_first(inline, tiny, check, monkeypatch, run):
    check(tiny, "Honest")
    inline.clear()
    check(tiny, "Honest", threads=2)
    assert inline
    inline.clear()
    monkeypatch.setattr("planted.Honest.version", "another")
    check(tiny, "Honest")
    assert inline
    assert len(journal(run)) == 3 * 105


def test_another_file_of_the_same_name_takes_the_place_of_the_first(inline, tiny, check, run):
    check(tiny, "Honest")
    check(tiny, "Honest", threads=2)
    inline.clear()
    other = msgspec.structs.replace(tiny, record=msgspec.structs.replace(tiny.record, sha256="f" * 64))
    check(other, "Honest")
    assert inline
    assert {row.subject.model_sha256 for row in journal(run)} == {"f" * 64}


def test_a_pass_does_not_count_for_an_adapter_that_was_edited(inline, tiny, check, run, monkeypatch):
    check(tiny, "Honest")
    inline.clear()
    monkeypatch.setattr(type_of_worker(), "code", "ef" * 32)
    check(tiny, "Honest")
    assert inline
    assert {row.subject.code_sha256 for row in journal(run)} == {"ef" * 32}


def type_of_worker():
    from lstmbench.check import examine

    return examine.Worker


@pytest.mark.parametrize("lines", range(1, 10))
def test_a_check_that_was_killed_after_any_row_is_completed(inline, tiny, check, run, lines):
    whole = check(tiny, "Honest")
    path = run / "parity.jsonl"
    path.write_bytes(b"".join(path.read_bytes().splitlines(keepends=True)[:lines]) + b'{"torn')
    assert check(tiny, "Honest") == whole
    assert sorted(map(str, journal(run))) == sorted(map(str, whole.rows))


def test_an_interrupt_loses_no_finished_case(inline, tiny, check, run, monkeypatch):
    def stop(line: str) -> None:
        if "case 4 " in line:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        check(tiny, "Honest", progress=stop)
    assert len(journal(run)) == 3 * 3
    lines: list[str] = []
    assert check(tiny, "Honest", progress=lines.append).passed
    again = [int(line.split("case ")[1].split()[0]) for line in lines if "case " in line]
    assert not any(case < 4 for case in again)  # what is known of three is not asked again


def test_what_failed_is_run_again_and_its_rows_are_replaced(inline, tiny, check, run, monkeypatch):
    import planted

    assert not check(tiny, "OffByAThousandth").passed
    monkeypatch.setattr(planted.OffByAThousandth, "run", planted.Honest.run)  # somebody mended it
    assert check(tiny, "OffByAThousandth").passed
    assert len(journal(run)) == 105
    assert all(row.passed for row in journal(run))


def test_a_failed_load_is_forgotten_once_it_loads(inline, tiny, check, run, monkeypatch):
    import planted

    check(tiny, "DoesNotLoad")
    monkeypatch.setattr(planted.DoesNotLoad, "__init__", planted.Honest.__init__)
    assert check(tiny, "DoesNotLoad").passed
    assert {row.subject.runtime_version for row in journal(run)} == {np.__version__}


def test_a_model_that_float32_cannot_hold_fails_and_its_rows_can_be_read_back(inline, make, check, run, lm):
    exported = make(lm)
    checkpoint = folder.read(exported.path.parent)
    huge = checkpoint.weights | {"decoder.weight": np.full((7, 4), 3e38, np.float32)}
    folder.write_weights(exported.path.parent, huge, checkpoint.note)
    digest = folder.read(exported.path.parent).note.sha256
    exported = msgspec.structs.replace(exported, record=msgspec.structs.replace(exported.record, weights_sha256=digest))
    with np.errstate(over="ignore", invalid="ignore"):
        report = check(exported, "Honest")
    assert not report.passed
    assert len(journal(run)) == len(report.rows)


def test_each_subject_is_announced(inline, tiny, check):
    lines: list[str] = []
    check(tiny, "numpy", progress=lines.append)
    assert lines[:2] == ["loading tiny/scan-fp32 on numpy", "tiny/scan-fp32 on numpy: case 1 of 35"]


def test_a_language_model_is_given_every_state_and_sees_the_same_tokens_each_time(tiny):
    from lstmbench.check.oracle import Oracle

    case = cases.Case(2, 16, (16,), "random")
    one, other = Oracle(tiny).ask(case), Oracle(tiny).ask(case)
    assert np.array_equal(one.inputs, other.inputs)
    assert np.count_nonzero(one.state.h) == one.state.h.size
    assert np.count_nonzero(one.state.c) == one.state.c.size
    assert Oracle(tiny).ask(case._replace(state="none")).state is None


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"shapes": [(0, 4)]}, "B and T must be at least 1"),
        ({"shapes": [(4, 0)]}, "B and T must be at least 1"),
        ({"shapes": []}, "at least one"),
        ({"threads": 0}, "cannot run on 0 threads: give 1 to 1024"),
        ({"threads": 1025}, "cannot run on 1025 threads"),
    ],
)
def test_bad_input_is_one_line_before_anything_is_written(tiny, check, run, changed, message):
    with pytest.raises(LstmbenchError, match=message):
        check(tiny, "numpy", **changed)
    assert not run.exists()


def test_no_exports_and_no_runtimes_are_one_line(tiny, run):
    with pytest.raises(LstmbenchError, match="at least one exported model"):
        checking.check([], ["numpy"], run=run, progress=print)
    with pytest.raises(LstmbenchError, match=r"at least one runtime; here: .*numpy"):
        checking.check([tiny], [], run=run, progress=print)


def test_an_unknown_runtime_is_named_with_those_that_are_here(tiny, run):
    with pytest.raises(RuntimeMissingError, match=r"no runtime named 'tensorrt'; here: .*numpy"):
        checking.check([tiny], ["numpy", "tensorrt"], run=run, progress=print)
    assert not run.exists()


def test_an_adapter_that_is_not_where_it_was_said_to_be_is_no_verdict(tiny, run):
    with pytest.raises(RuntimeMissingError, match=r"'nowhere:Nope' \(nowhere:Nope\) cannot be imported"):
        checking.check([tiny], ["nowhere:Nope"], run=run, progress=lambda _: None)


def test_weights_that_were_trained_again_since_are_refused_before_anything_runs(tiny, check, lm, run):
    path = tiny.path.parent
    folder.write_weights(path, random_weights(lm, seed=99), folder.WeightsNote(sha256=""))
    with pytest.raises(CheckpointError, match="export again"):
        check(tiny, "numpy")
    assert not run.exists()


def test_attention_is_checked_in_whole_calls_and_never_decodes(inline, recorded, make, check):
    config = msgspec.structs.replace(LM, attention=True)
    report = check(make(config), "Honest")
    assert report.passed
    assert {row.chunks for row in report.rows if row.asked != "steps"} == {(1,), (3,), (16,), (33,)}
    decode = Workload(kind="decode", batch=7, time=3)
    assert not decode.fits(recorded(config))
    assert decode.fits(recorded(LM))
    assert not check(make(config), "ReadsLaterSteps").passed


def test_a_step_too_far_ahead_shows_in_the_logits_alone(inline, make, check):
    report = check(make(msgspec.structs.replace(LM, attention=True)), "ReadsLaterSteps")
    assert {row.output for row in report.failures()} == {"logits"}
    assert all(row.time > 1 for row in report.failures())


def test_every_workload_is_checked_as_it_is_called(recorded, tiny):
    workloads = [Workload(kind=kind, batch=7, time=3) for kind in ("score", "decode")]
    added = cases.plan(recorded(LM), [(1, 1)], workloads)[-2:]
    assert [(case.batch, case.chunks, case.state) for case in added] == [(7, (3,), "none"), (7, (1, 1, 1), "none")]
    assert [case.chunks for case in cases.plan(recorded(LM.layers_only()), [(1, 1)], workloads) if case.batch == 7] == [
        (3,)
    ]


def test_requests_and_mixed_lengths_are_checked_as_they_are_called(recorded):
    request = Workload(kind="request", batch=7, time=3, new=3)
    mixed = Workload(kind="score", batch=3, time=5, shortest=1)
    asked = cases.plan(recorded(LM), [(1, 1)], [request, mixed])[-2:]
    assert [(case.time, case.chunks, case.lengths) for case in asked] == [(5, (3, 1, 1), ()), (5, (5,), ())]
    told = cases.plan(recorded(LM, lengths=True), [(1, 1)], [mixed])[-1]
    assert (told.state, told.lengths) == ("none", (5, 3, 1))


def test_what_is_wrong_at_a_timed_shape_alone_fails(inline, tiny, check):
    work = Workload(kind="score", batch=9, time=4)
    assert check(tiny, "WrongAtBatchNine").passed
    assert not check(tiny, "WrongAtBatchNine", workloads=[work]).passed


def test_what_failed_at_a_shape_of_another_plan_is_asked_again_and_decides(inline, tiny, check):
    work = Workload(kind="score", batch=9, time=4)
    check(tiny, "WrongAtBatchNine", workloads=[work])
    assert not check(tiny, "WrongAtBatchNine").passed


def test_two_files_of_one_name_are_refused_before_they_take_each_others_rows(tiny, check, tmp_path):
    other = msgspec.structs.replace(
        tiny, folder=str(tmp_path / "other" / "tiny"), record=msgspec.structs.replace(tiny.record, sha256="e" * 64)
    )
    with pytest.raises(LstmbenchError, match="are different files with one name, 'tiny/"):
        check([tiny, other], "Honest")


def of_form(exported, form, precision="fp32"):
    record = msgspec.structs.replace(exported.record, file=f"{form}-{precision}.onnx", form=form, precision=precision)
    return msgspec.structs.replace(exported, record=record)


def test_what_computes_from_the_checkpoint_runs_once_for_all_forms_and_never_for_a_lower_precision(inline, tiny, check):
    exports = [of_form(tiny, "scan", "int8"), tiny, of_form(tiny, "loop")]
    report = check(exports, "numpy", "Honest")
    assert [(c.subject.form, c.subject.precision, c.subject.runtime) for c in report.clearances] == [
        ("scan", "int8", "planted:Honest"),
        ("scan", "fp32", "numpy"),
        ("scan", "fp32", "planted:Honest"),
        ("loop", "fp32", "planted:Honest"),
    ]
    with pytest.raises(LstmbenchError, match=r"from the checkpoint, numpy, does so in float32, and no export here"):
        check(exports[0], "numpy")


def test_a_lower_precision_is_not_passed_by_the_float32_model_where_its_weights_are_others(inline, tiny, check):
    """Held to the model that its rounded weights make: whoever runs the unrounded one runs another model."""
    assert not check(of_form(tiny, "scan", "int4"), "Honest").passed


@pytest.mark.parametrize(("form", "steps"), [("step", 1), ("unrolled5", 5)])
def test_what_takes_its_own_time_is_called_with_that_alone_and_timed_where_it_fits(recorded, form, steps):
    workloads = [Workload(kind="decode", batch=9, time=3), *(Workload(kind="score", batch=9, time=t) for t in (1, 5))]
    planned = cases.plan(recorded(LM, form=form), [(2, 1), (3, 12)], workloads)
    assert {chunk for case in planned for chunk in case.chunks} == {steps}
    assert {case.time for case in planned if case.batch == 3} == ({3, 12} if steps == 1 else {5, 15})
    assert {case.state for case in planned if case.batch == 3} == {"random", "none", "zeros", "h alone", "c alone"}
    assert {case.chunks for case in planned if case.batch == 9} == ({(1,), (1, 1, 1)} if steps == 1 else {(5,)})


def of_shapes(planned):
    return [case for case in planned if case.asked != "vocabulary" and case.state != "large"]


@pytest.mark.parametrize("time", range(1, 70))
def test_pieces_make_up_the_whole_and_none_is_empty(recorded, time):
    for case in of_shapes(cases.plan(recorded(LM), [(2, time)])):
        assert sum(case.chunks) == case.time in {time, min(time, 3)}
        assert min(case.chunks) >= 1


def test_sixteen_steps_are_cut_into_5_1_and_10_and_one_by_one(recorded):
    chunks = {case.chunks for case in of_shapes(cases.plan(recorded(LM), [(2, 16)]))}
    assert chunks == {(16,), (5, 1, 10), (1,) * 16, (3,), (1, 1, 1)}


def test_a_shape_that_is_given_twice_is_checked_once(recorded):
    plan = cases.plan(recorded(LM), [(1, 1), (1, 1)])
    assert len(plan) == len(set(plan)) == 9


def test_a_process_that_crashes_or_hangs_costs_its_own_rows_only(plugins, tiny, check, monkeypatch):
    from lstmbench.worker import Worker

    monkeypatch.setattr("lstmbench.check.examine.Worker", lambda *a, **k: Worker(*a, **k, timeout_s=2.0))
    report = check(tiny, "CrashesOnABatch", "Hangs", "Honest", shapes=((1, 2), (2, 3)))
    crashed, hung, passed = report.clearances
    assert "crashed (SIGSEGV) while running (B=2, T=1)" in crashed.refused
    assert "gave no answer within 2 s while running (B=1, T=2)" in hung.refused
    assert passed.passed
    by_runtime = {name: list(rows) for name, rows in itertools.groupby(report.rows, lambda row: row.subject.runtime)}
    crashing = by_runtime["planted:CrashesOnABatch"]
    assert all(row.passed == (row.asked != "steps") for row in crashing), "its two steps are two rows"
    assert not any(math.isnan(row.bound) for row in report.rows)


def test_a_subject_of_which_nothing_could_be_judged_does_not_pass(inline, tiny, check, monkeypatch):
    from lstmbench.check.oracle import Oracle

    ask = Oracle.ask

    def ask_for_a_report(oracle, case):
        question = ask(oracle, case)
        return question._replace(expected=tuple(one._replace(judged=0) for one in question.expected))

    monkeypatch.setattr(Oracle, "ask", ask_for_a_report)
    report = check(tiny, "Honest")
    assert not any(row.judged for row in report.rows)
    assert "nothing of it could be judged" in report.clearances[0].refused
