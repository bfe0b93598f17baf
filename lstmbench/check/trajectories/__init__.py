"""Free runs of thousands of steps beside the float64 reference, in bounded memory.

marks: where to look, and the calls -> reference: its course, kept at the marks -> follow: one subject beside it
"""

from lstmbench.check.trajectories.subjects import Drift, drift

__all__ = ["Drift", "drift"]
