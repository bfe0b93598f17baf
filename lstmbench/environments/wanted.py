"""`NAME` and `NAME==VERSION`, as `--runtime` takes them."""

import re
from typing import NamedTuple

from lstmbench.errors import RuntimeMissingError

_VERSION = re.compile(r"[0-9]+(\.[0-9]+)*[0-9A-Za-z.+]*", re.ASCII)  # also part of a folder's name: no separators


class Wanted(NamedTuple):
    """A runtime, in one version or in any."""

    name: str
    version: str = ""

    def __str__(self) -> str:
        return f"{self.name}=={self.version}" if self.version else self.name


def wanted(text: str) -> Wanted:
    """'onnxruntime-cpu==1.20.1' -> its parts; RuntimeMissingError for what is no version."""
    name, exact, version = text.partition("==")
    if exact and (":" in name or not _VERSION.fullmatch(version)):
        raise RuntimeMissingError(
            f"{text!r} names no version: give it as NAME==VERSION, such as onnxruntime-cpu==1.20.1"
        )
    return Wanted(name, version)


def order(version: str) -> tuple[int, ...]:
    """What versions are sorted by."""
    return tuple(int(number) for number in re.findall(r"[0-9]+", version))
