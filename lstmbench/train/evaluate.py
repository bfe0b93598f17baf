"""Score held-out text: nats a token, perplexity, bits a character."""

from collections.abc import Iterator

import torch
from torch import Tensor
from torch.nn import functional

from lstmbench.corpus import IGNORED, Split, Vocabulary, evaluation_rows
from lstmbench.corpus.lines import lines
from lstmbench.corpus.scoring import score
from lstmbench.model.dropout import Share
from lstmbench.model.language_model import LanguageModel
from lstmbench.records import Score, TrainConfig
from lstmbench.train.batches import laid_out
from lstmbench.train.processes import Processes

TIME = 256  # steps a call; the state is carried, so the score depends on them only where attention reads them


def evaluate(
    model: LanguageModel, split: Split, vocabulary: Vocabulary, config: TrainConfig, processes: Processes
) -> Score:
    """Predict every token of `split` but the first, its rows side by side, each from zero state; or line by line.

    Each process scores a part, and all get the score of the whole.
    """
    losses = _line_losses if config.besides.by_line else _stream_losses
    nats, scored = 0.0, 0
    model.eval()
    with torch.inference_mode():
        for logits, y in losses(model, split, vocabulary, config, processes.share):
            each = functional.cross_entropy(logits.flatten(0, 1), y.flatten(), ignore_index=IGNORED, reduction="none")
            nats, scored = nats + float(each.double().sum()), scored + int((y != IGNORED).sum())
    model.train()
    nats, count = processes.totals([nats, scored])
    tokens = int(count)
    characters = split.characters * tokens / len(split.tokens)
    return score(nats, tokens, characters=characters, lossless=vocabulary.lossless)


def _stream_losses(
    model: LanguageModel, split: Split, _vocabulary: Vocabulary, config: TrainConfig, share: Share
) -> Iterator[tuple[Tensor, Tensor]]:
    """Logits and targets of each call."""
    inputs, targets = (torch.from_numpy(rows[share.rows].astype("int64")) for rows in evaluation_rows(split.tokens))
    time, state = config.time if model.config.attention else TIME, None
    for x, y in zip(torch.split(inputs, time, 1), torch.split(targets, time, 1), strict=True):
        if len(x):  # of fewer rows than processes
            logits, state = model(x, state)
            yield logits, y


def _line_losses(
    model: LanguageModel, split: Split, vocabulary: Vocabulary, config: TrainConfig, share: Share
) -> Iterator[tuple[Tensor, Tensor]]:
    ordered = sorted(lines(split.tokens, vocabulary, most=config.time), key=len, reverse=True)
    batches = [ordered[k : k + config.batch] for k in range(0, len(ordered), config.batch)]
    for batch in batches[share.rows]:
        x, y, lengths, *_ = laid_out(batch, Share())
        logits, _ = model(x, None, lengths)
        yield logits, y
