import importlib.util
import os
from pathlib import Path

import pytest

from lstmbench.records import ExportedModel, ExportRecord, ModelConfig


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item):
    """A test that is skipped without torch and does not bear the mark would run nowhere."""
    report = yield
    if report.skipped and "'torch'" in str(report.longrepr) and item.get_closest_marker("torch") is None:
        report.outcome, report.longrepr = "failed", f"{item.nodeid} needs torch: mark it so"
    return report


@pytest.fixture(autouse=True)
def stays_where_it_is():
    """A test that leaves the process in another folder, perhaps one soon gone, fails, and none that runs later."""
    begins = Path.cwd()
    yield
    try:
        ends = Path.cwd()
    except FileNotFoundError:
        ends = None
    os.chdir(begins)
    assert ends == begins, f"left the process in {ends or 'a folder that is gone'}"


@pytest.fixture(scope="session")
def recorded():
    """Make an export as its record knows it: no file lies behind it."""

    def recorded(model: ModelConfig, *, folder="models/fake", form="scan", precision="fp32", **known) -> ExportedModel:
        known = {"file": f"{form}-{precision}.onnx", "sha256": "0" * 64, "weights_sha256": "0" * 64} | known
        proof = {"opset": 21, "ir_version": 10, "verified": (), "verified_with": "nothing"}
        record = ExportRecord(model=model, form=form, precision=precision, **proof, **known)
        return ExportedModel(folder=str(folder), record=record)

    return recorded


@pytest.fixture(scope="session")
def foreign_graphs():
    """The module `foreign_graphs` beside this file: graphs as others write them, drawn at random."""
    spec = importlib.util.spec_from_file_location("foreign_graphs", Path(__file__).parent / "foreign_graphs.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
