"""Text to token ids and back: characters, words, or byte pairs; `vocabulary.json` in a model's folder."""

import functools
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Literal

import msgspec
import numpy as np
from numpy.typing import NDArray

from lstmbench import disk
from lstmbench.corpus import byte_pairs
from lstmbench.errors import CorpusError, RecordError
from lstmbench.records import Record, Unit

UNKNOWN, END_OF_LINE = "<unk>", "<eos>"
DEFAULT_SIZE = {"word": 10_000, "bpe": 1024}


class Vocabulary(Record, frozen=True, kw_only=True, dict=True):
    """The tokens of one model, id by id; `merges` is the tokenizer file of unit `bpe`."""

    schema: Literal["lstmbench.vocabulary/1"] = "lstmbench.vocabulary/1"
    unit: Unit
    tokens: tuple[str, ...] = ()  # empty for bpe
    merges: str = ""

    def __post_init__(self) -> None:
        if (self.unit == "bpe") != bool(self.merges) or (self.unit == "bpe") == bool(self.tokens):
            raise ValueError("characters and words are listed, byte pairs come as a tokenizer")
        if len(set(self.tokens)) != len(self.tokens) or (self.tokens and self.tokens[0] != UNKNOWN):
            raise ValueError(f"tokens must differ and start with {UNKNOWN}")
        if "" in self.tokens or (self.unit == "char" and any(len(token) > 1 for token in self.tokens[1:])):
            raise ValueError("no token is empty, and those of unit char are single characters")

    @property
    def size(self) -> int:
        """V."""
        return int(self._tokenizer.get_vocab_size()) if self.unit == "bpe" else len(self.tokens)

    @property
    def lossless(self) -> bool:
        """Whether the ids spell the text, so that bits a character are defined; words lose it."""
        return self.unit != "word"

    def encode(self, text: str) -> NDArray[np.int64]:
        """Text -> ids (N,); what is not known becomes <unk>."""
        if self.unit == "bpe":
            return np.asarray(self._tokenizer.encode(text).ids, dtype=np.int64)
        if self.unit == "char":
            codes = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), "<u4")
            found: NDArray[np.int64] = self._by_code[np.minimum(codes, len(self._by_code) - 1)]
            return found
        return np.fromiter((self._ids.get(piece, 0) for piece in self._pieces(text)), dtype=np.int64)

    def decode(self, ids: Iterable[int]) -> str:
        """Ids -> text; an id outside the vocabulary is a ValueError."""
        numbers = [int(i) for i in ids]
        if numbers and not (min(numbers) >= 0 and max(numbers) < self.size):
            raise ValueError(f"token ids must lie in 0..{self.size - 1}")
        if self.unit == "bpe":
            return str(self._tokenizer.decode(numbers, skip_special_tokens=False))
        pieces = [self.tokens[i] for i in numbers]
        if self.unit == "char":
            return "".join(pieces)
        return "".join("\n" if piece == END_OF_LINE else f"{piece} " for piece in pieces)

    def unknown(self, text: str) -> list[str]:
        """The characters or words of `text` that the vocabulary lacks, each once, in order."""
        if self.unit == "bpe":
            return []
        return [piece for piece in dict.fromkeys(self._pieces(text)) if piece not in self._ids]

    def encode_prompt(self, text: str) -> NDArray[np.int64]:
        """Like `encode`, but CorpusError for an empty prompt and for anything unknown."""
        if not text:
            raise CorpusError("the prompt is empty: give at least one character")
        if unknown := self.unknown(text):
            kind = "characters" if self.unit == "char" else "words"
            shown = ", ".join(repr(piece) for piece in unknown[:8])
            raise CorpusError(f"the prompt has {kind} that this model has never seen: {shown}; leave them out")
        ids = self.encode(text)
        if not len(ids):
            raise CorpusError("the prompt holds no word: give at least one")
        return ids

    def first(self) -> NDArray[np.int64]:
        """What a text may begin after where no prompt is given: a line break, or the first token that was learnt."""
        return np.array([1]) if self.unit != "bpe" and self.unknown("\n") else self.encode("\n")

    def to_bytes(self) -> bytes:
        """The content of `vocabulary.json`."""
        return msgspec.json.format(msgspec.json.encode(self), indent=1) + b"\n"

    def _pieces(self, text: str) -> Iterable[str]:
        return text if self.unit == "char" else text.replace("\n", f" {END_OF_LINE} ").split()

    @functools.cached_property
    def _ids(self) -> dict[str, int]:
        return {token: i for i, token in enumerate(self.tokens)}

    @functools.cached_property
    def _by_code(self) -> NDArray[np.int64]:
        """Of each code point its id; the last one stands for all beyond."""
        codes = [ord(token) for token in self.tokens[1:]]
        ids = np.zeros(max(codes, default=0) + 2, np.int64)
        ids[codes] = np.arange(1, len(self.tokens))
        return ids

    @functools.cached_property
    def _tokenizer(self) -> Any:
        return _tokenizers().Tokenizer.from_str(self.merges)


