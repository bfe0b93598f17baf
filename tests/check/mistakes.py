"""Mistakes in the weights of an exported file, by name; what an exporter gets wrong."""

import functools
import itertools

import numpy as np

FULL_GATES, DIAGONAL_GATES = "ifgo", "ifo"
RECURRENT = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")


def of(config):
    """Every mistake that changes the function of this cell: a name -> weights -> weights."""
    changes = {f"gates in order {name}": order for name, order in orders(FULL_GATES)}
    kinds = (*RECURRENT, "weight_ch") if config.peephole == "full" else RECURRENT
    found = {name: functools.partial(change, kinds, in_order(order)) for name, order in changes.items()}
    if config.peephole != "none":
        gates = FULL_GATES if config.peephole == "full" else DIAGONAL_GATES
        P = functools.partial(functools.partial, change, ("weight_ch",))
        found |= {f"P of {gate} dropped": P(without(k, len(gates))) for k, gate in enumerate(gates)}
        found |= {f"P in order {name}": P(in_order(order)) for name, order in orders(gates)}
        found["all of P dropped"] = P(np.zeros_like)
        found["P halved"] = P(lambda tensor: tensor / 2)
    found["b halved"] = functools.partial(change, ("bias_ih", "bias_hh"), lambda tensor: tensor / 2)
    found["U of g transposed"] = functools.partial(change, ("weight_hh",), transposed)
    found["a weight of U off by 1e-3"] = functools.partial(change, ("weight_hh",), off_by_a_thousandth)
    found["weights in bfloat16"] = functools.partial(change, ("",), in_bfloat16)
    return found


def swapped_biases(weights):
    """Wb for Rb: no mistake of an LSTM, which adds them."""
    other = {"bias_ih": "bias_hh", "bias_hh": "bias_ih"}
    return {name: weights[name.replace(kind, other.get(kind, kind))] for name, kind in kinds_of(weights)}


def change(kinds, how, weights):
    """All layers and directions alike."""
    changed = {name: "" in kinds or kind in kinds for name, kind in kinds_of(weights)}
    return {name: how(w).astype(np.float32) if changed[name] else w for name, w in weights.items()}


def kinds_of(weights):
    return [(name, name.partition(".")[2].rpartition("_l")[0]) for name in weights]


def orders(gates):
    wrong = [order for order in itertools.permutations(range(len(gates))) if list(order) != sorted(order)]
    return [("".join(gates[k] for k in order), order) for order in wrong]


def in_order(order):
    return lambda tensor: np.concatenate([np.split(tensor, len(order))[k] for k in order])


def without(which, gates):
    return lambda tensor: np.concatenate([block * (k != which) for k, block in enumerate(np.split(tensor, gates))])


def transposed(tensor):
    i, f, g, o = np.split(tensor, 4)
    return np.concatenate([i, f, g.T, o])


def off_by_a_thousandth(tensor):
    """One of candidate g, which h reaches at every step."""
    changed = tensor.copy()
    changed[2 * tensor.shape[1], 0] += 1e-3
    return changed


def in_bfloat16(tensor):
    bits = np.ascontiguousarray(tensor).view(np.uint32)
    return ((bits + 0x8000) & 0xFFFF0000).view(np.float32)
