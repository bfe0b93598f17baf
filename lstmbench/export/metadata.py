"""What a file says of itself, under `lstmbench.*`: enough to load it again and to write text with it."""

import msgspec

import lstmbench
from lstmbench.export.source import Source
from lstmbench.model.weights import digest
from lstmbench.records import Form, Precision


def describe(source: Source, form: Form, precision: Precision, vocabulary: str | None) -> dict[str, str]:
    """Every field of the configuration under its name, and what is no field of it; in a fixed order.

    `vocabulary` is the text of `vocabulary.json`; only head `lm` carries it.
    """
    about = {name: _word(value) for name, value in msgspec.structs.asdict(source.config).items()}
    about |= {"form": form, "precision": precision, "weights_sha256": digest(source.weights)}
    about |= {"producer": f"lstmbench {lstmbench.__version__}"}
    if not source.config.attention:
        del about["attention"]  # files that have none say nothing of it, as before there was any
    if source.lengths:
        about["lengths"] = "true"
    if vocabulary is not None and source.config.head == "lm":
        about["vocabulary"] = vocabulary
    return {f"lstmbench.{name}": about[name] for name in sorted(about)}


def _word(value: object) -> str:
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()
