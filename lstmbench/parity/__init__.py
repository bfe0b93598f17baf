"""Comparing outputs: bounds, verdicts, where they part."""

from lstmbench.parity.bound import Expected, expect
from lstmbench.parity.compare import Verdict, compare
from lstmbench.parity.draws import TOKENS, compare_draws, expect_draws

__all__ = ["TOKENS", "Expected", "Verdict", "compare", "compare_draws", "expect", "expect_draws"]
