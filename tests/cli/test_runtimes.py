"""`lstmbench runtimes` and `lstmbench doctor` from outside."""

import json
import platform
import re

import pytest
from typer.testing import CliRunner

from lstmbench import cli, disk, environments
from lstmbench.environments import place
from lstmbench.flows import runtimes as flow
from lstmbench.records import Environment
from lstmbench.runtimes import catalogue


@pytest.fixture(autouse=True)
def few(monkeypatch, tmp_path):
    """A cache of our own, and the one runtime that is quick to start."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(flow, "names", lambda *_: ("numpy",))


@pytest.fixture
def of_numpy(monkeypatch):
    """As if environments were made of NumPy."""
    monkeypatch.setattr(catalogue, "ENGINES", {"numpy": catalogue.ENGINES["numpy"]._replace(wheel="numpy")})


def run(*arguments):
    return CliRunner().invoke(cli.app, [*arguments], env={"COLUMNS": "100"})


def put(wheel, version):
    one = Environment(wheel=wheel, version=version, python="3.11.7", packages={"numpy": "2.4.6"}, size_bytes=7)
    disk.make_folder(place.folder(one))
    disk.write_record(place.folder(one) / place.RECORD, one)


def test_the_list_is_a_table_or_json():
    done = run("runtimes")
    assert done.exit_code == 0, done.output
    (line,) = (line.split() for line in done.stdout.splitlines() if "numpy" in line)
    assert [line[n] for n in (0, 2, 3, -1)] == ["numpy", "here", "yes", "numpy"]
    (state,) = json.loads(run("runtimes", "--json").stdout)
    assert (state["runtime"], state["where"], state["refused"]) == ("numpy", "here", "")


def test_what_is_not_usable_is_no_and_a_line_on_stderr(of_numpy):
    put("numpy", "1.0")
    done = run("runtimes")
    assert done.exit_code == 0
    assert any("1.0" in line and "no" in line.split() for line in done.stdout.splitlines())
    assert "numpy==1.0: the Python under it is gone: lstmbench runtimes install numpy==1.0" in done.stderr


def test_removing_says_what_went(of_numpy):
    put("numpy", "1.0")
    assert run("runtimes", "remove", "numpy==1.0").stdout == "removed numpy 1.0\n"
    assert environments.find() == ()


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (("install", "unheard-of"), "no runtime named 'unheard-of'; here: "),
        (("install", "torch==1.0"), "runtime 'torch' has no environment of its own"),
        (("install", "onnxruntime-cpu==../../x"), "names no version"),
        (("remove", "onnxruntime-cpu"), "there is no environment of onnxruntime-cpu"),
    ],
)
def test_what_cannot_be_done_is_one_line_and_status_2(arguments, line):
    done = run("runtimes", *arguments)
    assert (done.exit_code, done.stdout) == (2, "")
    assert done.stderr.startswith("lstmbench: ")
    assert line in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert not environments.root().exists()


@pytest.mark.parametrize("verb", ["check", "bench", "probe"])
def test_a_version_without_an_environment_is_refused_by_every_verb(verb, tmp_path):
    pytest.importorskip("onnxruntime")
    out = tmp_path / "run"
    models = () if verb == "probe" else ("models/kjv-full",)
    done = run(verb, *models, "--runtime", "onnxruntime-cpu==0.0.1", "--out", str(out))
    line = (
        "lstmbench: runtime 'onnxruntime-cpu==0.0.1' is not here: lstmbench runtimes install onnxruntime-cpu==0.0.1\n"
    )
    assert (done.exit_code, done.stderr) == (2, line)
    assert not out.exists()


@pytest.mark.parametrize("verb", ["check", "bench", "eval"])
def test_what_is_for_the_probe_alone_is_refused_by_every_other_verb(verb, tmp_path):
    pytest.importorskip("onnxruntime")
    done = run(verb, "models/kjv-full", "--runtime", "iree-cpu", "--out", str(tmp_path / "run"))
    line = "runtime 'iree-cpu' is for 'lstmbench probe' alone: it answers an LSTM with P as if P were zero\n"
    assert (done.exit_code, done.stderr) == (2, f"lstmbench: {line}")
    assert not (tmp_path / "run").exists()


def test_doctor_prints_the_whole_state_and_no_name_of_the_machine():
    put("onnxruntime-cpu", "1.0")
    done = run("doctor")
    assert done.exit_code == 0, done.output
    state = json.loads(done.stdout)
    assert set(state) == {"machine", "python", "packages", "runtimes", "environments", "chromium", "gpus"}
    assert state["python"]["version"] == platform.python_version()
    assert state["packages"]["numpy"]
    assert state["machine"]["cores_usable"] >= 1
    assert state["environments"][0]["packages"] == {"numpy": "2.4.6"}
    assert not re.search(rf"\b{re.escape(platform.node())}\b", done.stdout), "as a word: 'vm' is in llvmlite"
