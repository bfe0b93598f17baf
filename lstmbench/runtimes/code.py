"""What code an answer comes from: a pass of yesterday says nothing of an adapter that was edited since."""

import hashlib
import inspect
from collections.abc import Iterator
from pathlib import Path

import lstmbench

_COMPUTES = ("model", "runtimes", "worker")  # of our packages: what stands between an export and its answer


def digest(adapter: type) -> str:
    """SHA-256 of the adapter's source file and of ours that compute, in the order of their names."""
    sha = hashlib.sha256()
    for path in sorted({*_ours(), *_its_own(adapter)}):
        sha.update(path.read_bytes())
    return sha.hexdigest()


def _ours() -> Iterator[Path]:
    package = Path(lstmbench.__file__).parent
    for name in _COMPUTES:
        yield from (package / name).glob("*.py")


def _its_own(adapter: type) -> Iterator[Path]:
    try:
        yield Path(inspect.getfile(adapter))
    except (TypeError, OSError):  # compiled, or made in an interpreter
        return
