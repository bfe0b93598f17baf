"""One subject over a long run: its own state fed back, call by call, and what it is off by at the marks."""

import functools
from collections.abc import Callable, Iterator, Mapping, Sequence

import numpy as np

from lstmbench.arrays import Floats, State
from lstmbench.check.trajectories.reference import BATCH, Course, Mark, inputs
from lstmbench.records import Against, DriftRow, Subject
from lstmbench.worker import Worker


def follow(
    worker: Worker, subject: Subject, calls: Sequence[int], courses: Mapping[Against, Course]
) -> tuple[DriftRow, ...]:
    """Run freely from no state -> rows for each course of the reference, at each of its marks."""
    config, done, state = worker.exported.model, 0, None
    at = {name: {mark.step: mark for mark in course.marks} for name, course in courses.items()}
    rows: list[DriftRow] = []
    for given, steps in zip(inputs(config, calls), calls, strict=True):
        output, state = worker.run(given, state)
        done += steps
        for name, marks in at.items():
            if done in marks:
                known = functools.partial(
                    DriftRow,
                    subject=subject,
                    steps=sum(calls),
                    batch=BATCH,
                    against=name,
                    lyapunov=courses[name].lyapunov,
                    step=done,
                )
                rows += _rows(known, config.output_names[0], marks[done], output[:, -1], state)
    return tuple(rows)


def _rows(row: Callable[..., DriftRow], name: str, mark: Mark, output: Floats, state: State) -> Iterator[DriftRow]:
    """Of the output, h and c."""
    for what, got, want in ((name, output, mark.output), ("h", state.h, mark.h), ("c", state.c, mark.c)):
        error = np.abs(got - want)
        finite = bool(np.isfinite(error).all())
        most, half = (float(error.max()), float(np.median(error))) if finite else (None, None)
        yield row(output=what, max_error=most, median_error=half)
