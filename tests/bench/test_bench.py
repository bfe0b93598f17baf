"""Numbers only for what passed; rounds interleaved; what was timed stays timed."""

import functools
from collections import Counter
from collections.abc import Callable

import msgspec
import pytest

from lstmbench import bench as measuring
from lstmbench import disk, machine
from lstmbench.bench import Effort, grid
from lstmbench.errors import LstmbenchError, RecordError
from lstmbench.records import Load, Measurement, Workload

SCORE = grid(batches=(1, 2), times=(4,), kinds=("score",))
BOTH = grid(batches=(1,), times=(4,), kinds=("score", "decode"))
QUIET = Load(at="2026-01-02T03:04:05+00:00", load_average=(0.1, 0.1, 0.1), cpu_mhz=None)
plain = functools.partial(Effort, processes=1, twins=False, weigh=False)
EFFORT = plain(rounds=3, warmup_s=0.1, budget_s=0.3, samples=90)


@pytest.fixture
def run(tmp_path):
    return tmp_path / "run"


@pytest.fixture
def bench(run) -> Callable[..., list[Measurement]]:
    def bench(clearances, workloads=SCORE, **options) -> list[Measurement]:
        defaults = {"run": run, "effort": EFFORT, "began": QUIET, "progress": lambda _line: None}
        return measuring.bench(clearances, workloads, **(defaults | options))

    return bench


def journal(run) -> list[Measurement]:
    return disk.read_journal(run / "measurements.jsonl", Measurement)


def test_every_case_gets_its_raw_samples_and_they_are_on_disk(stage, cleared, bench, run):
    rows = bench(cleared("a", "b"))
    assert journal(run) == rows
    assert [(row.subject.runtime, row.workload) for row in rows] == [(r, w) for w in SCORE for r in "ab"]
    for row in rows:
        assert row.machine == machine.observe().fingerprint
        assert row.timing.rounds == (3, 3, 3)
        assert row.timing.sample_s == (0.01,) * 9
        assert row.timing.warmup_s == (0.02, 0.02)
        assert row.timing.load_s == 0.5


def test_each_round_has_every_runtime_once_in_an_order_of_its_own(stage, cleared, bench):
    names = "abcdefgh"
    bench(cleared(*names), SCORE[:1], effort=plain(rounds=5))
    who = [name for name, _, _ in stage.took]
    rounds = [tuple(who[n : n + 8]) for n in range(0, 40, 8)]
    assert all(sorted(one) == sorted(names) for one in rounds)
    assert len(set(rounds)) == 5
    assert tuple(names) not in rounds


def test_the_order_follows_from_the_seed(stage, cleared, bench, tmp_path):
    orders = []
    for n, seed in enumerate((1, 1, 2)):
        stage.took.clear()
        bench(cleared(*"abcdef"), run=tmp_path / str(n), effort=plain(seed=seed))
        orders.append([name for name, _, _ in stage.took])
    assert orders[0] == orders[1] != orders[2]


def test_only_the_first_round_warms_up_for_long(stage, cleared, bench):
    bench(cleared("a"), SCORE[:1])
    assert [warmup_s for _, _, warmup_s in stage.took] == [0.1, 0, 0]


def test_the_rounds_share_the_budget_and_the_samples(stage, cleared, bench):
    bench(cleared("a"), SCORE[:1])
    assert stage.granted == [(pytest.approx(0.1), 3, 30)] * 3  # 3 x 3: a median needs 7


def test_starts_count_from_the_first_sample_of_the_workload_and_show_how_runtimes_alternate(stage, cleared, bench):
    rows = bench(cleared("a", "b"), SCORE[1:])
    starts = sorted((start_s, row.subject.runtime) for row in rows for start_s in row.timing.start_s)
    assert [start_s for start_s, _ in starts] == pytest.approx([0.01 * n for n in range(18)])
    who = "".join(runtime for _, runtime in starts)
    assert all(sorted(who[n : n + 6]) == list("aaabbb") for n in (0, 6, 12))