def build(unit: Unit, train: str, size: int | None) -> Vocabulary:
    """Learn a vocabulary from the training text: every character, the most frequent words, or byte pairs."""
    if unit == "char":
        if size is not None:
            raise CorpusError("a vocabulary of characters holds them all: --vocabulary-size is for word and bpe")
        return Vocabulary(unit=unit, tokens=(UNKNOWN, *sorted(set(train))))
    size = DEFAULT_SIZE[unit] if size is None else size
    if unit == "bpe":
        return Vocabulary(unit=unit, merges=_train_bpe(train, size))
    return Vocabulary(unit=unit, tokens=_frequent_words(train, size))


def read_vocabulary(path: Path) -> Vocabulary:
    """Read and validate `vocabulary.json`."""
    vocabulary = disk.read_record(path, Vocabulary)
    if vocabulary.unit == "bpe":
        byte_pairs.demand(path, vocabulary.merges)
        _demand_tokenizer(path, vocabulary)
    return vocabulary


def stream(vocabulary: Vocabulary, ids: Iterable[int]) -> Iterator[str]:
    """Yield the text of ids as it becomes certain: an unfinished UTF-8 sequence of byte pairs is held back."""
    kept: list[int] = []
    shown = ""
    for token in ids:
        kept.append(token)
        text = vocabulary.decode(kept)
        if not text.endswith("\ufffd") and text != shown:
            yield text[len(shown) :]
            kept, shown = (kept, text) if vocabulary.unit == "bpe" else ([], "")


def _frequent_words(train: str, size: int) -> tuple[str, ...]:
    if size < 3:
        raise CorpusError("--vocabulary-size must be at least 3")
    pieces = train.replace("\n", f" {END_OF_LINE} ").split()
    counts = Counter(piece for piece in pieces if piece not in (UNKNOWN, END_OF_LINE))
    ordered = sorted(counts, key=lambda word: (-counts[word], word))  # ties by spelling: nothing left to chance
    return (UNKNOWN, END_OF_LINE, *ordered[: size - 2])


def _train_bpe(train: str, size: int) -> str:
    tokenizers = _tokenizers()
    if size < 257:
        raise CorpusError("--vocabulary-size must be at least 257 for bpe: 256 bytes come first")
    tokenizer = tokenizers.Tokenizer(tokenizers.models.BPE())
    tokenizer.pre_tokenizer = tokenizers.pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = tokenizers.decoders.ByteLevel()
    alphabet = sorted(tokenizers.pre_tokenizers.ByteLevel.alphabet())
    trainer = tokenizers.trainers.BpeTrainer(vocab_size=size, initial_alphabet=alphabet, show_progress=False)
    tokenizer.train_from_iterator([train], trainer)
    return str(tokenizer.to_str())


def _demand_tokenizer(path: Path, vocabulary: Vocabulary) -> None:
    try:
        _ = vocabulary.size
    except CorpusError:
        raise
    except Exception as error:  # the library raises bare Exception, and reads numbers and escapes otherwise than we
        raise RecordError(f"{path} is damaged: its tokenizer cannot be read: {error}") from error


def _tokenizers() -> Any:
    try:
        import tokenizers
    except ImportError as error:
        raise CorpusError("unit 'bpe' needs the extra 'corpus': pip install 'lstmbench[corpus]'") from error
    return tokenizers
