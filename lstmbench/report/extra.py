"""The packages that tables and charts need, asked for only when a report is made."""

import importlib.util

from lstmbench.errors import RuntimeMissingError

PACKAGES = ("altair", "jinja2", "pandas", "vl_convert")


def demand() -> None:
    """Refuse in one line where the extra is not installed; importing `lstmbench.report` never does."""
    if any(importlib.util.find_spec(package) is None for package in PACKAGES):
        raise RuntimeMissingError("the report needs the extra 'report': pip install 'lstmbench[report]'")
