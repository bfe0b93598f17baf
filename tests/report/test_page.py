"""The page: whole, self-contained, escaped, legible."""

import re
from html.parser import HTMLParser

import pytest

from lstmbench.report import extra, look, render
from lstmbench.report.subjects import plain

for package in extra.PACKAGES:
    pytest.importorskip(package)

VOID = {"meta", "br", "link", "img", "input", "hr"}
HOSTILE = "<script>alert('x')</script>\" onload=\"x|*_[a](http://evil.example)`&amp;\u202e\n# title"


class Page(HTMLParser):
    """Elements, attributes and table rows; fails where tags do not match."""

    def __init__(self, text):
        super().__init__()
        self.open, self.tags, self.attributes, self.rows, self.text = [], [], [], [], []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += [(tag, name, value or "") for name, value in attrs]
        if tag not in VOID:
            self.open.append(tag)
        if tag == "tr":
            self.rows.append([])
        if tag == "td":
            self.rows[-1].append("")

    def handle_startendtag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += [(tag, name, value or "") for name, value in attrs]

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text.append(data)
        if self.open and self.open[-1] == "td":
            self.rows[-1][-1] += data


@pytest.fixture(scope="module")
def page(rendered):
    return Page((rendered / "index.html").read_text())


@pytest.fixture(scope="module")
def hostile(make, tmp_path_factory):
    run = tmp_path_factory.mktemp("hostile")
    of = make.subject(runtime=HOSTILE, model=HOSTILE, runtime_version=HOSTILE)
    rows = [*make.checked(of), make.parity(of, HOSTILE)]
    times = [make.measured(of, batch=batch) for batch in (1, 8)] + [make.measured(of, batch=32, refused=HOSTILE)]
    here = make.machine(cpu=HOSTILE, versions={HOSTILE: HOSTILE}, system=HOSTILE)
    foreign = [
        type(row)(**{name: getattr(row, name) for name in row.__struct_fields__} | {"machine": here.fingerprint})
        for row in times
    ]
    render(make.write(run, parity_rows=rows, measurements=foreign, machine=here))
    return run


def loads(page):
    """What a browser would fetch when the page is opened."""
    links = [value for tag, name, value in page.attributes if name in {"src", "srcset", "data", "poster", "xlink:href"}]
    return links + [value for tag, name, value in page.attributes if tag == "link" and name == "href"]


def test_the_page_is_well_formed_and_loads_nothing(page, rendered):
    assert loads(page) == []
    assert not {"script", "iframe", "object", "embed", "img", "link"} & set(page.tags)
    style = re.search(r"<style>(.*?)</style>", (rendered / "index.html").read_text(), re.DOTALL)[1]
    assert "@import" not in style
    assert "url(" not in style


def test_links_stay_in_the_page_or_in_its_folder(page, rendered):
    for tag, name, value in page.attributes:
        if tag == "a" and name == "href" and not value.startswith("#"):
            assert (rendered / value).is_file(), value
    anchors = {value[1:] for tag, name, value in page.attributes if name == "href" and value.startswith("#")}
    assert anchors <= {value for _, name, value in page.attributes if name == "id"}


def test_identifiers_are_unique_over_all_charts(page):
    identifiers = [value for _, name, value in page.attributes if name == "id"]
    assert len(identifiers) == len(set(identifiers))


def test_all_rows_and_charts_are_there(page):
    rows = sum(len(row) > 0 for row in page.rows)
    assert rows == 15 + 24 + 8 + 4 + 23  # parity, scoring, decoding, cold start, price list
    assert page.tags.count("figure") == 7


def test_refused_rows_show_their_reason_and_no_number(page, make):
    refused = [row for row in page.rows if row and row[-1].startswith("refused: ")]
    assert len(refused) == 9
    assert all(len(row) == 9 for row in refused)  # eight that say what the row is about, and the reason
    assert sum(make.crashed in row[-1] for row in refused) == 1