def test_every_process_is_loaded_before_the_first_is_timed_and_ended_in_the_end(stage, cleared, bench):
    lines: list[str] = []
    bench(cleared("a", "b", "c"), progress=lines.append)
    assert [line.split()[4] for line in lines[:4]] == ["loading", "loading", "loading", "score"]
    assert lines[0] == "process 1 of 1: loading fake/scan-lm on a"
    assert stage.loaded == ["a", "b", "c"]
    assert sorted(stage.closed) == ["a", "b", "c"]


def test_an_interrupt_ends_every_process_and_keeps_what_was_finished(stage, cleared, bench, run):
    def stop(line: str) -> None:
        if "score 2×" in line:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        bench(cleared("a", "b"), progress=stop)
    assert sorted(stage.closed) == ["a", "b"]
    assert [row.workload for row in journal(run)] == [SCORE[0]] * 2
    stage.took.clear()
    assert len(bench(cleared("a", "b"))) == 4
    assert {workload for _, workload, _ in stage.took} == {SCORE[1]}


SIX = msgspec.structs.replace(EFFORT, processes=6, rounds=1, samples=600)


def test_every_case_runs_in_several_processes_that_begin_with_other_workloads(stage, cleared, bench, run):
    rows = bench(cleared("a", "b"), SCORE, effort=SIX)
    assert (sorted(stage.loaded), sorted(stage.closed)) == (["a"] * 6 + ["b"] * 6,) * 2
    assert Counter((row.subject.runtime, row.workload, row.process) for row in rows) == Counter(
        {(r, w, n): 1 for r in "ab" for w in SCORE for n in range(6)}
    )
    fresh = {(row.workload, row.process) for row in rows if row.timing.fresh}
    assert fresh == {(SCORE[n % 2], n) for n in range(6)}
    assert all(row.timing.spawn_s == 0.25 for row in rows)
    assert len(journal(run)) == 24


def test_a_killed_run_goes_on_at_the_process_that_was_next(stage, cleared, bench, run):
    def stop(line: str) -> None:
        if line.startswith("process 4"):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        bench(cleared("a"), effort=SIX, progress=stop)
    before = journal(run)
    assert {row.process for row in before} == {0, 1, 2}
    stage.loaded.clear()
    rows = bench(cleared("a"), effort=SIX)
    assert len(stage.loaded) == 3
    assert [row for row in rows if row.process < 3] == sorted(before, key=lambda row: SCORE.index(row.workload))


def test_more_processes_are_added_to_those_that_are_there(stage, cleared, bench):
    three = bench(cleared("a"), SCORE[:1], effort=msgspec.structs.replace(SIX, processes=3))
    six = bench(cleared("a"), SCORE[:1], effort=SIX)
    assert six[:3] == three
    assert len(stage.loaded) == 6


def test_a_crash_in_one_process_is_the_verdict_of_the_case_and_is_not_repeated(stage, cleared, bench, run):
    def crash_later(line: str) -> None:
        if line.startswith("process 3 of 6: loading"):
            stage.crashes.add(("a", "score"))

    rows = bench(cleared("a", "b"), SCORE[:1], effort=SIX, progress=crash_later)
    assert [row.process for row in rows if row.subject.runtime == "a"] == [0, 1, 2]
    assert [bool(row.refused) for row in rows if row.subject.runtime == "a"] == [False, False, True]
    assert len([row for row in rows if row.subject.runtime == "b" and row.timing]) == 6
    stage.crashes.clear()
    again = bench(cleared("a"), SCORE[:1], effort=SIX)
    assert [row.process for row in again] == list(range(6))
    assert not any(row.refused for row in journal(run))


def test_a_wrong_answer_in_one_process_takes_the_samples_of_all(stage, cleared, bench, run):
    def go_wrong(line: str) -> None:
        if line.startswith("process 3 of 6: loading"):
            stage.turns_to_nan.add("a")

    bench(cleared("a"), SCORE[:1], effort=SIX, progress=go_wrong)
    assert [(row.process, bool(row.refused)) for row in journal(run)] == [(2, True)]


