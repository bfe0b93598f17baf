"""A verdict on one engine without processes and files: every case of a plan, put and judged as `check` does."""

import msgspec
import numpy as np

from lstmbench.arrays import State
from lstmbench.check import asking, rows
from lstmbench.errors import WorkerError
from lstmbench.records import Subject
from lstmbench.worker.shapes import ContractError, demand_answer
from lstmbench.worker.timing import with_lengths


class Asked:
    """An adapter, held to the contract of its answers, and the answers that it gave."""

    def __init__(self, exported, runtime):
        self.exported, self._runtime = exported, runtime

    def run(self, inputs, state=None, *, lengths=None):
        answer = with_lengths(self._runtime, lengths).run(inputs, state)
        try:
            return demand_answer(self.exported.model, answer, batch=len(inputs), time=inputs.shape[1])
        except ContractError as error:
            raise WorkerError(str(error)) from error

    def generate(self, prompt, uniform, how, state=None):
        return self._runtime.generate(prompt, state, uniform, temperature=how.temperature, top_k=how.top_k)


class OfSession:
    """A session of ONNX Runtime as an adapter."""

    def __init__(self, session, model):
        self._session, self._model = session, model
        self._first = session.get_inputs()[0].name

    def run(self, inputs, state, **lengths):
        zeros = np.zeros(self._model.state_shape(len(inputs)), np.float32)
        h, c = (zeros, zeros) if state is None else state
        output, h, c = self._session.run(self._model.output_names, {self._first: inputs, "h_0": h, "c_0": c} | lengths)
        return output, State(h, c)


def subject(exported):
    record = exported.record
    return Subject(
        model=exported.name,
        model_sha256=record.sha256,
        head=record.model.head,
        peephole=record.model.peephole,
        form=record.form,
        precision=record.precision,
        runtime="planted",
        runtime_version="1",
        code_sha256="",
        threads=1,
    )


def judge(exported, oracle, cases, runtime):
    """Every row of every case."""
    worker, about = Asked(exported, runtime), subject(exported)
    for case in cases:
        question = oracle.ask(case)
        answer = asking.put(worker, case, question)
        if case.decoding:
            question = question._replace(expected=oracle.follow(case, answer[0]))
        yield from rows.judged(about, case, question, answer)


def refused(exported, oracle, cases, runtime):
    """The first row that fails, or None; nothing more is asked then."""
    return next((row for row in judge(exported, oracle, cases, runtime) if not row.passed), None)


def of_form(exported, form, *, lengths=False):
    """The same export in another form, where nothing but its plan of cases matters."""
    name = f"{form}-fp32{'-lengths' if lengths else ''}.onnx"
    return msgspec.structs.replace(
        exported, record=msgspec.structs.replace(exported.record, file=name, form=form, lengths=lengths)
    )
