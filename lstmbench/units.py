"""Numbers for people: the one place where they become short text."""

import math


def three_digits(value: float) -> str:
    """Three significant digits, without an exponent: 1234.5 -> '1,230', 0.01234 -> '0.0123'."""
    if value == 0 or not math.isfinite(value):
        return f"{value:g}"
    digits = 2 - math.floor(math.log10(abs(value)))
    rounded = round(value, digits)
    return f"{rounded:,.{max(0, digits)}f}"


def count(value: float) -> str:
    """A large number, short: 1_234_567 -> '1.23 M'."""
    for scale, suffix in ((1e9, " G"), (1e6, " M"), (1e4, " k")):
        if abs(value) >= scale:
            return f"{three_digits(value / (scale if scale != 1e4 else 1e3))}{suffix}"
    return f"{value:,.0f}"


def seconds(value_s: float) -> str:
    """A duration with its unit: 0.00125 -> '1.25 ms', 8.5e-8 -> '85.0 ns'."""
    scale, unit = next(((s, u) for s, u in ((1, "s"), (1e-3, "ms"), (1e-6, "µs")) if value_s >= s), (1e-9, "ns"))
    return f"{three_digits(value_s / scale)} {unit}"


def mebibytes(value_bytes: float) -> str:
    """Bytes as MiB: 2_097_152 -> '2.00 MiB'."""
    return f"{three_digits(value_bytes / 2**20)} MiB"
