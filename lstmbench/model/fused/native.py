"""Machine code for the CPU that runs, and calls of it with tensors."""

import ctypes
import functools
from collections.abc import Callable
from typing import NamedTuple

import torch
from llvmlite import binding, ir
from torch import Tensor

from lstmbench.model.fused.loop import Array

Table = ctypes.Array[ctypes.c_int64]


class Loop(NamedTuple):
    """A compiled function and the arrays that it walks over."""

    arrays: list[Array]
    function: Callable[[Table, int, int, int], None]
    engine: binding.ExecutionEngine  # owns the code

    def over(self, H: int, **held: Tensor) -> "Bound":
        """The loop over arrays that stay where they are; each call brings the others."""
        return Bound(self, H, held)


class Bound:
    """A loop with the addresses of its arrays, whose rows are contiguous."""

    def __init__(self, loop: Loop, H: int, held: dict[str, Tensor]) -> None:
        self._loop, self._held = loop, held  # kept, so that the code and the memory stay
        self._table = (ctypes.c_int64 * (2 * len(loop.arrays) + 1))(H)
        self._moving = [(k, _width(array)) for k, array in enumerate(loop.arrays) if array.name not in held]
        for k, array in enumerate(loop.arrays):
            if array.name in held:
                rows = held[array.name]
                assert rows.dtype == (torch.bfloat16 if array.half else torch.float32)
                assert rows.stride(-1) == 1
                self._place(k, rows, _width(array) if array.rows else 0)

    def __call__(self, n: int, at: int, *moving: Tensor) -> None:
        """Do n rows; where arrays are of all steps, from row `at` on. A product is of the first array (n, K)."""
        for (k, width), rows in zip(self._moving, moving, strict=True):
            self._place(k, rows, width)
        self._loop.function(self._table, n, at, moving[0].shape[1])

    def _place(self, k: int, rows: Tensor, width: int) -> None:
        self._table[2 * k + 1], self._table[2 * k + 2] = rows.data_ptr(), rows.stride(0) * width


def _width(array: Array) -> int:
    return 2 if array.half else 4


@functools.cache
def many_registers() -> bool:
    """Whether this CPU has the 32 long registers of AVX-512."""
    return bool(binding.get_host_cpu_features().get("avx512f"))


def compiled(written: ir.Module, arrays: list[Array]) -> Loop:
    """Machine code of a module's one function."""
    binding.initialize_native_target()
    binding.initialize_native_asmprinter()
    module = binding.parse_assembly(str(written))
    module.verify()
    features = binding.get_host_cpu_features().flatten()
    target = binding.Target.from_default_triple()
    machine = target.create_target_machine(cpu=binding.get_host_cpu_name(), features=features, opt=3)
    builder = binding.create_pass_builder(machine, binding.create_pipeline_tuning_options(speed_level=2))
    builder.getModulePassManager().run(module, builder)
    engine = binding.create_mcjit_compiler(module, machine)
    engine.finalize_object()
    prototype = ctypes.CFUNCTYPE(None, ctypes.c_void_p, *[ctypes.c_int64] * 3)
    return Loop(arrays, prototype(engine.get_function_address(written.name)), engine)
