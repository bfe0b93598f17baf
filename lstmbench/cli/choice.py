"""`lstmbench export --form auto` or `--precision auto`: what was compared, as a table, and what was kept."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from lstmbench.cli.screen import table

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from lstmbench.arrays import Tokens
    from lstmbench.flows.candidates import Candidate, Wish
    from lstmbench.flows.choose import Choice
    from lstmbench.records import ExportedModel


def share(words: str) -> float:
    """'1%' and '0.01' -> 0.01; LstmbenchError for what is no share."""
    from lstmbench.errors import LstmbenchError

    try:
        share = float(words.removesuffix("%")) / (100 if words.endswith("%") else 1)
    except ValueError:
        share = -1
    if not 0 <= share <= 1:
        raise LstmbenchError(f"--max-loss is a share such as 1% or 0.01, not {words!r}")
    return share


def demand_use(
    asked: "Mapping[str, object]", *, auto: bool, text: str | None, precision: str, head: str | None
) -> None:
    """LstmbenchError for an option that would do nothing."""
    from lstmbench.errors import LstmbenchError

    for name, value in asked.items():
        if value is not None and not auto:
            raise LstmbenchError(f"--{name} is for a choice: give --form auto or --precision auto with it")
    if text is not None and (precision == "fp32" or head == "layer"):
        raise LstmbenchError("--text scores language models below fp32: this export has nothing to score")


def wish(what: "Mapping[str, Any]", asked: "Mapping[str, Any]") -> "Wish":
    """What is to be chosen, and for which use; LstmbenchError where a number cannot be."""
    from lstmbench.bench import grid
    from lstmbench.errors import LstmbenchError
    from lstmbench.flows.candidates import Wish
    from lstmbench.records import MOST_THREADS

    threads = 1 if asked["threads"] is None else asked["threads"]
    if not 1 <= threads <= MOST_THREADS:
        raise LstmbenchError(f"cannot run on {threads} threads: give 1 to {MOST_THREADS}")
    batch, time = (default if asked[name] is None else asked[name] for name, default in (("batch", 1), ("time", 64)))
    (workload,) = grid(batches=[batch], times=[time], kinds=[asked["workload"] or "score"])
    opened = {name: None for name in ("form", "precision") if what[name] == "auto"}
    return Wish(
        **{**what, **opened},
        workload=workload,
        runtime=asked["runtime"] or "onnxruntime-cpu",
        threads=threads,
        max_loss=share(asked["max-loss"] or "1%"),
    )


def chosen(folder: Path, wish: "Wish", held_out: "Tokens | None", progress: "Callable[[str], None]") -> "ExportedModel":
    """Choose, and print what was chosen from."""
    from lstmbench.flows.choose import choose

    choice = choose(folder, wish, held_out=held_out, progress=progress)
    work = wish.workload
    title = f"{folder}: {work.label} on {wish.runtime}, {wish.threads} thread(s)"
    table(title, ["candidate", "p50 ms", "loss, at most", "verdict"], [_verdict(c, choice) for c in choice.candidates])
    return choice.kept


def _verdict(candidate: "Candidate", choice: "Choice") -> list[str]:
    p50_s, fastest_s = candidate.p50_s, choice.candidates[0].p50_s
    name = f"{candidate.form}-{candidate.precision}"
    loss = "n/a" if candidate.loss is None else f"{candidate.loss:+.2%}"
    if p50_s is None or fastest_s is None:
        return [name, "n/a", loss, candidate.refused]
    kept = choice.kept.record
    said = "kept" if (candidate.form, candidate.precision) == (kept.form, kept.precision) else ""
    said = said or ("tie" if candidate in choice.tied else f"{p50_s / fastest_s:.2f}x as long")
    return [name, f"{p50_s * 1e3:.3g}", loss, said]
