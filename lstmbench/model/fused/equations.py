"""What a step does to each of its numbers, forward and backward; equations in `lstmbench.model.reference`.

Gates stand in the order of TORCH_GATES (i, f, g, o). `half`: what products make and read is bfloat16, all else float32.
"""

from collections.abc import Mapping

from lstmbench.model.fused.lanes import Lanes, sigmoid, tanh
from lstmbench.model.fused.loop import Array, Gates
from lstmbench.records import Peephole

Row = Mapping[str, Gates]


def forward_arrays(peephole: Peephole, *, half: bool) -> list[Array]:
    """What a product made of states is z, of inputs z_x; `read` is h, or h and c, for the next product."""
    arrays = [Array("z", half), Array("z_x", half), Array("c_old")]
    arrays += [Array(name, at=True) for name in ("gates", "c", "h")]
    return arrays + [Array("read", half, at=True)] * half + [Array("p", rows=False)] * (peephole == "diagonal")


def forward(row: Row, peephole: Peephole, *, half: bool) -> None:
    """Gates, c and h of one step."""
    c_old, p = row["c_old"][0], row.get("p")
    z_i, z_f, z_g, z_o = (row["z"][k] + row["z_x"][k] for k in range(4))
    if p:
        z_i, z_f = z_i + p[0] * c_old, z_f + p[1] * c_old
    i, f, g = sigmoid(z_i), sigmoid(z_f), tanh(z_g)
    c = f * c_old + i * g
    o = sigmoid(z_o + p[2] * c if p else z_o)
    h = o * tanh(c)
    _write(row["gates"], i, f, g, o)
    row["c"][0], row["h"][0] = c, h
    if half:
        _write(row["read"], h, *[c] * (peephole == "full"))


def backward_arrays(peephole: Peephole, *, half: bool) -> list[Array]:
    """What a product brought to h, or h and c, is d; what came to c by itself dc; sums are over rows, of db and dp."""
    arrays = [Array("d", half), Array("dc"), Array("dz", half, at=True)]
    arrays += [Array(name, at=True) for name in ("dy", "gates", "c_old", "c")]
    return [*arrays, Array("sums", rows=False)] + [Array("p", rows=False)] * (peephole == "diagonal")


def backward(row: Row, peephole: Peephole) -> None:
    """Dz of one step, dc of the one before it, and its part in the sums."""
    i, f, g, o = (row["gates"][k] for k in range(4))
    c_old, c, p = row["c_old"][0], row["c"][0], row.get("p")
    tanh_c = tanh(c)
    dh = row["d"][0] + row["dy"][0]
    dz_o = dh * tanh_c * (o * (1.0 - o))
    dc = row["dc"][0] + dh * (o * (1.0 - tanh_c * tanh_c))
    if peephole == "full":
        dc = dc + row["d"][1]
    if p:
        dc = dc + dz_o * p[2]
    dz_i, dz_f, dz_g = dc * (g * (i * (1.0 - i))), dc * (c_old * (f * (1.0 - f))), dc * (i * (1.0 - g * g))
    sums = [dz_i, dz_f, dz_g, dz_o]
    _write(row["dz"], *sums)
    dc = dc * f
    if p:
        dc = dc + dz_i * p[0] + dz_f * p[1]
        sums += [dz_i * c_old, dz_f * c_old, dz_o * c]
    row["dc"][0] = dc
    _write(row["sums"], *(row["sums"][k] + part for k, part in enumerate(sums)))


def _write(gates: Gates, *values: Lanes) -> None:
    for k, value in enumerate(values):
        gates[k] = value
