"""The child: take up one runtime, answer requests until the parent closes or is gone."""

import contextlib
import gc
import os
import select
import signal
import socket
import statistics
import threading
import time
from collections.abc import Callable
from functools import partial
from typing import cast

import msgspec
import numpy as np
from msgspec.structs import replace

from lstmbench import errors, host
from lstmbench.arrays import Floats, State, Tokens
from lstmbench.records import ExportedModel, Workload
from lstmbench.runtimes import Draws, Runtime, digest, load, takes_lengths
from lstmbench.worker import acquaintance, arrivals, carried, kinds, memory, messages, roof, timing, wire
from lstmbench.worker.graph_session import GraphSession
from lstmbench.worker.messages import (
    Answer,
    Failure,
    FindRoof,
    Footprint,
    Generate,
    Load,
    LoadGraph,
    Measure,
    Meet,
    Outcome,
    Reply,
    Request,
    Run,
    Samples,
    Serve,
    Weigh,
    WorkerInfo,
)
from lstmbench.worker.request import WholeRows
from lstmbench.worker.shapes import demand_answer, demand_placement, demand_tokens, lengths_of

_WARM_S = 0.2  # before queries arrive
_WEIGHED = 3  # steps: the first may take more than those that follow
_REQUESTS: msgspec.msgpack.Decoder[Request] = msgspec.msgpack.Decoder(Request)


class Session:
    """The runtime that this process holds, and the model in it."""

    def __init__(self, request: Load) -> None:
        begin_s, self._empty_bytes = time.perf_counter(), memory.resident_bytes()
        self.exported: ExportedModel = request.exported
        adapter = load(request.runtime)
        if request.exported.draws and not callable(getattr(adapter, "generate", None)):
            raise errors.WorkerError(f"runtime {request.runtime!r} cannot draw tokens: it takes no form 'generate'")
        if request.exported.record.lengths and not takes_lengths(adapter):
            raise errors.WorkerError(
                f"runtime {request.runtime!r} takes no lengths: give it an export that was made without --lengths"
            )
        self.runtime: Runtime = adapter(request.exported, threads=request.threads)
        self._taken_s, self._load_s = begin_s, time.perf_counter() - begin_s
        self._goes_on = carried.GoesOn(self.runtime)
        self._watch: memory.Watch | None = None
        gc.freeze()  # what was imported stays: each measurement collects first, over torch's modules that takes 0.15 s

    def info(self) -> WorkerInfo:
        """What the parent is told once the runtime is ready."""
        return WorkerInfo(
            version=str(self.runtime.version),
            code_sha256=digest(type(self.runtime)),
            taken_s=self._taken_s,
            load_s=self._load_s,
            placement=demand_placement(self.runtime.placement()),
            provider=str(getattr(self.runtime, "provider", "")),
            device=str(getattr(self.runtime, "device", "")),
        )

    def answer(self, request: Request) -> Reply:
        """Serve one request."""
        match request:
            case Run():
                return self._run(request)
            case Generate():
                return self._generate(request)
            case Measure():
                return self._measure(request)
            case Weigh():
                return self._weigh(request)
            case Serve():
                return self._serve(request)
        raise AssertionError(request)

    def close(self) -> None:
        """Release what the engine holds."""
        self.runtime.close()

    def _generate(self, request: Generate) -> Answer:
        prompt, (uniform,) = messages.unpack(request.prompt), messages.unpack_floats(request.uniform)
        answer = cast("Draws", self.runtime).generate(
            prompt.astype(np.int64), _state(request), uniform, temperature=request.temperature, top_k=request.top_k
        )
        tokens, after = demand_tokens(self.exported.model, answer, batch=len(prompt), count=uniform.shape[1])
        return Answer(output=messages.pack(tokens), state=messages.pack_state(after))

    def _run(self, request: Run) -> Answer:
        inputs, state = messages.unpack(request.inputs), _state(request)
        batch, steps = inputs.shape[:2]
        answer = self._goes_on.run(inputs, state, messages.unpack_lengths(request.lengths))
        output, after = demand_answer(self.exported.model, answer, batch=batch, time=steps)
        return Answer(output=messages.pack(output), state=messages.pack_state(after))

    def _weigh(self, request: Weigh) -> Footprint:
        watch = self._watch = self._watch or memory.Watch()
        make = self._work(request)
        work, peak_bytes = make(), 0
        for _ in range(_WEIGHED):
            watch.restart()
            work.step()
            peak_bytes = max(peak_bytes, watch.peak_bytes())
            work.settle()  # our own look at the answer takes memory too, which is not the runtime's
        return Footprint(empty_bytes=self._empty_bytes, idle_bytes=watch.idle_bytes, peak_bytes=peak_bytes)

    def _serve(self, request: Serve) -> Outcome:
        asked = request.asked
        workload = Workload(kind="score", batch=asked.batch, time=asked.time)
        made = self._made(workload, messages.unpack(request.inputs))
        warm = timing.measure(
            made, clock=time.perf_counter, warmup_s=_WARM_S, budget_s=_WARM_S, min_samples=3, max_samples=1000
        )
        work = made()
        with timing.no_garbage_collection():
            served = arrivals.serve(work.step, statistics.median(warm.sample_s), asked)
        work.settle()
        return Outcome(served=served)

    def _work(self, request: Measure | Weigh) -> Callable[[], timing.Work]:
        """What makes the workload of a request, from its start."""
        return self._made(request.workload, messages.unpack(request.inputs))

    def _made(self, given: Workload, inputs: Tokens | Floats) -> Callable[[], timing.Work]:
        ends = lengths_of(self.exported, given)
        if (given.kind, given.region) == ("decode", "end-to-end") and carried.carries(self.runtime):
            return partial(carried.CarriedDecode, self.runtime, self.exported.model, given, inputs, ends)
        runtime = timing.with_lengths(self.runtime, ends)
        if given.kind == "request" and self.exported.record.lengths:
            runtime = WholeRows(self.runtime)
        return partial(kinds.WORK[given.kind, given.region], runtime, self.exported.model, given, inputs)

    def _measure(self, request: Measure) -> Samples:
        before = host.moment()
        samples = timing.measure(
            self._work(request),
            clock=time.perf_counter,
            warmup_s=request.warmup_s,
            budget_s=request.budget_s,
            min_samples=request.min_samples,
            max_samples=request.max_samples,
            repeats=request.repeats,
        )
        after = host.moment()
        told = None not in (before.stolen_s, after.stolen_s)
        return replace(
            samples,
            stolen_s=max(0.0, (after.stolen_s or 0.0) - (before.stolen_s or 0.0)) if told else None,
            spent_s=max(0.0, after.spent_s - before.spent_s),
            cpu_mhz=host.cpu_mhz(),
        )