def test_a_wrong_answer_of_the_twin_takes_the_case_with_it(stage, cleared, bench, run, monkeypatch):
    """The second worker of each pass is the twin; NaN comes from that of the third pass alone."""
    kind = stage.kind
    measure = kind.measure

    def sometimes_wrong(self, workload, inputs, **how):
        if len(stage.loaded) == 6 and self is stage.workers[-1]:
            stage.turns_to_nan.add("a")
        try:
            return measure(self, workload, inputs, **how)
        finally:
            stage.turns_to_nan.discard("a")

    monkeypatch.setattr(kind, "measure", sometimes_wrong)
    bench(cleared("a"), SCORE[:1], effort=msgspec.structs.replace(SIX, twins=True))
    assert [(row.process, row.twin, row.wrong, bool(row.timing)) for row in journal(run)] == [(2, False, True, False)]
    assert len(stage.loaded) == 6  # neither is timed in the passes that follow


def test_what_is_not_tried_again_is_not_held_against_a_case(stage, cleared, bench, run):
    def crash_later(line: str) -> None:
        if line.startswith("process 3 of 6: loading"):
            stage.crashes.add(("a", "score"))

    bench(cleared("a"), SCORE[:1], effort=SIX, progress=crash_later)
    stage.crashes.clear()
    bench(cleared("a"), SCORE[:1], effort=msgspec.structs.replace(SIX, processes=2))
    assert [(row.process, bool(row.refused)) for row in journal(run)] == [(0, False), (1, False)]


def test_the_time_of_a_case_is_what_was_asked_for_however_many_processes_share_it(stage, cleared, bench):
    six = bench(cleared("a"), SCORE[:1], effort=SIX)
    stage.took.clear()
    assert bench(cleared("a"), SCORE[:1], effort=msgspec.structs.replace(SIX, processes=3)) == six
    assert not stage.took


def test_what_did_not_pass_gets_its_reason_and_no_process(stage, cleared, bench, run):
    rows = bench([*cleared("a"), *cleared("b", refused="logits are off")], BOTH)
    assert stage.loaded == ["a"]
    assert {row.subject.runtime for row in rows if row.timing} == {"a"}
    assert [row.refused for row in rows if row.subject.runtime == "b"] == ["logits are off"] * 2
    assert sorted(map(str, journal(run))) == sorted(map(str, rows))


def test_a_refusal_is_noted_once(stage, cleared, bench, run):
    bench(cleared("b", refused="logits are off"))
    before = (run / "measurements.jsonl").read_bytes()
    assert all(row.refused for row in bench(cleared("b", refused="logits are off")))
    assert (run / "measurements.jsonl").read_bytes() == before


def test_a_timing_does_not_survive_a_check_that_fails_later(stage, cleared, bench, run):
    bench(cleared("a"))
    rows = bench(cleared("a", refused="logits are off"))
    assert not any(row.timing for row in rows)
    assert journal(run) == rows


def test_a_crash_refuses_one_case_and_the_rest_goes_on(stage, cleared, bench):
    stage.crashes = {("b", "score")}
    rows = {(row.subject.runtime, row.workload.kind): row for row in bench(cleared("a", "b"), BOTH)}
    assert "crashed (SIGSEGV) while timing score" in rows["b", "score"].refused
    assert all(rows[case].timing for case in (("a", "score"), ("a", "decode"), ("b", "decode")))
    assert Counter(stage.loaded) == {"a": 1, "b": 2}  # again for the next workload
    assert Counter(name for name, workload, _ in stage.took if workload.kind == "score") == {"a": 3, "b": 1}


def test_a_crash_in_a_later_round_leaves_no_number(stage, cleared, bench):
    def crash_later(line: str) -> None:
        if "round 3 of 3" in line:
            stage.crashes = {("a", "score")}

    (row,) = bench(cleared("a"), SCORE[:1], progress=crash_later)
    assert row.timing is None
    assert row.refused


def test_a_runtime_that_no_longer_loads_is_refused_for_all_workloads_after_one_try(stage, cleared, bench):
    stage.does_not_load = {"b"}
    rows = bench(cleared("a", "b"), BOTH)
    assert [bool(row.timing) for row in rows] == [True, False, True, False]
    assert stage.loaded == ["a", "b"]


def test_another_version_than_was_checked_is_not_timed(stage, cleared, bench):
    stage.version = "2.0"
    rows = bench(cleared("a"))
    assert all("checked as version 1.0, now it is 2.0" in row.refused for row in rows)
    assert stage.took == []
    assert stage.closed == ["a"]


