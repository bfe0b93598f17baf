"""What each verb does with a file that it reads, without what it does afterwards; and what came of a spoilt one."""

import contextlib
import os
import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import damage
import msgspec
from checked import checked

from lstmbench import disk, runfolder
from lstmbench.check.cases import Case
from lstmbench.check.foreign.opened import opened
from lstmbench.check.oracle import Oracle
from lstmbench.corpus import read_vocabulary
from lstmbench.errors import LstmbenchError
from lstmbench.export import find
from lstmbench.inspect import carried, inspect
from lstmbench.journal import Journal
from lstmbench.model import folder
from lstmbench.model.weights import digest
from lstmbench.records import Measurement, ParityRow
from lstmbench.report import raw, rendering
from lstmbench.runtimes import external, unchanged
from lstmbench.worker import Worker

TEXT = "a text of some words"


class Kind(NamedTuple):
    """A file, how it is spoilt, and who reads it; `ask` tells what was read, so that the same can be told apart."""

    file: str
    spoil: Callable[[bytes, damage.Pick], bytes]
    ask: Callable[[Path], object]
    named: bool = False  # by the user, who may well name a link
    compared: bool = True  # whether the sound file is asked too, for what it tells


def _export(root: Path) -> object:
    checkpoint = folder.read(root / "models" / "m")
    return digest(checkpoint.weights)


def _find(root: Path) -> object:
    return [(made.name, made.model) for made in find(root / "models" / "m")]


def _check(root: Path) -> object:
    """The question that a runtime is asked, and what the adapter reads before the engine gets it."""
    for made in find(root / "models" / "m"):
        Oracle(made).ask(Case(1, 1, (1,), "none"))
        graph = unchanged.onnx_bytes(made)
        if made.record.data is not None:
            external.tensors(graph, unchanged.external_data(made, made.record.data))
    return _find(root)


def _inspect(name: str) -> Callable[[Path], object]:
    return lambda root: (msgspec.json.encode(inspect(root / "models" / "m" / name)), None)[1]


def _anybodys(name: str) -> Callable[[Path], object]:
    """What the check of one file sees of it before a runtime gets it."""

    def see(root: Path) -> object:
        path = root / "models" / "m" / name
        opened(path, evaluable=True)
        carried(path)
        return None

    return see


def _checked(name: str, against: str | None = None) -> Callable[[Path], object]:
    """All of the check of one file, by what it itself computes or by another."""

    def see(root: Path) -> object:
        other = None if against is None else root / against
        return checked(root / name, other, lambda: [one for _, seen in _WATCHED for one in seen])

    return see


def _letters(root: Path) -> object:
    vocabulary = read_vocabulary(root / "models" / "m" / folder.VOCABULARY)
    vocabulary.decode(vocabulary.encode(TEXT))
    return None


def _pairs(root: Path) -> object:
    vocabulary = read_vocabulary(root / "models" / "pairs" / folder.VOCABULARY)
    vocabulary.decode(vocabulary.encode(TEXT))
    return None


def _report(root: Path) -> object:
    """All of a report, as far as its files are not yet written."""
    files, _ = rendering.contents(raw.read(root / "run"))
    assert b"<script" not in files["index.html"]
    assert not re.search(rb"(?<!\\)<script", files["report.md"])
    for name in ("parity.csv", "latency.csv", "throughput.csv", "memory.csv"):
        assert not re.search(r'(?m)(^|,)"?[=@]', files[name].decode())
    return None


def _go_on(root: Path) -> object:
    """What check and bench read of a run that they go on with, and the line that they add."""
    with runfolder.opened(root / "run"):
        rows = Journal(root / "run" / runfolder.PARITY, ParityRow, key=lambda row: row.subject)
        Journal(root / "run" / runfolder.MEASUREMENTS, Measurement, key=lambda row: row.subject)
        for row in list(rows)[:1]:
            disk.append_record(root / "run" / runfolder.PARITY, row)
    return None


def in_a_worker(root: Path) -> object:
    """What the engine makes of a graph whose record vouches for it, in the process that it may take down."""
    sidecar = root / "models" / "m" / "lstm-fp32.json"
    document = msgspec.json.decode(sidecar.read_bytes())
    document["sha256"] = disk.sha256(sidecar.with_suffix(".onnx"), most_bytes=2**31)
    sidecar.write_bytes(msgspec.json.encode(document))
    made = next(made for made in find(root / "models" / "m") if made.record.form == "lstm")
    with Worker("onnxruntime-cpu", made, timeout_s=20) as worker:
        worker.run(Oracle(made).ask(Case(2, 3, (3,), "none")).inputs)
    return None


def _to_check(name: str, against: str | None = None, spoil: Callable = damage.of_onnx) -> Kind:
    return Kind(name, spoil, _checked(name, against), named=True, compared=False)


