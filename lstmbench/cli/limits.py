"""`--fail`: how much slower is too slow, in words."""

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lstmbench.report.baseline import Limit

_LIMIT = re.compile(r"(?:(?P<where>.+):)?p(?P<quantile>50|90|99):(?P<share>\d{1,4}(?:\.\d{1,4})?)%")


def limits(words: "Sequence[str] | None") -> "list[Limit]":
    """`p50:5%`, `decode:p50:5%`, `numpy:p90:10%` -> limits; LstmbenchError where it is none."""
    return [_limit(word) for word in words or ()]


def _limit(word: str) -> "Limit":
    from lstmbench.errors import LstmbenchError
    from lstmbench.report.baseline import Limit

    found = _LIMIT.fullmatch(word)
    if not found:
        raise LstmbenchError(
            f"--fail is a limit of p50, p90 or p99 such as p50:5%, or of one runtime or workload such as "
            f"decode:p50:5%, not {word!r}"
        )
    return Limit(int(found["quantile"]) / 100, float(found["share"]) / 100, found["where"] or "")