def _state(request: Run | Generate) -> State | None:
    return None if request.state is None else State(*messages.unpack_floats(*request.state))


def serve(channel: socket.socket) -> None:
    """Answer until the parent says close, or is gone."""
    threading.Thread(target=_end_with_parent, args=(channel.fileno(),), daemon=True).start()
    session: Session | GraphSession | None = None
    try:
        while not isinstance(request := wire.receive(channel, _REQUESTS), messages.Close):
            try:
                if isinstance(request, Meet):
                    reply: Reply = acquaintance.met(request)
                elif isinstance(request, Load | LoadGraph):
                    session = Session(request) if isinstance(request, Load) else GraphSession(request)
                    reply = session.info()
                elif isinstance(request, FindRoof):
                    reply = roof.rates(request.weight_bytes)
                else:
                    assert session is not None, "the parent loads first"
                    reply = session.answer(request)
            except Exception as error:  # noqa: BLE001 (an adapter may raise anything; the parent is told)
                reply = failure(error)
            wire.send(channel, reply)
    except (EOFError, OSError):  # the parent is gone
        return
    if session is not None:
        session.close()


def failure(error: Exception) -> Failure:
    """An error in one line: ours as it is, anything else as a WorkerError with its type."""
    message = " ".join(str(error).split())
    if isinstance(error, errors.LstmbenchError):
        ours = next(kind for kind in type(error).__mro__ if kind.__module__ == errors.__name__)
        return Failure(error=ours.__name__, message=message)
    return Failure(error="", message=f"{type(error).__name__}: {message}" if message else type(error).__name__)


def _end_with_parent(descriptor: int) -> None:
    """Leave at once when the parent dies, even from the midst of a long call, and take along what was started."""
    poll = select.poll()
    poll.register(descriptor, 0)  # 0: hang-up alone is reported, never data
    poll.poll()
    with contextlib.suppress(ProcessLookupError):  # no group is ours if somebody started this module by hand
        os.killpg(os.getpid(), signal.SIGKILL)
    os._exit(1)
