"""`PeepholeLSTM` as a language model trains it: with noise between its layers and on its recurrent matrices."""

from torch import Tensor

from lstmbench.model.dropout import Dropout
from lstmbench.model.peephole_lstm import PeepholeLSTM
from lstmbench.records import ModelConfig


class RegularisedLSTM(PeepholeLSTM):
    """The layers of a language model, batch first; equal to PeepholeLSTM where nothing is trained."""

    def __init__(self, config: ModelConfig, dropped: Dropout) -> None:
        super().__init__(
            config.input_size,
            config.hidden_size,
            config.num_layers,
            config.bias,
            batch_first=True,
            dropout=dropped.rate if config.num_layers > 1 else 0.0,
            peephole=config.peephole,
        )
        self._dropped = dropped

    def _between(self, x: Tensor, sizes: list[int]) -> Tensor:
        return self._dropped.packed(x, sizes) if self.training else x

    def _recurrent(self, name: str) -> tuple[Tensor, Tensor | None]:
        U, P = super()._recurrent(name)
        if not (self.training and self._dropped.recurrent):
            return U, P
        return self._dropped.weights(U), self._dropped.weights(P) if self.peephole == "full" and P is not None else P
