"""Runs made in code: every subject, shape and count of samples is known to the tests."""

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from msgspec.structs import replace

from lstmbench import disk
from lstmbench.records import Load, Machine, Measurement, ParityRow, Placement, Subject, Timing, Workload

CRASHED = "runtime 'torch' crashed: killed by signal 9; take a smaller batch"
OUT_OF_BOUND = "logits[0, 3, 41] is 0.75, not 0.5"


LOAD = Load(at="2025-11-23T14:20:03+00:00", load_average=(0.3, 0.2, 0.1), cpu_mhz=2400.0)


def machine(**changes):
    fields = {
        "cpu": "Test CPU",
        "instruction_sets": ("avx2",),
        "cores_usable": 2,
        "cores_physical": None,
        "memory_bytes": 8 * 2**30,
        "system": "Linux 6.1",
        "python": "3.11.7",
        "governor": None,
        "versions": {"numpy": "2.1.0"},
        "before": LOAD,
        "after": LOAD,
    }
    return Machine(**fields | changes)


def subject(runtime="numpy", peephole="full", **changes):
    form = "scan" if peephole == "full" else "lstm"
    fields = {
        "model": f"kjv-{peephole}/{form}-fp32",
        "model_sha256": "ab" * 32,
        "head": "lm",
        "peephole": peephole,
        "form": form,
        "precision": "fp32",
        "runtime": runtime,
        "runtime_version": "1.2.3",
        "code_sha256": "cd" * 32,
        "threads": 1,
        "placement": (Placement(provider="CPUExecutionProvider", operator="LSTM", nodes=2),)
        if runtime.startswith("onnx")
        else (),
    }
    return Subject(**fields | changes)


def parity(of, output="logits", error=1e-6, **changes):
    fields = {
        "batch": 2,
        "time": 16,
        "chunks": (5, 1, 10),
        "max_error": error,
        "float32_error": 5e-7,
        "bound": 4e-6,
        "worst_index": (0, 3, 41),
        "got": 0.5,
        "want": 0.5 + (error or 0),
    }
    return ParityRow(subject=of, output=output, **fields | changes)


def checked(of, **changes):
    return [parity(of, output, **changes) for output in ("logits", "h_n", "c_n")]


def vouching(rows, measurements):
    """The rows, and those of the very calls that were timed, with the same errors and with none of their failures."""
    added = [
        replace(row, batch=work.batch, time=work.steps, chunks=work.chunks, state="none", decoding=work.decoding)
        for work in dict.fromkeys(one.workload for one in measurements)
        for row in rows
        if row.subject.identity in {one.subject.identity for one in measurements if one.workload == work}
    ]
    return [*rows, *added]


def timing(n, *, median_s=1e-3, seed=0, rounds=3, session=LOAD, fresh=True, **changes):
    in_turns = np.argsort(np.argsort(np.arange(n) * 0.6180339887 % 1))  # no two neighbours alike: worth their number
    sample_s = np.sort(median_s * (1 + 0.1 * np.random.default_rng(seed).random(n))).round(9)[in_turns].tolist()
    parts = [n // rounds] * (rounds - 1)
    fields = {
        "session": session,
        "fresh": fresh,
        "budget_s": 0.5,
        "spawn_s": 0.125,
        "load_s": 0.25,
        "warmup_s": (0.008, 0.002),
        "steady": True,
        "wall_s": sum(sample_s),
        "cpu_s": sum(sample_s),
        "start_s": tuple(np.cumsum(sample_s).tolist()),
        "sample_s": tuple(sample_s),
        "rounds": (*parts, n - sum(parts)),
    }
    return Timing(**fields | changes)


def measured(of, n=101, *, kind="score", batch=1, time=16, process=0, **changes):
    workload = Workload(kind=kind, batch=batch, time=time)
    if "refused" in changes:
        return Measurement(
            machine=machine().fingerprint, subject=of, workload=workload, process=process, timing=None, **changes
        )
    fresh = (kind, batch, time) == ("score", 1, 16)
    timed = timing(n, **{"fresh": fresh, "seed": process} | changes)
    return Measurement(machine=machine().fingerprint, subject=of, workload=workload, process=process, timing=timed)


def write(run, *, parity_rows, measurements, machine=machine()):  # noqa: B008 (frozen)
    run.mkdir(parents=True, exist_ok=True)
    disk.write_record(run / "machine.json", machine)
    parity_rows = vouching(parity_rows, measurements)
    for name, rows in (("parity.jsonl", parity_rows), ("measurements.jsonl", measurements)):
        (run / name).unlink(missing_ok=True)
        for row in rows:
            disk.append_record(run / name, row)
    return run


def whole():
    """Two cells on three runtimes: one row crashed, one export failed its check, one was never checked."""
    good = [subject(runtime, cell) for cell in ("full", "diagonal") for runtime in ("numpy", "onnxruntime-cpu")]
    failed, unchecked = subject("torch", "diagonal"), subject("torch", "full")
    rows = [row for of in good for row in checked(of)]
    rows += [parity(failed, error=0.25, reason=OUT_OF_BOUND), parity(failed, "h_n"), parity(failed, "c_n")]
    times = [
        measured(of, 10 if batch == 8 else 501, batch=batch, time=time, median_s=1e-4 * batch * time)
        for of in [*good, failed, unchecked]
        for batch in (1, 8)
        for time in (16, 64)
        if (of, batch, time) != (good[0], 8, 64)
    ]
    times.append(measured(good[0], batch=8, time=64, refused=CRASHED))
    times += [measured(of, 4801, kind="decode", batch=batch, time=64) for of in good for batch in (1, 8)]
    return {"parity_rows": rows, "measurements": times}


@pytest.fixture(scope="session")
def make():
    """The makers above."""
    return SimpleNamespace(
        machine=machine,
        subject=subject,
        parity=parity,
        checked=checked,
        vouching=vouching,
        timing=timing,
        measured=measured,
        write=write,
        whole=whole,
        crashed=CRASHED,
        out_of_bound=OUT_OF_BOUND,
    )


@pytest.fixture(scope="session")
def rendered(tmp_path_factory) -> Path:
    """A run with everything that is derived from it; not to be written to."""
    from lstmbench.report import render

    run = write(tmp_path_factory.mktemp("whole") / "run", **whole())
    render(run)
    return run
