"""Score held-out text: nats a token, perplexity, bits a character."""

import torch
from torch.nn import functional

from lstmbench.corpus import Split, evaluation_rows
from lstmbench.corpus.scoring import score
from lstmbench.model.language_model import LanguageModel
from lstmbench.records import Score

TIME = 256  # steps a call; the state is carried, so the score depends on them only where attention reads them


def evaluate(model: LanguageModel, split: Split, *, lossless: bool, time: int | None = None) -> Score:
    """Predict every token of `split` but the first, its rows side by side, each from zero state.

    `time`: the steps of a call, where the score depends on them.
    """
    inputs, targets = (torch.from_numpy(rows.astype("int64")) for rows in evaluation_rows(split.tokens))
    total, state = 0.0, None
    model.eval()
    with torch.inference_mode():
        for x, y in zip(*(torch.split(rows, time or TIME, 1) for rows in (inputs, targets)), strict=True):
            logits, state = model(x, state)
            losses = functional.cross_entropy(logits.flatten(0, 1), y.flatten(), ignore_index=-1, reduction="none")
            total += float(losses.double().sum())
    model.train()
    tokens = int((targets >= 0).sum())
    return score(total, tokens, characters=split.characters * tokens / len(split.tokens), lossless=lossless)
