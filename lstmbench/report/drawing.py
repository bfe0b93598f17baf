"""Panels to SVG text, panels side by side to one SVG, SVG to PNG; nothing is fetched."""

import re
import textwrap
from collections.abc import Sequence
from html import escape
from typing import NamedTuple

import vl_convert

from lstmbench.report.look import INK, MUTED, PAPER
from lstmbench.report.panels import Panel

_SIZE = re.compile(r'<svg [^>]*?width="([\d.]+)" height="([\d.]+)" viewBox="[^"]*">')
_COLUMNS = 3
_MARGIN, _GAP, _SLACK, _LETTER_PX = 18, 14, 8, 5.8
_FONT = "Helvetica, Arial, sans-serif"


class Drawing(NamedTuple):
    """One panel as SVG elements, without the enclosing tag."""

    body: str
    width: float
    height: float

    def svg(self, attributes: str = "") -> str:
        """The panel as an SVG element for a page or inside another."""
        return f'<svg viewBox="0 0 {self.width:g} {self.height:g}" overflow="visible" {attributes}>{self.body}</svg>'


def draw(panel: Panel) -> Drawing:
    """Draw a panel; none of its marks is clipped, so the SVG holds no identifiers that a page could mix up."""
    svg = vl_convert.vegalite_to_svg(panel.to_dict())
    head = _SIZE.match(svg)
    assert head is not None, "vl-convert writes width, height and viewBox"
    # a reader's fonts may be wider than those that it was laid out with
    body = f'<g transform="translate({_SLACK})">{svg[head.end() : -len("</svg>")]}</g>'
    return Drawing(body, float(head[1]) + 2 * _SLACK, float(head[2]))


def beside(drawings: Sequence[Drawing], *, title: str, caption: str) -> str:
    """Panels in rows of three under a title, as one SVG file on white."""
    rows = [drawings[i : i + _COLUMNS] for i in range(0, len(drawings), _COLUMNS)]
    width = max(sum(d.width for d in row) + _GAP * (len(row) - 1) for row in rows) + 2 * _MARGIN
    header = _header(title, textwrap.wrap(caption, int((width - 2 * _MARGIN) / _LETTER_PX)))
    parts, y = [header.body], header.height
    for row in rows:
        x = float(_MARGIN)
        for drawing in row:
            parts.append(drawing.svg(f'x="{x:g}" y="{y:g}" width="{drawing.width:g}" height="{drawing.height:g}"'))
            x += drawing.width + _GAP
        y += max(d.height for d in row) + _GAP
    return _file(width, y + _MARGIN - _GAP, parts)


def png(svg: str) -> bytes:
    """The SVG as pixels, two for one."""
    image: bytes = vl_convert.svg_to_png(svg, scale=2)
    return image


def _header(title: str, caption: Sequence[str]) -> Drawing:
    lines = (
        f'<text x="{_MARGIN}" y="{47 + 16 * n}" font-size="12" fill="{MUTED}">{escape(line)}</text>'
        for n, line in enumerate(caption)
    )
    name = f'<text x="{_MARGIN}" y="28" font-size="17" font-weight="bold" fill="{INK}">{escape(title)}</text>'
    return Drawing(name + "".join(lines), 0, 46 + 16 * len(caption))


def _file(width: float, height: float, parts: Sequence[str]) -> str:
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:g}" height="{height:g}" '
        f'viewBox="0 0 {width:g} {height:g}" font-family="{_FONT}">'
        f'<rect width="100%" height="100%" fill="{PAPER}"/>{"".join(parts)}</svg>\n'
    )
