"""A run as pytest-benchmark writes one, for what reads such files: `pytest-benchmark compare`, and services for CI.

Only what passed its check is in it. The format asks for a mean and a deviation of every row, which are those of the
samples; what the samples carry by lstmbench's own rules stands in `extra_info`, and is null where they do not.
"""

import json
import math
from collections.abc import Sequence
from statistics import fmean, stdev
from typing import Any

import numpy as np

from lstmbench.plain import plain
from lstmbench.records import Machine
from lstmbench.report import wording
from lstmbench.report.comparison import vouched
from lstmbench.report.raw import Raw
from lstmbench.report.speed import SpeedLine
from lstmbench.report.subjects import key
from lstmbench.report.terminal import subject_name
from lstmbench.samples import Case

NAME = "pytest-benchmark.json"
_VERSION = "5.3.1"  # of the format that this is


def pytest_benchmark(recorded: Raw, speed: Sequence[SpeedLine]) -> bytes:
    """The whole file; `speed` are the lines of the same run."""
    machine, lines = recorded.machine, {line.key: line for line in speed}
    document = {
        "machine_info": _machine(machine),
        "commit_info": {"id": "unversioned", "time": None, "author_time": None, "dirty": False, "branch": "(unknown)"},
        "benchmarks": [
            _row(case, lines[key(case.subject, case.workload)]) for case in vouched(recorded) if _sampled(case)
        ],
        "datetime": (machine.after or machine.before).at,
        "version": _VERSION,
    }
    return json.dumps(document, indent=1, allow_nan=False).encode() + b"\n"


def _sampled(case: Case) -> bool:
    return sum(map(len, case.parts_s)) > 1


def _machine(machine: Machine) -> dict[str, Any]:
    """The fields that `pytest-benchmark` fills and compares, as far as a run knows them."""
    system = machine.system.partition(" ")
    return {
        "node": "",
        "processor": machine.cpu,
        "machine": "",
        "python_implementation": "CPython",
        "python_version": machine.python,
        "release": system[2],
        "system": system[0],
        "cpu": {"brand_raw": machine.cpu, "count": machine.cores_usable},
    }


def _row(case: Case, line: SpeedLine) -> dict[str, Any]:
    work, name = case.workload, plain(subject_name(line.subject)).replace(" · ", "-")
    kind, shape = (
        wording.workload(line.workload, line.region),
        _ascii(work.shape),
    )
    title = f"{kind}[{name}-{shape}]"
    return {
        "group": f"{kind} {shape}",
        "name": title,
        "fullname": f"lstmbench::{title}",
        "params": {"export": wording.export(line.subject), "runtime": line.subject.runtime} | _shape(line),
        "param": f"{name}-{shape}",
        "extra_info": _extra(line),
        "options": {
            "disable_gc": True,
            "timer": "perf_counter",
            "min_rounds": 1,
            "max_time": max(timing.budget_s for timing in case.timings),
            "min_time": 0.0,
            "warmup": True,
        },
        "stats": _stats([s for part in case.parts_s for s in part]) | {"iterations": case.repeats},
    }


def _ascii(shape: str) -> str:
    return shape.replace("×", "x").replace("–", "-")


def _shape(line: SpeedLine) -> dict[str, int]:
    return {"batch": line.batch, "time": line.time, "threads": line.subject.threads}


def _extra(line: SpeedLine) -> dict[str, Any]:
    """What lstmbench says of it: null where the samples do not carry it."""
    told = ("processes", "p50_ms", "p90_ms", "p99_ms", "p999_ms", "tokens_per_s", "max_error", "error_to_bound")
    return {name: getattr(line, name) for name in told} | {"version": line.subject.version, "remarks": line.remarks}


def _stats(samples: list[float]) -> dict[str, Any]:
    """What the format names, of all processes' samples; outliers by Tukey's fences and by one deviation."""
    q1, middle, q3 = (float(q) for q in np.quantile(samples, (0.25, 0.5, 0.75)))
    mean, deviation, iqr = fmean(samples), stdev(samples), q3 - q1
    low, high = q1 - 1.5 * iqr, q3 + 1.5 * iqr
    far = sum(not low <= s <= high for s in samples)
    astray = sum(not mean - deviation <= s <= mean + deviation for s in samples)
    return {
        "min": min(samples),
        "max": max(samples),
        "mean": mean,
        "stddev": deviation,
        "rounds": len(samples),
        "median": middle,
        "iqr": iqr,
        "q1": q1,
        "q3": q3,
        "iqr_outliers": far,
        "stddev_outliers": astray,
        "outliers": f"{astray};{far}",
        "ld15iqr": min(s for s in samples if s >= low),
        "hd15iqr": max(s for s in samples if s <= high),
        "ops": 1 / mean,
        "total": math.fsum(samples),
    }
