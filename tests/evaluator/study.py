"""Check every operator case of the onnx package: `python tests/evaluator/study.py [--only OPERATOR]`.

Each case becomes two files: one whose inputs are all of the case's in float32, and one that keeps the first of those
alone; all others are constants in it, with the case's numbers. `lstmbench check FILE.onnx` of it, on onnxruntime-cpu,
is right, or refused in one line, by us or by the engine. Whatever else comes of it is printed: 'differs', where the
engine and the float64 evaluation part, and 'another outcome'. Exit status 1 if there is any.
"""

import argparse
import itertools
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple
from unittest import mock

import numpy as np
import onnx
from onnx import TensorProto, numpy_helper
from onnx.backend.test.case.node import collect_testcases

sys.path.insert(0, str(Path(__file__).parents[1]))

from inline_worker import Inline

from lstmbench.check.foreign import check_file, judge, oracle
from lstmbench.errors import LstmbenchError
from lstmbench.inspect import carried

OUTCOMES = ("right", "refused", "the engine refused", "differs", "another outcome")
WAYS = ("all float32 inputs", "the first alone")
_FLOAT = TensorProto.FLOAT


class Tried(NamedTuple):
    """What came of one file."""

    case: str
    operators: frozenset[str]
    way: str
    outcome: str
    words: str


def tried(only: str = "") -> Iterator[Tried]:
    """Every case, or those that hold one operator, in both ways."""
    cases = [case for case in collect_testcases(None) if not only or only in _operators(case)]
    with (
        tempfile.TemporaryDirectory() as folder,
        mock.patch.multiple(judge, GraphWorker=Inline),
        mock.patch.multiple(oracle, GraphWorker=Inline),
    ):
        for case, way in itertools.product(cases, WAYS):
            if (model := _file(case, first=way == WAYS[1])) is not None:
                path = Path(folder) / "case.onnx"
                path.write_bytes(model.SerializeToString())
                outcome, words = _outcome(path)
                yield Tried(case.name, _operators(case), way, outcome, words.replace(folder, ""))


def _operators(case) -> frozenset[str]:
    return frozenset(node.op_type for node in case.model.graph.node)


def _file(case, *, first: bool) -> onnx.ModelProto | None:
    """None where an input is no tensor, or has no numbers in the case."""
    model, left = onnx.ModelProto(), []
    model.CopyFrom(case.model)
    model.ir_version = max(model.ir_version, 8)  # before 4 a constant had to be an input too
    given = case.data_sets[0][0]
    if len(given) < len(model.graph.input):
        return None
    for value, array in zip(model.graph.input, given, strict=False):
        if not value.type.HasField("tensor_type"):
            return None
        if value.type.tensor_type.elem_type == _FLOAT and not (first and left):
            left.append(value)
        else:
            tensor = array if isinstance(array, TensorProto) else numpy_helper.from_array(np.asarray(array))
            model.graph.initializer.add().CopyFrom(tensor)
            model.graph.initializer[-1].name = value.name
    kept = [onnx.ValueInfoProto.FromString(value.SerializeToString()) for value in left]
    del model.graph.input[:]
    model.graph.input.extend(kept)
    return model


def _outcome(path: Path) -> tuple[str, str]:
    try:
        report = check_file(path, ["onnxruntime-cpu"], recognise=carried, progress=lambda _: None)
    except LstmbenchError as error:
        return "refused" if str(error).isprintable() else "another outcome", str(error)
    except BaseException:  # noqa: BLE001
        return "another outcome", traceback.format_exc()
    if report.passed:
        return "right", ""
    words = report.failures()[0].reason
    return "the engine refused" if words.startswith("runtime 'onnxruntime-cpu' failed") else "differs", words


def table(found: list[Tried]) -> str:
    """A row a way, and how many operators there are with a right file."""
    lines = [f"{'inputs':22}{'files':>7}" + "".join(f"{outcome:>{len(outcome) + 3}}" for outcome in OUTCOMES)]
    for way in WAYS:
        counts = Counter(one.outcome for one in found if one.way == way)
        row = "".join(f"{counts[outcome]:{len(outcome) + 3},}" for outcome in OUTCOMES)
        lines.append(f"{way:22}{sum(counts.values()):7,}{row}")
    every = {operator for one in found for operator in one.operators}
    right = {operator for one in found for operator in one.operators if one.outcome == "right"}
    lines.append(f"{len(every)} operators, {len(right)} of them in a file that is right")
    return "\n".join(lines)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", default="", metavar="OPERATOR")
    parser.add_argument("--show", choices=OUTCOMES, action="append", default=list(OUTCOMES[3:]))
    asked = parser.parse_args()
    begin_s, found = time.monotonic(), list(tried(asked.only))
    for one in found:
        if one.outcome in asked.show:
            print(f"{one.case}, {one.way}: {one.outcome}: {one.words}")
    print(table(found))
    print(f"onnx {onnx.__version__}, {time.monotonic() - begin_s:.0f} s, {time.strftime('%Y-%m-%d')}")
    return int(any(one.outcome in OUTCOMES[3:] for one in found))


if __name__ == "__main__":
    sys.exit(main())
