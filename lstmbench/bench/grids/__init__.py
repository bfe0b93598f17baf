"""Named grids and grids in files: what is timed at which B and T, and of which layers."""

from collections.abc import Mapping, Sequence
from importlib import resources
from pathlib import Path
from typing import TypeAlias

import msgspec

from lstmbench import disk
from lstmbench.bench.workloads import grid
from lstmbench.errors import LstmbenchError
from lstmbench.records import GridFile, Layers, Workload

Plan: TypeAlias = Mapping[Layers | None, Sequence[Workload]]  # None: the models that were named

NAMED = ("quick", "lm", "deepbench")


def read_grid(name: str) -> Plan:
    """A named grid, or one from a TOML file; LstmbenchError in one line where it is neither, or cannot be timed."""
    if name in NAMED:
        return _plan((resources.files(__name__) / f"{name}.toml").read_bytes(), name)
    if Path(name).suffix != ".toml":
        raise LstmbenchError(f"there is no grid {name!r}: give {', '.join(NAMED)}, or a file that ends with .toml")
    return _plan(disk.read_bytes(Path(name), named=True), name)


def _plan(data: bytes, name: str) -> Plan:
    try:
        blocks = msgspec.toml.decode(data, type=GridFile).workloads
    except (msgspec.DecodeError, ValueError) as error:  # of TOML, of UTF-8, or of what it holds
        raise LstmbenchError(f"{name} is no grid: {' '.join(str(error).split())}") from error
    plan = dict[Layers | None, list[Workload]]()
    for block in blocks:
        made = grid(
            batches=block.batch,
            times=block.time,
            kinds=block.kind,
            regions=block.region,
            new=block.new or (),
            shortest=block.shortest,
        )
        plan.setdefault(block.layer, []).extend(made)
    return {layers: tuple(dict.fromkeys(workloads)) for layers, workloads in plan.items()}
