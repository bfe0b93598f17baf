import gc
import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import msgspec
import numpy as np
import psutil
import pytest

from lstmbench.arrays import State
from lstmbench.errors import CheckpointError, RuntimeMissingError, WorkerError
from lstmbench.records import Placement, Workload
from lstmbench.worker import Worker, child, talk

pytestmark = pytest.mark.usefixtures("fakes")

TOKENS = np.array([[1, 2, 3], [4, 0, 1]])  # (B=2, T=3), ids below V = 5


def ask(name, exported):
    with Worker(f"fakes:{name}", exported) as worker:
        return worker.run(TOKENS)


def gone(number: int) -> bool:
    """Whether the process has ended, reaped or not."""
    return not psutil.pid_exists(number) or psutil.Process(number).status() == psutil.STATUS_ZOMBIE


def wait_until(condition, *, timeout_s=20.0):
    until = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < until, "it did not happen"
        time.sleep(0.02)


def test_a_run_gives_what_the_adapter_computed(fake_export):
    with Worker("fakes:Echo", fake_export) as worker:
        logits, after = worker.run(TOKENS)
        _, later = worker.run(TOKENS[:, :1], after)
    assert logits.argmax(-1).tolist() == ((TOKENS + 1) % 5).tolist()
    assert logits.dtype == after.h.dtype == np.float32
    assert after.h.shape == (1, 2, 4)
    assert np.all(after.h == 3)
    assert np.all(later.h == 4), "the state was carried"


def test_inputs_of_any_layout_are_sent_as_they_read(fake_export):
    with Worker("fakes:Echo", fake_export) as worker:
        assert np.array_equal(worker.run(np.asfortranarray(TOKENS)[::-1])[0], worker.run(TOKENS)[0][::-1])


def test_the_answer_can_be_written_to_like_any_array(fake_export):
    logits, after = ask("Echo", fake_export)
    logits += 1
    after.c.fill(0)


def test_the_worker_says_what_it_holds(fake_export):
    with Worker("fakes:Echo", fake_export) as worker:
        assert worker.info.version == "1.0"
        assert worker.info.placement == (Placement(provider="Fake", operator="LSTM", nodes=2),)
        assert 0 < worker.info.load_s < 30


def test_threads_reach_the_libraries_through_the_environment(fake_export):
    with Worker("fakes:ReportsThreads", fake_export, threads=3) as worker:
        assert worker.info.version == "3 3 3"


def test_the_child_loads_only_what_its_adapter_needs(fake_export):
    with Worker("fakes:ReportsModules", fake_export) as worker:
        assert worker.info.version == ""


def test_what_an_adapter_prints_cannot_break_the_talk(fake_export):
    assert np.array_equal(ask("Babbles", fake_export)[0], ask("Echo", fake_export)[0])


def test_nan_is_handed_on_for_the_check_to_judge(fake_export):
    assert np.isnan(ask("NotANumber", fake_export)[0]).all()


@pytest.mark.parametrize(
    ("name", "message"),
    [
        (
            "Segfaults",
            "runtime 'fakes:Segfaults' crashed (SIGSEGV) while running (B=2, T=3): about to touch forbidden memory",
        ),
        ("SegfaultsAtLoad", "runtime 'fakes:SegfaultsAtLoad' crashed (SIGSEGV) while loading fake/scan-fp32"),
        ("Exits", "runtime 'fakes:Exits' exited (status 0) while running (B=2, T=3)"),
        ("ExitsAtOnce", "runtime 'fakes:ExitsAtOnce' exited (status 7) while running (B=2, T=3)"),
        ("LeavesAnotherBehind", "runtime 'fakes:LeavesAnotherBehind' exited (status 7) while running (B=2, T=3)"),
        ("Raises", "runtime 'fakes:Raises' failed while running (B=2, T=3): KeyError: 'no such\\nnode'"),
        ("WritesIntoTheChannel", "wrote into the worker's own channel while running (B=2, T=3)"),
        ("WrongShape", "ContractError: run must answer logits as float32 (2, 3, 5), not float32 (2, 1, 5)"),
        ("WrongDtype", "ContractError: run must answer logits as float32 (2, 3, 5), not float64 (2, 3, 5)"),
        ("WrongState", "ContractError: run must answer c_n as float32 (1, 2, 4), not float32 (2, 4)"),
        ("NoState", "ContractError: run must answer (output, State(h, c))"),
    ],
)
def test_an_adapter_that_misbehaves_is_named_with_the_cause_in_one_line(fake_export, name, message):
    with pytest.raises(WorkerError) as caught:
        ask(name, fake_export)
    assert str(caught.value).endswith(message)
    assert str(caught.value).startswith(f"runtime 'fakes:{name}'")
    assert "\n" not in str(caught.value)


