"""Comparing outputs: bounds, verdicts, where they part."""

from lstmbench.parity.bound import Expected, expect
from lstmbench.parity.compare import Verdict, compare

__all__ = ["Expected", "Verdict", "compare", "expect"]
