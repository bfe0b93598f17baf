"""The packages that tables and charts need, asked for only when a report is made."""

import importlib.util

from lstmbench.errors import RuntimeMissingError

PACKAGES = ("altair", "jinja2", "pandas", "scipy", "vl_convert")
NEEDS = "the report needs the extra 'report': pip install 'lstmbench[report]'"


def installed() -> bool:
    """Whether a report can be drawn here; importing `lstmbench.report` never fails for want of it."""
    return all(importlib.util.find_spec(package) is not None for package in PACKAGES)


def demand() -> None:
    """Refuse in one line where the extra is not installed."""
    if not installed():
        raise RuntimeMissingError(NEEDS)
