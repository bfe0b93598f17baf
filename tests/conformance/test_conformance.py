"""The contract, on adapters that keep it and on such as break one promise each."""

import json
import os
import subprocess
import sys
import time
import tomllib
from pathlib import Path

import pytest
from typer.testing import CliRunner

from lstmbench.cli import app
from lstmbench.conformance import conformance, promises
from lstmbench.conformance.processor import Watch
from lstmbench.errors import RuntimeMissingError
from lstmbench.flows.conform import _subject
from lstmbench.worker import talk

pytest.importorskip("onnxruntime")  # what an export is proved with
HERE = Path(__file__).parent
EXAMPLE = HERE.parent / "example_plugin"


@pytest.fixture(scope="module")
def about(tmp_path_factory):
    """What is asked about, of a runtime."""
    subject = _subject(tmp_path_factory.mktemp("conform"), "", "scan", 60)
    return lambda name: subject._replace(runtime=f"planted:{name}")


@pytest.fixture(autouse=True)
def on_the_path(monkeypatch):
    """The child can import `planted`, as a plug-in author's module on PYTHONPATH."""
    monkeypatch.setenv("PYTHONPATH", str(HERE))


def ask(promise, subject):
    (finding,) = conformance(subject, lambda _: None, [promise])
    assert finding.kept is not bool(finding.broken)
    return finding.broken


@pytest.mark.parametrize("promise", promises.EVERY)
def test_every_promise_of_an_adapter_that_keeps_them_is_kept(about, promise):
    assert not ask(promise, about("Good"))


@pytest.mark.parametrize(
    ("name", "promise", "message"),
    [
        ("NoVersion", promises.loads, "its version is empty"),
        ("LastStepOnly", promises.shapes, "run must answer logits as float32 (3, 5, 41), not float32 (3, 1, 41)"),
        ("RightAtFirst", promises.shapes, "run must answer logits as float32 (3, 5, 41), not float32 (3, 1, 41)"),
        ("ForgetsState", promises.state, "from a state that it was given logits["),
        ("KeepsState", promises.state, "without a state, after calls with one, logits["),
        ("SwapsState", promises.state, "from a state that it was given h_n["),
        ("IgnoresLengths", promises.lengths, "with rows of 4, 1 and 6 steps"),
        ("HoldsTheFirst", promises.hold, "in region 'compute' the runtime answers otherwise"),
        ("HoldsNoState", promises.hold, "in region 'compute' the runtime answers otherwise"),
        ("HoldsNoLengths", promises.hold, "in region 'compute' the runtime answers otherwise"),
        ("ComputesLater", promises.hold, "that is not where it computes"),
        ("CarriesFromZeros", promises.carry, "in calls that go on from each other logits["),
        ("CarriesOneChain", promises.carry, "in calls that go on from each other logits["),
        ("CarriesTwoSets", promises.carry, "in calls that go on from each other logits["),
        ("IgnoresThreads", promises.threads, "given 1 thread, more computed in "),
        ("IgnoresThreadsNowAndThen", promises.threads, "given 1 thread, more computed in "),
        ("WrongOnTwoThreads", promises.threads, "given 2 threads logits["),
        ("SwallowsErrors", promises.errors, "it loads a damaged export without a word"),
        ("ExitsOnError", promises.errors, "is no exception: runtime 'planted:ExitsOnError' exited (status 0)"),
        ("RanElsewhere", promises.placement, "it promises Slate; recurrent nodes ran on Abacus"),
        ("TellsNoProvider", promises.placement, "it tells of nodes on Abacus, and has no attribute 'provider'"),
        ("TellsGarbage", promises.placement, "placement must answer a tuple of lstmbench.records.Placement"),
        ("LeavesAnother", promises.closing, "it left sleep running"),
        ("RaisesAtClose", promises.closing, "exited (status 1) when it was closed: OSError: the abacus is stuck"),
        ("NeverEnds", promises.closing, "its process had not ended 1 s after it was closed"),
    ],
)
def test_a_promise_that_is_broken_is_named(about, name, promise, message, monkeypatch):
    if name == "NeverEnds":
        monkeypatch.setattr(talk, "_CLOSING_S", 1.0)
    assert message in ask(promise, about(name))


@pytest.mark.parametrize("promise", [promises.lengths, promises.hold])
def test_an_adapter_may_do_without_lengths(about, promise):
    assert not ask(promise, about("TakesNoLengths"))


def test_an_adapter_may_do_without_a_call_that_is_held(about):
    assert not ask(promises.hold, about("HoldsNothing"))


def test_one_that_carries_its_state_as_it_should_is_right(about):
    assert not ask(promises.carry, about("Carries"))


def test_what_does_not_load_is_asked_nothing_else(about):
    first, *others = conformance(about("SegfaultsAtLoad"), lambda _: None)
    assert "crashed (SIGABRT) while loading" in first.broken
    assert {one.kept for one in others} == {None}


def test_an_adapter_that_is_not_there_is_an_error_and_no_finding(about):
    with pytest.raises(RuntimeMissingError):
        ask(promises.loads, about("Nobody"))


def test_threads_that_wait_for_a_core_count_and_those_that_sleep_do_not():
    work = "lambda: [hashlib.sha256(bytes(10**7)) for _ in range(10**6)]"
    program = f"import threading, hashlib\nfor _ in range(3): threading.Thread(target={work}).start()"
    with subprocess.Popen([sys.executable, "-c", program]) as busy, subprocess.Popen(["sleep", "60"]) as asleep:
        time.sleep(0.5)
        with Watch(busy.pid) as over_busy, Watch(asleep.pid) as over_asleep:
            time.sleep(0.5)
        busy.kill()
        asleep.kill()
    assert over_busy.share_above(1) > 0.8
    assert over_asleep.share_above(0) == over_busy.share_above(4) == 0


def test_a_few_looks_tell_nothing():
    assert Watch(os.getpid()).share_above(0) == 0


@pytest.mark.slow
def test_the_example_package_keeps_every_promise(tmp_path, monkeypatch):
    """Installed as pip would: its folder on the path, its entry point beside it."""
    source = EXAMPLE / "example_engine" / "__init__.py"
    assert len(source.read_text(encoding="utf-8").splitlines()) <= 40
    points = tomllib.loads((EXAMPLE / "pyproject.toml").read_text(encoding="utf-8"))["project"]["entry-points"]
    info = tmp_path / "example_engine-1.0.dist-info"
    info.mkdir()
    lines = [f"[{group}]\n" + "".join(f"{k} = {v}\n" for k, v in of.items()) for group, of in points.items()]
    (info / "entry_points.txt").write_text("".join(lines))
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: example-engine\nVersion: 1.0\n")
    for folder in (tmp_path, EXAMPLE):
        monkeypatch.syspath_prepend(str(folder))
    monkeypatch.setenv("PYTHONPATH", f"{tmp_path}:{EXAMPLE}")
    done = CliRunner().invoke(app, ["conformance", "example-cpu", "--json"])
    assert {one["promise"]: one["kept"] for one in json.loads(done.stdout)} == dict.fromkeys(
        (promise.__name__ for promise in promises.EVERY), True
    )
    assert done.exit_code == 0
    assert "example_engine" not in sys.modules, "it is imported in its own process alone"


def test_a_broken_promise_is_exit_status_1():
    done = CliRunner().invoke(app, ["conformance", "planted:SegfaultsAtLoad"])
    assert done.exit_code == 1
    assert "BROKEN" in done.stdout
    assert "n/a" in done.stdout
    assert done.stderr.startswith("loads: runtime 'planted:SegfaultsAtLoad' crashed (SIGABRT)")
