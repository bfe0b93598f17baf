"""What raw times can carry: quantiles, intervals and differences, each only where there are samples enough for it."""

from lstmbench.samples.cases import Case, cases, median_of, tail_of
from lstmbench.samples.difference import Centre, Difference, centre_of, difference, half_width, log_ratios
from lstmbench.samples.effective import effective_size
from lstmbench.samples.interval import median_interval
from lstmbench.samples.quantiles import CONFIDENCE, minimum_samples, quantile_s
from lstmbench.samples.stability import remarks

__all__ = [
    "CONFIDENCE",
    "Case",
    "Centre",
    "Difference",
    "cases",
    "centre_of",
    "difference",
    "effective_size",
    "half_width",
    "log_ratios",
    "median_interval",
    "median_of",
    "minimum_samples",
    "quantile_s",
    "remarks",
    "tail_of",
]
