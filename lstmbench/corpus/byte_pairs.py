"""The tokenizer file of unit `bpe`, looked through before the library gets it: it holds what ours hold, and no more.

A tokenizer file can name some thirty kinds of parts, with regular expressions of its own. Those that `build` never
writes are refused: the library gives up on some of them in a way that ends the process.
"""

from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec

from lstmbench.errors import RecordError


class _ByteLevel(msgspec.Struct):
    type: Literal["ByteLevel"]


class _Model(msgspec.Struct, kw_only=True):
    type: Literal["BPE"]
    dropout: None = None
    unk_token: None = None
    continuing_subword_prefix: None = None
    end_of_word_suffix: None = None
    vocab: dict[str, Annotated[int, msgspec.Meta(ge=0, lt=2**31)]]
    merges: list[tuple[str, str]]

    def __post_init__(self) -> None:
        if sorted(self.vocab.values()) != list(range(len(self.vocab))) or not self.vocab:
            raise ValueError("its ids are not 0, 1, 2, …")
        if not all(a in self.vocab and b in self.vocab and a + b in self.vocab for a, b in self.merges):
            raise ValueError("it joins tokens that it does not have")


class _File(msgspec.Struct):
    model: _Model
    pre_tokenizer: _ByteLevel
    decoder: _ByteLevel
    normalizer: None = None
    post_processor: None = None
    truncation: None = None
    padding: None = None
    added_tokens: Annotated[list[Any], msgspec.Meta(max_length=0)] = []


def demand(path: Path, tokenizer: str) -> None:
    """RecordError if the text is no byte-pair tokenizer as `build` writes them."""
    try:
        msgspec.json.decode(tokenizer, type=_File)
    except (msgspec.MsgspecError, RecursionError) as error:
        raise RecordError(f"{path} is damaged: its tokenizer cannot be read: {error}") from error
