"""Attention over past states as a PyTorch module; its equations stand in `lstmbench.model.attention`."""

import torch
from torch import Tensor, nn
from torch.nn import functional


class Attention(nn.Module):
    """States h (B, T, H) of one call -> what is read of them, (B, T, H): each step sees itself and those before it."""

    def __init__(self, hidden_size: int) -> None:
        super().__init__()
        self.score = nn.Linear(hidden_size, hidden_size, bias=False)
        self.combine = nn.Linear(2 * hidden_size, hidden_size, bias=False)
        for linear in (self.score, self.combine):
            nn.init.normal_(linear.weight, std=linear.in_features**-0.5)

    def forward(self, h: Tensor) -> Tensor:
        """Read: scores are scaled by 1/√H, which is the default of PyTorch's."""
        read = functional.scaled_dot_product_attention(h, self.score(h), h, is_causal=True)  # (B, T, H)
        return torch.tanh(self.combine(torch.cat([read, h], dim=-1)))
