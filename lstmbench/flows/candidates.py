"""What an export could be: each form in each precision, written, judged by its cost, checked and timed."""

from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median
from typing import NamedTuple, get_args

from lstmbench.arrays import Tokens
from lstmbench.bench import Effort
from lstmbench.errors import ExportError
from lstmbench.export import Storage, export, forms_of
from lstmbench.export.forms import MOST_STEPS
from lstmbench.export.place import demand_free
from lstmbench.flows.assess import assess
from lstmbench.model import folder as model_folder
from lstmbench.records import ExportedModel, Form, Head, Precision, Workload
from lstmbench.runtimes import on_device
from lstmbench.samples import Case, cases

# of two equal ones, one is slower in all eight once in 128
_EFFORT = Effort(processes=8, rounds=1, budget_s=1.0, twins=False, weigh=False)


class Wish(NamedTuple):
    """What an export is for; None where it is to be chosen."""

    head: Head | None
    form: Form | None
    precision: Precision | None
    workload: Workload
    runtime: str
    threads: int
    max_loss: float  # of perplexity, with 95 % confidence; of head `layer` the relative error of its outputs
    lengths: bool = False  # whether the file takes those of its rows
    storage: Storage = Storage()  # how what is kept is written


class Candidate(NamedTuple):
    """One form in one precision: what it costs, how fast it is, or why it is out."""

    form: Form
    precision: Precision
    loss: float | None = None
    case: Case | None = None  # its samples
    refused: str = ""

    @property
    def p50_s(self) -> float | None:
        """The median of its processes' medians."""
        return median(self.case.medians_s) if self.case else None


def exported(
    path: Path, copy: Path, wish: Wish, held_out: Tokens | None, progress: Callable[[str], None]
) -> list[tuple[Candidate, ExportedModel | None]]:
    """Write every candidate into a copy of the folder, as it would be kept; what may not be kept has its reason."""
    done = list[tuple[Candidate, ExportedModel | None]]()
    for form in _forms(path, wish):
        for precision in [wish.precision] if wish.precision else get_args(Precision):
            progress(f"exporting {form}-{precision}")
            try:
                made = export(
                    copy,
                    head=wish.head,
                    form=form,
                    precision=precision,
                    lengths=wish.lengths,
                    held_out=held_out,
                    storage=wish.storage,
                )
                demand_free(path, made.record, force=wish.storage.force)
            except ExportError as error:
                done.append((Candidate(form, precision, refused=str(error)), None))
            else:
                done.append((_judged(form, made, wish.max_loss), made))
    return done


def _forms(path: Path, wish: Wish) -> Sequence[Form]:
    """Those with T open, and of a fixed T the one that the workload calls; ExportError where there is no choice.

    One step a call is `step`. More of them stand in the graph for runtimes of a device alone: there control flow goes
    back to the host at each step, and a graph without it can be captured.
    """
    if wish.form == "generate":
        raise ExportError("form 'generate' is not chosen by measuring: name its --precision")
    if wish.form:
        return [wish.form]
    model = model_folder.read(path).folder.model
    known = forms_of(model.peephole, attention=model.attention and wish.head != "layer")
    steps = wish.workload.chunks[0]
    fixed = ["step"] if steps == 1 else []
    if 1 < steps <= MOST_STEPS and on_device(wish.runtime):
        fixed = [f"unrolled{steps}"]
    fixed = fixed if "step" in known else []  # what cannot take one step a call cannot be written out either
    return [form for form in known if form not in ("step", "unrolledN", "generate")] + fixed


def _judged(form: Form, made: ExportedModel, max_loss: float) -> Candidate:
    precision, quality = made.record.precision, made.record.quality
    if precision == "fp32":
        return Candidate(form, precision, loss=0.0)
    if quality is None:
        return Candidate(form, precision, refused="what it costs is not measured: no held-out text is at hand")
    loss = quality.relative_error if quality.perplexity is None else quality.perplexity_change_at_most
    if loss is None:
        return Candidate(form, precision, refused="what it costs cannot be told: the model's own outputs are all zero")
    refused = "" if loss <= max_loss else f"costs up to {loss:.2%}, more than {max_loss:.2%}"
    return Candidate(form, precision, loss=loss, refused=refused)


def timed(
    path: Path,
    wish: Wish,
    exported: Sequence[tuple[Candidate, ExportedModel | None]],
    progress: Callable[[str], None],
) -> list[Candidate]:
    """Check and time what is not out yet."""
    models = [made for candidate, made in exported if made is not None and not candidate.refused]
    found = dict[tuple[str, str], Case]()
    if models:
        _, rows = assess(
            models,
            [wish.runtime],
            [wish.workload],
            run=path.parent / "run",
            threads=[wish.threads],
            effort=_EFFORT,
            progress=progress,
        )
        found = {(case.subject.form, case.subject.precision): case for case in cases(rows)}
    return [_with_samples(candidate, found.get(candidate[:2])) for candidate, _ in exported]


def _with_samples(candidate: Candidate, case: Case | None) -> Candidate:
    if candidate.refused:
        return candidate
    if case is None:
        return candidate._replace(refused="it cannot be asked for this workload")
    return candidate._replace(refused=case.refused) if case.refused else candidate._replace(case=case)
