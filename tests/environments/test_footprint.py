"""What an engine brings with it, told from what packages say of themselves."""

from importlib.metadata import version
from pathlib import Path

import numpy as np
import pytest

from lstmbench.environments import footprint
from lstmbench.environments.footprint import Package, needed, roots
from lstmbench.runtimes.ours import Entry

HELD = {
    "engine": Package(
        ("arrays>=1", 'tracing; extra == "debug"', 'old-windows; sys_platform == "win32"', "~nonsense"), 5
    ),
    "arrays": Package(("Engine",), 7),
    "tracing": Package((), 11),
    "old-windows": Package((), 13),
    "stranger": Package((), 17),
}


@pytest.mark.parametrize(
    ("asked", "names"),
    [
        (["engine"], {"engine", "arrays"}),
        (["Engine==1.0", "stranger"], {"engine", "arrays", "stranger"}),
        (["engine[debug]"], {"engine", "arrays", "tracing"}),
        (["absent"], set()),
    ],
)
def test_an_engine_brings_what_it_requires_on_this_machine(asked, names):
    assert needed(asked, HELD) == names, "circles end, what another system or extra needs is left out"


def test_sizes_are_those_on_disk():
    found = footprint.packages()["numpy"]
    module = Path(np.__file__).stat().st_size
    assert module < 10e6 < found.size_bytes < 1e9


def test_the_engine_of_this_python_is_known_by_its_wheel_or_its_module():
    assert roots(Entry("", "numpy", wheel="numpy"), here=True) == ("numpy",)
    assert roots(Entry("", "numpy"), here=True) == ("numpy",), f"numpy {version('numpy')} comes as itself"
    assert roots(Entry("", "not_here_at_all"), here=True) == ()
    apart = Entry("", "iree", wheel="iree-base-compiler", beside=("iree-base-compiler[onnx]",))
    assert roots(apart, here=False) == ("iree-base-compiler", "iree-base-compiler[onnx]")


def test_what_is_installed_is_told_by_the_name_that_is_asked_for():
    assert footprint.install_bytes("numpy") == footprint.packages()["numpy"].size_bytes
    assert footprint.install_bytes("somebody:Theirs") is None
