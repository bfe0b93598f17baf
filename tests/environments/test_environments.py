"""Building, choosing and removing environments, with an engine from an index on disk; nothing is downloaded."""

import importlib.util
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from lstmbench import environments
from lstmbench.environments import Chosen, build, index, pins, place, tool, wanted
from lstmbench.environments.wanted import Wanted, order
from lstmbench.errors import DiskError, RuntimeMissingError
from lstmbench.flows import runtimes as flow
from lstmbench.model import folder
from lstmbench.model.weights import digest, random_weights
from lstmbench.records import Environment, ModelConfig, ModelFolder
from lstmbench.runtimes import catalogue
from lstmbench.worker import Worker, meet

needs_pip = pytest.mark.skipif(importlib.util.find_spec("pip") is None, reason="pip is not installed")


MET = {"version": "1.0", "offers": (), "device": "", "lacks": ""}


def install(text):
    return flow.install(wanted(text), lambda _: None)


def put(version, *, wheel="engine-abroad", python=sys.executable):
    """An environment as it lies on disk, over our own Python."""
    one = Environment(wheel=wheel, version=version, python="3", packages={}, size_bytes=0)
    (place.folder(one) / "bin").mkdir(parents=True)
    place.python(one).symlink_to(python)
    build.disk.write_record(place.folder(one) / place.RECORD, one)
    return one


def surveyed(monkeypatch, *only):
    monkeypatch.setattr(flow, "names", lambda *_: only or ("abacus",))
    return flow.survey(lambda _: None)


def left():
    return sorted(path.name for path in environments.root().glob("*")) if environments.root().exists() else []


@pytest.mark.parametrize("text", ["abacus==", "abacus==../x", "abacus==1/2", "abacus==latest", "a:b==1", "abacus==1 2"])
def test_what_is_no_version_is_one_line(text):
    with pytest.raises(RuntimeMissingError, match="names no version: give it as NAME==VERSION"):
        wanted(text)


def test_a_name_and_its_version_are_told_apart():
    assert wanted("abacus==1.20.1") == ("abacus", "1.20.1")
    assert wanted("abacus") == ("abacus", "")
    assert wanted("my_package:MyEngine") == ("my_package:MyEngine", "")
    assert str(wanted("abacus==1.20.1rc2+cpu")) == "abacus==1.20.1rc2+cpu"


def test_versions_stand_in_the_order_of_their_numbers():
    assert sorted(["1.9", "1.20.1", "1.20"], key=order) == ["1.9", "1.20", "1.20.1"]


