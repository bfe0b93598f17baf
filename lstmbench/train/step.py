"""One update: forward, backward, clipping, the optimizer, the average."""

import math

import torch
from torch.nn import functional

from lstmbench.corpus import IGNORED
from lstmbench.errors import CheckpointError
from lstmbench.records import TrainConfig
from lstmbench.train.batches import Batch
from lstmbench.train.journals import TrainingRow
from lstmbench.train.resume import Position, Trainer
from lstmbench.train.schedule import learning_rate


def take_step(trainer: Trainer, batch: Batch, config: TrainConfig, position: Position) -> TrainingRow:
    """One update on the tokens (B, T) of all processes; the state is carried to the next."""
    if batch.fresh:
        for tensor in trainer.state:
            tensor.zero_()
    with torch.autocast("cpu", torch.bfloat16, enabled=config.precision == "bf16"):
        logits, state = trainer.forward(batch.x, (trainer.state[0], trainer.state[1]), batch.lengths)
    # weighted, so that the mean over processes, which is what gradients become, is that over tokens
    loss = batch.weight * functional.cross_entropy(
        logits.float().flatten(0, 1), batch.y.flatten(), ignore_index=IGNORED
    )
    trainer.optimizer.zero_grad(set_to_none=True)
    # nothing bounds c: in every cell some units drift off, and in `full`, where each c opens its own gates, all of them
    torch.autograd.backward(loss + config.cell_penalty * state[1].square().mean())
    norm = torch.nn.utils.clip_grad_norm_(trainer.model.parameters(), config.clip_norm)
    nats = trainer.processes.totals([loss.item() / trainer.processes.share.size])[0]
    if not (math.isfinite(nats) and torch.isfinite(norm)):
        step = position.step + 1
        raise CheckpointError(f"training diverged at step {step}; start again with a lower --learning-rate")
    rate = learning_rate(position.step, config)
    for group in trainer.optimizer.param_groups:
        group["lr"] = rate * group["scale"]
    trainer.optimizer.step()
    if trainer.average is not None and (position.averaging or config.besides.average == "ema"):
        trainer.average.update_parameters(trainer.model)
    for kept, new in zip(trainer.state, state, strict=True):
        kept.copy_(new.detach())
    return TrainingRow(step=position.step + 1, train_nats=nats, learning_rate=rate, gradient_norm=norm.item())
