"""Every runtime against the float64 reference."""

from lstmbench.check.cases import DEFAULT_SHAPES
from lstmbench.check.differences import bisect
from lstmbench.check.outcome import CheckReport
from lstmbench.check.trajectories import Drift, drift
from lstmbench.check.verify import check

__all__ = ["DEFAULT_SHAPES", "CheckReport", "Drift", "bisect", "check", "drift"]