def test_an_adapter_that_hangs_is_killed(fake_export, tmp_path, monkeypatch):
    monkeypatch.setenv("FAKE_NUMBER", str(tmp_path / "number"))
    with Worker("fakes:LeavesItsNumber", fake_export) as worker:
        worker.timeout_s = 0.75
        with pytest.raises(WorkerError, match=r"gave no answer within 0\.75 s while running \(B=2, T=3\)$"):
            worker.run(TOKENS)
    numbers = [int(number) for number in (tmp_path / "number").read_text().split()]
    assert len(numbers) == 2
    wait_until(lambda: all(gone(number) for number in numbers))


def test_our_own_errors_keep_their_kind_and_their_words(fake_export):
    with pytest.raises(CheckpointError, match=r"^weights are stale; export again$"):
        ask("RaisesOurs", fake_export)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("Forgets", "is not one: it lacks run, placement"),
        ("not_a_class", "is not one: it lacks run, placement, close"),
        ("NotThere", "cannot be imported: AttributeError: module 'fakes' has no attribute 'NotThere'"),
    ],
)
def test_what_is_no_runtime_is_refused_in_one_line(fake_export, name, message):
    with pytest.raises(RuntimeMissingError) as caught:
        ask(name, fake_export)
    assert str(caught.value).endswith(message)


def test_an_unknown_name_is_refused_with_those_that_exist(fake_export):
    with pytest.raises(RuntimeMissingError, match=r"^no runtime named 'tensorrt'; here: .*numpy"):
        Worker("tensorrt", fake_export)


def test_after_an_error_the_worker_is_closed(fake_export):
    with Worker("fakes:Raises", fake_export) as worker:
        with pytest.raises(WorkerError, match="KeyError"):
            worker.run(TOKENS)
        with pytest.raises(WorkerError, match=r"was closed before: it failed while running \(B=2, T=3\)"):
            worker.run(TOKENS)


def test_refused_inputs_leave_the_worker_as_it_was(fake_export):
    with Worker("fakes:Echo", fake_export) as worker:
        with pytest.raises(WorkerError, match=r"must be tokens \(B, T\) int64 with B, T >= 1, not int64 \(0, 3\)"):
            worker.run(TOKENS[:0])
        with pytest.raises(WorkerError, match=r"the state c must be float32 \(1, 2, 4\), not float32 \(1, 1, 4\)"):
            worker.run(TOKENS, State(np.zeros((1, 2, 4), np.float32), np.zeros((1, 1, 4), np.float32)))
        worker.run(TOKENS)


def test_a_run_that_no_frame_can_hold_is_refused_before_it_is_made(fake_export):
    model = msgspec.structs.replace(fake_export.model, vocabulary_size=2**28)
    large = msgspec.structs.replace(fake_export, record=msgspec.structs.replace(fake_export.record, model=model))
    with Worker("fakes:Echo", large) as worker, pytest.raises(WorkerError, match="smaller batch or time"):
        worker.run(TOKENS)


@pytest.mark.parametrize("name", ["SegfaultsAtClose", "HangsAtClose"])
def test_trouble_at_the_end_costs_no_answer(fake_export, name, monkeypatch):
    monkeypatch.setattr(talk, "_CLOSING_S", 0.3)
    assert ask(name, fake_export)[0].shape == (2, 3, 5)


def test_closing_twice_is_closing_once(fake_export):
    worker = Worker("fakes:Echo", fake_export)
    worker.close()
    worker.close()


def test_an_interpreter_that_cannot_start_is_one_line_and_leaks_nothing(fake_export, monkeypatch):
    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    with pytest.raises(WorkerError, match="cannot start a worker process: No such file"):
        Worker("fakes:Echo", fake_export)
    gc.collect()  # an open socket or file would be a ResourceWarning now, which is an error here


@pytest.mark.parametrize("arguments", [{"threads": 0}, {"timeout_s": 0}])
def test_impossible_settings_are_ours_to_mend(fake_export, arguments):
    with pytest.raises(ValueError, match="at least one thread"):
        Worker("fakes:Echo", fake_export, **arguments)


def test_samples_come_with_their_warm_up_in_order(fake_export):
    with Worker("fakes:Echo", fake_export) as worker:
        began = time.perf_counter()
        samples = worker.measure(
            Workload(kind="decode", batch=2, time=3), TOKENS, warmup_s=0.01, budget_s=10, max_samples=7
        )
        ended = time.perf_counter()
    assert len(samples.sample_s) == len(samples.start_s) == 7
    assert sum(samples.warmup_s) > 0.001
    ends = np.add(samples.start_s, samples.sample_s)
    assert np.all(ends[:-1] <= samples.start_s[1:]), "samples do not overlap"
    assert began < samples.start_s[0], "the child's clock is the parent's"
    assert ends[-1] < ended


