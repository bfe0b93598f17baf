"""Raw times of what passed the check."""

from lstmbench.bench.effort import Effort, in_turn
from lstmbench.bench.grids import NAMED, Plan, read_grid
from lstmbench.bench.measure import bench
from lstmbench.bench.workloads import grid

__all__ = ["NAMED", "Effort", "Plan", "bench", "grid", "in_turn", "read_grid"]
