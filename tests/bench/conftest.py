# ruff: noqa: ARG002 (the signatures are the worker's)
import contextlib
import itertools
from typing import ClassVar

import pytest

from lstmbench.errors import AnswerError, WorkerError
from lstmbench.records import Clearance, ExportedModel, ModelConfig, Subject, Workload
from lstmbench.worker import Footprint, Rates, Samples, WorkerInfo


class Stage:
    """The script that fake workers follow, and the log of what they did; time passes only while they run."""

    def __init__(self) -> None:
        self.now_s = 100.0
        self.loaded: list[str] = []
        self.workers: list[FakeWorker] = []
        self.closed: list[str] = []
        self.took: list[tuple[str, Workload, float]] = []  # who, what, warm-up
        self.granted: list[tuple[float, int, int]] = []  # budget, least and most samples
        self.weighed: list[tuple[str, Workload]] = []
        self.step_s = itertools.repeat(0.01)
        self.crashes: set[tuple[str, str]] = set()  # runtime and kind of workload
        self.turns_to_nan: set[str] = set()
        self.does_not_load: set[str] = set()
        self.starts_another: set[str] = set()  # that compute in a process which theirs has started
        self.version = "1.0"


class FakeWorker:
    stage: Stage

    @property
    def pid(self) -> str:
        return self.runtime

    def __init__(self, runtime: str, exported: ExportedModel, *, threads: int) -> None:
        self.runtime = runtime
        self.stage.workers.append(self)
        self.stage.loaded.append(runtime)
        if runtime in self.stage.does_not_load:
            raise WorkerError(f"runtime {runtime!r} crashed (SIGSEGV) while loading")
        self.info = WorkerInfo(
            version=self.stage.version, code_sha256="cd" * 32, taken_s=self.stage.now_s, load_s=0.5, placement=()
        )
        self.spawn_s = 0.25

    def measure(self, workload, inputs, *, warmup_s, budget_s, min_samples, max_samples, repeats) -> Samples:
        self.stage.took.append((self.runtime, workload, warmup_s))
        self.stage.granted.append((budget_s, min_samples, max_samples))
        if (self.runtime, workload.kind) in self.stage.crashes:
            raise WorkerError(f"runtime {self.runtime!r} crashed (SIGSEGV) while timing {workload.kind}")
        if self.runtime in self.stage.turns_to_nan:
            raise AnswerError("logits holds NaN or infinity while it is timed")
        steps = list(itertools.islice(self.stage.step_s, 3))
        starts = [self.stage.now_s + before for before in itertools.accumulate(steps[:-1], initial=0.0)]
        self.stage.now_s += sum(steps)
        return Samples(
            warmup_s=(0.02,) * (2 if warmup_s else 1),
            start_s=tuple(starts),
            sample_s=tuple(steps),
            steady=True if warmup_s else None,
            wall_s=sum(steps),
            cpu_s=sum(steps),
        )

    def weigh(self, workload, inputs) -> Footprint:
        self.stage.weighed.append((self.runtime, workload))
        if (self.runtime, workload.kind) in self.stage.crashes:
            raise WorkerError(f"runtime {self.runtime!r} crashed (SIGSEGV) while weighing {workload.kind}")
        return Footprint(empty_bytes=10, idle_bytes=100, peak_bytes=workload.batch * workload.time)

    def __enter__(self):
        return self

    def __exit__(self, *_error) -> None:
        self.close()

    def close(self) -> None:
        self.stage.closed.append(self.runtime)


class FakeGauge(contextlib.nullcontext):
    asked: ClassVar[list[tuple[int, int]]] = []  # threads and bytes, since the stage was set

    def __init__(self, *, threads: int) -> None:
        super().__init__(self)
        self.threads = threads

    def rates(self, weight_bytes: int) -> Rates:
        self.asked.append((self.threads, weight_bytes))
        return Rates(operations_per_s=1e9 + weight_bytes, bytes_per_s=1e6 * weight_bytes)


@pytest.fixture
def stage(monkeypatch) -> Stage:
    stage = Stage()
    for module in ("contender", "weigh"):
        monkeypatch.setattr(f"lstmbench.bench.{module}.Worker", FakeWorker)
    monkeypatch.setattr("lstmbench.bench.weigh._on_disk", lambda _exported: 1000)
    monkeypatch.setattr("lstmbench.bench.weigh._started_by", lambda pid: pid in stage.starts_another)
    monkeypatch.setattr("lstmbench.bench.roofs.Gauge", FakeGauge)
    monkeypatch.setattr(FakeGauge, "asked", [])
    stage.gauge = FakeGauge
    monkeypatch.setattr(FakeWorker, "stage", stage, raising=False)
    stage.kind = FakeWorker
    return stage


@pytest.fixture
def cleared(recorded):
    """What a check says of an export on some runtimes."""

    def cleared(*runtimes: str, refused: str = "", head: str = "lm", version: str = "1.0") -> list[Clearance]:
        sizes = {"peephole": "full", "input_size": 3, "hidden_size": 4, "vocabulary_size": 5 if head == "lm" else 0}
        model = recorded(ModelConfig(head=head, **sizes), file=f"scan-{head}.onnx")
        return [
            Clearance(
                exported=model,
                subject=Subject(
                    model=model.name,
                    model_sha256=model.record.sha256,
                    head=head,
                    peephole="full",
                    form="scan",
                    precision="fp32",
                    runtime=runtime,
                    runtime_version=version,
                    code_sha256="cd" * 32 if version else "",
                    threads=1,
                ),
                refused=refused,
            )
            for runtime in runtimes
        ]

    return cleared