def test_ten_samples_never_show_a_p90_or_p99(page):
    few = [row for row in page.rows if len(row) == 19 and row[9] == "10"]
    assert len(few) == 7
    assert {tuple(row[11:13]) for row in few} == {("n/a", "n/a")}


def test_no_cell_is_blank(page):
    assert all(cell.strip() for row in page.rows for cell in row)


def test_the_verdict_names_what_failed(page):
    text = " ".join("".join(page.text).split())
    assert "1 of 15 outputs failed the check, the first: logits of kjv-diagonal/lstm-fp32 on torch 1.2.3." in text
    assert "Of 32 speed rows, 9 are refused, with the reason." in text


def test_hostile_names_stay_text_on_the_page(hostile):
    page = Page((hostile / "index.html").read_text())
    assert "script" not in page.tags
    assert not any(name.startswith("on") for _, name, _ in page.attributes)
    assert loads(page) == []
    assert "<script>alert('x')</script>" in "".join(page.text)
    assert "\u202e" not in "".join(page.text)


def test_hostile_names_stay_text_in_markdown(hostile):
    markdown = pytest.importorskip("markdown_it")
    parser = markdown.MarkdownIt("commonmark").enable("table")
    tokens = [
        token
        for block in parser.parse((hostile / "report.md").read_text())
        for token in (block, *(block.children or ()))
    ]
    assert not {"html_block", "html_inline", "link_open", "code_inline", "em_open"} & {token.type for token in tokens}
    assert all(token.attrGet("src").startswith("charts/") for token in tokens if token.type == "image")
    assert sum(token.type == "heading_open" for token in tokens) == 11
    inline = [token for token, before in zip(tokens[1:], tokens, strict=False) if before.type == "td_open"]
    cells = ["".join(child.content for child in token.children) for token in inline]
    assert cells.count(f"{plain(HOSTILE)} (scan-fp32)") == 4 + 3 + 1  # parity, scoring, cold start
    assert cells.count(f"refused: {plain(HOSTILE)}") == 1


def test_a_run_without_an_end_and_a_busy_machine_are_said(make, tmp_path):
    of, here = make.subject(), make.machine()
    busy = type(here.before)(at="long ago", load_average=(1.5, 1.0, 0.5), cpu_mhz=None)
    rows = {"parity_rows": make.checked(of), "measurements": [make.measured(of, session=busy)]}
    render(make.write(tmp_path, **rows, machine=make.machine(before=busy, after=None)))
    text = (tmp_path / "index.html").read_text()
    assert "This run has recorded no end" in text
    assert "The machine was busy when timing began (load 1.50)" in text
    assert "long ago" in text
    assert "Timed by" not in text


def test_rows_of_several_commands_are_said_to_be_so(make, tmp_path):
    of, first = make.subject(), make.machine().before
    busy = type(first)(at="2026-01-02T03:04:05+00:00", load_average=(7.5, 1.0, 0.5), cpu_mhz=None)
    rows = {
        "parity_rows": make.checked(of),
        "measurements": [make.measured(of), make.measured(of, batch=8, session=busy)],
    }
    render(make.write(tmp_path, **rows))
    text = (tmp_path / "report.md").read_text()
    assert "Timed by 2 commands, begun 2025-11-23 14:20 UTC, 2026-01-02 03:04 UTC" in text
    assert "The machine was busy when timing began (load 7.50)" in text


def luminance(colour):
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one, other):
    """WCAG 2, section 1.4.3: 4.5 for text."""
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("colour", [look.INK, look.MUTED, *look._FIXED.values(), *look._FURTHER])
def test_every_chart_colour_is_legible_on_light_and_has_its_counterpart_on_dark(colour, rendered):
    text = (rendered / "index.html").read_text()
    (fill,) = re.findall(rf'\[fill="{colour}"\] {{ fill: (#\w+)', text)
    (stroke,) = re.findall(rf'\[stroke="{colour}"\] {{ stroke: (#\w+)', text)
    assert fill == stroke
    assert contrast(colour, look.PAPER) >= 4.5
    assert contrast(fill, "#171b21") >= 4.5
