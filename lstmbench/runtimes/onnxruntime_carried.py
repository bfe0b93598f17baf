"""A state that stays where a provider of ONNX Runtime computes, from one call to the next (IOBinding)."""

import itertools
from collections.abc import Mapping
from typing import Any, NamedTuple

import onnxruntime as ort
from numpy.typing import NDArray

from lstmbench.arrays import Floats, State
from lstmbench.records import ModelConfig

_STATES = ("h_0", "c_0")
_GRAPH = "gpu_graph_id"  # of a run: which captured graph it captures or replays
_NONE = "-1"
_ids = itertools.count(1)  # no two of a process are the same: one stands for the addresses that it was captured with


class Memory(NamedTuple):
    """Where a provider computes."""

    name: str  # as OrtValue calls it
    allocates: bool  # whether an OrtValue can be made there; else ONNX Runtime copies what is bound, at every call
    captures: bool = False  # whether calls on values that stay where they are may be replayed


def uncaptured() -> ort.RunOptions:
    """Options of a run that captures and replays no graph; to providers that know of none they say nothing."""
    return _options(_NONE)


def captured() -> ort.RunOptions:
    """Options of runs on values that stay where they are: the first of them captures a graph, the others replay it."""
    return _options(str(next(_ids)))


def _options(graph: str) -> ort.RunOptions:
    options = ort.RunOptions()
    options.add_run_config_entry(_GRAPH, graph)
    return options


class CarriedByOnnxRuntime:
    """Calls that take turns between two sets of values: what one call leaves, the next one reads.

    The first call reads the state from the host, and each set is made by ONNX Runtime as it is first written: no
    provider but CUDA's can be asked for one from outside. After that every value stays at its address, as a captured
    graph needs, and reading and writing are never of the same one, so that a call can be replayed.
    """

    def __init__(self, session: ort.InferenceSession, config: ModelConfig, memory: Memory) -> None:
        self._session, self._memory, self._names = session, memory, config.output_names
        # one for each shape and turn: what a binding gives are views of it, and change with what it is bound to
        self._bindings: dict[tuple[tuple[int, ...], int], ort.IOBinding] = {}
        self._left: list[list[ort.OrtValue]] = [[], []]  # h and c, of each turn
        self._inputs: dict[tuple[str, tuple[int, ...]], ort.OrtValue] = {}
        self._outputs: dict[tuple[int, ...], ort.OrtValue] = {}  # by the shape of the inputs
        self._once, self._replayed = uncaptured(), tuple(captured() for _ in self._left)

    def restart(self, state: State) -> None:
        """Read the next call's state (D·L, B, H) from the host; B is always the same."""
        self._calls, self._given = 0, state

    def run(self, feeds: Mapping[str, NDArray[Any]]) -> Floats:
        """Compute from the state that is here, which becomes the next one: inputs by name -> (B, T, V) or (B, T, D·H).

        It returns when the output is on the host: of some providers nothing else shows that they have finished.
        """
        turn = self._calls % 2
        shape = next(iter(feeds.values())).shape
        binding = self._bindings.get((shape, turn)) or self._session.io_binding()
        self._bindings[shape, turn] = binding
        for name, array in feeds.items():
            self._put(binding, name, array)
        self._put_state(binding, turn)
        fixed = self._bind_outputs(binding, turn, shape)
        captures = fixed and self._calls > 0 and self._memory.captures
        self._session.run_with_iobinding(binding, self._replayed[turn] if captures else self._once)
        if not fixed:
            output, *left = binding.get_outputs()
            self._outputs.setdefault(shape, output)
            self._left[turn] = self._left[turn] or left
        self._calls += 1
        told: Floats = self._outputs[shape].numpy().copy()  # of a CPU's value it is a view
        return told

    def state(self) -> State:
        """Copy the state to the host."""
        if not self._calls:
            return self._given
        return State(*(value.numpy().copy() for value in self._left[(self._calls - 1) % 2]))

    def release(self) -> None:
        """Forget all values: they must go before the session that they are of, or the process crashes at its end."""
        for held in (self._inputs, self._outputs, self._bindings):
            held.clear()
        self._left = [[], []]

    def _put(self, binding: ort.IOBinding, name: str, array: NDArray[Any]) -> None:
        if not self._memory.allocates:
            binding.bind_cpu_input(name, array)  # copied now, not when the session runs
            return
        value = self._inputs.get((name, array.shape))
        if value is None:
            # a copy: a value on the CPU is a view of what it is made from
            value = ort.OrtValue.ortvalue_from_numpy(array.copy(), self._memory.name)
            self._inputs[name, array.shape] = value
        value.update_inplace(array)
        binding.bind_ortvalue_input(name, value)

    def _put_state(self, binding: ort.IOBinding, turn: int) -> None:
        if not self._calls:
            for name, array in zip(_STATES, self._given, strict=True):
                binding.bind_cpu_input(name, array)
            return
        for name, value in zip(_STATES, self._left[1 - turn], strict=True):
            binding.bind_ortvalue_input(name, value)

    def _bind_outputs(self, binding: ort.IOBinding, turn: int, shape: tuple[int, ...]) -> bool:
        """Bind to what is there already -> whether all of it was."""
        there = [self._outputs.get(shape), *(self._left[turn] or (None, None))]
        for name, value in zip(self._names, there, strict=True):
            if value is None:
                binding.bind_output(name, self._memory.name)
            else:
                binding.bind_ortvalue_output(name, value)
        return None not in there
