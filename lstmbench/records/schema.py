"""The files of a run as JSON Schema, for readers in other languages."""

import inspect
from typing import Any

import msgspec

from lstmbench.records.arrivals import ArrivalRow
from lstmbench.records.base import Record
from lstmbench.records.bench import Machine, Measurement
from lstmbench.records.bisect import Difference
from lstmbench.records.change import ChangeRow
from lstmbench.records.check import ParityRow
from lstmbench.records.cost import Cost, Install
from lstmbench.records.drift import DriftRow
from lstmbench.records.evaluation import Evaluation
from lstmbench.records.memory import Weight
from lstmbench.records.probe import ProbeRow
from lstmbench.records.roof import Roof

FILES: dict[str, type[Record]] = {
    "machine.json": Machine,
    "parity.jsonl": ParityRow,
    "measurements.jsonl": Measurement,
    "memory.jsonl": Weight,
    "roofline.jsonl": Roof,
    "costs.jsonl": Cost,
    "installs.jsonl": Install,
    "arrivals.jsonl": ArrivalRow,
    "baseline.jsonl": ChangeRow,
    "bisect.jsonl": Difference,
    "drift.jsonl": DriftRow,
    "probes.jsonl": ProbeRow,
    "evaluations.jsonl": Evaluation,
}


def schema() -> dict[str, Any]:
    """JSON Schema 2020-12; `$defs` holds a definition for each file of a run, one of each line of a `.jsonl`."""
    found, parts = msgspec.json.schema_components(list(FILES.values()), ref_template="#/$defs/{name}")
    document = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "The files of an lstmbench run: each line of a .jsonl is one document. Times are in seconds.",
        "anyOf": [{"$ref": f"#/$defs/{name}"} for name in FILES],
        "$defs": dict(zip(FILES, found, strict=True)) | parts,
    }
    plain = msgspec.json.decode(msgspec.json.encode(document))  # defaults are tuples of ours
    found_in: dict[str, Any] = _described(plain)
    return found_in


def _described(part: Any) -> Any:
    """The same with docstrings as Python 3.13 has them, without the indentation that they have in the source."""
    if isinstance(part, list):
        return [_described(one) for one in part]
    if not isinstance(part, dict):
        return part
    return {
        name: inspect.cleandoc(value) if name == "description" and isinstance(value, str) else _described(value)
        for name, value in part.items()
    }
