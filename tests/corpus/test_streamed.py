"""A file that is read as it is needed gives the rows of a text that is held, and takes memory for a piece a row."""

import hashlib
import tracemalloc

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lstmbench.corpus import Vocabulary, held_out, pieces, streamed
from lstmbench.corpus.streamed import Held, Streamed
from lstmbench.corpus.vocabulary import build
from lstmbench.errors import CorpusError

CHARS = Vocabulary(unit="char", tokens=("<unk>", "\n", " ", "a", "b", "é", "中", "😀"))
WORDS = Vocabulary(unit="word", tokens=("<unk>", "<eos>", "a", "ab", "é"))
TEXTS = st.text(st.sampled_from("ab é中😀\n\r ab a"), min_size=2, max_size=400)


@pytest.fixture(scope="module")
def byte_pairs():
    pytest.importorskip("tokenizers")
    return build("bpe", "ab ab é a b\n\n ab a ab " * 20, 270)


def read(path, vocabulary, steps):
    found = Streamed(path, vocabulary)
    return found.size, list(found.windows(steps))


def held(path, vocabulary, steps):
    found = held_out(str(path), vocabulary, whole=True)
    kept = Held(found.tokens, found.characters, vocabulary)
    return kept.size, list(kept.windows(steps))


def demand_alike(path, vocabulary, steps):
    (a, windows), (b, others) = read(path, vocabulary, steps), held(path, vocabulary, steps)
    assert a == b
    assert len(windows) == len(others)
    for window, other in zip(windows, others, strict=True):
        assert np.array_equal(window, other)


@pytest.mark.parametrize("unit", ["char", "word", "bpe"])
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(TEXTS, st.integers(1, 30), st.integers(24, 60))
def test_rows_are_those_of_the_text_in_memory(tmp_path, byte_pairs, unit, text, steps, size):
    vocabulary = {"char": CHARS, "word": WORDS, "bpe": byte_pairs}[unit]
    (tmp_path / "text").write_bytes(text.encode())
    if len(vocabulary.encode(text.replace("\r\n", "\n"))) < 2 or not text.strip():
        return
    if unit == "char" or max(map(len, text.encode().split(b" "))) < size // 2:  # longer words are cut
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(pieces, "PIECE", size)
            demand_alike(tmp_path / "text", vocabulary, steps)


@pytest.mark.parametrize("shift", range(8))
@pytest.mark.parametrize("letter", ["é", "中", "😀", "\r\n"])
def test_no_cut_falls_within_a_character(tmp_path, monkeypatch, letter, shift):
    monkeypatch.setattr(pieces, "PIECE", 9)
    (tmp_path / "text").write_bytes(("a" * shift + letter * 12).encode())
    found = [text for _, text in pieces.pieces(tmp_path / "text", at_spaces=False)]
    assert "".join(found) == "a" * shift + letter.replace("\r", "") * 12
    assert len(found) > 1


def test_a_cut_within_a_word_is_seen(tmp_path, monkeypatch):
    monkeypatch.setattr(pieces, "PIECE", 10)
    monkeypatch.setattr(pieces, "_cut", lambda _data, **_asked: 10)  # planted
    (tmp_path / "text").write_text("ab ab ab ab ab ab ab ")
    with pytest.raises(AssertionError):
        demand_alike(tmp_path / "text", WORDS, 3)


def test_the_mark_in_front_of_a_file_is_no_token(tmp_path):
    (tmp_path / "text").write_bytes("\ufeffab é".encode())
    demand_alike(tmp_path / "text", CHARS, 2)


@pytest.mark.parametrize(
    ("data", "says"),
    [(b"ab\xffab", "byte 2 cannot be read"), (b"a" * 99 + b"\xe9", "byte 99"), (b"a", "has 1 tokens"), (b"", "0 tok")],
)
def test_a_file_that_cannot_be_scored_is_one_line(tmp_path, monkeypatch, data, says):
    monkeypatch.setattr(pieces, "PIECE", 8)
    (tmp_path / "text").write_bytes(data)
    with pytest.raises(CorpusError, match=says):
        Streamed(tmp_path / "text", CHARS)


def test_a_file_that_shrinks_meanwhile_is_one_line(tmp_path, monkeypatch):
    monkeypatch.setattr(pieces, "PIECE", 8)
    (tmp_path / "text").write_bytes(b"ab" * 200)
    found = Streamed(tmp_path / "text", CHARS)
    (tmp_path / "text").write_bytes(b"ab" * 150)
    with pytest.raises(CorpusError, match="changed while it was read"):
        list(found.windows(7))


def peak(score):
    tracemalloc.start()
    found = score()
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return found, most


def test_memory_is_bounded_whatever_the_size(tmp_path, monkeypatch):
    monkeypatch.setattr(pieces, "PIECE", 2**11)
    peaks = {}
    for size in (2**17, 2**21):
        with (tmp_path / "sparse").open("wb") as file:
            file.truncate(size)  # of NULs, which take no room on disk

        def scored(kind):
            found = kind(tmp_path / "sparse")
            assert sum(int((y >= 0).sum()) for _, y in found.windows(512)) == found.size.tokens - 1
            return found

        found, peaks[size] = peak(lambda: scored(lambda path: Streamed(path, CHARS)))
        assert found.size.sha256 == hashlib.sha256(bytes(8 * size)).hexdigest()
    _, planted = peak(lambda: scored(lambda path: Held(held_out(str(path), CHARS, whole=True).tokens, size, CHARS)))
    assert peaks[2**21] < 1.2 * peaks[2**17]
    assert planted > 10 * peaks[2**21]


def test_a_terabyte_is_read_from_where_a_row_begins(tmp_path):
    with (tmp_path / "sparse").open("wb") as file:
        file.truncate(10**12)
        file.seek(10**12 - 3)
        file.write(b"aba")
    found = list(pieces.pieces(tmp_path / "sparse", at_spaces=False, begin=10**12 - 5))
    assert found == [(10**12 - 5, "\0\0aba")]
    assert streamed.ROWS == 20