def test_what_was_timed_is_not_timed_again(stage, cleared, bench, run):
    first = bench(cleared("a"))
    stage.loaded.clear()
    before = (run / "measurements.jsonl").read_bytes()
    assert bench(cleared("a")) == first
    assert stage.loaded == []
    assert (run / "measurements.jsonl").read_bytes() == before


def test_who_asks_for_more_sampling_gets_it_and_who_asks_for_less_keeps_what_is_there(stage, cleared, bench, run):
    bench(cleared("a"), SCORE[:1], effort=plain(rounds=1, budget_s=0.2))
    stage.took.clear()
    (longer,) = bench(cleared("a"), SCORE[:1], effort=plain(rounds=1, budget_s=0.4))
    assert stage.took
    assert longer.timing.budget_s == 0.4
    stage.took.clear()
    assert bench(cleared("a"), SCORE[:1], effort=plain(rounds=1, budget_s=0.1)) == [longer]
    assert not stage.took
    assert journal(run) == [longer]


def test_another_file_of_the_same_name_takes_the_place_of_the_first(stage, cleared, bench, run):
    bench(cleared("a"))
    again = [
        msgspec.structs.replace(c, subject=msgspec.structs.replace(c.subject, model_sha256="f" * 64))
        for c in cleared("a")
    ]
    rows = bench(again)
    assert {row.subject.model_sha256 for row in rows} == {"f" * 64}
    assert journal(run) == rows


def test_samples_survive_a_longer_try_that_crashes_and_the_crash_is_told(stage, cleared, bench, run):
    before = bench(cleared("a"), SCORE[:1])
    stage.crashes = {("a", "score")}
    kept, lost = bench(cleared("a"), SCORE[:1], effort=plain(rounds=3, budget_s=9.0))
    assert [kept] == before == journal(run)
    assert "crashed (SIGSEGV)" in lost.refused


def test_no_samples_survive_an_answer_that_turned_out_wrong(stage, cleared, bench, run):
    bench(cleared("a"), SCORE[:1])
    stage.turns_to_nan = {"a"}
    (row,) = bench(cleared("a"), SCORE[:1], effort=plain(rounds=3, budget_s=9.0))
    assert [row] == journal(run)
    assert "holds NaN" in row.refused


def test_only_the_first_workload_of_a_process_is_a_cold_start(stage, cleared, bench):
    stage.crashes = {("b", "score")}
    rows = bench(cleared("a", "b"), BOTH)
    fresh = {(row.subject.runtime, row.workload.kind): row.timing.fresh for row in rows if row.timing}
    assert fresh == {("a", "score"): True, ("a", "decode"): False, ("b", "decode"): True}


def test_each_row_knows_the_load_when_its_command_began(stage, cleared, bench):
    busy = msgspec.structs.replace(QUIET, load_average=(9.0, 9.0, 9.0))
    bench(cleared("a"), SCORE[:1])
    rows = bench(cleared("a", "b"), SCORE[:1], began=busy)
    assert [row.timing.session for row in rows] == [QUIET, busy]


def test_what_was_refused_is_tried_again_and_its_row_replaced(stage, cleared, bench, run):
    stage.crashes = {("a", "score")}
    assert all(row.refused for row in bench(cleared("a")))
    stage.crashes = set()
    rows = bench(cleared("a"))
    assert all(row.timing for row in rows)
    assert journal(run) == rows


def test_a_load_that_failed_in_the_check_leaves_no_row_once_it_passed(stage, cleared, bench, run):
    bench(cleared("a", refused="did not load", version=""))
    rows = bench(cleared("a"))
    assert all(row.timing for row in rows)
    assert journal(run) == rows


def test_another_machines_folder_is_one_line_and_stays_as_it_is(stage, cleared, bench, run, monkeypatch):
    bench(cleared("a"))
    here = machine.observe()
    monkeypatch.setattr(machine, "observe", lambda: msgspec.structs.replace(here, cpu="Z80"))
    before = (run / "measurements.jsonl").read_bytes()
    with pytest.raises(RecordError, match="another machine"):
        bench(cleared("b"))
    assert (run / "measurements.jsonl").read_bytes() == before


