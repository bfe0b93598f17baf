"""What the README quotes of the reference report is what that report says."""

import re
from pathlib import Path

from lstmbench.report import terminal_tables

ROOT = Path(__file__).parents[2]


def test_the_tour_quotes_the_reference_report():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    start = text.index("$ python -m lstmbench bench kjv-full kjv-diagonal --grid lm")
    lines = text[start : text.index("```", start)].splitlines()
    quoted = [line for line in lines if " · onnxruntime-cpu " in line]
    rows = {tuple(row) for table in terminal_tables(ROOT / "reports/reference") for row in table.rows}
    assert len(quoted) == 16
    assert {tuple(re.split(r"\s{2,}", line.strip())) for line in quoted} <= rows
