"""A file beside what knows its answers: what each calls the other's inputs and outputs, and what is drawn for both."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from numpy.typing import NDArray

from lstmbench.check.foreign import sizes
from lstmbench.check.foreign.draws import Draws, draws
from lstmbench.check.foreign.match import match
from lstmbench.check.foreign.opened import Opened, about
from lstmbench.check.foreign.oracle import Oracle
from lstmbench.check.foreign.ranges import use
from lstmbench.errors import GraphError
from lstmbench.onnxfile.ports import Port
from lstmbench.parity import Expected

Array = NDArray[Any]


class Paired(NamedTuple):
    """A file, and who knows its answers."""

    file: Opened
    oracle: Oracle
    inputs: Mapping[str, str]  # the oracle's name -> the file's
    outputs: Mapping[str, str]
    drawn: Draws
    fixed: Mapping[str, int]

    @property
    def wanted(self) -> tuple[Port, ...]:
        """The oracle's inputs that the file has."""
        return tuple(port for port in self.oracle.inputs if port.name in self.inputs)

    def draw(self, at: sizes.Sizes) -> dict[str, Array]:
        """All inputs at these sizes, by the oracle's names."""
        with about(self.file.path):
            return self.drawn.draw(at)

    def fed(self, given: Mapping[str, Array]) -> dict[str, Array]:
        """Inputs by the oracle's names -> the file's own, in the file's types."""
        dtypes = {port.name: port.dtype for port in self.file.ports.inputs}
        return {self.inputs[n]: array.astype(dtypes[self.inputs[n]], copy=False) for n, array in given.items()}

    def expect(self, given: Mapping[str, Array], *, large: bool = False) -> dict[str, Expected]:
        """What each of the file's outputs must be at inputs by the oracle's names; `large`: they drive sums far."""
        expected = self.oracle.expect(given, large=large)
        return {self.outputs[name]: one for name, one in expected.items() if name in self.outputs}


def pair(file: Opened, oracle: Oracle) -> Paired:
    """GraphError where inputs and outputs are not the oracle's, or cannot be drawn."""
    inputs = match(file.path, "inputs", oracle.inputs, file.ports.inputs, optional=oracle.optional)
    outputs = match(file.path, "outputs", oracle.outputs, file.ports.outputs, optional=oracle.optional)
    by_name = {port.name: port for port in file.ports.inputs}
    wanted = tuple(port for port in oracle.inputs if port.name in inputs)
    if ("h_0" in inputs) != ("c_0" in inputs) and "h_0" in oracle.optional:
        raise GraphError(f"{file.path} takes one of h_0 and c_0: expected are both, or none for zeros")
    found = [by_name[inputs[port.name]] for port in wanted]
    with about(file.path):
        fixed = sizes.fix(wanted, found)
        drawn = draws(wanted, oracle.uses, {port.name: use(file.model, inputs[port.name]) for port in wanted})
    return Paired(file, oracle, inputs, outputs, drawn, fixed)
