"""What code a pass counts for."""

import importlib

import pytest

from lstmbench.runtimes import code
from lstmbench.runtimes.numpy_float32 import NumpyFloat32

ADAPTER = "class Engine:\n    version = '1'\n"


def test_an_edited_adapter_is_another(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(str(tmp_path))
    (tmp_path / "engine_in_work.py").write_text(ADAPTER)
    engine = importlib.import_module("engine_in_work").Engine
    before = code.digest(engine)
    assert before == code.digest(engine)
    (tmp_path / "engine_in_work.py").write_text(ADAPTER + "# edited\n")
    assert code.digest(engine) != before


@pytest.mark.parametrize("name", ["model", "runtimes", "worker"])
def test_ours_are_others_when_what_they_compute_with_was_edited(tmp_path, monkeypatch, name):
    before = code.digest(NumpyFloat32)
    for package in ("model", "runtimes", "worker"):
        (tmp_path / package).mkdir()
        for file in (code.Path(code.lstmbench.__file__).parent / package).glob("*.py"):
            (tmp_path / package / file.name).write_bytes(file.read_bytes())
    monkeypatch.setattr(code.lstmbench, "__file__", str(tmp_path / "__init__.py"))
    monkeypatch.setattr(code, "_its_own", lambda _: [])
    same = code.digest(NumpyFloat32)
    (tmp_path / name / "new.py").write_text("edited = True\n")
    assert code.digest(NumpyFloat32) != same
    assert len(before) == len(same) == 64