def test_a_measurement_may_take_longer_than_a_call(fake_export):
    with Worker("fakes:Echo", fake_export) as worker:
        worker.timeout_s = 0.75
        workload = Workload(kind="score", batch=2, time=3)
        samples = worker.measure(workload, TOKENS, warmup_s=0.5, budget_s=0.5, max_samples=10**6)
    assert sum(samples.warmup_s) + sum(samples.sample_s) > 0.25  # most of the time is spent between the samples
    assert samples.start_s[-1] - samples.start_s[0] > 0.4


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("WrongShape", r"failed while timing score 2×3: ContractError"),
        ("Segfaults", r"crashed \(SIGSEGV\) while timing score 2×3"),
    ],
)
def test_a_misdeed_while_timing_is_no_sample(fake_export, name, message):
    with Worker(f"fakes:{name}", fake_export) as worker, pytest.raises(WorkerError, match=message):
        worker.measure(Workload(kind="score", batch=2, time=3), TOKENS, warmup_s=0, budget_s=1, max_samples=3)


@pytest.mark.parametrize("wrong", [{"warmup_s": -1.0}, {"budget_s": float("nan")}, {"max_samples": 0}])
def test_impossible_budgets_are_ours_to_mend(fake_export, wrong):
    arguments = {"warmup_s": 0.0, "budget_s": 1.0, "max_samples": 1} | wrong
    with Worker("fakes:Echo", fake_export) as worker, pytest.raises(ValueError, match="at least one sample"):
        worker.measure(Workload(kind="score", batch=2, time=3), TOKENS, **arguments)


def parent_script(exported) -> str:
    return textwrap.dedent(f"""
        import signal
        import msgspec, numpy as np
        from lstmbench.records import ExportedModel
        from lstmbench.worker import Worker
        signal.signal(signal.SIGINT, signal.default_int_handler)  # ignored by what a shell runs in the background
        exported = msgspec.json.decode({msgspec.json.encode(exported)!r}, type=ExportedModel)
        with Worker("fakes:LeavesItsNumber", exported) as worker:
            worker.run(np.array([[1]]))
    """)


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_when_the_parent_ends_the_child_ends_in_silence(fake_export, tmp_path, monkeypatch, how):
    number = tmp_path / "number"
    monkeypatch.setenv("FAKE_NUMBER", str(number))
    # a session of its own, and the signal to the whole group: as a terminal does on Ctrl-C
    parent = subprocess.Popen(
        [sys.executable, "-c", parent_script(fake_export)], stderr=subprocess.PIPE, start_new_session=True
    )
    wait_until(lambda: number.exists() and number.read_text().endswith("\n"))
    os.killpg(parent.pid, how)
    _, stderr = parent.communicate(timeout=20)
    assert stderr.count(b"Traceback") == (1 if how == signal.SIGINT else 0), "the parent's own, and no other"
    wait_until(lambda: all(gone(int(pid)) for pid in number.read_text().split()))


def test_the_parent_loads_no_engine(fake_export):
    script = "import sys, lstmbench.worker, lstmbench.runtimes as r; r.names(); r.available(); print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True).stdout.split()
    assert not {"torch", "onnxruntime", "pandas", "onnx", "safetensors"} & set(loaded)


@pytest.mark.parametrize("ours", [True, False])
def test_a_module_in_the_current_folder_is_seen_only_if_we_see_it(fake_export, tmp_path, monkeypatch, ours):
    (tmp_path / "msgspec.py").write_text("raise SystemExit('the wrong msgspec')")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(
        sys, "path", [*([""] if ours else []), *(p for p in sys.path if p not in ("", str(Path.cwd())))]
    )
    if ours:
        with pytest.raises(WorkerError, match=r"exited \(status 1\) while loading fake/scan-fp32: the wrong msgspec"):
            ask("Echo", fake_export)
    else:
        ask("Echo", fake_export)


def test_only_the_end_of_what_was_written_is_read(fake_export):
    died = child.Child(threads=1)
    died._written.write(b"first\n" * 10_000 + b"\x1b[0;93mlast \x07words\xff\n\n")
    died.kill()
    assert died.last_line() == "last words\N{REPLACEMENT CHARACTER}"


def test_where_memory_runs_out_the_worker_goes_first(fake_export):
    with Worker("fakes:Echo", fake_export) as worker:
        score = Path(f"/proc/{worker._child._process.pid}/oom_score_adj").read_text().strip()
    assert score == "1000"
