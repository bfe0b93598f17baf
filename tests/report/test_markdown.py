"""Text from data comes back as text from a Markdown parser that is not ours."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lstmbench.report.markdown import escape
from lstmbench.report.subjects import plain

markdown_it = pytest.importorskip("markdown_it")


def read_back(line):
    parser = markdown_it.MarkdownIt("commonmark").enable(["table", "strikethrough"])
    tokens = parser.parse(f"Word {line}")
    assert [token.type for token in tokens] == ["paragraph_open", "inline", "paragraph_close"]
    assert {token.type for token in tokens[1].children} <= {"text", "text_special"}
    return "".join(token.content for token in tokens[1].children)


@given(st.text(st.characters(codec="utf-8")))
def test_escaped_text_is_read_back_as_it_was(text):
    assert read_back(escape(plain(text))) == f"Word {plain(text)}".rstrip()


@given(st.text("\\`*_[]()<>|&!#~$@:/.w-+=\"'", max_size=30))
def test_markup_is_read_back_as_it_was(text):
    assert read_back(escape(text)) == f"Word {text}".rstrip()


@pytest.mark.parametrize(
    "address", ["http://evil.example", "https://evil.example", "www.evil.example", "WWW.evil.example"]
)
def test_bare_addresses_are_broken_for_parsers_that_link_them(address):
    assert address not in escape(address)
    assert read_back(escape(address)) == f"Word {address}"


@given(st.text(st.characters(codec="utf-8")))
def test_plain_text_is_one_printable_line(text):
    assert plain(text).isprintable()
    assert plain(plain(text)) == plain(text)
