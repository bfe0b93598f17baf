"""Files that are whole or not there: atomic writes, journals that survive a kill, errors in one line."""

import contextlib
import errno
import fcntl
import hashlib
import os
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import BinaryIO, TypeVar

import msgspec

from lstmbench.errors import DiskError, RecordError
from lstmbench.ordinary import opened

T = TypeVar("T")
RECORD_BYTES = 2**26  # of one record, and of one line of a journal; ours take a few MB at most
_JOURNAL_BYTES = 2**30
_LOCK = ".lock"

_WHY = {
    errno.ENOSPC: "the disk is full; free some space and run the same command again",
    errno.EDQUOT: "the disk quota is used up; free some space and run the same command again",
    errno.EACCES: "no permission to write there; choose another folder",
    errno.EPERM: "no permission to write there; choose another folder",
    errno.EROFS: "the file system is read-only; choose another folder",
    errno.ENOTDIR: "a file stands where a folder is needed; choose another folder",
    errno.EEXIST: "a file stands where a folder is needed; choose another folder",
    errno.ELOOP: "it is a link, and may lead to what is not ours; take it away",
}


@contextlib.contextmanager
def writing(path: Path) -> Iterator[None]:
    """Translate what the operating system says of a write to `path` into one line."""
    try:
        yield
    except OSError as error:
        why = _WHY.get(error.errno or 0, f"{error.strerror or error}")
        raise DiskError(f"cannot write {path}: {why}") from error


def make_folder(folder: Path) -> None:
    """Create `folder` and its parents; prove that a file can be written in it."""
    with writing(folder):
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass


@contextlib.contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Hold a folder that several commands write to; DiskError if another process does."""
    path = folder / _LOCK
    descriptor = _lock(path)
    try:
        yield
    finally:
        path.unlink(missing_ok=True)
        os.close(descriptor)


def write_atomically(path: Path, data: bytes) -> None:
    """Write `data` beside `path`, sync it, then rename: readers see the old file or the new one."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    with writing(path):
        try:
            temporary.unlink(missing_ok=True)
            with _created(temporary, os.O_WRONLY | os.O_EXCL) as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(path)
        finally:
            temporary.unlink(missing_ok=True)


def sync(path: Path) -> None:
    """Make what another wrote to a file safe from a power cut."""
    with writing(path), path.open("rb") as file:
        os.fsync(file.fileno())


def sweep(folder: Path) -> None:
    """Remove what killed writers left in a folder that is held."""
    for left in folder.glob(".*.tmp"):
        with writing(left):
            left.unlink(missing_ok=True)


def write_record(path: Path, record: msgspec.Struct) -> None:
    """Write one record as indented JSON, atomically."""
    write_atomically(path, msgspec.json.format(msgspec.json.encode(record), indent=2) + b"\n")


def read_bytes(path: Path, *, most_bytes: int = RECORD_BYTES, named: bool = False) -> bytes:
    """Read a whole file, `named` by the user or found in a folder; RecordError in one line if it cannot be read."""
    with opened(path, most_bytes=most_bytes, named=named) as file:
        return file.read(os.fstat(file.fileno()).st_size)


def read_record(path: Path, kind: type[T]) -> T:
    """Read one JSON record and validate it as `kind`."""
    return _decode(read_bytes(path), kind, str(path))


def append_record(path: Path, record: msgspec.Struct) -> None:
    """Append one line and sync it; a line torn by an earlier kill is cut off first."""
    with writing(path), _created(path, os.O_RDWR | os.O_APPEND | os.O_NONBLOCK) as file:
        _cut_torn_line(file)
        file.write(msgspec.json.encode(record) + b"\n")
        file.flush()
        os.fsync(file.fileno())


def write_journal(path: Path, records: Sequence[msgspec.Struct]) -> None:
    """Replace a whole journal, atomically."""
    write_atomically(path, b"".join(msgspec.json.encode(record) + b"\n" for record in records))


def read_journal(path: Path, kind: type[T]) -> list[T]:
    """Read the whole lines of a journal; none if the file is not there yet, a torn last line is left out."""
    if not path.exists():
        return []
    with opened(path, most_bytes=_JOURNAL_BYTES) as file:
        return [_decode(line, kind, f"{path}, line {n}") for n, line in enumerate(_whole_lines(path, file), 1)]


def sha256(path: Path, *, most_bytes: int) -> str:
    """The SHA-256 of a file, as 64 hexadecimal digits; RecordError in one line if it cannot be read."""
    with opened(path, most_bytes=most_bytes) as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _whole_lines(path: Path, file: BinaryIO) -> Iterator[bytes]:
    while (line := file.readline(RECORD_BYTES)).endswith(b"\n"):
        yield line
    if len(line) == RECORD_BYTES:
        raise RecordError(f"{path} is damaged: one of its lines has {RECORD_BYTES:,} bytes and does not end")


def _created(path: Path, flags: int) -> BinaryIO:
    """Open a file to be written, made if it is not there; OSError for a link, which could lead to another's file."""
    return os.fdopen(os.open(path, flags | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o666), "r+b")


def _cut_torn_line(file: BinaryIO) -> None:
    size = file.seek(0, os.SEEK_END)
    file.seek(max(0, size - 1))
    if file.read(1) in (b"", b"\n"):
        return
    file.seek(0)
    file.truncate(file.read().rfind(b"\n") + 1)


def _decode(data: bytes, kind: type[T], where: str) -> T:
    try:
        return msgspec.json.decode(data, type=kind)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise RecordError(f"{where} is damaged or was written by another version: {error}") from error


def _lock(path: Path) -> int:
    with writing(path):
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o644)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if os.path.samestat(os.fstat(descriptor), path.stat()):
                return descriptor
        except FileNotFoundError:
            pass  # its holder took it away between our opening and our locking it
        except BlockingIOError as error:
            os.close(descriptor)
            raise DiskError(f"another lstmbench writes into {path.parent}: wait for it or choose another") from error
        os.close(descriptor)
        return _lock(path)