KINDS = {
    "config": Kind("models/m/config.json", damage.of_json, _export),
    "weights": Kind("models/m/weights.safetensors", damage.of_safetensors, _export),
    "letters": Kind("models/m/vocabulary.json", damage.of_json, _letters),
    "byte pairs": Kind("models/pairs/vocabulary.json", damage.of_json, _pairs),
    "export record": Kind("models/m/lstm-fp32.json", damage.of_json, _check),
    "record with data": Kind("models/m/scan-fp32.json", damage.of_json, _check),
    "graph": Kind("models/m/lstm-fp32.onnx", damage.of_onnx, _inspect("lstm-fp32.onnx"), named=True),
    "graph with data": Kind("models/m/scan-fp32.onnx", damage.of_onnx, _inspect("scan-fp32.onnx"), named=True),
    "graph, anybody's": Kind("models/m/lstm-fp32.onnx", damage.of_onnx, _anybodys("lstm-fp32.onnx"), named=True),
    "its data": Kind("models/m/scan-fp32.onnx.data", damage.anyhow, _anybodys("scan-fp32.onnx")),
    "graph, checked": _to_check("models/m/lstm-fp32.onnx"),
    "graph with data, checked": _to_check("models/m/scan-fp32.onnx"),
    "another's graph, checked": _to_check("theirs.onnx"),
    "graph, rewired": _to_check("models/m/lstm-fp32.onnx", None, damage.of_wiring),
    "graph with data, rewired": _to_check("models/m/scan-fp32.onnx", None, damage.of_wiring),
    "another's graph, rewired": _to_check("theirs.onnx", None, damage.of_wiring),
    "graph, rewired, against a model": _to_check("models/m/lstm-fp32.onnx", "models/m", damage.of_wiring),
    "graph, checked against a model": _to_check("models/m/lstm-fp32.onnx", "models/m"),
    "graph, checked against a graph": _to_check("models/m/lstm-fp32.onnx", "models/m/scan-fp32.onnx"),
    "data, checked": Kind(
        "models/m/scan-fp32.onnx.data", damage.anyhow, _checked("models/m/scan-fp32.onnx"), compared=False
    ),
    "data": Kind("models/m/scan-fp32.onnx.data", damage.anyhow, _inspect("scan-fp32.onnx")),
    "parity, reported": Kind("run/parity.jsonl", damage.of_lines, _report),
    "measurements, reported": Kind("run/measurements.jsonl", damage.of_lines, _report),
    "memory, reported": Kind("run/memory.jsonl", damage.of_lines, _report),
    "arrivals, reported": Kind("run/arrivals.jsonl", damage.of_lines, _report),
    "bounds, reported": Kind("run/roofline.jsonl", damage.of_lines, _report),
    "machine, reported": Kind("run/machine.json", damage.of_json, _report),
    "parity, gone on with": Kind("run/parity.jsonl", damage.of_lines, _go_on),
    "measurements, gone on with": Kind("run/measurements.jsonl", damage.of_lines, _go_on),
    "machine, gone on with": Kind("run/machine.json", damage.of_json, _go_on),
}
IN_A_WORKER = Kind("models/m/lstm-fp32.onnx", damage.of_onnx, in_a_worker)


def outcome(kind: Kind, base: Path, to: Path, pick: damage.Pick) -> str:
    """Spoil one file and read it: 'read', or what a check came to, or 'refused'; AssertionError for all else."""
    root = damage.fresh(base, to, kind.file.split("/")[0])
    file = root / kind.file
    told = kind.ask(root) if kind.compared else None
    if pick(12) == 0:
        damage.in_its_place(file, to / "outside", pick)
    else:
        file.write_bytes(kind.spoil(file.read_bytes(), pick))
    kept = {path: path.read_bytes() for path in (to / "outside").iterdir()}
    try:
        with contextlib.nullcontext() if kind.named and file.is_symlink() else nothing_opened_in(to / "outside"):
            again = kind.ask(root)
    except LstmbenchError as error:
        answer, line = "refused", str(error)
    else:
        answer, line = ("read", "") if kind.compared else (str(again), "")
        assert not kind.compared or again == told or not file.exists()
    assert line.isprintable(), repr(line)
    assert len(line) < 1100
    assert {path: path.read_bytes() for path in (to / "outside").iterdir()} == kept, "something outside was written"
    return answer


_WATCHED: list[tuple[str, list[str]]] = []  # a folder, and what was opened in it


def _hear(event: str, args: tuple) -> None:
    if event == "open" and _WATCHED and isinstance(args[0], str | bytes | os.PathLike):
        place, seen = _WATCHED[-1]
        if os.path.realpath(os.fsdecode(args[0])).startswith(place):
            seen.append(os.fsdecode(args[0]))


sys.addaudithook(_hear)  # it cannot be taken away again, so it looks whether somebody watches


@contextlib.contextmanager
def nothing_opened_in(place: Path) -> Iterator[None]:
    """AssertionError if a file of this folder is opened from Python meanwhile."""
    seen: list[str] = []
    _WATCHED.append((os.path.realpath(place), seen))
    try:
        yield
    finally:
        _WATCHED.pop()
    assert not seen, f"opened outside the folder: {seen}"
