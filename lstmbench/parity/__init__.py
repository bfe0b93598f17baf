"""Comparing outputs: bounds, verdicts, where they part."""

from lstmbench.parity.bound import Expected, expect
from lstmbench.parity.coarser import coarser
from lstmbench.parity.compare import ALL, Verdict, compare
from lstmbench.parity.draws import TOKENS, compare_draws, expect_draws
from lstmbench.parity.horizon import FEW
from lstmbench.parity.windows import Windows, windows

__all__ = [
    "ALL",
    "FEW",
    "TOKENS",
    "Expected",
    "Verdict",
    "Windows",
    "coarser",
    "compare",
    "compare_draws",
    "expect",
    "expect_draws",
    "windows",
]
