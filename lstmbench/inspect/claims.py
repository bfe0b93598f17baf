"""What a file says of itself under `lstmbench.*`, held against what its graph is."""

import contextlib
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from lstmbench import disk
from lstmbench.errors import RecordError
from lstmbench.onnxfile.external import External
from lstmbench.records import ExportRecord

PREFIX = "lstmbench."
_DATA_BYTES = 2**34  # beside a graph, that are read to be compared


def claims(metadata: Mapping[str, str]) -> dict[str, str]:
    """The metadata under the prefix, without it."""
    return {key.removeprefix(PREFIX): value for key, value in sorted(metadata.items()) if key.startswith(PREFIX)}


def disagreements(said: Mapping[str, str], found: Mapping[str, object], why: str) -> Iterator[str]:
    """One line each; what the graph does not tell is not held against the file."""
    for name, value in found.items():
        if name in said and value is not None and said[name] != _word(value):
            reason = f" ({why})" if name == "peephole" and why else ""
            yield f"metadata says {name} {said[name][:60]}, the graph says {_word(value)}{reason}"


def of_data(said: Mapping[str, str], path: Path, beside: Iterable[External]) -> Iterator[str]:
    """One line where the data beside a file is not what the file was written with."""
    want = said.get("data_sha256")
    for file in beside:
        if want and not file.problem and (got := _sha256(path.parent / file.file)) != want:
            has = f"{file.file} has {got[:12]}…: it is not this graph's" if got else f"{file.file} is too large to tell"
            yield f"metadata says data_sha256 {want[:12]}…, {has}"


def _sha256(path: Path) -> str | None:
    try:
        return disk.sha256(path, most_bytes=_DATA_BYTES)
    except RecordError:
        return None


def of_record(path: Path, sha256: str) -> Iterator[str]:
    """One line where a record of an export beside the file is one of other bytes."""
    beside = path.with_suffix(".json")
    if not beside.is_file():
        return
    with contextlib.suppress(RecordError):  # no record of ours
        record = disk.read_record(beside, ExportRecord)
        if record.file == path.name and record.sha256 != sha256:
            yield f"{path.stem}.json describes other bytes: the file was changed since it was exported"


def _word(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
