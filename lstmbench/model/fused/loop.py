"""A loop over rows and columns as an LLVM function: sixteen columns at a time, the last ones by a mask.

function(table, n, at, K) takes n rows. The table holds H and, of each array, its address and the bytes from row to row.
An array of one row has none; some arrays begin at row `at`, others at their first.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, NamedTuple, TypeAlias

from llvmlite import ir

from lstmbench.model.fused.lanes import FLOATS, INTS, WIDTH, Lanes, call, constant

POINTER, LONG, SHORT = ir.PointerType(), ir.IntType(64), ir.IntType(16)
HALVES, MASK = ir.VectorType(SHORT, WIDTH), ir.VectorType(ir.IntType(1), WIDTH)


class Array(NamedTuple):
    """What a loop reads or writes, H columns a gate."""

    name: str
    half: bool = False  # bfloat16, else float32
    at: bool = False  # begins at row `at`
    rows: bool = True  # else it has one row


class Gates:
    """One row of an array at the present columns: gates[k] is what gate k has there."""

    def __init__(self, columns: "Columns", address: ir.Value, array: Array) -> None:
        self._columns, self._address, self._half = columns, address, array.half

    def __getitem__(self, gate: int) -> Lanes:
        builder = self._columns.builder
        if not self._half:
            return Lanes(builder, self._columns.load(self._pointer(gate), FLOATS))
        bits = builder.zext(self._columns.load(self._pointer(gate), HALVES), INTS)
        return Lanes(builder, builder.bitcast(builder.shl(bits, constant(INTS, 16)), FLOATS))

    def __setitem__(self, gate: int, lanes: Lanes) -> None:
        value = _rounded(lanes) if self._half else lanes.value
        self._columns.store(value, self._pointer(gate))

    def _pointer(self, gate: int) -> ir.Value:
        at = self._columns
        column = at.builder.add(at.first, at.builder.mul(at.H, long(gate)))
        return at.builder.gep(self._address, [column], source_etype=SHORT if self._half else ir.FloatType())


class Columns(NamedTuple):
    """Sixteen columns from `first` on."""

    builder: ir.IRBuilder
    H: ir.Value
    first: ir.Value
    mask: ir.Value | None  # of those that there are

    def load(self, pointer: ir.Value, vector: ir.VectorType) -> ir.Value:
        """What stands there, zero where there is no column."""
        if self.mask is None:
            return self.builder.load(pointer, typ=vector, align=_bytes(vector))
        arguments = [pointer, _alignment(vector), self.mask, constant(vector, 0)]
        return call(self.builder, f"llvm.masked.load.{_suffix(vector)}", vector, arguments)

    def store(self, value: ir.Value, pointer: ir.Value) -> None:
        """Write it there, but for where there is no column."""
        if self.mask is None:
            self.builder.store(value, pointer, align=_bytes(value.type))
            return
        arguments = [value, pointer, _alignment(value.type), self.mask]
        call(self.builder, f"llvm.masked.store.{_suffix(value.type)}", ir.VoidType(), arguments)


Body: TypeAlias = Callable[[Mapping[str, Any]], None]  # a row of each array, by name


def over_rows(name: str, arrays: list[Array], body: Body) -> ir.Module:
    """A module with one function, which does `body` to all columns of n rows; it reads no K."""
    module = ir.Module(name)
    builder, (table, n, at, _) = begun(module)
    H, places = placed(builder, table, arrays)
    whole = builder.and_(H, long(-WIDTH))
    with counting(builder, n) as row:
        here = rows_at(builder, places, row, at)
        with counting(builder, whole, WIDTH) as column:
            body(here.columns(Columns(builder, H, column, None)))
        with builder.if_then(builder.icmp_signed("<", whole, H)):
            body(here.columns(Columns(builder, H, whole, first_columns(builder, builder.sub(H, whole)))))
    builder.ret_void()
    return module


def begun(module: ir.Module) -> tuple[ir.IRBuilder, list[ir.Value]]:
    """A function of the module's name, and its arguments."""
    function = ir.Function(module, ir.FunctionType(ir.VoidType(), [POINTER, LONG, LONG, LONG]), module.name)
    return ir.IRBuilder(function.append_basic_block()), list(function.args)