def test_the_cache_is_where_the_specification_puts_it(monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", "/somewhere")
    assert environments.root() == Path("/somewhere/lstmbench/environments")
    monkeypatch.setenv("XDG_CACHE_HOME", "relative")
    assert environments.root() == Path("~/.cache/lstmbench/environments").expanduser(), "it is to be ignored"


def test_this_python_comes_first_and_then_the_newest_environment(index):
    assert environments.choose("numpy") == Chosen("numpy")
    assert environments.choose("a:b") == Chosen("a:b")
    assert environments.choose("unheard-of") == Chosen("unheard-of"), "the process says that it knows no such name"
    put("1.9")
    newest = put("1.10")
    assert environments.choose("abacus") == Chosen("abacus", "", place.python(newest))
    assert environments.choose("abacus==1.9").python.parts[-3] == "engine-abroad-1.9"


def test_a_version_that_is_here_needs_no_environment(index, monkeypatch):
    monkeypatch.setattr(catalogue, "own_version", lambda _: "2.0")
    assert environments.choose("abacus==2.0") == Chosen("abacus", "2.0")
    with pytest.raises(
        RuntimeMissingError, match=r"runtime 'abacus==1\.0' is not here: lstmbench runtimes install abacus=="
    ):
        environments.choose("abacus==1.0")


@pytest.mark.parametrize(
    ("asked", "why"),
    [
        ("abacus", "runtime 'abacus' is not here: lstmbench runtimes install abacus"),
        ("abacus==3", "runtime 'abacus==3' is not here: lstmbench runtimes install abacus==3"),
        ("numpy==1.0", "runtime 'numpy' comes in no other version than the one here: ask for numpy"),
        ("unheard-of", "no runtime named 'unheard-of'; here: "),
    ],
)
def test_what_cannot_be_started_says_what_mends_it(index, asked, why):
    with pytest.raises(RuntimeMissingError) as caught:
        environments.demand(asked)
    assert str(caught.value).startswith(why)


def test_an_environment_whose_python_is_gone_is_not_used(index, monkeypatch):
    put("1.0", python="/nowhere/python")
    with pytest.raises(RuntimeMissingError, match=r"is gone: lstmbench runtimes install abacus==1\.0"):
        environments.choose("abacus==1.0")
    (state,) = surveyed(monkeypatch)
    assert (state.where, state.version) == ("environment", "1.0")
    assert state.refused == "the Python under it is gone: lstmbench runtimes install abacus==1.0"


def test_a_folder_without_its_record_is_no_environment(index):
    one = put("1.0")
    (place.folder(one) / place.RECORD).unlink()
    assert environments.find() == ()
    (place.folder(one) / place.RECORD).write_text("{")
    assert environments.find() == (), "nor with one that cannot be read"
    with pytest.raises(RuntimeMissingError, match="lstmbench runtimes install abacus"):
        environments.choose("abacus")


def test_removing_takes_one_version_or_all(index):
    for version, wheel in (("1.0", "engine-abroad"), ("2.0", "engine-abroad"), ("1.0", "other")):
        put(version, wheel=wheel)
    assert [one.version for one in environments.remove(wanted("abacus==1.0"))] == ["1.0"]
    put("3.0")
    assert [one.version for one in environments.remove(wanted("abacus"))] == ["2.0", "3.0"]
    assert left() == ["other-1.0"]
    with pytest.raises(RuntimeMissingError, match="there is no environment of abacus"):
        environments.remove(wanted("abacus"))


@needs_pip
def test_two_versions_run_side_by_side(index, recorded, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", "/hostile/folder")
    first, second = install("abacus==1.0"), install("abacus==2.0")
    export = recorded(ModelConfig(head="lm", vocabulary_size=5, peephole="full", input_size=3, hidden_size=4))
    for one in (first, second):
        with Worker(f"abacus=={one.version}", export) as worker:
            assert worker.info.version == one.version, "the process tells it, not we"
            assert worker.info.placement[0].provider == str(place.folder(one)), "that ran in its own environment"
            assert worker.run(np.zeros((2, 3), np.int64))[0].shape == (2, 3, 5)
    with Worker("abacus", export) as worker:
        assert worker.info.version == "2.0", "the newest, where none is named"
    states = surveyed(monkeypatch)
    assert [(state.version, state.offers, state.refused) for state in states] == [
        ("1.0", ("AbacusProvider",), "no abacus here: buy one"),
        ("2.0", ("AbacusProvider",), "no abacus here: buy one"),
    ]
    assert states[0].needs == "engine-abroad, an abacus"
    assert install("abacus==1.0") == first, "what is there is not built again"
    files = {one.version: (index / f"engine_abroad-{one.version}-py3-none-any.whl").stat() for one in (first, second)}
    assert first.downloads == {"engine-abroad": files["1.0"].st_size}
    assert not (place.folder(first) / "fetched").exists(), "and is not kept"


@needs_pip
@pytest.mark.parametrize(
    ("asked", "why"),
    [
        ("abacus==9.9", "the package index has no engine-abroad 9.9 for this Python; it has 1.0, 2.0, 3.0, 4.0"),
        ("abacus==3.0", "cannot be imported: OSError: libabacus.so: cannot open"),
        ("abacus==4.0", "engine-abroad 4.0 was installed, and says that it is 4.1: it is not kept"),
    ],
)
def test_what_cannot_be_installed_is_one_line_and_leaves_nothing(index, asked, why):
    with pytest.raises(RuntimeMissingError) as caught:
        install(asked)
    assert why in str(caught.value)
    assert left() == []


def test_no_environment_is_made_of_what_has_no_wheel():
    for name, how in (("torch", "pip install 'lstmbench.torch.'"), ("numpy", "it comes with its own package")):
        with pytest.raises(RuntimeMissingError, match=f"'{name}' has no environment of its own: {how}"):
            install(name)
    with pytest.raises(RuntimeMissingError, match="no runtime named 'unheard-of'"):
        install("unheard-of==1")


@pytest.mark.parametrize("stage", ["build", "installed"])
def test_a_build_that_is_interrupted_leaves_nothing(index, monkeypatch, stage):
    def interrupted(first, *_):
        if stage == "build":
            (first / "half").mkdir(parents=True)
        raise KeyboardInterrupt

    monkeypatch.setattr(tool, "build", lambda folder, _: (folder / "bin").mkdir(parents=True))
    monkeypatch.setattr(tool, stage, interrupted)
    with pytest.raises(KeyboardInterrupt):
        build.install(Wanted("abacus", "1.0"), prove=lambda *_: "1.0", progress=lambda _: None)
    assert left() == []


def test_what_a_killed_build_left_is_never_used_and_swept_by_the_next(index, monkeypatch):
    half = environments.root() / ".abacus.17.tmp"
    (half / "bin").mkdir(parents=True)
    one = Environment(wheel="engine-abroad", version="1.0", python="3", packages={}, size_bytes=0)
    build.disk.write_record(half / place.RECORD, one)
    assert environments.find() == ()
    monkeypatch.setattr(tool, "build", lambda folder, _: (folder / "bin").mkdir(parents=True))
    monkeypatch.setattr(tool, "installed", lambda _: tool.Held("3.11", {"Engine_Abroad": "1.0"}))
    made = build.install(Wanted("abacus", "1.0"), prove=lambda *_: "1.0", progress=lambda _: None)
    assert (made.version, left()) == ("1.0", ["engine-abroad-1.0"])


def test_what_moved_since_it_was_built_is_said_and_installing_builds_it_again(index, monkeypatch):
    built = []
    monkeypatch.setattr(
        tool, "build", lambda folder, asked: (built.append(asked), (folder / "bin").mkdir(parents=True))
    )
    monkeypatch.setattr(place, "interpreter", lambda _: Path(sys.executable))
    monkeypatch.setattr(pins, "BASE", ("numpy",))
    there = {"version": "2.0.0"}
    monkeypatch.setattr(
        tool, "installed", lambda _: tool.Held("3.11", {"engine-abroad": "1.0", "numpy": there["version"]})
    )

    def again():
        return build.install(Wanted("abacus", "1.0"), prove=lambda *_: "1.0", progress=lambda _: None)

    again()
    monkeypatch.setattr(flow, "meet", lambda *_, **__: (SimpleNamespace(**MET), 0.1))
    (state,) = surveyed(monkeypatch)
    here = np.__version__
    how = "lstmbench runtimes install abacus==1.0 builds it again"
    assert (state.refused, state.behind) == ("", f"it was built with numpy 2.0.0, here {here}: {how}")
    there["version"] = here
    assert again().packages["numpy"] == here
    assert surveyed(monkeypatch)[0].behind == ""
    again()
    assert built == [["engine-abroad==1.0", f"numpy=={here}"]] * 2, "and then it stays"


def test_of_two_builds_at_once_one_waits_its_turn(index):
    environments.root().mkdir(parents=True)
    with build.disk.locked(environments.root()), pytest.raises(DiskError, match="another lstmbench writes into"):
        build.install(Wanted("abacus", "1.0"), prove=lambda *_: "1.0", progress=lambda _: None)


def test_a_process_that_holds_another_version_than_was_asked_for_is_refused(monkeypatch, recorded, tmp_path):
    monkeypatch.setattr(catalogue, "ENGINES", {"numpy": catalogue.ENGINES["numpy"]._replace(wheel="numpy")})
    monkeypatch.setattr(catalogue, "own_version", lambda _: "1.0")
    config = ModelConfig(head="layer", peephole="full", input_size=3, hidden_size=4)
    weights = random_weights(config, seed=1)
    folder.write_config(tmp_path, ModelFolder(model=config))
    folder.write_weights(tmp_path, weights, folder.WeightsNote(sha256=""))
    with pytest.raises(RuntimeMissingError, match=r"asked for numpy==1\.0, its process holds [2-9]"):
        Worker("numpy==1.0", recorded(config, folder=tmp_path, weights_sha256=digest(weights)))


def test_nobody_hides_behind_a_version_of_our_own_process():
    assert meet("numpy").met.version == np.__version__
    with pytest.raises(RuntimeMissingError, match="no runtime named 'unheard-of'"):
        meet("unheard-of")


def test_what_is_nowhere_says_how_to_get_it(index, monkeypatch):
    monkeypatch.setattr(catalogue, "_installed", lambda package: package != "torch")
    told = {state.runtime: (state.where, state.refused) for state in surveyed(monkeypatch, "abacus", "torch")}
    assert told == {
        "abacus": ("nowhere", "not installed: lstmbench runtimes install abacus"),
        "torch": ("nowhere", "not installed: pip install 'lstmbench[torch]'"),
    }


PIP = """WARNING: Retrying (Retry(total=0)) after connection broken by 'NewConnectionError'
ERROR: Could not find a version that satisfies the requirement x==1 (from versions: none)
ERROR: No matching distribution found for x==1"""
UV = """  × No solution found when resolving dependencies:
  ╰─▶ Because there is no version of x==1 and you require x==1, we can conclude that"""


@pytest.mark.parametrize(
    ("written", "line"),
    [
        (PIP, "the package index cannot be reached, and x==1 cannot be installed without it"),
        (PIP.partition("\n")[2], "the package index has no x 1 for this Python"),
        (UV, "the package index has no x 1 for this Python"),
        ("error: Request failed after 3 retries", "the package index cannot be reached, and x==1 cannot be"),
        (
            "Collecting x\nERROR: Cannot install x==1\nERROR: conflict",
            "could not be built: ERROR: Cannot install x==1 E",
        ),
        ("no space left", "the environment could not be built: no space left"),
    ],
)
def test_what_pip_and_uv_say_becomes_one_line(written, line):
    assert line in tool._why(written, ["x==1", "numpy==2"])


def test_uv_is_told_what_the_user_told_pip(monkeypatch):
    told = """:env:.no-index='1'
global.cert='/etc/ssl/mine.crt'
global.extra-index-url='\\nhttps://one/simple\\nhttps://two/simple'
global.index-url='https://global/simple'
user.index-url='https://user/simple'
global.timeout='60'
"""
    monkeypatch.setattr(index, "_pip_says", lambda: told)
    monkeypatch.delenv("SSL_CERT_FILE", raising=False)
    monkeypatch.setenv("UV_NO_INDEX", "0")
    assert index.for_uv() == {
        "SSL_CERT_FILE": "/etc/ssl/mine.crt",
        "UV_INDEX": "https://one/simple https://two/simple",
        "UV_DEFAULT_INDEX": "https://user/simple",
    }


@needs_pip
def test_pip_tells_its_settings_as_they_are_read(monkeypatch):
    monkeypatch.setenv("PIP_FIND_LINKS", "/some/where")
    assert index.for_uv()["UV_FIND_LINKS"] == "/some/where"