def test_a_bare_layer_is_not_asked_to_decode(stage, cleared, bench):
    rows = bench([*cleared("a", head="layer"), *cleared("a")], BOTH)
    kinds = [(row.subject.head, row.workload.kind) for row in rows]
    assert kinds == [("layer", "score"), ("lm", "score"), ("lm", "decode")]
    assert not any(row.refused for row in rows)


def test_samples_are_stored_to_the_nanosecond(stage, cleared, bench):
    stage.step_s = iter([0.0123456789876] * 9)
    (row,) = bench(cleared("a"), SCORE[:1])
    assert set(row.timing.sample_s) == {0.012345679}


@pytest.mark.parametrize(("clearances", "workloads"), [([], SCORE), (None, ())])
def test_nothing_to_time_is_one_line(cleared, bench, run, clearances, workloads):
    with pytest.raises(LstmbenchError, match="nothing to time"):
        bench(cleared("a") if clearances is None else clearances, workloads)
    assert not run.exists()


@pytest.mark.parametrize(
    "wrong",
    [
        {"rounds": 0},
        {"samples": 4},
        {"rounds": 5, "samples": 9},
        {"budget_s": 0},
        {"budget_s": float("nan")},
        {"warmup_s": -1.0},
        {"budget_s": 1e300},
    ],
    ids=str,
)
def test_an_effort_that_times_nothing_is_one_line(wrong):
    with pytest.raises(LstmbenchError, match=r"^cannot "):
        Effort(**wrong)


def test_a_call_that_no_machine_holds_is_one_line():
    with pytest.raises(LstmbenchError, match="tokens a call"):
        grid(batches=(1, 100_000), times=(100_000,), kinds=("score",))


@pytest.mark.parametrize("wrong", [{"batches": (0,)}, {"times": (4, 0)}, {"batches": ()}], ids=str)
def test_a_grid_with_a_b_or_t_below_1_is_one_line(wrong):
    with pytest.raises(LstmbenchError, match="give 1 or more"):
        grid(**({"batches": (1,), "times": (1,), "kinds": ("score",)} | wrong))


def test_the_named_grids():
    quick, lm = measuring.read_grid("quick")[None], measuring.read_grid("lm")[None]
    assert len(quick) == 4 + 2 + 2
    assert len(lm) == 12 + 4 + 4
    assert Workload(kind="decode", batch=64, time=128) in lm
    assert {workload.time for workload in quick if workload.kind == "decode"} == {64}


IN_TURN = plain(processes=2, rounds=3, in_turn=True)


def test_who_takes_turns_takes_a_pass_anew_if_one_of_them_has_to(stage, cleared, bench, run):
    """The export was made again: beside samples of another hour its new ones would tell the hour, not the export."""
    old, new = cleared("a", "b")
    bench([old, new], SCORE[:1], effort=IN_TURN)
    made_again = msgspec.structs.replace(new.subject, model_sha256="ef" * 32)
    renamed = msgspec.structs.replace(made_again, model="other/scan-lm")
    later = msgspec.structs.replace(QUIET, at="2026-01-02T04:04:05+00:00")
    bench([old, msgspec.structs.replace(new, subject=renamed)], SCORE[:1], effort=IN_TURN, began=later)
    sessions = {row.subject.model: row.timing.session.at for row in journal(run) if row.subject.runtime == "a"}
    assert set(sessions.values()) == {later.at}


def test_who_takes_turns_repeats_nothing_that_all_have(stage, cleared, bench, run):
    bench(cleared("a", "b"), SCORE[:1], effort=IN_TURN)
    before, loaded = journal(run), len(stage.loaded)
    bench(cleared("a", "b"), SCORE[:1], effort=IN_TURN)
    assert (journal(run), len(stage.loaded)) == (before, loaded)


def test_rounds_end_when_the_budget_is_spent_and_a_median_is_carried(stage, cleared, bench):
    """A round of this stage takes 0.03 s, whatever it was granted."""
    (quick,) = bench(cleared("a"), SCORE[:1], effort=plain(rounds=30, budget_s=0.2))
    assert len(quick.timing.rounds) == 7
    (long,) = bench(cleared("b"), SCORE[:1], effort=plain(rounds=30, budget_s=0.01))
    assert len(long.timing.rounds) == 7
