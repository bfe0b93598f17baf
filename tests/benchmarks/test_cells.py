"""Training speed and memory of the cells beside torch.nn.LSTM and beside the loop that people write; never asserted.

    pytest tests/benchmarks/test_cells.py

Forward and backward of one layer, E = H, one thread. The contenders take turns; a ratio is the median of the rounds'
own. Operations are those of the products, 6·T·B·4H·(E + H) for nn.LSTM, `none` and `diagonal`, half as many again for
`full`. Seconds are the process's own on the CPU, so that other work on the machine is not counted as ours. Freed pages
are kept, as `lstmbench train` does.
"""

import statistics
import subprocess
import sys
import time

import pytest

torch = pytest.importorskip("torch")

from lstmbench import PeepholeLSTM  # noqa: E402
from lstmbench.train.memory import keep_freed_pages  # noqa: E402

pytestmark = pytest.mark.slow
SHAPES = {"T35-B20-H200": (35, 20, 200, 41), "T64-B32-H256": (64, 32, 256, 16), "T100-B50-H512": (100, 50, 512, 6)}


class Joined(torch.nn.Module):
    """A gate of a loop: one Linear over x, h and, of full peepholes, c, side by side."""

    def __init__(self, H, parts):
        super().__init__()
        self.all = torch.nn.Linear(parts * H, H)

    def forward(self, *parts):
        return self.all(torch.cat(parts, 1))


class Apart(torch.nn.Module):
    """The same with a Linear for each of them, as the equations are written in papers."""

    def __init__(self, H, parts):
        super().__init__()
        self.each = torch.nn.ModuleList(torch.nn.Linear(H, H, bias=k == 0) for k in range(parts))

    def forward(self, *parts):
        return sum(linear(part) for linear, part in zip(self.each, parts, strict=True))


class Loop(torch.nn.Module):
    """What people write: gate by gate, nothing hoisted, autograd's own tape."""

    def __init__(self, H, peephole, gate):
        super().__init__()
        self.H, self.full = H, peephole == "full"
        self.gates = torch.nn.ModuleList(gate(H, 3 if self.full else 2) for _ in range(4))
        self.p = torch.nn.ParameterList(torch.zeros(H) for _ in range(3)) if peephole == "diagonal" else [0.0] * 3

    def forward(self, x):
        h = c = x.new_zeros(x.shape[1], self.H)
        ys = []
        for x_t in x:
            seen = (x_t, h, c) if self.full else (x_t, h)
            i, f, g, o = (gate(*seen) for gate in self.gates)
            c = torch.sigmoid(f + self.p[1] * c) * c + torch.sigmoid(i + self.p[0] * c) * torch.tanh(g)
            h = torch.sigmoid(o + self.p[2] * c) * torch.tanh(c)
            ys.append(h)
        return torch.stack(ys), (h, c)


def train(module, x, *, autocast=False):
    """One pass forward and backward; seconds on the CPU."""
    module.zero_grad()
    x.grad = None
    began = time.process_time()
    with torch.autocast("cpu", torch.bfloat16, enabled=autocast):
        y, _ = module(x)
    y.sum().backward()
    return time.process_time() - began


@pytest.mark.parametrize("shape", SHAPES)
def test_operations_a_second(shape, capsys):
    torch.set_num_threads(1)
    keep_freed_pages()
    T, B, H, rounds = SHAPES[shape]
    x = torch.randn(T, B, H, requires_grad=True)
    contenders = {"nn.LSTM": (torch.nn.LSTM(H, H), False)}
    for peephole in ("none", "diagonal", "full"):
        contenders[peephole] = PeepholeLSTM(H, H, peephole=peephole), False
    for peephole in ("diagonal", "full"):
        contenders[f"{peephole}, bfloat16"] = contenders[peephole][0], True
        contenders[f"{peephole}, loop"] = Loop(H, peephole, Joined), False
        contenders[f"{peephole}, apart"] = Loop(H, peephole, Apart), False
    seconds = {name: [] for name in contenders}
    for _ in range(rounds):
        for name, (module, autocast) in contenders.items():
            seconds[name].append(train(module, x, autocast=autocast))
    speed = {name: [operations(name, T, B, H) / s for s in took[1:]] for name, took in seconds.items()}
    lines = [f"\n{shape}: 10^9 operations a second; against nn.LSTM; against float32 of the cell"]
    for name, values in speed.items():
        own = name.split(",")[0]
        ratios = [over(values, speed[base]) for base in ("nn.LSTM", own)]
        lines.append(f"  {name:20s} {statistics.median(values) / 1e9:6.1f} {ratios[0]:6.2f} {ratios[1]:6.2f}")
    with capsys.disabled():
        sys.stdout.write("\n".join(lines) + "\n")


def operations(name, T, B, H):
    return 6 * T * B * 4 * H * (3 if name.startswith("full") else 2) * H


def over(values, base):
    return statistics.median(a / b for a, b in zip(values, base, strict=True))


MEMORY = """
import sys, torch
from lstmbench import PeepholeLSTM
torch.set_num_threads(1)


def peak():  # of this program; getrusage would begin with its parent's
    lines = open("/proc/self/status").read().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) / 2**10


T, B, H = 400, 50, 512
cell, recompute = sys.argv[1:]
module = torch.nn.LSTM(H, H)
if cell != "nn.LSTM":
    module = PeepholeLSTM(H, H, peephole=cell, recompute=int(recompute) or None)
x = torch.randn(T, B, H)
module(x[:2])[0].sum().backward()  # the libraries and the gradients of the weights are there
before = peak()
module(x)[0].sum().backward()
print(peak() - before)
"""


def test_peak_memory(capsys):
    """What a pass over T = 400, B = 50, H = 512 adds to the process at most; a process each."""
    lines = ["\npeak of T400-B50-H512, MiB"]
    for cell, recompute in (("nn.LSTM", 0), ("diagonal", 0), ("diagonal", 20), ("full", 0), ("full", 20)):
        command = [sys.executable, "-c", MEMORY, cell, str(recompute)]
        peak = float(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
        lines.append(f"  {cell:10s} recompute={recompute or None!s:5s} {peak:6.0f}")
    with capsys.disabled():
        sys.stdout.write("\n".join(lines) + "\n")


def test_bfloat16_learns_as_much(capsys):
    """Recall the sign seen ten steps before: the loss of the last of 300 updates, the same ones in both."""
    lines = ["\nloss of recalling, float32 and bfloat16"]
    for peephole in ("diagonal", "full"):
        losses = [recall(peephole, autocast=autocast) for autocast in (False, True)]
        lines.append(f"  {peephole:10s} {losses[0]:.4f} {losses[1]:.4f}")
    with capsys.disabled():
        sys.stdout.write("\n".join(lines) + "\n")


def recall(peephole, *, autocast, lag=10):
    torch.manual_seed(0)
    lstm, out = PeepholeLSTM(1, 64, peephole=peephole), torch.nn.Linear(64, 1)
    optimizer = torch.optim.Adam([*lstm.parameters(), *out.parameters()], lr=3e-3)
    losses = []
    for _ in range(300):
        x = torch.randint(0, 2, (40, 32, 1)).float() * 2 - 1
        with torch.autocast("cpu", torch.bfloat16, enabled=autocast):
            y, _ = lstm(x)
        score = out(y.float())[lag:]
        loss = torch.nn.functional.binary_cross_entropy_with_logits(score, (x[:-lag] + 1) / 2)
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(lstm.parameters(), 1.0)
        optimizer.step()
        losses.append(loss.item())
    return statistics.mean(losses[-20:])