class Place(NamedTuple):
    """Where an array lies: an address, and the bytes from row to row."""

    array: Array
    address: ir.Value
    stride: ir.Value


def placed(builder: ir.IRBuilder, table: ir.Value, arrays: list[Array]) -> tuple[ir.Value, list[Place]]:
    """What the table says: H, and where the arrays lie."""
    H, *fields = (_field(builder, table, k) for k in range(2 * len(arrays) + 1))
    return H, [Place(*place) for place in zip(arrays, fields[::2], fields[1::2], strict=True)]


class Rows(NamedTuple):
    """One row of each array."""

    addresses: list[tuple[Array, ir.Value]]

    def columns(self, columns: Columns) -> dict[str, Gates]:
        """The same at some columns."""
        return {array.name: Gates(columns, address, array) for array, address in self.addresses}


def rows_at(builder: ir.IRBuilder, places: list[Place], row: ir.Value, at: ir.Value) -> Rows:
    """Row `row` of each array, from `at` on where it begins there."""
    shifted = builder.add(row, at)
    return Rows([(p.array, moved(builder, p.address, p.stride, shifted if p.array.at else row)) for p in places])


def long(value: int) -> ir.Constant:
    """A number of rows, columns or bytes."""
    return ir.Constant(LONG, value)


@contextmanager
def counting(builder: ir.IRBuilder, end: ir.Value, by: int = 1) -> Iterator[ir.Value]:
    """Repeat what is written inside for 0, by, 2·by, … below `end`."""
    before = builder.block
    head, inside, after = (builder.append_basic_block() for _ in range(3))
    builder.branch(head)
    builder.position_at_end(head)
    k = builder.phi(LONG)
    k.add_incoming(long(0), before)
    builder.cbranch(builder.icmp_signed("<", k, end), inside, after)
    builder.position_at_end(inside)
    yield k
    k.add_incoming(builder.add(k, long(by)), builder.block)
    builder.branch(head)
    builder.position_at_end(after)


def moved(builder: ir.IRBuilder, first: ir.Value, stride: ir.Value, row: ir.Value) -> ir.Value:
    """Where a row begins."""
    return builder.inttoptr(builder.add(first, builder.mul(stride, row)), POINTER)


def first_columns(builder: ir.IRBuilder, count: ir.Value) -> ir.Value:
    """A mask of the first `count` lanes."""
    counts = ir.Constant(INTS, ir.Undefined)
    narrow = builder.trunc(count, ir.IntType(32))
    for k in range(WIDTH):
        counts = builder.insert_element(counts, narrow, ir.Constant(ir.IntType(32), k))
    return builder.icmp_signed("<", ir.Constant(INTS, list(range(WIDTH))), counts)


def _field(builder: ir.IRBuilder, table: ir.Value, k: int) -> ir.Value:
    return builder.load(builder.gep(table, [long(k)], source_etype=LONG), typ=LONG, align=8)


def _rounded(lanes: Lanes) -> ir.Value:
    """The upper halves of sixteen float32 numbers: to the nearest, from the middle to even, NaN to NaN."""
    builder = lanes.builder
    bits = builder.bitcast(lanes.value, INTS)
    odd = builder.and_(builder.lshr(bits, constant(INTS, 16)), constant(INTS, 1))
    nearest = builder.add(bits, builder.add(odd, constant(INTS, 0x7FFF)))
    nan = builder.fcmp_unordered("uno", lanes.value, lanes.value)
    chosen = builder.select(nan, constant(INTS, 0x7FC00000), nearest)
    return builder.trunc(builder.lshr(chosen, constant(INTS, 16)), HALVES)


def _bytes(vector: ir.VectorType) -> int:
    return 2 if vector == HALVES else 4


def _alignment(vector: ir.VectorType) -> ir.Constant:
    return ir.Constant(ir.IntType(32), _bytes(vector))


def _suffix(vector: ir.VectorType) -> str:
    return "v16i16.p0" if vector == HALVES else "v16f32.p0"
