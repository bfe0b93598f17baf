"""`index.html`: one file that holds its style and its charts and loads nothing."""

from pathlib import Path

import jinja2

from lstmbench.report.document import Document

_HERE = Path(__file__).parent


def page(document: Document) -> str:
    """The report as a page; every text that comes from data is escaped."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(_HERE),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    style = (_HERE / "page.css").read_text(encoding="utf-8")
    return environment.get_template("page.html.jinja").render(report=document, style=style)
