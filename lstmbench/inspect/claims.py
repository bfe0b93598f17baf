"""What a file says of itself under `lstmbench.*`, held against what its graph is."""

from collections.abc import Iterator, Mapping

PREFIX = "lstmbench."


def claims(metadata: Mapping[str, str]) -> dict[str, str]:
    """The metadata under the prefix, without it."""
    return {key.removeprefix(PREFIX): value for key, value in sorted(metadata.items()) if key.startswith(PREFIX)}


def disagreements(said: Mapping[str, str], found: Mapping[str, object], why: str) -> Iterator[str]:
    """One line each; what the graph does not tell is not held against the file."""
    for name, value in found.items():
        if name in said and value is not None and said[name] != _word(value):
            reason = f" ({why})" if name == "peephole" and why else ""
            yield f"metadata says {name} {said[name][:60]}, the graph says {_word(value)}{reason}"


def _word(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
