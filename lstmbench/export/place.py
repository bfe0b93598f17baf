"""Where finished files take their names: nothing is replaced unasked, no graph lies beside data that is not its own."""

from pathlib import Path

from lstmbench import disk
from lstmbench.errors import ExportError, RecordError
from lstmbench.export.files import data_name
from lstmbench.records import ExportRecord


def demand_free(folder: Path, record: ExportRecord, *, force: bool) -> None:
    """ExportError where a file would be replaced that does not hold these very bytes, unless told to."""
    older = _older(folder, record)
    for name, sha256 in record.sums.items():
        path = folder / name
        if path.is_dir():
            raise ExportError(f"{path} is a folder; move it away")
        if force or not path.exists():
            continue
        there = disk.sha256(path)
        if there != sha256:
            why = _difference(older, record, older is not None and older.sums.get(name) == there)
            raise ExportError(f"{path} is there already and is kept: {why}; 'lstmbench export --force' replaces it")


def put(aside: Path, folder: Path, record: ExportRecord) -> None:
    """Move the files of an export from one folder to another, then write its record.

    A kill in between leaves no graph beside another's data: it leaves one that is gone, or that its record does not
    describe, which `find` names. An error puts the older files back.
    """
    older = _older(folder, record)
    with disk.writing(folder / record.file):
        if record.data is None:
            (aside / record.file).replace(folder / record.file)
        else:
            _put_both(aside, folder, record.file, record.data.file)
        if older is not None and older.data is not None and record.data is None:
            (folder / data_name(record.file)).unlink(missing_ok=True)
    disk.write_record((folder / record.file).with_suffix(".json"), record)


def _put_both(aside: Path, folder: Path, graph: str, data: str) -> None:
    """The older graph goes first and the new one comes last, so that no graph sees data that is not its own."""
    try:
        for name in (graph, data):
            if (folder / name).exists():
                (folder / name).replace(aside / f"older-{name}")
        for name in (data, graph):
            (aside / name).replace(folder / name)
    except BaseException:
        for name in (data, graph):
            if (aside / f"older-{name}").exists():
                (aside / f"older-{name}").replace(folder / name)
            elif not (aside / name).exists():
                (folder / name).unlink()
        raise


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
