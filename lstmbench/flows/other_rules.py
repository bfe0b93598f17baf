"""How others call two series of times different, with the limits that they come with.

- pyperf `compare_to`: Student's t of two samples of equal variance, both sides, 95 % (`pyperf/_utils.py`,
  `is_significant`).
- asv `continuous` and `compare`: Mann-Whitney at p < 0.002, by the normal approximation without corrections
  (`asv/statistics.py`, `is_different`), and medians that differ by a factor of 1.1 (`--factor`).
- pytest-benchmark `--benchmark-compare-fail=min:5%` or `median:5%`: the statistic is larger by more than that
  (`PercentageRegressionCheck`); it says nothing of what is faster.

They were made for samples that their own tools take: pyperf's are means of many calls.
"""

from collections.abc import Callable, Sequence
from statistics import median
from typing import TypeAlias

Rule: TypeAlias = Callable[[Sequence[float], Sequence[float]], str]  # before, after -> slower, faster or nothing
_P_T, _P_RANKS, _FACTOR, _LIMIT = 0.05, 0.002, 1.1, 1.05


def by_t(before: Sequence[float], after: Sequence[float]) -> str:
    """Of pyperf."""
    from scipy import stats

    seen = stats.ttest_ind(after, before)
    return _sign(seen.statistic) if seen.pvalue <= _P_T else ""


def by_ranks(before: Sequence[float], after: Sequence[float]) -> str:
    """Mann-Whitney alone."""
    from scipy import stats

    seen = stats.mannwhitneyu(after, before, method="asymptotic", use_continuity=False)
    return _sign(2 * seen.statistic - len(before) * len(after)) if seen.pvalue < _P_RANKS else ""


def by_ranks_and_factor(before: Sequence[float], after: Sequence[float]) -> str:
    """Of asv."""
    ratio = median(after) / median(before)
    return by_ranks(before, after) if max(ratio, 1 / ratio) > _FACTOR else ""


def by_median(before: Sequence[float], after: Sequence[float]) -> str:
    """Of pytest-benchmark, `median:5%`."""
    return "slower" if median(after) / median(before) > _LIMIT else ""


def by_minimum(before: Sequence[float], after: Sequence[float]) -> str:
    """Of pytest-benchmark, `min:5%`."""
    return "slower" if min(after) / min(before) > _LIMIT else ""


def _sign(value: float) -> str:
    return "slower" if value > 0 else "faster"


RULES: dict[str, Rule] = {
    "pyperf: t-test, 95 %": by_t,
    "asv: Mann-Whitney, p < 0.002": by_ranks,
    "asv: the same, factor 1.1": by_ranks_and_factor,
    "pytest-benchmark: median:5%": by_median,
    "pytest-benchmark: min:5%": by_minimum,
}
