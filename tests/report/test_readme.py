"""What the README quotes of the reference report is what that report says, and the pages' links lead somewhere."""

import re
from pathlib import Path

import pytest

from lstmbench.report import terminal_tables

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]


def test_the_tour_quotes_the_reference_report():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    start = text.index("$ python -m lstmbench bench kjv-full kjv-diagonal --grid lm")
    lines = text[start : text.index("```", start)].splitlines()
    quoted = [line for line in lines if " · onnxruntime-cpu " in line]
    rows = {tuple(row) for table in terminal_tables(ROOT / "reports/reference") for row in table.rows}
    assert len(quoted) == 16
    assert {tuple(re.split(r"\s{2,}", line.strip())) for line in quoted} <= rows


def lost_links(page: Path) -> list[str]:
    links = re.findall(r"\]\((?!https?:)([^)#]+)", page.read_text(encoding="utf-8"))
    return [link for link in links if not (page.parent / link).exists()]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_leads_somewhere(page):
    assert lost_links(page) == []


def test_a_link_that_leads_nowhere_is_found(tmp_path):
    (tmp_path / "page.md").write_text("[there](page.md), [lost](lost.md), [site](https://example.org/lost.md)")
    assert lost_links(tmp_path / "page.md") == ["lost.md"]
