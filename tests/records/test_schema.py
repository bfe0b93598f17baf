"""The published schema is the one that the records have, and it tells a right line from a wrong one."""

import json
from pathlib import Path

import pytest

from lstmbench import runfolder
from lstmbench.records.schema import FILES, schema

jsonschema = pytest.importorskip("jsonschema")
ROOT = Path(__file__).parents[2]
REFERENCE = ROOT / "reports/reference"


def validator(name):
    return jsonschema.Draft202012Validator({"$ref": f"#/$defs/{name}", "$defs": schema()["$defs"]})


def lines(name):
    text = (REFERENCE / name).read_text()
    return [json.loads(line) for line in (text.splitlines()[:3] if name.endswith("l") else [text])]


def test_the_published_file_is_what_the_command_prints():
    published = (ROOT / "reports/schema.json").read_text()
    assert json.loads(published) == schema(), "python -m lstmbench report --schema > reports/schema.json"


def test_it_is_a_schema():
    jsonschema.Draft202012Validator.check_schema(schema())


@pytest.mark.parametrize("name", [name for name in FILES if (REFERENCE / name).exists()])
def test_the_reference_report_obeys_it(name):
    for line in lines(name):
        validator(name).validate(line)


@pytest.mark.parametrize(
    "change",
    [
        lambda row: row.pop("subject"),
        lambda row: row.update(process=-1),
        lambda row: row["workload"].update(kind="sleep"),
        lambda row: row.update(unknown=1),
        lambda row: row["timing"].update(sample_s=["fast"]),
    ],
)
def test_a_line_that_no_run_holds_does_not_obey_it(change):
    row = lines("measurements.jsonl")[0]
    change(row)
    assert not validator("measurements.jsonl").is_valid(row)


def test_every_file_of_a_run_is_in_it():
    names = {name for name in vars(runfolder).values() if isinstance(name, str) and name.endswith((".json", ".jsonl"))}
    assert names == set(FILES)
