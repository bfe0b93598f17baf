"""The vectors as ONNX backend test data: `test_lstm_<feature>/model.onnx`, `test_data_set_0/input_0.pb`, `output_0.pb`.

A feature that is asked at several sizes has as many data sets. `data.json` beside a model holds its tolerance, which
the loader of onnx.backend.test reads; outputs are what the operator gives in float64, rounded to the type of the case.
"""

import json
import re
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path

from onnx import numpy_helper

from lstmbench import disk
from lstmbench.errors import DiskError
from lstmbench.mistakes import OUTPUTS, Array
from lstmbench.probe.features import features
from lstmbench.probe.question import Call, Question, question


def write_vectors(folder: Path) -> tuple[str, ...]:
    """Write every feature into a new folder -> the names of the cases.

    DiskError where something is there already; the folder appears whole or not at all.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise DiskError(f"{folder} is there already and is kept: choose another folder, or remove it first")
    questions = {case_name(feature.name): question(feature) for feature in features()}
    disk.make_folder(folder.absolute().parent)
    with disk.writing(folder):
        beside = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.absolute().parent))
        try:
            for name, one in questions.items():
                _write_case(beside / name, one)
            beside.chmod(0o755)  # mkdtemp's is for its owner alone
            beside.replace(folder)  # takes an empty folder's place
        finally:
            shutil.rmtree(beside, ignore_errors=True)
    return tuple(questions)


def case_name(feature: str) -> str:
    """Name the case of a feature: 'clip of C_t, P' -> 'test_lstm_clip_of_c_t_p'."""
    words = re.sub(r"[^a-z0-9]+", "_", feature.lower()).strip("_")
    return f"test_lstm_{words.removeprefix('lstm')}".rstrip("_")


def _write_case(path: Path, one: Question) -> None:
    path.mkdir()
    (path / "model.onnx").write_bytes(one.model)
    allowed = max(tolerance for call in one.calls for tolerance in call.tolerances)
    (path / "data.json").write_text(json.dumps({"rtol": 0.0, "atol": allowed}) + "\n")
    for n, call in enumerate(one.calls):
        _write_set(path / f"test_data_set_{n}", one, call)


def _write_set(path: Path, one: Question, call: Call) -> None:
    path.mkdir()
    given = list(call.feeds.items())
    wanted = [(name, array.astype(one.dtype)) for name, array in zip(OUTPUTS, call.right, strict=True)]
    named: Sequence[tuple[str, list[tuple[str, Array]]]] = (("input", given), ("output", wanted))
    for kind, arrays in named:
        for n, (name, array) in enumerate(arrays):
            (path / f"{kind}_{n}.pb").write_bytes(numpy_helper.from_array(array, name).SerializeToString())
