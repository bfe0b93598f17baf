"""`resume.safetensors`: everything that the next step depends on, so that a killed run goes on as if nothing was."""

from pathlib import Path
from typing import NamedTuple

import msgspec
import torch
from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel
from torch.optim.swa_utils import AveragedModel

from lstmbench import disk
from lstmbench.errors import CheckpointError
from lstmbench.model.language_model import LanguageModel
from lstmbench.records import Count, Record, TrainConfig
from lstmbench.train.averages import new_average
from lstmbench.train.processes import Processes

FILE = "resume.safetensors"


class Position(Record, frozen=True, kw_only=True):
    """How far training has come."""

    step: Count = 0  # steps done
    best_nats: float | None = None
    since_best: Count = 0  # validations
    averaging: bool = False  # of weights, by nt-asgd: it has begun


_HEADER_BYTES = 2**20  # of the file, above what its tensors take


class Trainer(NamedTuple):
    """What training changes, apart from its position."""

    model: LanguageModel
    optimizer: torch.optim.AdamW
    state: list[Tensor]  # h and c (L, B, H) of this process, carried from one step to the next
    average: AveragedModel | None  # of the weights, over steps
    forward: nn.Module  # the model; with several processes, what makes their gradients one
    processes: Processes


def new_trainer(model: LanguageModel, config: TrainConfig, processes: Processes) -> Trainer:
    """Matrices decay, vectors and the embedding do not; full peepholes learn at a rate of their own."""
    groups = [
        {"params": [p], "weight_decay": _decay(name, p, config), "scale": _scale(name, p, config)}
        for name, p in model.named_parameters()
    ]
    optimizer = torch.optim.AdamW(groups, lr=config.learning_rate, betas=(0.9, 0.99))
    shape = model.config.state_shape(config.batch // processes.share.size)
    state = [torch.zeros(shape), torch.zeros(shape)]
    return Trainer(model, optimizer, state, new_average(model, config), joint(model, processes), processes)


def joint(model: LanguageModel, processes: Processes) -> nn.Module:
    """The model, whose backward pass leaves the mean of all processes' gradients in each."""
    return model if processes.share.size == 1 else DistributedDataParallel(model)


def _decay(name: str, parameter: Tensor, config: TrainConfig) -> float:
    return config.weight_decay if parameter.dim() > 1 and not name.startswith("embedding") else 0.0


def _scale(name: str, parameter: Tensor, config: TrainConfig) -> float:
    # the c of a unit keeps its sign for long, so that a row of the matrix, moved by Adam's equal steps, moves its gate
    # as a bias would at a rate times the sum of |c|: at the common rate the cell learns more slowly than without it
    return config.peephole_rate if "weight_ch" in name and parameter.dim() > 1 else 1.0


def save_position(folder: Path, trainer: Trainer, position: Position) -> None:
    """Write the file, atomically; it holds the rows of all processes."""
    tensors = {name: tensor.contiguous().clone() for name, tensor in (_whole(trainer) | _tensors(trainer)).items()}
    if not trainer.processes.writes:
        return
    header = {"position": msgspec.json.encode(position).decode()}
    tensors["random"] = torch.get_rng_state()
    disk.write_atomically(folder / FILE, save(tensors, metadata=header))


def load_position(folder: Path, trainer: Trainer, *, steps: int) -> Position:
    """Put everything back as it was, after at most `steps`; a folder without the file stands at step 0."""
    if not (folder / FILE).exists():
        return Position()
    _prepare(trainer)
    tensors = _whole(trainer) | _tensors(trainer) | {"random": torch.get_rng_state()}
    data = disk.read_bytes(folder / FILE, most_bytes=sum(tensor.nbytes for tensor in tensors.values()) + _HEADER_BYTES)
    try:
        saved, position = load(data), _position(data, steps)
        _demand_alike(saved, tensors)
        for name, tensor in _tensors(trainer).items():
            tensor.data.copy_(saved[name])
        for name, tensor in zip("hc", trainer.state, strict=True):
            tensor.copy_(saved[f"state.{name}"][:, trainer.processes.share.rows])
        torch.set_rng_state(saved["random"])
    except (SafetensorError, KeyError, RuntimeError, ValueError, msgspec.MsgspecError, RecursionError) as error:
        raise CheckpointError(
            f"{folder / FILE} is damaged or of another model: {error}; delete it to train from the start"
        ) from error
    return position


def forget_position(folder: Path) -> None:
    """Remove the file: training has ended."""
    if (folder / FILE).exists():
        with disk.writing(folder / FILE):
            (folder / FILE).unlink(missing_ok=True)


def _demand_alike(saved: dict[str, Tensor], here: dict[str, Tensor]) -> None:
    """ValueError unless both hold the same tensors: a copy would stretch a smaller one, and NaN never leaves again."""
    for name in sorted(saved.keys() ^ here.keys()):
        raise ValueError(f"tensor {name!r} is in one of the two only")
    for name, tensor in saved.items():
        if tensor.shape != here[name].shape or tensor.dtype != here[name].dtype:
            raise ValueError(f"{name} is {tensor.dtype} {tuple(tensor.shape)}")
        if not torch.isfinite(tensor).all():
            raise ValueError(f"{name} holds NaN or infinity")


def _position(data: bytes, steps: int) -> Position:
    # safetensors keeps its header in front: 8 bytes of length, then JSON
    header = msgspec.json.decode(data[8 : 8 + int.from_bytes(data[:8], "little")])
    position = msgspec.json.decode(header["__metadata__"]["position"], type=Position)
    if position.step > steps:
        raise ValueError(f"{position.step} steps of {steps} are done")
    return position


def _prepare(trainer: Trainer) -> None:
    """Make the optimizer create its moments, by a step that changes nothing."""
    for group in trainer.optimizer.param_groups:
        rate, group["lr"] = group["lr"], 0.0
        for parameter in group["params"]:
            parameter.grad = torch.zeros_like(parameter)
        group["rate"] = rate
    trainer.optimizer.step()
    for group in trainer.optimizer.param_groups:
        group["lr"] = group.pop("rate")


def _whole(trainer: Trainer) -> dict[str, Tensor]:
    """The state of all rows, those of other processes too."""
    return {f"state.{name}": trainer.processes.whole(state) for name, state in zip("hc", trainer.state, strict=True)}


def _tensors(trainer: Trainer) -> dict[str, Tensor]:
    named = {}
    for name, parameter in trainer.model.named_parameters():
        named[f"model.{name}"] = parameter.detach()
        moments = trainer.optimizer.state[parameter]
        named |= {f"optimizer.{name}.{kind}": moments[kind] for kind in ("step", "exp_avg", "exp_avg_sq")}
    if trainer.average is not None:
        named |= {f"average.{name}": tensor.detach() for name, tensor in trainer.average.named_parameters()}
        named["average.steps"] = trainer.average.n_averaged
    return named
