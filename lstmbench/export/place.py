"""Where finished files take their names: nothing is replaced unasked, no graph lies beside data that is not its own."""

import contextlib
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from lstmbench import disk
from lstmbench.errors import ExportError, RecordError
from lstmbench.export.files import data_name
from lstmbench.model.weights import most_file_bytes
from lstmbench.records import ExportRecord


def demand_free(folder: Path, record: ExportRecord, *, force: bool) -> None:
    """ExportError where a file would be replaced that does not hold these very bytes, unless told to."""
    older, beside = _older(folder, record), (folder / record.file).with_suffix(".json")
    for path in (folder / name for name in (*record.sums, beside.name)):
        if path.is_dir():
            raise ExportError(f"{path} is a folder; move it away")
    if force:
        return
    if beside.exists() and older is None:
        raise _kept(beside, "it is no record of an export")
    for name, sha256 in record.sums.items():
        if (folder / name).exists() and (there := _sha256(folder / name, record)) != sha256:
            intact = older is not None and older.sums.get(name) == there
            raise _kept(folder / name, _difference(older, record, intact))


def _sha256(path: Path, record: ExportRecord) -> str:
    return disk.sha256(path, most_bytes=most_file_bytes(record.model))


def _kept(path: Path, why: str) -> ExportError:
    return ExportError(f"{path} is there already and is kept: {why}; 'lstmbench export --force' replaces it")


def put(aside: Path, folder: Path, record: ExportRecord) -> None:
    """Move the files of an export from one folder to another, then write its record.

    The older graph goes first and the new one comes last, so that no graph ever lies beside data that is not its own: a
    kill in between leaves one that is gone, or that its record does not describe, which `find` names. An error puts the
    older files back.
    """
    older, known = _older(folder, record), (record.file, data_name(record.file))
    gone = [name for name in known if name in record.sums or (older is not None and name in older.sums)]
    with disk.writing(folder / record.file), contextlib.ExitStack() as undo:
        for name in gone:
            if (folder / name).exists():
                _move(folder / name, aside / f"older-{name}", undo)
        for name in reversed(record.sums):
            _move(aside / name, folder / name, undo)
        disk.write_record((folder / record.file).with_suffix(".json"), record)
        undo.pop_all()


def _move(here: Path, there: Path, undo: contextlib.ExitStack) -> None:
    here.replace(there)
    undo.callback(there.replace, here)


@contextlib.contextmanager
def draft_folder(folder: Path) -> Iterator[Path]:
    """A folder beside the final place, on the same disk; gone afterwards, whatever happens."""
    with disk.writing(folder):
        aside = Path(tempfile.mkdtemp(prefix=".export-", dir=folder))
    try:
        yield aside
    finally:
        shutil.rmtree(aside, ignore_errors=True)


def _older(folder: Path, record: ExportRecord) -> ExportRecord | None:
    """What the folder's record says of the same file; None if there is none that can be read."""
    try:
        return disk.read_record((folder / record.file).with_suffix(".json"), ExportRecord)
    except RecordError:
        return None


def _difference(older: ExportRecord | None, record: ExportRecord, intact: bool) -> str:
    if older is None:
        return "it has no record of an export"
    if not intact:
        return "it is not what its record describes"
    if older.weights_sha256 != record.weights_sha256:
        return "it was made from other weights"
    return (
        f"it was made from these weights in another way (opset {older.opset}{', external data' if older.data else ''})"
    )
