"""Raw times of what passed the check."""

from lstmbench.bench.effort import Effort
from lstmbench.bench.measure import bench
from lstmbench.bench.workloads import GRIDS, grid

__all__ = ["GRIDS", "Effort", "bench", "grid"]
