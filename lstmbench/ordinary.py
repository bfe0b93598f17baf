"""Files of a folder that somebody else may have filled: ordinary ones alone, no way out, none larger than it may be."""

import contextlib
import os
import stat
from collections.abc import Iterator
from io import BufferedReader
from pathlib import Path

from lstmbench.errors import RecordError


def inside(folder: Path, name: str) -> Path | None:
    """The path of a file in `folder`, links followed; None if it leaves it, by dots, from the root or by a link."""
    try:
        path = (folder / name).resolve()
        return path if path.is_relative_to(folder.resolve()) else None
    except (OSError, ValueError, RuntimeError):  # a NUL byte, a circle of links
        return None


@contextlib.contextmanager
def opened(path: Path, *, most_bytes: int, named: bool = False) -> Iterator[BufferedReader]:
    """Open a file to be read; RecordError in one line where it is none, is too large, or cannot be read.

    A pipe or a device is never waited for, and a link is not followed out of the folder that the file is found in,
    unless the user himself `named` the file.
    """
    real = path if named else _real(path)
    with reading(path), os.fdopen(_descriptor(real), "rb") as file:
        found = os.fstat(file.fileno())
        if not stat.S_ISREG(found.st_mode):
            raise RecordError(f"{path} is no ordinary file")
        if found.st_size > most_bytes:
            raise RecordError(f"{path} holds {found.st_size:,} bytes: such a file has at most {most_bytes:,}")
        yield file


@contextlib.contextmanager
def reading(path: Path) -> Iterator[None]:
    """Translate what the operating system says of reading `path` into one line."""
    try:
        yield
    except IsADirectoryError as error:
        raise RecordError(f"cannot read {path}: it is a folder") from error
    except OSError as error:
        raise RecordError(f"cannot read {path}: {error.strerror or error}") from error
    except MemoryError as error:
        raise RecordError(f"cannot read {path}: this machine has too little memory free") from error


def _real(path: Path) -> Path:
    real = inside(path.parent, path.name)
    if real is None:
        raise RecordError(f"{path} is a link that leaves its folder: put the file itself there")
    return real


def _descriptor(path: Path) -> int:
    return os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)  # a pipe that nobody writes to would block
