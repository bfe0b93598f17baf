"""The language model: embedding, dropout, peephole LSTM, attention over past states if asked for, projection."""

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from lstmbench.arrays import Weights
from lstmbench.model.attention_layer import Attention
from lstmbench.model.dropout import Dropout
from lstmbench.model.gates import TORCH_GATES
from lstmbench.model.peephole_lstm import Hidden
from lstmbench.model.regularised import RegularisedLSTM
from lstmbench.records import ModelConfig

FORGET_BIAS = 0.5  # the papers take 1; here c is not bounded, and what is not forgotten adds up


class LanguageModel(nn.Module):
    """Tokens (B, T) -> logits (B, T, V) of the next token; parameters are named as in `weights.safetensors`."""

    def __init__(self, config: ModelConfig, dropped: Dropout = Dropout()) -> None:  # noqa: B008 (it is immutable)
        super().__init__()
        if config.head != "lm":
            raise ValueError("a language model needs head 'lm'")
        self.config, self.dropped = config, dropped
        self.embedding = nn.Embedding(config.vocabulary_size, config.input_size)
        self.lstm = RegularisedLSTM(config, dropped)
        self.attention = Attention(config.hidden_size) if config.attention else None
        self.decoder = nn.Linear(config.hidden_size, config.vocabulary_size)
        self._reset_parameters()
        if config.tie_weights:
            self.decoder.weight = self.embedding.weight

    @torch.no_grad()
    def _reset_parameters(self) -> None:
        """Start where these models learn fastest: orthogonal recurrence, forgetting little, peepholes at zero.

        A positive bias of the forget gate is Gers et al. 2000; Jozefowicz et al. 2015 measured what it brings.
        """
        nn.init.normal_(self.embedding.weight, std=self.config.input_size**-0.5)
        nn.init.zeros_(self.decoder.bias)
        for name, p in self.lstm.named_parameters():
            if name.startswith("weight_ih"):
                nn.init.normal_(p, std=p.shape[1] ** -0.5)
            elif name.startswith("weight_hh"):
                for gate in p.chunk(4):
                    nn.init.orthogonal_(gate)
            else:
                nn.init.zeros_(p)
            if name.startswith("bias_ih"):
                nn.init.constant_(p.chunk(4)[TORCH_GATES.index("f")], FORGET_BIAS)

    def forward(
        self, tokens: Tensor, state: Hidden | None = None, lengths: Tensor | None = None
    ) -> tuple[Tensor, Hidden]:
        """Score tokens (B, T), state (L, B, H) twice or None for zeros -> logits (B, T, V), next state.

        `lengths` (B,), falling, says where rows end; what stands behind is neither read nor counted in the state.
        """
        x = self._dropped_units(self._embedded(tokens))  # (B, T, E)
        if lengths is None:
            y, state = self.lstm(x, state)  # (B, T, H)
        else:
            packed, state = self.lstm(pack_padded_sequence(x, lengths, batch_first=True), state)
            y, _ = pad_packed_sequence(packed, batch_first=True, total_length=tokens.shape[1])
        return self.read_out(y), state

    def read_out(self, y: Tensor, alive: Tensor | None = None) -> Tensor:
        """Y (B, T, H) of a whole call -> logits (B, T, V); where a row has ended, not `alive` (B, T), of zeros."""
        if self.attention is not None:
            y = self.attention(self._dropped_units(y))
            y = y if alive is None else torch.where(alive[..., None], y, 0)
        logits: Tensor = self.decoder(self._dropped_units(y))
        return logits

    def _embedded(self, tokens: Tensor) -> Tensor:
        if self.training and self.dropped.words:
            return functional.embedding(tokens, self.dropped.embedding(self.embedding.weight))
        found: Tensor = self.embedding(tokens)
        return found

    def _dropped_units(self, x: Tensor) -> Tensor:
        return self.dropped.units(x) if self.training and self.dropped.rate else x

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
