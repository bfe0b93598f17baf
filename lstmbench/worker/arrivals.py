"""MLPerf LoadGen beside the runtime, in its process: it sends, one thread answers in the order of arrival."""

import json
import queue
import re
import tempfile
import threading
from collections.abc import Callable
from importlib import metadata
from pathlib import Path
from typing import Any, NamedTuple

from lstmbench.errors import RuntimeMissingError, WorkerError
from lstmbench.records import Arrivals, Served

NEEDS = "arrival scenarios need the extra 'loadgen': pip install 'lstmbench[loadgen]'"
_NAMES = {
    "single-stream": "SingleStream",
    "multi-stream": "MultiStream",
    "server": "Server",
    "offline": "Offline",
}
_POOL = 64  # samples that LoadGen chooses from
_NS = 1e9
_LEAST_QUERIES = 100
_OVERLOAD = 4  # times what the runtime does: a longer queue tells no more
_SAMPLE = re.compile(rb'"name":"Sample".*"ph":"b".*"ts":([0-9.]+),.*"query_seq":([0-9]+),.*"complete_ns":([0-9]+)')
_CONDITIONS = {
    "result_perf_constraints_met": "too many queries over the bound",
    "result_min_duration_met": "too short",
    "result_min_queries_met": "too few queries",
    "early_stopping_met": "too few queries for its percentile",
}


def serve(call: Callable[[], object], call_s: float, asked: Arrivals) -> Served:
    """Let LoadGen send queries to `call`, which answers one or `batch` rows in about `call_s`.

    RuntimeMissingError without LoadGen; WorkerError where queries would arrive far faster than they are answered, and
    for what a call raised.
    """
    try:
        import mlperf_loadgen as loadgen
    except ImportError as error:
        raise RuntimeMissingError(NEEDS) from error
    if asked.rate * call_s > _OVERLOAD:
        raise WorkerError(
            f"{asked.rate:g} queries a second are over {_OVERLOAD} times what it answers, {1 / call_s:.3g}"
        )
    with tempfile.TemporaryDirectory() as logs:
        system = _System(loadgen, call, asked.batch)
        library = loadgen.ConstructQSL(_POOL, _POOL, _nothing, _nothing)
        try:
            settings = _settings(loadgen, asked, call_s)
            loadgen.StartTestWithLogSettings(system.handle, library, settings, _logs(loadgen, logs), f"{logs}/none")
        finally:
            loadgen.DestroyQSL(library)
            system.close()
        return _served(Path(logs))


class _System:
    """LoadGen's system under test: a queue, and one thread that answers."""

    def __init__(self, loadgen: Any, call: Callable[[], object], batch: int) -> None:
        self._loadgen, self._call, self._batch = loadgen, call, batch
        self._waiting: queue.SimpleQueue[list[Any] | None] = queue.SimpleQueue()
        self._failed: Exception | None = None
        self._thread = threading.Thread(target=self._answer_all)
        self._thread.start()
        self.handle = loadgen.ConstructSUT(self._take, lambda: None)

    def _take(self, samples: list[Any]) -> None:
        """A query arrives; of offline, all of them in one."""
        ids = [sample.id for sample in samples]
        for first in range(0, len(ids), self._batch):
            self._waiting.put(ids[first : first + self._batch])

    def _answer_all(self) -> None:
        while (ids := self._waiting.get()) is not None:
            try:
                if self._failed is None:
                    self._call()
            except Exception as error:  # noqa: BLE001 (an adapter may raise anything: LoadGen still waits for its answers)
                self._failed = error
            self._loadgen.QuerySamplesComplete([self._loadgen.QuerySampleResponse(one, 0, 0) for one in ids])

    def close(self) -> None:
        """End the thread; raise what a call raised."""
        self._waiting.put(None)
        self._thread.join()
        self._loadgen.DestroySUT(self.handle)
        if self._failed is not None:
            raise self._failed


def _nothing(_samples: object) -> None:
    """Inputs are in memory all the time."""


def _settings(loadgen: Any, asked: Arrivals, call_s: float) -> Any:
    settings = loadgen.TestSettings()
    settings.mode = loadgen.TestMode.PerformanceOnly
    settings.scenario = getattr(loadgen.TestScenario, _NAMES[asked.scenario])
    settings.min_duration_ms = round(1000 * asked.seconds)
    settings.min_query_count = _LEAST_QUERIES
    settings.single_stream_expected_latency_ns = settings.multi_stream_expected_latency_ns = round(call_s * _NS)
    settings.single_stream_target_latency_percentile = asked.percentile
    settings.multi_stream_target_latency_percentile = asked.percentile
    settings.multi_stream_samples_per_query = asked.batch
    settings.offline_expected_qps = asked.batch / call_s
    if asked.scenario == "server":
        settings.server_target_qps = asked.rate
        settings.server_target_latency_ns = round(asked.within_s * _NS)
        settings.server_target_latency_percentile = asked.percentile
    settings.qsl_rng_seed, settings.sample_index_rng_seed = asked.seed + 1, asked.seed + 2
    settings.schedule_rng_seed = asked.seed + 3
    return settings


def _logs(loadgen: Any, folder: str) -> Any:
    logs = loadgen.LogSettings()
    logs.log_output.outdir = folder
    logs.enable_trace = True  # each sample's times are nowhere else
    return logs


def _served(logs: Path) -> Served:
    said = _said(logs / "mlperf_log_detail.txt")
    queries = _queries((logs / "mlperf_log_trace.json").read_bytes())
    first_us = min(query.due_us for query in queries)
    last_us = max(query.due_us + query.took_ns / 1e3 for query in queries)
    reasons = tuple(what for name, what in _CONDITIONS.items() if said.get(name) is False)
    return Served(
        loadgen=metadata.version("mlcommons_loadgen"),
        valid=said["result_validity"] == "VALID",
        reasons=reasons,
        due_s=tuple((query.due_us - first_us) / 1e6 for query in queries),
        latency_s=tuple(query.took_ns / 1e9 for query in queries),
        rows_per_s=1e6 * sum(query.rows for query in queries) / (last_us - first_us),
    )


class _Query(NamedTuple):
    due_us: float
    took_ns: int  # until the last of its rows was answered
    rows: int


def _queries(trace: bytes) -> list[_Query]:
    """In the order of arrival."""
    found = dict[int, _Query]()
    for due, number, took in _SAMPLE.findall(trace):
        known = found.get(int(number), _Query(float(due), 0, 0))
        found[int(number)] = _Query(known.due_us, max(known.took_ns, int(took)), known.rows + 1)
    return sorted(found.values())


def _said(log: Path) -> dict[str, Any]:
    lines = (line.partition(":::MLLOG ")[2] for line in log.read_text(encoding="utf-8").splitlines())
    found = [json.loads(line) for line in lines if line]
    return {one["key"]: one["value"] for one in found}
