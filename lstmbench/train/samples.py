"""Text that a model writes while it is trained: the same draws at the same step, whatever was drawn before."""

import numpy as np
import torch

from lstmbench.corpus import Vocabulary
from lstmbench.model.language_model import LanguageModel
from lstmbench.model.sampling import take

TEMPERATURE = 0.8


def sample(model: LanguageModel, vocabulary: Vocabulary, tokens: int, *, seed: tuple[int, int]) -> str:
    """So many tokens, from zero state, after what a text may begin after."""
    uniform = np.random.default_rng(seed).random(tokens)
    read, state, written = torch.from_numpy(vocabulary.first()[None]), None, list[int]()
    model.eval()
    with torch.inference_mode():
        for u in uniform:
            logits, state = model(read, state)
            written.append(take(logits[0, -1].numpy(), float(u), temperature=TEMPERATURE, top_k=0))
            read = torch.tensor([[written[-1]]])
    model.train()
    return vocabulary.decode(written)
