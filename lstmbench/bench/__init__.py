"""Raw times of what passed the check."""

from lstmbench.bench.effort import Effort
from lstmbench.bench.grids import NAMED, Plan, read_grid
from lstmbench.bench.measure import bench
from lstmbench.bench.workloads import grid

__all__ = ["NAMED", "Effort", "Plan", "bench", "grid", "read_grid"]
