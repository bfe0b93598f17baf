"""The journals for TensorBoard, in `tensorboard/` of the model's folder."""

import importlib.util
from pathlib import Path
from typing import TYPE_CHECKING

from lstmbench.errors import RuntimeMissingError
from lstmbench.train.journals import FlowRow, TrainingRow

if TYPE_CHECKING:
    from torch.utils.tensorboard import SummaryWriter

FOLDER = "tensorboard"


def demand_board() -> None:
    """RuntimeMissingError if TensorBoard is not here."""
    if importlib.util.find_spec("tensorboard") is None:
        raise RuntimeMissingError("--tensorboard needs the extra 'tensorboard': pip install 'lstmbench[tensorboard]'")


class Board:
    """Rows as they come; what an earlier run wrote of the same steps and later ones is no longer shown."""

    def __init__(self, model: Path) -> None:
        self._folder = model / FOLDER
        self._writer: SummaryWriter | None = None

    def show(self, row: TrainingRow, reached: FlowRow | None) -> None:
        """A row of `training.jsonl`, and of `gradients.jsonl` where there is one."""
        for name in ("train_nats", "learning_rate", "gradient_norm"):
            self._scalar(f"train/{name}", getattr(row, name), row.step)
        if row.valid is not None:
            self._scalar("valid/nats", row.valid.nats, row.step)
            self._scalar("valid/perplexity", row.valid.perplexity, row.step)
        if row.sample:
            self._opened(row.step).add_text("sample", f"```\n{row.sample}\n```", row.step)

        if reached is not None:
            self._flow(reached)

    def _flow(self, row: FlowRow) -> None:
        for k, norm in enumerate(row.layers):
            self._scalar(f"weights/layer {k}", norm, row.step)
        for one in row.reaches:
            for state in "hc":
                name = f"gradient to {state} of layer {one.layer}/{one.distance} steps before"
                self._scalar(name, getattr(one, state), row.step)

    def close(self) -> None:
        """Write what is held back."""
        if self._writer is not None:
            self._writer.close()

    def _scalar(self, name: str, number: float, step: int) -> None:
        self._opened(step).add_scalar(name, number, step)

    def _opened(self, step: int) -> "SummaryWriter":
        if self._writer is None:
            from torch.utils.tensorboard import SummaryWriter

            self._writer = SummaryWriter(self._folder, purge_step=step)
        return self._writer
