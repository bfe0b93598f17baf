"""What comes from a file is shown, never obeyed."""

from hypothesis import given
from hypothesis import strategies as st

from lstmbench.errors import DiskError, LstmbenchError, RecordError
from lstmbench.plain import plain, sentence, shown

ESCAPES = "a\x1b[31m b\r\nc\x9bd\u202ee\0f"


@given(text=st.text())
def test_an_error_is_one_short_printable_line_whatever_it_quotes(text):
    for kind in (LstmbenchError, RecordError, DiskError):
        line = str(kind(text * 50))
        assert line.isprintable()
        assert len(line) < 1100
    assert plain(plain(text)) == plain(text)


def test_the_ends_of_a_long_line_stay():
    line = sentence("what is wrong " + "x" * 5000 + " what to do")
    assert line.startswith("what is wrong")
    assert line.endswith("what to do")


def test_text_of_several_lines_keeps_all_but_commands():
    assert shown("Grüße\n\tzwei  Worte 👩‍💻\u00a0!") == "Grüße\n\tzwei  Worte 👩‍💻\u00a0!"
    assert shown(ESCAPES) == "a�[31m b�\nc�d�e�f"
    assert plain(ESCAPES) == "a [31m b c d e f"
