"""An engine that comes as a wheel, in two versions and one that does not start, from an index on disk."""

import sysconfig
import zipfile
from pathlib import Path

import pytest

from lstmbench.environments import pins, tool
from lstmbench.runtimes import catalogue, ours

ENGINE = """
import numpy as np
from lstmbench.arrays import State
from lstmbench.errors import RuntimeMissingError
from lstmbench.records import Placement
import sys
{breaks}
class Engine:
    version = "{version}"
    def __init__(self, exported, *, threads):
        self.model = exported.model
    def run(self, inputs, state):
        h, c = (np.zeros(self.model.state_shape(len(inputs)), np.float32),) * 2 if state is None else state
        return np.zeros((*inputs.shape, self.model.vocabulary_size), np.float32), State(h, c)
    def placement(self):
        return (Placement(provider=sys.prefix, operator="LSTM", nodes=1),)
    def close(self):
        pass
    @staticmethod
    def offers():
        return ("AbacusProvider",)
    @staticmethod
    def ready():
        raise RuntimeMissingError("no abacus here: buy one")
"""


def wheel(folder: Path, version: str, *, says: str = "", breaks: str = "") -> None:
    """Write engine-abroad; a .pth stands for the packages of a worker, which no test can download."""
    info = f"engine_abroad-{version}.dist-info"
    files = {
        "engine_abroad.py": ENGINE.format(version=says or version, breaks=breaks),
        "engine_abroad.pth": sysconfig.get_path("purelib") + "\n",
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: engine-abroad\nVersion: {version}\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        f"{info}/entry_points.txt": "[lstmbench.runtimes]\nabacus = engine_abroad:Engine\n",
    }
    files[f"{info}/RECORD"] = "".join(f"{name},,\n" for name in [*files, f"{info}/RECORD"])
    with zipfile.ZipFile(folder / f"engine_abroad-{version}-py3-none-any.whl", "w") as archive:
        for name, text in files.items():
            archive.writestr(name, text)


@pytest.fixture
def index(tmp_path, monkeypatch):
    """What pip is told, and nothing else: 1.0, 2.0, 3.0 that does not start, 4.0 that lies about its version."""
    folder = tmp_path / "index"
    folder.mkdir()
    wheel(folder, "1.0")
    wheel(folder, "2.0")
    wheel(folder, "3.0", breaks="raise OSError('libabacus.so: cannot open')")
    wheel(folder, "4.0", says="4.1")
    told = {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(folder), "XDG_CACHE_HOME": str(tmp_path / "cache")}
    for name, value in (told | {"PIP_CONFIG_FILE": "/dev/null"}).items():
        monkeypatch.setenv(name, value)
    for name in ("PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL", "PIP_CONSTRAINT"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(pins, "BASE", ())
    monkeypatch.setattr(tool, "_uv", list)
    entry = ours.Entry("engine_abroad:Engine", "engine_abroad", wheel="engine-abroad", system="an abacus")
    monkeypatch.setattr(catalogue, "ENGINES", catalogue.ENGINES | {"abacus": entry})
    return folder
