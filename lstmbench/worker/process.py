"""The parent's side: start a process that holds one runtime, ask it, and say in one line what went wrong."""

import math
from time import perf_counter

import numpy as np

from lstmbench.arrays import Floats, Lengths, State, Tokens
from lstmbench.errors import WorkerError
from lstmbench.records import Arrivals, Decoding, ExportedModel, Served, Workload
from lstmbench.units import mebibytes
from lstmbench.worker import messages, shapes, wire
from lstmbench.worker.messages import (
    Answer,
    Footprint,
    Generate,
    Load,
    Measure,
    Outcome,
    Run,
    Samples,
    Serve,
    Weigh,
    WorkerInfo,
)
from lstmbench.worker.talk import Talk

_PATIENCE = 8  # times the seconds of sending: a queue is answered to its end


class Worker(Talk):
    """One runtime with one model in a process of its own; the parent blocks while it works.

    Errors are LstmbenchErrors in one line: RuntimeMissingError or what the adapter raised while it was loaded, and
    WorkerError for any other exception, of its kind CrashError for a crash, an exit or silence of more than
    `timeout_s`. After an error the worker is closed, unless the inputs were refused before they were sent.
    """

    def __init__(self, runtime: str, exported: ExportedModel, *, threads: int = 1, timeout_s: float = 300) -> None:
        begin_s = perf_counter()
        super().__init__(runtime, threads=threads, timeout_s=timeout_s)
        self.exported = exported
        load = Load(runtime=self.chosen.name, exported=exported, threads=threads)
        self.info = self.ask(load, WorkerInfo, doing=f"loading {exported.name}", timeout_s=timeout_s)
        self.demand_version(self.info.version)
        self.spawn_s = self.info.taken_s - begin_s  # until the process took requests: one clock for all processes

    def run(
        self, inputs: Tokens | Floats, state: State | None = None, *, lengths: Lengths | None = None
    ) -> tuple[Floats, State]:
        """Tokens (B, T) -> logits (B, T, V), or x (B, T, E) -> y (B, T, D·H); state (D·L, B, H), None for zeros.

        Lengths (B,) int32, 1 to T, where the export takes them; None for T in every row.
        """
        model = self.exported.model
        shapes.demand_inputs(model, inputs)
        shapes.demand_draws(self.exported, asked=False)
        batch, time = inputs.shape[:2]
        shapes.demand_steps(self.exported, time)
        shapes.demand_state(model, state, batch=batch)
        _demand_room(inputs.nbytes, model.output_shape(batch, time), model.state_shape(batch))
        shapes.demand_lengths(self.exported, lengths, batch=batch, time=time)
        ends = shapes.all_of_one_length(self.exported, batch=batch, time=time) if lengths is None else lengths
        request = Run(
            inputs=messages.pack(inputs),
            state=None if state is None else messages.pack_state(state),
            lengths=None if ends is None else messages.pack(ends),
        )
        answer = self.ask(request, Answer, doing=f"running (B={batch}, T={time})", timeout_s=self.timeout_s)
        (output,) = messages.unpack_floats(answer.output)
        return output, State(*messages.unpack_floats(*answer.state))

    def generate(
        self, prompt: Tokens, uniform: Floats, how: Decoding, state: State | None = None
    ) -> tuple[Tokens, State]:
        """Read prompt (B, T), draw at uniform (B, N) -> tokens (B, N), and the state before the last of them.

        For form `generate` alone; `how.prompt` is not looked at. To go on, the last token is the next prompt.
        """
        model = self.exported.model
        shapes.demand_draws(self.exported, asked=True)
        shapes.demand_inputs(model, prompt)
        batch = len(prompt)
        shapes.demand_uniform(uniform, batch=batch)
        shapes.demand_state(model, state, batch=batch)
        _demand_room(prompt.nbytes + uniform.nbytes, (batch, uniform.shape[1], 2), model.state_shape(batch))
        request = Generate(
            prompt=messages.pack(prompt),
            state=None if state is None else messages.pack_state(state),
            uniform=messages.pack(uniform),
            temperature=how.temperature,
            top_k=how.top_k,
        )
        doing = f"drawing (B={batch}, N={uniform.shape[1]})"
        answer = self.ask(request, Answer, doing=doing, timeout_s=self.timeout_s)
        tokens = messages.unpack(answer.output).astype(np.int64, copy=False)
        return tokens, State(*messages.unpack_floats(*answer.state))

    def measure(  # noqa: PLR0913 (what to repeat, on what, and what ends it)
        self,
        workload: Workload,
        inputs: Tokens | Floats,
        *,
        warmup_s: float,
        budget_s: float,
        min_samples: int = 1,
        max_samples: int,
        repeats: int = 0,
    ) -> Samples:
        """Time a workload: warm up for at least `warmup_s` and one step, then sample for `budget_s` within the counts.

        `score`: inputs (B, T) or (B, T, E); a sample is one call from zero state. `decode`: tokens of B rows, whose
        first column starts each row; a sample is one step, call and argmax. `generate` starts from that column too; a
        sample is one call of `time` tokens a row, of `request` all of it. The two times are granted on top of
        `timeout_s` for each sample that must be taken. `repeats`: steps a sample, 0 for as many as the clock needs.
        """
        if not (warmup_s >= 0 and budget_s >= 0 and 1 <= min_samples <= max_samples):
            raise ValueError("times cannot be negative, and at least one sample is taken")
        shapes.demand_workload(self.exported, workload, inputs)
        request = Measure(
            workload=workload,
            inputs=messages.pack(inputs),
            warmup_s=warmup_s,
            budget_s=budget_s,
            min_samples=min_samples,
            max_samples=max_samples,
            repeats=1 if workload.kind == "request" else repeats,
        )
        doing = f"timing {workload.label}"
        return self.ask(request, Samples, doing=doing, timeout_s=self.timeout_s * min_samples + warmup_s + budget_s)

    def weigh(self, workload: Workload, inputs: Tokens | Floats) -> Footprint:
        """Memory that a workload takes, in bytes, over what the process held with the model loaded and nothing run.

        Of several in one process ask for the smaller first: engines keep what they once took.
        """
        shapes.demand_workload(self.exported, workload, inputs)
        doing = f"weighing {workload.label}"
        request = Weigh(workload=workload, inputs=messages.pack(inputs))
        return self.ask(request, Footprint, doing=doing, timeout_s=self.timeout_s)

    def serve(self, asked: Arrivals, inputs: Tokens | Floats) -> Served:
        """Answer queries of LoadGen, each of the rows `inputs` (B, T) or (B, T, E), from zero state.

        RuntimeMissingError without the extra 'loadgen'; WorkerError where they would arrive far faster than answered.
        """
        workload = Workload(kind="score", batch=asked.batch, time=asked.time)
        shapes.demand_workload(self.exported, workload, inputs)
        request = Serve(asked=asked, inputs=messages.pack(inputs))
        doing, most_s = f"serving {asked.scenario} (T={asked.time})", self.timeout_s + _PATIENCE * asked.seconds
        return self.ask(request, Outcome, doing=doing, timeout_s=most_s).served


def _demand_room(sent_bytes: int, output: tuple[int, ...], state: tuple[int, ...]) -> None:
    """Inputs and states, or output and states, must fit in one frame."""
    need_bytes = max(sent_bytes, 4 * math.prod(output)) + 2 * 4 * math.prod(state)
    if need_bytes > wire.LIMIT_BYTES - 4096:  # the rest of the message is small
        raise WorkerError(
            f"a run at (B={output[0]}, T={output[1]}) moves {mebibytes(need_bytes)}, a worker at most "
            f"{mebibytes(wire.LIMIT_BYTES)}; take a smaller batch or time"
        )
