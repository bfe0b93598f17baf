"""How far gradients reach: the norm of the loss's gradient with respect to states so many steps before it.

Of one token's loss at the end of T steps, δ_d = ∂L / ∂(h, c) of a layer d steps before. Where δ_d falls with d to
nothing, the layer learns nothing from so far back (vanishing); where it grows, steps are clipped away (exploding):
Hochreiter 1991; Pascanu, Mikolov & Bengio 2013. Norms are root mean squares over the rows of the batch, through
the recurrence alone: what attention reads of states further back is not counted.
"""

import itertools
import math

import torch
from torch import Tensor
from torch.nn import functional

from lstmbench.model.peephole_lstm import Hidden
from lstmbench.records import TrainConfig
from lstmbench.train.batches import Batch
from lstmbench.train.journals import FlowRow, Reach, TrainingRow
from lstmbench.train.resume import Trainer


def flow(trainer: Trainer, batch: Batch, row: TrainingRow, config: TrainConfig) -> FlowRow:
    """Measure after a step on one batch, without dropout, from the state at hand; what is trained stays as it is."""
    distances = [2**k for k in range(config.time.bit_length())]
    trainer.model.eval()
    squares, rows = _squares(trainer, batch, distances)  # (D, 2, L), (D,)
    trainer.model.train()
    count = squares.numel()
    totals = trainer.processes.totals([*squares.flatten().tolist(), *rows])
    norms = torch.tensor(totals[:count]).view_as(squares) / torch.tensor(totals[count:])[:, None, None]
    return FlowRow(
        step=row.step,
        layers=_layers(trainer, row.gradient_norm, config.clip_norm),
        reaches=tuple(
            Reach(layer=layer, distance=distance, h=float(h.sqrt()), c=float(c.sqrt()))
            for layer in range(squares.shape[2])
            for distance, (h, c), known in zip(distances, norms[:, :, layer], totals[count:], strict=True)
            if known
        ),
    )


def _layers(trainer: Trainer, norm: float, most: float) -> tuple[float, ...]:
    """The norms of the last step's gradients by layer, as they were before clipping."""
    squares = [0.0] * trainer.model.config.num_layers
    for name, parameter in trainer.model.lstm.named_parameters():
        assert parameter.grad is not None, "a step was taken"
        squares[int(name.rpartition("_l")[2])] += float(parameter.grad.double().square().sum())
    return tuple(math.sqrt(square) * max(1.0, norm / most) for square in squares)


def _squares(trainer: Trainer, batch: Batch, distances: list[int]) -> tuple[Tensor, list[int]]:
    """The sums over rows of |∂L/∂h|² and |∂L/∂c|² by distance and layer (D, 2, L), and how many rows reach so far."""
    T = batch.x.shape[1] if batch.lengths is None else int(batch.lengths.min())  # where every row has a token
    reached = [distance for distance in distances if distance <= T]
    found = torch.zeros(len(distances), 2, len(trainer.state[0]), dtype=torch.float64)
    logits, states = _in_pieces(trainer, batch, [T - distance for distance in reversed(reached)], T)
    loss = functional.cross_entropy(logits[:, -1], batch.y[:, T - 1], reduction="sum")
    gradients = torch.autograd.grad(loss, [part for state in states for part in state])
    for k, gradient in enumerate(gradients):  # of the farthest first, h before c
        found[len(reached) - 1 - k // 2, k % 2] = gradient.double().square().sum((1, 2))
    return found, [len(batch.x) * (distance <= T) for distance in distances]


def _in_pieces(trainer: Trainer, batch: Batch, cuts: list[int], T: int) -> tuple[Tensor, list[Hidden]]:
    """Run T steps, and keep the states (L, B, H) before each of the steps `cuts`, on the way to the logits."""
    h, c = (torch.zeros_like(part) if batch.fresh else part for part in trainer.state)
    if cuts[0]:
        with torch.no_grad():
            _, (h, c) = trainer.model(batch.x[:, : cuts[0]], (h, c))
    state: Hidden = h.detach().clone().requires_grad_(), c.detach().clone().requires_grad_()
    states = []
    for begin, end in itertools.pairwise([*cuts, T]):
        states.append(state)
        logits, state = trainer.model(batch.x[:, begin:end], state)
    return logits, states
