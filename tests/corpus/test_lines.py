"""Lines: every token once, none too long; batches of lines of about one length."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lstmbench.corpus import Vocabulary
from lstmbench.corpus.lines import batches, lines
from lstmbench.errors import CorpusError

VOCABULARY = Vocabulary(unit="char", tokens=("<unk>", "\n", "a", "b"))


@given(st.lists(st.integers(0, 3), min_size=1, max_size=80), st.integers(1, 9))
def test_every_token_is_in_one_line_behind_what_it_follows(tokens, most):
    found = lines(np.array(tokens, np.int32), VOCABULARY, most=most)
    assert np.concatenate([line[1:] for line in found]).tolist() == tokens
    assert [line[0] for line in found] == [1, *(line[-1] for line in found[:-1])]
    assert max(map(len, found)) <= most + 1
    assert all(1 not in line[1:-1] for line in found)


def test_lines_end_where_the_text_breaks():
    found = lines(np.array([2, 3, 1, 1, 2]), VOCABULARY, most=10)
    assert [line.tolist() for line in found] == [[1, 2, 3, 1], [1, 1], [1, 2]]


def test_a_text_without_breaks_says_so():
    with pytest.raises(CorpusError, match="without --by-line"):
        lines(np.array([1]), Vocabulary(unit="char", tokens=("<unk>", "a")), most=3)


@given(st.lists(st.integers(1, 50), min_size=8, max_size=300), st.integers(1, 8), st.integers(0, 5))
def test_a_pass_takes_lines_once_the_longest_of_a_batch_first(lengths, size, number):
    found = batches(lengths, size, seed=(0, number))
    taken = [line for batch in found for line in batch]
    assert len(set(taken)) == len(taken) == len(lengths) // size * size
    assert all(len(batch) == size for batch in found)
    for batch in found:
        assert [lengths[k] for k in batch] == sorted((lengths[k] for k in batch), reverse=True)
    assert found == batches(lengths, size, seed=(0, number))


def padding(found, lengths):
    return sum(max(lengths[k] for k in batch) * len(batch) - sum(lengths[k] for k in batch) for batch in found)


def test_bucketing_leaves_little_padding_and_passes_differ(monkeypatch):
    lengths = np.random.default_rng(0).integers(1, 100, 2000).tolist()
    drawn = batches(lengths, 16, seed=(0, 0))
    assert drawn != batches(lengths, 16, seed=(0, 1))
    assert padding(drawn, lengths) < 0.1 * sum(lengths)
    monkeypatch.setattr("lstmbench.corpus.lines.POOL", 1)  # planted: lines as they fall
    assert padding(batches(lengths, 16, seed=(0, 0)), lengths) > 0.5 * sum(lengths)
