"""`PeepholeLSTM`: torch.nn.LSTM with peepholes; same constructor, same call, same names, same gate order."""

import math
import warnings
from typing import NoReturn, TypeAlias

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils.rnn import PackedSequence

from lstmbench.errors import ExportError
from lstmbench.model import traced
from lstmbench.model.recurrence import Plan, Recurrence
from lstmbench.model.steps import Steps
from lstmbench.records import Peephole

Hidden: TypeAlias = tuple[Tensor, Tensor]
UNKEPT = 64  # steps at a time where there will be no backward pass


class PeepholeLSTM(nn.Module):
    """A drop-in for torch.nn.LSTM whose gates also see the cell state.

    `peephole` has no default, since people mean different cells by the word: "full" (matrices from the old cell state
    on all four gates), "diagonal" (Gers & Schmidhuber 2000; ONNX LSTM with P) or "none" (torch.nn.LSTM).
    Parameters are nn.LSTM's, plus weight_ch_l{k}[_reverse]: (4H, H) in order i, f, g, o for "full", (3H,) in order
    i, f, o for "diagonal". Shapes of inputs and outputs are those of torch.nn.LSTM, unbatched and packed ones too.
    Under torch.autocast the matrix products run in its dtype, outputs and state keep the parameters'. Three things that
    nn.LSTM does it refuses: proj_size, an empty batch, and a second derivative (torch.func transforms too).

    For the backward pass each direction of a layer keeps 6·T·B·H numbers, and 2·B·H a run of its steps, which are few;
    the input (T, B, E) it shares with whoever made it. `recompute=n` keeps 2·B·H every n steps instead, and computes n
    steps at a time once more, a third more arithmetic. `lstmbench.model.recurrence` has it exactly.
    """

    weight_hh_l0: Tensor

    def __init__(  # noqa: PLR0913, PLR0917 (torch.nn.LSTM's own signature)
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
        proj_size: int = 0,
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
        *,
        peephole: Peephole,
        recompute: int | None = None,
    ) -> None:
        super().__init__()
        if peephole not in ("full", "diagonal", "none"):
            raise ValueError(f"peephole must be 'full', 'diagonal' or 'none', not {peephole!r}")
        if proj_size:
            raise ValueError("proj_size is not supported: PeepholeLSTM has no projected state (LSTMP)")
        if min(input_size, hidden_size, num_layers) < 1:
            raise ValueError("input_size, hidden_size and num_layers must be at least 1")
        if not 0 <= dropout <= 1:
            raise ValueError("dropout must be a probability, 0 to 1")
        if recompute is not None and recompute < 1:
            raise ValueError("recompute is a number of steps, at least 1")
        if dropout and num_layers == 1:
            warnings.warn("dropout acts between layers: with num_layers=1 it does nothing", stacklevel=2)
        self.input_size, self.hidden_size, self.num_layers = input_size, hidden_size, num_layers
        self.bias, self.batch_first, self.dropout, self.proj_size = bias, batch_first, dropout, 0
        self.bidirectional, self.peephole, self.recompute = bidirectional, peephole, recompute
        for name, shape in self._shapes():
            self.register_parameter(name, nn.Parameter(torch.empty(shape, device=device, dtype=dtype)))
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw every parameter from U(-1/√H, 1/√H), as torch.nn.LSTM does."""
        bound = 1 / math.sqrt(self.hidden_size)
        for parameter in self.parameters():
            nn.init.uniform_(parameter, -bound, bound)

    def flatten_parameters(self) -> None:
        """Do nothing: there is no cuDNN buffer; here so that code written for nn.LSTM runs."""

    def __prepare_scriptable__(self) -> NoReturn:
        """Tell in one line what torch.jit.script, which asks here first, would tell in fifty."""
        raise ExportError(traced.NO_SCRIPT)

    def extra_repr(self) -> str:
        """Show the arguments that differ from the defaults, and the cell."""
        shown = [f"{self.input_size}, {self.hidden_size}"]
        defaults: dict[str, object] = {"num_layers": 1, "bias": True, "batch_first": False, "dropout": 0.0}
        defaults |= {"bidirectional": False, "recompute": None}
        shown += [f"{k}={getattr(self, k)}" for k, default in defaults.items() if getattr(self, k) != default]
        return ", ".join([*shown, f"peephole={self.peephole!r}"])

    def forward(
        self,
        input: Tensor | PackedSequence,  # noqa: A002 (nn.LSTM's name)
        hx: Hidden | None = None,
    ) -> tuple[Tensor | PackedSequence, Hidden]:
        """Run input (T, B, E) [(B, T, E) if batch_first, (T, E) unbatched] or packed -> y (T, B, D·H), (h_n, c_n)."""
        if isinstance(input, PackedSequence):
            return self._packed(input, hx)
        if input.dim() not in (2, 3):
            raise ValueError(f"input must have 2 or 3 dimensions, not {input.dim()}")
        x = input.unsqueeze(1) if input.dim() == 2 else input.transpose(0, 1) if self.batch_first else input
        if hx is not None and input.dim() == 2:
            hx = (_unbatched(hx[0]), _unbatched(hx[1]))
        y, (h, c) = self._traced(x, hx) if traced.under_export() else self._padded(x, hx)
        if input.dim() == 2:
            return y.squeeze(1), (h.squeeze(1), c.squeeze(1))
        return (y.transpose(0, 1) if self.batch_first else y), (h, c)

    def _traced(self, x: Tensor | PackedSequence, hx: Hidden | None) -> tuple[Tensor, Hidden]:
        from lstmbench.model.traced import layers  # what it imports takes half a second, and only an export needs it

        return layers.packed(self, x, hx) if isinstance(x, PackedSequence) else layers.padded(self, x, hx)

    def _padded(self, x: Tensor, hx: Hidden | None) -> tuple[Tensor, Hidden]:
        T, B, _ = x.shape
        y, state = self._layers(x.reshape(T * B, x.shape[-1]), [B] * T, hx)
        return y.view(T, B, -1), state

    def _packed(self, packed: PackedSequence, hx: Hidden | None) -> tuple[PackedSequence, Hidden]:
        data, sizes, ordered, restored = packed
        if hx is not None and ordered is not None:
            hx = (hx[0].index_select(1, ordered), hx[1].index_select(1, ordered))
        if traced.under_export():
            y, (h, c) = self._traced(packed, hx)
        else:
            y, (h, c) = self._layers(data, sizes.tolist(), hx)
        if restored is not None:
            h, c = h.index_select(1, restored), c.index_select(1, restored)
        return PackedSequence(y, sizes, ordered, restored), (h, c)

    @torch.compiler.disable  # type: ignore[untyped-decorator] # torch.compile leaves a gap here, as at nn.LSTM: it would unroll the steps
    def _layers(self, x: Tensor, sizes: list[int], hx: Hidden | None) -> tuple[Tensor, Hidden]:
        """Packed x (N, E) -> packed y (N, D·H) of the last layer; h_n, c_n (D·L, B, H)."""
        h_0, c_0 = self._initial(x, sizes, hx)
        ends: list[Hidden] = []
        for k in range(self.num_layers):
            if k and self.dropout:
                x = self._between(x, sizes)
            outputs = []
            for suffix in self._suffixes():
                y, *end = self._direction(x, (h_0[len(ends)], c_0[len(ends)]), sizes, f"l{k}{suffix}")
                outputs.append(y)
                ends.append((end[0], end[1]))
            x = torch.cat(outputs, 1) if self.bidirectional else outputs[0]
        h_n, c_n = zip(*ends, strict=True)
        return x, (torch.stack(h_n), torch.stack(c_n))

    def _direction(self, x: Tensor, state: Hidden, sizes: list[int], name: str) -> tuple[Tensor, Tensor, Tensor]:
        bias = getattr(self, f"bias_ih_{name}") + getattr(self, f"bias_hh_{name}") if self.bias else None
        W, (U, P) = getattr(self, f"weight_ih_{name}"), self._recurrent(name)
        steps = Steps(sizes, sizes[0], reverse=name.endswith("_reverse"))
        recompute = self.recompute if torch.is_grad_enabled() else UNKEPT
        plan = Plan(steps, self.peephole, recompute)
        y, h_n, c_n = Recurrence.apply(x, *state, W, bias, U, P, plan)  # type: ignore[no-untyped-call] # autograd.Function.apply has no types
        return y, h_n, c_n

    def _between(self, x: Tensor, sizes: list[int]) -> Tensor:  # noqa: ARG002 (for who drops by row)
        """What a layer reads of packed x (N, D·H), which the layer below made; step t has the first sizes[t] rows."""
        return functional.dropout(x, self.dropout, self.training)

    def _recurrent(self, name: str) -> tuple[Tensor, Tensor | None]:
        """What multiplies h and c; nothing for c without peepholes."""
        P = None if self.peephole == "none" else getattr(self, f"weight_ch_{name}")
        return getattr(self, f"weight_hh_{name}"), P

    def _initial(self, x: Tensor, sizes: list[int], hx: Hidden | None) -> Hidden:
        """The state to start from; ValueError where a shape is not what the module takes."""
        if not sizes or not sizes[0]:
            raise ValueError("a sequence needs at least one step, a batch at least one row")
        if x.shape[-1] != self.input_size:
            raise ValueError(f"input has {x.shape[-1]} features, the module takes {self.input_size}")
        if x.dtype != self.weight_hh_l0.dtype and not torch.is_autocast_enabled(x.device.type):
            raise ValueError(f"input is {x.dtype}, the module takes {self.weight_hh_l0.dtype}")
        shape = (len(self._suffixes()) * self.num_layers, sizes[0], self.hidden_size)
        dtype = self.weight_hh_l0.dtype
        if hx is None:
            zeros = x.new_zeros(shape, dtype=dtype)
            return zeros, zeros
        for part, name in zip(hx, ("h_0", "c_0"), strict=True):
            if tuple(part.shape) != shape or part.dtype != dtype:
                raise ValueError(f"{name} is {part.dtype} {tuple(part.shape)}, the module takes {dtype} {shape}")
        return hx

    def _suffixes(self) -> tuple[str, ...]:
        return ("", "_reverse") if self.bidirectional else ("",)

    def _shapes(self) -> list[tuple[str, tuple[int, ...]]]:
        H, shapes = self.hidden_size, list[tuple[str, tuple[int, ...]]]()
        for k in range(self.num_layers):
            E = len(self._suffixes()) * H if k else self.input_size
            for name in (f"l{k}{suffix}" for suffix in self._suffixes()):
                shapes += [(f"weight_ih_{name}", (4 * H, E)), (f"weight_hh_{name}", (4 * H, H))]
                if self.bias:
                    shapes += [(f"bias_ih_{name}", (4 * H,)), (f"bias_hh_{name}", (4 * H,))]
                if self.peephole != "none":
                    shapes += [(f"weight_ch_{name}", (4 * H, H) if self.peephole == "full" else (3 * H,))]
        return shapes


def _unbatched(state: Tensor) -> Tensor:
    """(D·L, H) -> (D·L, 1, H)."""
    if state.dim() != 2:
        raise ValueError("an unbatched input takes an unbatched state (D·L, H)")
    return state.unsqueeze(1)
