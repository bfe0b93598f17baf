"""What a file gave up is kept beside its times, once, and anew where the file is."""

from types import SimpleNamespace

from lstmbench import disk
from lstmbench.bench.costs import keep_costs
from lstmbench.records import Cost, Quality


def clearance(quality, sha256="ab" * 32):
    record = SimpleNamespace(quality=quality, sha256=sha256)
    return SimpleNamespace(exported=Exported(record))


class Exported:
    name = "m/scan-int8"

    def __init__(self, record):
        self.record = record


def test_costs_are_kept_once_and_replaced_where_the_file_is_another(tmp_path):
    little, more = Quality(relative_error=0.1), Quality(relative_error=0.2)
    keep_costs([clearance(little), clearance(None)], tmp_path)
    keep_costs([clearance(little)], tmp_path)
    assert [row.quality for row in disk.read_journal(tmp_path / "costs.jsonl", Cost)] == [little]
    keep_costs([clearance(more, "cd" * 32)], tmp_path)
    assert [row.quality for row in disk.read_journal(tmp_path / "costs.jsonl", Cost)] == [more]
