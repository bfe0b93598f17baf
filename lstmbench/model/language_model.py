"""The language model: embedding, dropout, peephole LSTM, projection."""

import torch
from torch import Tensor, nn
from torch.nn import functional

from lstmbench.model.peephole_lstm import Hidden, PeepholeLSTM
from lstmbench.records import ModelConfig, Weights


class LanguageModel(nn.Module):
    """Tokens (B, T) -> logits (B, T, V) of the next token; parameters are named as in `weights.safetensors`."""

    def __init__(self, config: ModelConfig, *, dropout: float = 0.0) -> None:
        super().__init__()
        if config.head != "lm":
            raise ValueError("a language model needs head 'lm'")
        self.config, self.dropout = config, dropout
        self.embedding = nn.Embedding(config.vocabulary_size, config.input_size)
        self.lstm = PeepholeLSTM(
            config.input_size,
            config.hidden_size,
            config.num_layers,
            config.bias,
            batch_first=True,
            dropout=dropout if config.num_layers > 1 else 0.0,
            peephole=config.peephole,
        )
        self.decoder = nn.Linear(config.hidden_size, config.vocabulary_size)
        nn.init.normal_(self.embedding.weight, std=config.input_size**-0.5)
        nn.init.zeros_(self.decoder.bias)
        if config.tie_weights:
            self.decoder.weight = self.embedding.weight

    def forward(self, tokens: Tensor, state: Hidden | None = None) -> tuple[Tensor, Hidden]:
        """Score tokens (B, T), state (L, B, H) twice or None for zeros -> logits (B, T, V), next state."""
        x = functional.dropout(self.embedding(tokens), self.dropout, self.training)  # (B, T, E)
        y, state = self.lstm(x, state)  # (B, T, H)
        return self.decoder(functional.dropout(y, self.dropout, self.training)), state

    def weights(self) -> Weights:
        """Every tensor once, as float32 arrays of its own memory; tied weights under the embedding's name."""
        tied = {"decoder.weight"} if self.config.tie_weights else set()
        return {
            name: tensor.detach().cpu().numpy().astype("float32", copy=True)
            for name, tensor in self.state_dict().items()
            if name not in tied
        }

    def load_weights(self, weights: Weights) -> None:
        """Take the tensors of a checkpoint."""
        tensors = {name: torch.from_numpy(array) for name, array in weights.items()}
        if self.config.tie_weights:
            tensors["decoder.weight"] = tensors["embedding.weight"]
        self.load_state_dict(tensors)
