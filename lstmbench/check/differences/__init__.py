"""Where an export parts from the reference: layer, gate and step, found with few calls of a black box.

trace: the reference's states before each step -> steps: the first one that is wrong, and its layer
-> exchanged, wiring, crowd: mistakes of states and rows -> probes, clipped: limits of sums
-> fit, gates, naming: gate and term; variants: known mistakes; tokens: whose embedding a token has
-> joining, wrong_runs, stack: every step right, the run wrong; windows: N steps a call; heads: behind the layers
"""

from lstmbench.check.differences.subjects import bisect

__all__ = ["bisect"]
